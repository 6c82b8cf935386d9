"""What goes wrong when somebody operates a world from outside; see troubles.py, to which these are added."""

from troubles import PATH, code, opened, trouble

from deathless import Runtime
from deathless.tools.cli import deathless
from deathless.tools.control import serve
from deathless.tools.control.client import RemoteOperator
from deathless.tools.control.operator import find_operator
from deathless.tools.fit import require_fit
from deathless.workflows.library import buff


@trouble
def misspelt_query():
    with opened() as world:
        list(world.sql("SELEC * FROM workflow"))


@trouble
def query_that_writes():
    with opened() as world:
        list(world.sql("DELETE FROM workflow"))


@trouble
def nobody_runs_it():
    opened().close()
    find_operator(PATH)


@trouble
def it_takes_no_commands():
    with opened():
        find_operator(PATH)


@trouble
def nobody_listens():
    with opened() as world, serve(world) as endpoint:
        pass
    try:
        RemoteOperator(endpoint.url, endpoint.token, timeout=5.0).do("tick", all=False)
    except Exception as error:
        raise type(error)(error.status, str(error).replace(endpoint.url, "http://127.0.0.1:3000")) from None


@trouble
def another_token():
    with opened() as world, serve(world) as endpoint:
        RemoteOperator(endpoint.url, "guessed", timeout=5.0).do("tick", all=False)


@trouble
def loop_stands_still():
    with opened() as world, serve(world) as endpoint:
        RemoteOperator(endpoint.url, endpoint.token, timeout=0.05).do("tick", all=False)


@trouble
def bad_address():
    with opened() as world, serve(world, "3000"):
        pass


@trouble
def code_that_holds():
    before = code("left = 3\n    await ctx.sleep(60)\n    ctx.step(str(left))")
    with Runtime(PATH, [before.gate], durability="process") as world:
        world.start(before.gate())
        world.pump()
        world.commit()
        after = code("await ctx.sleep(90)")
        require_fit(world._engine.store, {"gate": after.gate})


@trouble
def answer_is_no():
    with opened(buff) as world:
        world.start(buff(30.0))
        world.advance(0.1)
    deathless.main(
        ["call", PATH, "workflow_timer_fire", "[1]", "--app", "deathless.workflows.library"],
        standalone_mode=False,
    )

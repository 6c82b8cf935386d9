"""What goes wrong, for real: each function here meets one error, whose text docs/how-to/troubleshoot.md quotes.

They run in an empty directory of their own, with the world at `world.deathless`.
"""

import errno
import importlib.util
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import lmdb

from deathless import (
    Context,
    GameClock,
    Limits,
    ReducerContext,
    Retry,
    Runtime,
    Signal,
    Table,
    WallClock,
    activity,
    reducer,
    workflow,
)
from deathless.runtime import Store
from deathless.runtime.storage import environment
from deathless.tools.loadtest.world_client import WorldClient
from deathless.tools.modules import load_types
from deathless.tools.replay.saved_world import SavedWorld
from deathless.workflows.builtin import workflow_cancel
from deathless.workflows.codec import Codec
from deathless.workflows.library import buff, npc_patrol
from deathless.workflows.library.buff import Dispel, Stack

PATH = "world.deathless"
TROUBLES = []


def trouble(function):
    TROUBLES.append(function)
    return function


def opened(*workflows, **options):
    options.setdefault("clock", GameClock())
    options.setdefault("durability", "process")
    return Runtime(PATH, workflows or (buff, npc_patrol), **options)


def raised_by(function):
    """Return what a function here raises."""
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError(f"{function.__name__} raised nothing")


def failure_of(kind, *args):
    """Let a workflow fail, and raise what it failed of, as its view has it."""
    with opened(*{kind, idle, failing}, walk) as world:
        handle = world.start(kind(*args))
        world.advance(0.1)
        # What a child or an activity comes to arrives with a later turn.
        ends = time.monotonic() + 30.0
        while world.get(handle.id).status == "Suspended":
            assert time.monotonic() < ends
            world.advance(0.1)
        raise Failed(world.get(handle.id).error_message)


class Failed(Exception):
    """A workflow that failed, by its `error_message`."""


class Cry(Signal):
    loud: int


scores = Table("score", key=int, value=int)


@reducer
def note_down(ctx: ReducerContext, player: int, points: int) -> None:
    if points < 0:
        raise ValueError("points below 0")
    ctx.table(scores)[player] = points


@workflow
async def idle(ctx: Context) -> None:
    await ctx.sleep(3600)


@workflow
async def sleepy(ctx: Context) -> None:
    await ctx.sleep(3600)
    await ctx.receive(Stack)


@workflow
async def failing(ctx: Context) -> None:
    raise RuntimeError("the bridge is out")


@activity
def walk(ctx) -> None:
    raise OSError("no route")


# -- when code is decorated or registered ----------------------------------------------------------------------


@trouble
def not_async():
    workflow(plain_function)


def plain_function(ctx):
    return 1


@trouble
def generator():
    @workflow
    async def counting(ctx: Context):
        yield 1


@trouble
def two_of_one_name():
    @workflow(name="buff")
    async def another(ctx: Context) -> None:
        await ctx.sleep(1.0)

    opened(buff, another)


@trouble
def registers_a_plain_function():
    opened(plain_function)


@trouble
def mutable_default():
    @workflow
    async def bag(ctx: Context, items: list[str] = []) -> None:
        await ctx.sleep(1.0)


# -- when a world is opened ------------------------------------------------------------------------------------


@trouble
def nowhere():
    Runtime("nowhere/world.deathless", [buff], clock=GameClock())


@trouble
def opened_twice():
    with opened():
        opened()


@trouble
def owned_by_another_process():
    with opened():
        script = (
            "from deathless import GameClock, Runtime\n"
            "from deathless.workflows.library import buff\n"
            "try: Runtime('world.deathless', [buff], clock=GameClock())\n"
            "except Exception as error: print(error.problem)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        from deathless import WorldInUse

        raise WorldInUse(PATH, done.stdout.strip())


@trouble
def nothing_there():
    SavedWorld(PATH)


@trouble
def a_file():
    Path(PATH).write_text("mine")
    opened()


@trouble
def other_content():
    Path(PATH).mkdir()
    Path(PATH, "notes.txt").write_text("mine")
    opened()


@trouble
def truncated():
    opened().close()
    data = Path(PATH, "data.mdb")
    os.truncate(data, 5000)
    opened()


@trouble
def data_is_gone():
    opened().close()
    Path(PATH, "data.mdb").unlink()
    opened()


@trouble
def damaged_row():
    with opened() as world:
        world.start(buff(30.0))
        world.advance(0.1)
    with Store.open(PATH) as store:
        store.commit({"workflow": {(1).to_bytes(8, "big"): b"\xc1"}})
    opened()


@trouble
def newer_format():
    opened().close()
    with Store.open(PATH) as store:
        store.commit({"meta": {b"format": b"\x63"}})
    opened()


@trouble
def another_clock():
    opened().close()
    opened(clock=WallClock())


@trouble
def full_disk():
    raise environment.translated(Path(PATH), lmdb.DiskError("mdb_txn_commit", errno.ENOSPC))


@trouble
def full_map():
    with opened(map_size=1_000_000, map_limit=1_000_000) as world:
        for _ in range(1000):
            world.start(buff(30.0, "x" * 255), entity_id=1)
            world.start(buff(30.0, "y" * 255), entity_id=1, correlation_id="y" * 255)
        for _ in range(100):
            world.advance(0.1)
            world.start_many([(buff(30.0, "x" * 255),)] * 1000)


# -- when the game or an operator calls ------------------------------------------------------------------------


@trouble
def unknown_type():
    with opened() as world:
        world.start("bufff", args=(30.0,))


@trouble
def another_modules_type():
    @workflow(name="buff")
    async def another(ctx: Context) -> None:
        await ctx.sleep(1.0)

    with opened() as world:
        world.start(another())


@trouble
def unknown_signal():
    with opened(buff) as world:
        world.signal(Cry(1), entity_id=1)


@trouble
def unknown_workflow():
    with opened() as world:
        world.get(7)


@trouble
def never_takes_it():
    with opened() as world:
        handle = world.start(npc_patrol([(0.0, 0.0)]))
        world.advance(0.1)
        world.signal(Dispel(), workflow_id=handle.id)


@trouble
def has_ended():
    with opened() as world:
        handle = world.start(buff(1.0))
        world.run_until(2.0)
        world.signal(Dispel(), workflow_id=handle.id)


@trouble
def bad_arguments():
    with opened() as world:
        world.start("buff", args=(30.0, "haste", 3, 4))


@trouble
def unstorable_argument():
    with opened() as world:
        world.start(buff(threading.Lock()))


@trouble
def too_many_unread():
    with opened(sleepy, limits=Limits(unread=3)) as world:
        handle = world.start(sleepy())
        for _ in range(4):
            world.advance(0.1)
            world.signal(Stack(), workflow_id=handle.id)


@trouble
def long_correlation_id():
    with opened() as world:
        world.start(buff(30.0), correlation_id="x" * 300)


@trouble
def exists():
    with opened() as world:
        world.start(buff(30.0), entity_id=42)
        world.advance(0.1)
        world.start(buff(30.0), entity_id=42, on_conflict="error")


@trouble
def input_id_again():
    with opened() as world:
        world.start(buff(30.0), entity_id=42, input_id="login 17")
        world.advance(0.1)
        world.signal(Dispel(), entity_id=42, input_id="login 17")


@trouble
def not_finished():
    with opened() as world:
        handle = world.start(buff(30.0))
        world.advance(0.1)
        handle.result()


@trouble
def failed_result():
    with opened(failing) as world:
        handle = world.start(failing())
        world.advance(0.1)
        handle.result()


@trouble
def nobody_answers():
    with opened() as world:
        answer = world.ask(Dispel(), entity_id=42)
        world.advance(0.1)
        answer.result()


@trouble
def receiver_ends():
    with opened() as world:
        handle = world.start(buff(30.0))
        answer = world.ask(Dispel(), workflow_id=handle.id)
        world.advance(0.1)
        answer.result()


@trouble
def reducer_failed():
    with opened(buff, note_down, scores) as world:
        done = world.call(note_down, 1, -5)
        world.advance(0.1)
        done.result()


@trouble
def unknown_reducer():
    with opened() as world:
        world.call("note_dwon", 1, 2)


@trouble
def other_value():
    with opened(buff, note_down, scores) as world:
        done = world.call(note_down, "me", 1)
        world.advance(0.1)
        raise done.exception().__cause__


@trouble
def keys_changed():
    opened(buff, scores).close()
    opened(buff, Table("score", key=str, value=int))


@trouble
def closed():
    world = opened()
    world.close()
    world.start(buff(30.0))


@trouble
def broken():
    world = opened()
    world._engine._break(AssertionError("a broken invariant"))
    world.start(buff(30.0))


@trouble
def waits_on_the_pump_thread():
    with opened() as world:
        world.advance(0.1)
        world.start(buff(30.0)).committed.result()


WORLDS = []


@workflow
async def pumps(ctx: Context) -> None:
    WORLDS[-1].advance(0.1)


@trouble
def pumps_within_a_pump():
    with opened(pumps) as world:
        WORLDS.append(world)
        handle = world.start(pumps())
        world.advance(0.1)
        WORLDS.clear()
        raise Failed(world.get(handle.id).error_message)


# -- inside a workflow -----------------------------------------------------------------------------------------


@workflow
async def keeps_a_lock(ctx: Context) -> None:
    guard = threading.Lock()
    await ctx.sleep(1.0)
    guard.acquire()


async def helper(ctx: Context) -> None:
    await ctx.sleep(1.0)


@workflow
async def awaits_a_helper(ctx: Context) -> None:
    await helper(ctx)


@workflow
async def awaits_a_timer(ctx: Context) -> None:
    later = ctx.timer(1.0)
    await later


@workflow
async def grows(ctx: Context, size: int) -> None:
    text = "x" * size
    await ctx.sleep(1.0)
    ctx.step(text[:9])


@workflow
async def parent_of_failing(ctx: Context) -> None:
    await ctx.spawn(failing())


@workflow
async def parent_of_cancelled(ctx: Context) -> None:
    child = ctx.spawn(idle())
    ctx.call(workflow_cancel, child.workflow_id, "not needed")
    await child


@workflow
async def sends_on_foot(ctx: Context) -> None:
    await ctx.run(walk(), retry=Retry(attempts=1))


@workflow
async def is_cancelled(ctx: Context) -> None:
    await ctx.sleep(10.0)


@trouble
def unstorable_local():
    failure_of(keeps_a_lock)


@trouble
def not_a_routine():
    failure_of(awaits_a_helper)


@trouble
def awaits_a_source():
    failure_of(awaits_a_timer)


@trouble
def large_state():
    failure_of(grows, 2_000_000)


@trouble
def child_failed():
    failure_of(parent_of_failing)


@trouble
def child_cancelled():
    failure_of(parent_of_cancelled)


@trouble
def activity_failed():
    failure_of(sends_on_foot)


# -- why a workflow is held ------------------------------------------------------------------------------------

GATE = """
from deathless import Context, workflow

@workflow{options}
async def gate(ctx: Context) -> None:
    {body}
"""


def held_after(body, options=""):
    """Let a workflow wait in one code, and raise why it is held in another."""
    before = code("left = 3\n    await ctx.sleep(60)\n    ctx.step(str(left))")
    with opened(before.gate) as world:
        handle = world.start(before.gate())
        world.advance(0.1)
    after = [code(body, options).gate] if body else [buff]
    with opened(*after) as world:
        raise Held(world.get(handle.id).held_reason)


class Held(Exception):
    """A workflow that is held, by its `held_reason`."""


def code(body, options=""):
    """Return a module, as a game has it that was edited and started anew."""
    path = Path(f"gates{len(list(Path().glob('gates*')))}.py").resolve()
    path.write_text(GATE.format(body=body, options=options), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("gates", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@trouble
def held_for_its_type():
    held_after(None)


@trouble
def held_for_its_version():
    held_after("left = 3\n    await ctx.sleep(60)\n    ctx.step(str(left))", "(version=2)")


@trouble
def held_for_its_await():
    held_after("await ctx.sleep(90)")


@trouble
def held_for_a_local():
    held_after("left = 3\n    more = 4\n    await ctx.sleep(60)\n    ctx.step(str(left + more))")


# -- stored values, history, tools -----------------------------------------------------------------------------


@trouble
def no_value():
    Codec().unpack(b"\xc1")


@trouble
def class_is_gone():
    codec = Codec()
    codec.unpack(codec.pack(Stack(2)).replace(b"Stack", b"Stick"))


@trouble
def not_recorded():
    with opened(history="off") as world:
        world.start(buff(30.0))
        world.advance(0.1)
    world = SavedWorld(PATH)
    try:
        world.require_steps(1)
    finally:
        world.close()


@trouble
def turn_to_come():
    with opened(history="all") as world:
        world.start(buff(30.0))
        world.advance(0.1)
    world = SavedWorld(PATH)
    try:
        world.rows_at(50)
    finally:
        world.close()


@trouble
def bad_input():
    load_types(["deathless.tools"])


@trouble
def process_ended():
    client = WorldClient(None, Path("log"))
    client._process = SimpleNamespace(wait=lambda: 1)
    client._checked(None, ["error", "game.py cannot be imported"])

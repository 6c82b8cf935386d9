"""`deathless publish`: a world is made, emptied, checked against its code, or told to load it anew."""

import json
import shutil
import sys
import threading

import pytest

from deathless import GameClock, Runtime, WorldError
from deathless.tools.commands import publish as publish_command
from deathless.tools.control import serve
from deathless.tools.modules import load_modules, registered_in
from deathless.tools.publish import clear
from deathless.tools.stored_options import stored_clock

APP = ("--app", "game")


@pytest.fixture
def world(open_world, place):
    """A world with a buff, which nobody runs."""
    with open_world() as world:
        world.start("buff", args=(30.0,))
        world.pump()
    return place / "w"


def edited(place, name="edited"):
    """Write code in which the await of the buff is another one."""
    source = (place / "game.py").read_text()
    (place / f"{name}.py").write_text(source.replace('"expire"', '"runs_out"'))
    return name


def workflows_of(open_world):
    with open_world() as world:
        return [(view.type, view.status) for view in world.workflows()]


def test_where_there_is_no_world_it_is_made(command, place):
    assert command("publish", "new", *APP)[:2] == (0, "new: a new world\n")
    assert stored_clock(place / "new").kind == "wall"
    code, out, _ = command("publish", "other", "--clock", "game", "--json", *APP)
    assert json.loads(out) == {
        "world": "other",
        "made": True,
        "reloaded": False,
        "workflows": None,
        "cleared": False,
    }
    assert stored_clock(place / "other").kind == "game"


def test_a_data_directory_holds_worlds_by_name(command, place):
    (place / "data").mkdir()
    assert command("publish", "village", "--data-dir", place / "data", *APP)[0] == 0
    assert (place / "data" / "village" / "data.mdb").exists()


def test_code_that_fits_is_published(command, world):
    assert command("publish", world, *APP)[:2] == (0, f"{world}: 1 workflow goes on with this code\n")


def test_code_that_would_hold_workflows_is_refused_but_by_force(command, world, place):
    name = edited(place)
    code, out, err = command("publish", world, "--app", name)
    assert (code, out) == (1, "")
    assert err.startswith(
        "Error: 1 of 1 workflows would be held, the first at while0/body/match0/ctx.select("
    )
    assert len(err.splitlines()) == 1
    assert command("publish", world, "--app", name, "--force")[0] == 0
    assert command("publish", world, *APP)[0] == 0, "force has changed nothing of the workflow"


def test_a_cleared_world_is_empty_and_new(command, world, open_world, place):
    (world / "logs").mkdir()
    (world / "logs" / "deathless.jsonl").write_text("{}\n")
    code, out, _ = command("publish", world, "--clear-database", "--yes", *APP)
    assert (code, out) == (0, f"{world}: a new world\n")
    assert stored_clock(world).kind == "wall"
    assert (world / "logs" / "deathless.jsonl").exists()
    with Runtime(world, registered_in(load_modules(["game"])), durability="process") as opened:
        assert opened.workflows() == []
        assert opened.start("buff", args=(1,)).id == 1


def test_code_that_does_not_load_clears_nothing(command, world, open_world):
    assert command("publish", world, "--app", "nothing_here", "--clear-database", "--yes")[0] == 2
    assert workflows_of(open_world) == [("buff", "Suspended")]


def test_modules_that_do_not_go_together_clear_nothing(command, world, open_world, place):
    (place / "again.py").write_text((place / "game.py").read_text())
    code, _, err = command("publish", world, *APP, "--app", "again", "--clear-database", "--yes")
    assert code == 2
    assert len(err.splitlines()) == 1
    assert workflows_of(open_world) == [("buff", "Suspended")]


def test_nobody_there_to_be_asked_clears_nothing(command, world, open_world, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    code, _, err = command("publish", world, "--clear-database", *APP)
    assert code == 2
    assert "nobody can be asked whether to delete all that is in it; give --yes" in err
    assert workflows_of(open_world) == [("buff", "Suspended")]


@pytest.mark.parametrize(("answer", "code", "left"), [(False, 1, 1), (True, 0, 0)])
def test_a_terminal_is_asked_before_anything_is_deleted(command, world, monkeypatch, answer, code, left):
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(publish_command.click, "confirm", lambda text, **_: asked.append(text) or answer)
    assert command("publish", world, "--clear-database", "--clock", "game", *APP)[0] == code
    assert asked == [f"Delete all workflows, tables and history in {world}?"]
    with Runtime(world, registered_in(load_modules(["game"])), clock=GameClock()) as opened:
        assert len(opened.workflows()) == left


def test_a_clearing_that_was_cut_short_leaves_a_world_or_none(command, world, monkeypatch):
    real = type(world).unlink

    def once(path, **options):
        real(path, **options)
        raise OSError(5, "cut short")

    monkeypatch.setattr(type(world), "unlink", once)
    with pytest.raises(WorldError, match="cut short"):
        clear(world)
    monkeypatch.undo()
    assert command("publish", world, "--app", str(world.parent / "game.py"))[0] == 0


def test_a_running_world_is_never_cleared(command, world, open_world):
    with open_world() as opened:
        code, _, err = command("publish", world, "--clear-database", "--yes", *APP)
        assert code == 2
        assert "owned by this process" in err
        assert len(opened.workflows()) == 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["publish", "w"], "a world is given code: give --app MODULE"),
        (["publish", "w", *APP, "--clock", "wall"], "made with a game clock, not with a wall clock"),
        (["publish", "game.py", *APP], "where a world is a directory"),
        (["publish", "w", "--clear-database", "--server", "http://x"], "leave --server out"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(command, world, words, problem):
    code, out, err = command(*words)
    assert (code, out) == (2, "")
    assert problem in err
    assert len(err.splitlines()) == 1


@pytest.fixture
def running(world, open_world, place):
    """A game that takes commands and is pumped here, by hand; it reloads the module `game`."""
    with open_world() as opened, serve(opened, modules=load_modules(["game"]), timeout=60.0) as endpoint:
        yield opened, endpoint


def reloaded(command, opened, endpoint, *words):
    """Publish to a running world from another thread, and pump until it is answered."""
    asked = (
        "publish",
        "anywhere",
        "--server",
        endpoint.url,
        "--token",
        endpoint.token,
        "--timeout",
        "60s",
        *words,
    )
    done = []
    asking = threading.Thread(target=lambda: done.append(command(*asked)))
    asking.start()
    while asking.is_alive():
        opened.pump()
        asking.join(0.002)
    return done[0]


def test_a_running_world_loads_its_modules_anew_between_two_turns(command, running, place):
    opened, endpoint = running
    source = (place / "game.py").read_text()
    (place / "game.py").write_text(
        source + '\n\n@workflow\nasync def late(ctx: Context) -> str:\n    return "new"\n'
    )
    code, out, err = reloaded(command, opened, endpoint)
    assert (code, out) == (0, f"{endpoint.url}: the running world has loaded its code\n"), err
    late = opened.start("late")
    opened.pump()
    assert late.result() == "new"
    assert opened.get(1).held_reason is None


def test_a_running_world_refuses_code_that_would_hold_workflows_but_by_force(command, running, place):
    opened, endpoint = running
    shutil.move(place / f"{edited(place)}.py", place / "game.py")
    code, out, err = reloaded(command, opened, endpoint)
    assert (code, out) == (1, "")
    assert "1 of 1 workflows would be held" in err
    opened.signal(opened.signal_class("stack")(2), workflow_id=1)
    opened.pump()
    assert opened.get(1).locals["stacks"] == 3, "the old code goes on"
    assert reloaded(command, opened, endpoint, "--force")[0] == 0
    opened.pump()
    assert opened.get(1).held_reason is not None


def test_a_running_world_whose_files_do_not_load_goes_on_with_its_old_code(command, running, place):
    opened, endpoint = running
    (place / "game.py").write_text("1 / 0\n")
    code, _, err = reloaded(command, opened, endpoint)
    assert code == 1
    assert err == (
        "Error: the modules cannot be loaded: ZeroDivisionError: division by zero; the old code goes on\n"
    )
    assert opened.start("buff", args=(1,)).id > 1

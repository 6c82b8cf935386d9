"""A module edited on disk and loaded again under a running world: the state stays, the code is the new one."""

import importlib
import os
import sys

import pytest

from deathless import (
    CompileError,
    DefinitionError,
    UnknownSignalError,
    UnknownWorkflowTypeError,
    WrongThreadError,
)

GAME = """
from dataclasses import dataclass

from deathless import Context, Elapsed, Signal, routine, workflow

STRENGTH = 1


class Stack(Signal):
    amount: int = 1


class Dispel(Signal):
    pass


@dataclass
class Bearer:
    name: str

    def title(self) -> str:
        return self.name


def strength() -> int:
    return STRENGTH


@routine
async def pause(ctx: Context) -> None:
    await ctx.sleep(1.0)
    ctx.step("rested")


@workflow
async def buff(ctx: Context, duration: float, bearer: Bearer) -> list:
    stacks = 1
    while True:
        match await ctx.select(ctx.timer(duration, name="expire"), Stack, Dispel):
            case Stack(amount):
                stacks += amount * strength()
            case Dispel():
                await pause(ctx)
            case Elapsed():
                return [stacks, bearer.title()]


@workflow
async def idle(ctx: Context) -> None:
    await ctx.sleep(1000.0)
"""


@pytest.fixture
def game(tmp_path, monkeypatch):
    """The module, imported from a file."""
    (tmp_path / "hot_game.py").write_text(GAME)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield importlib.import_module("hot_game")
    del sys.modules["hot_game"]


@pytest.fixture
def edit(tmp_path):
    """Write the module's file anew, as it was but for some replacements."""

    def write(*pairs):
        source = GAME
        for old, new in pairs:
            assert old in source
            source = source.replace(old, new)
        (tmp_path / "hot_game.py").write_text(source)

    return write


@pytest.fixture(params=[False, True], ids=["warm", "paranoid"])
def world(request, worlds, game):
    return worlds.open([game.buff, game.idle], paranoid=request.param)


@pytest.fixture
def running(world, game):
    """A buff with three stacks that waits in its select."""
    handle = world.start(game.buff(10.0, game.Bearer("ann")), entity_id=1)
    world.advance(0.1)
    world.signal(game.Stack(2), entity_id=1)
    world.advance(0.1)
    assert world.get(handle.id).locals["stacks"] == 3
    return handle


def by_hand(world, game):
    importlib.reload(game)
    world.reload([game.buff, game.idle])


def by_module(world, game):
    world.reload([game])


WAYS = pytest.mark.parametrize("reload", [by_hand, by_module])


@WAYS
def test_edited_code_goes_on_with_the_state_that_was(world, game, running, edit, reload):
    edit(
        ("+= amount *", "+= 10 * amount *"),
        ("STRENGTH = 1", "STRENGTH = 3"),
        ("return self.name", "return 'sir ' + self.name"),
    )
    reload(world, game)
    view = world.get(running.id)
    assert (view.held_reason, view.locals["stacks"]) == (None, 3)
    world.signal(game.Stack(1), entity_id=1)
    world.run_until(20.0)
    assert running.result() == [33, "sir ann"]


@WAYS
def test_new_workflows_signals_and_lines_are_known_at_once(world, game, running, edit, reload):
    edit(
        ("STRENGTH = 1", "STRENGTH = 1\n\n\n"),
        ("class Dispel", "class Boost(Signal):\n    pass\n\n\nclass Dispel"),
        ("Stack, Dispel):", "Stack, Dispel, Boost):"),
        (
            "            case Dispel",
            "            case Boost():\n                stacks *= 2\n            case Dispel",
        ),
    )
    line = world.get(running.id).line
    reload(world, game)
    assert world.get(running.id).held_reason == (
        "await while0/body/match0/ctx.select(expire,Stack,Dispel) of 'buff' is gone"
    )
    second = world.start(game.buff(10.0, game.Bearer("bob")), entity_id=2)
    world.advance(0.1)
    world.signal(game.Boost(), entity_id=2)
    world.advance(0.1)
    view = world.get(second.id)
    assert (view.locals["stacks"], view.line) == (2, line + 7)


@WAYS
def test_held_workflows_collect_signals_and_go_on_when_fitting_code_comes(world, game, running, edit, reload):
    edit(('name="expire"', 'name="end"'))
    reload(world, game)
    world.signal(game.Stack(4), entity_id=1)
    world.advance(0.1)
    view = world.get(running.id)
    assert (view.status, view.unread) == ("Suspended", ("Stack",))
    assert "is gone" in view.held_reason
    edit()
    reload(world, game)
    world.advance(0.1)
    view = world.get(running.id)
    assert (view.held_reason, view.locals["stacks"], view.unread) == (None, 7, ())
    world.run_until(10.3)
    assert running.status == "Suspended", "the signal has set its timer anew"
    world.run_until(10.5)
    assert running.result() == [7, "ann"]


@WAYS
def test_a_held_workflow_that_goes_on_without_a_message_still_has_its_timer(world, game, edit, reload):
    handle = world.start(game.buff(10.0, game.Bearer("ann")), entity_id=1)
    world.advance(0.1)
    world.signal(game.Dispel(), entity_id=1)
    world.advance(0.1)
    edit(("ctx.sleep(1.0)", "ctx.sleep(9.0)"))
    reload(world, game)
    world.signal(game.Stack(4), entity_id=1)
    world.advance(0.1)
    assert "ctx.sleep(1.0) of 'hot_game:pause' is gone" in world.get(handle.id).held_reason
    edit()
    reload(world, game)
    world.advance(0.1)
    assert world.get(handle.id).current_step != "rested"
    world.run_until(1.3)
    assert world.get(handle.id).locals["stacks"] == 5


@WAYS
def test_an_edit_of_the_same_size_in_the_same_second_is_seen(world, game, running, edit, reload, tmp_path):
    edit(("+= amount", "-= amount"))
    reload(world, game)
    world.signal(game.Stack(1), entity_id=1)
    world.advance(0.1)
    assert world.get(running.id).locals["stacks"] == 2
    file = tmp_path / "hot_game.py"
    edit(("+= amount", "*= amount"))
    os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns + 1_000_000))
    reload(world, game)
    world.signal(game.Stack(5), entity_id=1)
    world.advance(0.1)
    assert world.get(running.id).locals["stacks"] == 10


BROKEN = {
    "a syntax error": ([("async def idle(", "async def idle(:")], SyntaxError),
    "what cannot be durable": (
        [("STRENGTH = 1", "STRENGTH = 7"), ("await ctx.sleep(1000.0)", "async with ctx: pass")],
        CompileError,
    ),
    "a missing case": (
        [
            ("STRENGTH = 1", "STRENGTH = 7"),
            ("            case Dispel():\n                await pause(ctx)\n", ""),
        ],
        CompileError,
    ),
    "an error at its end": (
        [("STRENGTH = 1", "STRENGTH = 7"), ("await ctx.sleep(1000.0)", "await ctx.sleep(1000.0)\n\n\n1 / 0")],
        ZeroDivisionError,
    ),
    "two workflows of one name": (
        [
            ("STRENGTH = 1", "STRENGTH = 7"),
            ("@workflow\nasync def idle", "@workflow(name='buff')\nasync def idle"),
        ],
        DefinitionError,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_does_not_load_leaves_the_old_code_running(world, game, running, edit, name):
    pairs, error = BROKEN[name]
    world.signal(game.Dispel(), entity_id=1)
    world.advance(0.1)
    before = dict(vars(game))
    edit(*pairs)
    with pytest.raises(error):
        world.reload([game])
    assert vars(game) == before
    world.run_until(1.5)
    world.signal(game.Stack(2), entity_id=1)
    second = world.start(game.buff(1.0, game.Bearer("bob")), entity_id=2)
    world.run_until(30.0)
    assert (running.result(), second.result()) == ([5, "ann"], [1, "bob"])


def test_a_syntax_error_met_by_hand_leaves_the_old_code_running(world, game, running, edit):
    edit(("async def idle(", "async def idle(:"))
    with pytest.raises(SyntaxError):
        importlib.reload(game)
    world.signal(game.Stack(2), entity_id=1)
    world.run_until(30.0)
    assert running.result() == [5, "ann"]


def test_of_several_modules_all_are_loaded_or_none(world, game, running, edit, tmp_path):
    (tmp_path / "hot_more.py").write_text("from hot_game import STRENGTH, buff, idle\n")
    more = importlib.import_module("hot_more")
    edit(("STRENGTH = 1", "STRENGTH = 7"))
    (tmp_path / "hot_more.py").write_text("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        world.reload([game, more])
    assert (game.STRENGTH, more.STRENGTH) == (1, 1)
    (tmp_path / "hot_more.py").write_text("from hot_game import STRENGTH, buff, idle\n\n")
    world.reload([game, more])
    assert (game.STRENGTH, more.STRENGTH) == (7, 7)
    world.signal(game.Stack(1), entity_id=1)
    world.run_until(30.0)
    assert running.result() == [10, "ann"]
    del sys.modules["hot_more"]


@WAYS
def test_what_is_of_the_old_code_is_refused_with_a_clear_error(world, game, running, reload):
    old_stack, old_buff = game.Stack, game.buff
    reload(world, game)
    with pytest.raises(
        UnknownSignalError, match="'Stack' is not of the class .* before a reload.* take the class from"
    ):
        world.signal(old_stack(2), entity_id=1)
    with pytest.raises(
        UnknownWorkflowTypeError, match="'buff' is not the registered .* before a reload.* take it from"
    ):
        world.start(old_buff(1.0, game.Bearer("bob")))
    world.signal(game.Stack(2), entity_id=1)
    world.advance(0.1)
    assert world.get(running.id).locals["stacks"] == 5


def test_a_signal_sent_before_the_reload_is_taken_by_the_new_class(world, game, running, edit):
    world.signal(game.Stack(2), entity_id=1)
    edit(
        ("    amount: int = 1", "    amount: int = 1\n    extra: int = 100"),
        ("case Stack(amount)", "case Stack(amount, extra)"),
        ("+= amount", "+= extra + amount"),
    )
    world.reload([game])
    world.advance(0.1)
    assert world.get(running.id).locals["stacks"] == 105


def test_a_workflow_that_the_file_no_longer_has_is_held(world, game, running, edit):
    sleeper = world.start(game.idle())
    world.advance(0.1)
    edit(("@workflow\nasync def idle", "async def idle"))
    world.reload([game])
    world.advance(0.1)
    assert world.get(sleeper.id).held_reason == "workflow type 'idle' is not registered"
    source_without = GAME[: GAME.index("@workflow\nasync def idle")]
    edit((GAME, source_without))
    world.reload([game])
    world.advance(0.1)
    assert game.idle is not None, "its name stays in the module"
    assert world.get(sleeper.id).held_reason == "workflow type 'idle' is not registered"
    assert world.get(running.id).held_reason is None


def test_a_reload_within_a_pump_is_refused_before_any_code_runs(world, game, running, edit):
    refused = []

    def strength():
        try:
            world.reload([game])
        except WrongThreadError as error:
            refused.append(error)
        return 1

    game.strength = strength
    edit(("STRENGTH = 1", "STRENGTH = 7"))
    world.signal(game.Stack(2), entity_id=1)
    world.advance(0.1)
    assert (len(refused), game.STRENGTH, world.get(running.id).locals["stacks"]) == (1, 1, 5)


def test_what_survives_a_reload_survives_a_restart(worlds, world, game, running, edit):
    edit(("+= amount *", "+= 10 * amount *"))
    world.reload([game])
    world.signal(game.Stack(1), entity_id=1)
    world.advance(0.1)
    worlds.crash(world)
    again = worlds.open([game.buff, game.idle])
    assert again.get(running.id).locals["stacks"] == 13
    again.run_until(30.0)
    assert again.get(running.id).result == [13, "ann"]

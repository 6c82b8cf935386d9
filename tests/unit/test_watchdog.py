"""The watchdog: a step that does not end is named in the log while it still runs."""

import inspect
import os
import threading
import warnings

import pytest
import structlog

from deathless import Context, routine, workflow
from deathless.runtime.watchdog import _look

SLOW = 0.02
PATIENCE = 60.0
"""Seconds after which a test gives up; nothing waits that long unless it is broken."""


class Reports:
    """A structlog processor that keeps the reports of slow steps, and lets others wait for them."""

    def __init__(self):
        self.came = threading.Condition()
        self.seen = []

    def __call__(self, logger, method, event):
        if event.get("event") == "slow_step":
            with self.came:
                self.seen.append({**event, "method": method})
                self.came.notify_all()
        raise structlog.DropEvent

    def wait_for(self, count):
        with self.came:
            assert self.came.wait_for(lambda: len(self.seen) >= count, PATIENCE), self.seen


REPORTS = Reports()


@pytest.fixture(autouse=True)
def reports():
    REPORTS.seen.clear()
    structlog.configure(processors=[REPORTS])
    return REPORTS


def hang(count):
    REPORTS.wait_for(count)


@workflow
async def hanging(ctx: Context, count: int) -> int:
    await ctx.sleep(1.0)
    hang(count)
    return count


@routine
async def helper(ctx: Context, count: int) -> None:
    await ctx.sleep(1.0)
    hang(count)


@workflow
async def hanging_below(ctx: Context) -> None:
    await helper(ctx, 1)


@workflow
async def hanging_at_once(ctx: Context) -> None:
    hang(1)


@workflow
async def hanging_twice(ctx: Context) -> None:
    for count in (1, 2):
        await ctx.sleep(1.0)
        hang(count)


SEEN, LOOK_AT = [], []


@workflow
async def looking(ctx: Context) -> None:
    await ctx.sleep(1.0)
    SEEN.append(_look(LOOK_AT.pop()))


TYPES = (hanging, hanging_below, hanging_at_once, hanging_twice, looking)


def line_of(kind, text):
    lines, first = inspect.getsourcelines(kind.program.original if hasattr(kind, "program") else kind)
    return first + next(number for number, line in enumerate(lines) if text in line)


def watchdogs():
    return [thread for thread in threading.enumerate() if thread.name == "deathless-watchdog"]


@pytest.fixture
def world(open_world):
    return open_world(*TYPES, slow_step=SLOW)


def test_a_slow_step_is_reported_with_its_workflow_and_line(world, reports):
    handle = world.start(hanging(1), entity_id=42)
    world.pump()
    world.advance(1.0)
    (report,) = reports.seen
    assert report.pop("seconds") >= SLOW
    assert report == {
        "event": "slow_step",
        "method": "warning",
        "workflow_id": handle.id,
        "workflow_type": "hanging",
        "entity_id": 42,
        "file": __file__,
        "line": line_of(hanging, "hang(count)"),
    }
    assert handle.result() == 1


def test_it_is_reported_again_each_time_its_age_has_doubled(world, reports):
    world.start(hanging(4))
    world.pump()
    world.advance(1.0)
    ages = [report["seconds"] for report in reports.seen]
    assert len(ages) == 4
    assert all(age >= SLOW * 2**number for number, age in enumerate(ages))


def test_in_a_routine_the_line_is_that_of_the_routine(world, reports):
    world.start(hanging_below())
    world.pump()
    world.advance(1.0)
    source = inspect.getsourcelines(inspect.getmodule(hanging.program.original))[0]
    (line,) = [report["line"] for report in reports.seen]
    assert source[line - 1].strip() == "hang(count)"
    assert "async def helper" in source[line - 3]


def test_a_first_step_is_watched_too(world, reports):
    world.start(hanging_at_once())
    world.pump()
    assert [report["line"] for report in reports.seen] == [line_of(hanging_at_once, "hang(1)")]


def test_the_next_slow_step_of_the_same_workflow_is_a_new_one(world, reports):
    world.start(hanging_twice())
    world.pump()
    world.advance(1.0)
    world.advance(1.0)
    world.advance(1.0)
    assert [report["workflow_type"] for report in reports.seen] == ["hanging_twice"] * 2


def test_between_two_turns_no_step_runs(world):
    world.start(looking())
    world.pump()
    assert _look(world._engine.system) is None
    SEEN.clear()
    LOOK_AT.append(world._engine.system)
    world.advance(1.0)
    assert [(sight.type_name, sight.line) for sight in SEEN] == [
        ("looking", line_of(looking, "_look(LOOK_AT"))
    ]
    assert _look(world._engine.system) is None


def test_it_lives_from_the_first_turn_to_the_close(worlds):
    before = watchdogs()
    world = worlds.open(TYPES, slow_step=SLOW)
    assert watchdogs() == before
    world.pump()
    (thread,) = set(watchdogs()) - set(before)
    assert thread.daemon
    world.close()
    assert not thread.is_alive()


def test_none_has_no_thread(worlds):
    before = watchdogs()
    worlds.open(TYPES, slow_step=None).pump()
    assert watchdogs() == before


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("inf"), float("nan")])
def test_a_wrong_time_is_refused(worlds, wrong):
    with pytest.raises(ValueError, match="slow_step is a number of seconds over 0.0, or None, not"):
        worlds.open(TYPES, slow_step=wrong)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_it_steps_aside_for_a_fork_and_comes_back_with_the_next_turn(world):
    world.pump()
    (thread,) = watchdogs()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        child = os.fork()
        if child == 0:
            os._exit(len(watchdogs()))
    assert os.waitpid(child, 0)[1] == 0
    assert not thread.is_alive()
    world.pump()
    assert len(watchdogs()) == 1

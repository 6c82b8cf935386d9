"""Beats that come due while nobody can take them: what each policy makes of them, wherever the world stands."""

import pytest

from deathless import Beat, Context, Every, Signal, workflow

POLICIES = ("skip", "once", "catch_up", "shift")
CRASHES = ("stays up", "is opened again", "crashes")


class Poke(Signal):
    pass


class Heard(Signal):
    who: int


@workflow
async def drummer(ctx: Context, period: float, count: int, missed: str) -> list[tuple[int, int, float]]:
    beats = []
    every = ctx.every(period, missed=missed)
    while len(beats) < count:
        match await ctx.select(every, Poke):
            case Beat(n, missed):
                beats.append((n, missed, round(ctx.now, 6)))
            case Poke():
                await ctx.receive(Poke)
    return beats


@workflow
async def two_drums(ctx: Context, missed: str) -> list[str]:
    slow, fast = ctx.every(1.5, missed=missed), ctx.every(1.0, missed=missed)
    played: list[str] = []
    while len(played) < 7:
        before = slow.n
        match await ctx.select(slow, fast):
            case Beat(n, _):
                played.append(f"{'slow' if slow.n != before else 'fast'}{n}")
    return played


@workflow
async def caller(ctx: Context, beats: int) -> None:
    every = ctx.every(1.0, missed="catch_up")
    for _ in range(beats):
        await ctx.select(every)
        ctx.signal(Heard(ctx.workflow_id), correlation_id="ear")


@workflow
async def ear(ctx: Context) -> None:
    heard: list[int] = []
    while True:
        heard.append((await ctx.receive(Heard)).who)


@workflow
async def slow_starter(ctx: Context, good_from: float, missed: str) -> tuple[int, int, float]:
    every = ctx.every(1.0, missed=missed)
    beat = await ctx.select(every)
    if ctx.now < good_from:
        raise ValueError("too early")
    return beat.n, beat.missed, ctx.now


def restart(open_world, world, how, *workflows):
    """Return the world after it stayed up, was closed and opened, or crashed."""
    if how == "stays up":
        return world
    # A turn in which nothing happened is committed later, and a crash would take its time back.
    world.commit()
    if how == "crashes":
        open_world.crash(world)
    else:
        world.close()
    return open_world(*workflows)


AFTER_A_PAUSE = pytest.mark.parametrize(
    ("missed", "beats"),
    [
        ("skip", [(1, 0, 1.0), (5, 3, 5.0), (6, 0, 6.0)]),
        ("once", [(1, 0, 1.0), (4, 2, 4.5), (5, 0, 5.0)]),
        ("catch_up", [(1, 0, 1.0), (2, 0, 4.5), (3, 0, 4.5), (4, 0, 4.5), (5, 0, 5.0)]),
        ("shift", [(1, 0, 1.0), (4, 2, 4.5), (5, 0, 5.5), (6, 0, 6.5)]),
    ],
)
"""What each policy makes of the beats of 1 s that were missed from 1 s to 4.5 s."""


@pytest.mark.parametrize("how", CRASHES)
@AFTER_A_PAUSE
def test_after_a_pause_the_policy_says_what_comes_of_the_missed_beats(open_world, how, missed, beats):
    world = open_world(drummer)
    handle = world.start(drummer(1.0, len(beats), missed), entity_id=1)
    world.pump()
    for step in (1.0, 3.5, 0.0, 0.5, 0.0, 0.5, 0.5, 0.5):
        world = restart(open_world, world, how, drummer)
        world.advance(step)
    assert world.get(handle.id).result == beats


@pytest.mark.parametrize("how", CRASHES)
@AFTER_A_PAUSE
def test_beats_that_came_while_something_else_was_awaited_are_missed_too(open_world, how, missed, beats):
    world = open_world(drummer)
    handle = world.start(drummer(1.0, len(beats), missed), entity_id=1)
    world.pump()
    world.advance(1.0)
    world.signal(Poke(), entity_id=1)
    world.advance(3.5)
    world = restart(open_world, world, how, drummer)
    world.signal(Poke(), entity_id=1)
    for step in (0.0, 0.0, 0.5, 0.0, 0.5, 0.5, 0.5):
        world.advance(step)
        world = restart(open_world, world, how, drummer)
    assert world.get(handle.id).result == beats


@pytest.mark.parametrize("missed", POLICIES)
def test_one_late_beat_is_delivered_and_leaves_the_grid_as_it_is(open_world, missed):
    world = open_world(drummer)
    handle = world.start(drummer(1.0, 3, missed))
    world.pump()
    for step in (1.7, 1.2, 0.1):
        world.advance(step)
    assert handle.result() == [(1, 0, 1.7), (2, 0, 2.9), (3, 0, 3.0)]


@pytest.mark.parametrize("how", CRASHES)
def test_a_period_shorter_than_a_frame_still_beats(open_world, how):
    world = open_world(drummer)
    handle = world.start(drummer(0.01, 5, "skip"))
    world.pump()
    for _ in range(10):
        world = restart(open_world, world, how, drummer)
        world.advance(0.05)
    # The first of two overtaken beats is skipped, the second is given at once with all that were missed.
    assert world.get(handle.id).result == [
        (10, 9, 0.1),
        (20, 9, 0.2),
        (30, 9, 0.3),
        (40, 9, 0.4),
        (50, 9, 0.5),
    ]


def test_a_skipped_beat_runs_no_step_and_shows_the_next_in_the_view(open_world):
    world = open_world(drummer)
    handle = world.start(drummer(1.0, 2, "skip"))
    world.pump()
    before = world.get(handle.id)
    world.advance(2.5)
    after = world.get(handle.id)
    assert [timer.due for timer in after.timers] == [3.0]
    assert (after.locals["beats"], after.updated_at) == ([], before.updated_at)
    world.advance(0.5)
    assert world.get(handle.id).locals["beats"] == [(3, 2, 3.0)]


@pytest.mark.parametrize("missed", POLICIES)
def test_rows_are_the_same_warm_cold_and_resumed_at_every_step(tmp_path, worlds, missed):
    rows = []
    for number, (paranoid, how) in enumerate([(False, CRASHES[0]), (True, CRASHES[0]), (False, CRASHES[1])]):
        worlds.path = tmp_path / f"world{number}"
        world = worlds.open([drummer, two_drums], paranoid=paranoid)
        world.start(drummer(0.3, 100, missed), entity_id=1)
        world.start(two_drums(missed), entity_id=1)
        world.pump()
        digests = []
        for step in (0.3, 1.7, 0.0, 0.1, 0.0, 2.0, 0.3, 0.3):
            if how == CRASHES[1]:
                world.close()
                world = worlds.open([drummer, two_drums])
            world.advance(step)
            digests.append(world.digest())
        rows.append(digests)
        world.close()
    assert rows[0] == rows[1] == rows[2]


@pytest.mark.parametrize(
    ("missed", "played"),
    [
        ("skip", ["fast1", "slow1", "slow2", "slow3", "fast5", "slow4", "fast6"]),
        ("once", ["fast1", "slow1", "fast4", "slow3", "fast5", "slow4", "fast6"]),
        ("catch_up", ["fast1", "slow1", "fast2", "slow2", "fast3", "fast4", "slow3"]),
        ("shift", ["fast1", "slow1", "fast4", "slow3", "fast5", "slow4", "fast6"]),
    ],
)
def test_of_several_overdue_sources_each_goes_by_its_own_beats(open_world, missed, played):
    world = open_world(two_drums)
    handle = world.start(two_drums(missed))
    world.pump()
    world.advance(1.0)
    world.advance(0.5)
    world.advance(2.7)
    for _ in range(12):
        world.advance(0.3)
    assert handle.result() == played


def test_beats_that_are_caught_up_take_turns_with_others(open_world):
    world = open_world(caller, ear)
    ears = world.start(ear(), correlation_id="ear")
    callers = [world.start(caller(3)).id for _ in range(2)]
    world.pump()
    world.advance(3.0)
    assert world.get(ears.id).locals["heard"] == callers * 3


@pytest.mark.parametrize("how", CRASHES)
def test_a_budget_cuts_beats_that_are_caught_up_and_the_next_turn_goes_on(open_world, how):
    world = open_world(drummer, max_steps_per_turn=4)
    handle = world.start(drummer(1.0, 9, "catch_up"))
    world.pump()
    counts = []
    reports = [world.advance(9.0)]
    for _ in range(3):
        counts.append(len(world.get(handle.id).locals.get("beats", ())))
        if how != "stays up":
            open_world.crash(world) if how == "crashes" else world.close()
            world = open_world(drummer, max_steps_per_turn=4)
        reports.append(world.advance(0.0))
    assert counts == [4, 8, 0]
    assert [report.carried_over for report in reports] == [1, 1, 0, 0]
    assert [report.steps for report in reports] == [4, 4, 1, 0]
    assert world.get(handle.id).result == [(n, 0, 9.0) for n in range(1, 10)]


@pytest.mark.parametrize("missed", ["skip", "once"])
def test_a_retried_step_gets_its_beat_however_late(open_world, missed):
    world = open_world(slow_starter)
    handle = world.start(slow_starter(5.0, missed))
    world.pump()
    world.advance(1.0)
    assert handle.status == "Failed"
    world.retry(handle.id)
    world.advance(6.5)
    assert handle.result() == (7, 6, 7.5)


def test_an_unknown_policy_fails_the_step_and_names_those_there_are(open_world):
    world = open_world(drummer)
    handle = world.start(drummer(1.0, 1, "later"))
    world.pump()
    message = world.get(handle.id).error_message
    assert message == (
        "ValueError: ctx.every(missed=...) is one of 'skip', 'once', 'catch_up', 'shift', not 'later'"
    )


def test_a_source_says_what_it_is():
    assert repr(Every(0, 5, 2, "once")) == ("Every(start_us=0, period_us=5, n=2, missed='once', skipped=0)")

"""`TestWorld`: a Runtime in virtual time that crashes at will."""

import pytest

from deathless import (
    ActivityContext,
    Beat,
    Context,
    Elapsed,
    GameClock,
    NotFinishedError,
    Runtime,
    RuntimeClosedError,
    Signal,
    activity,
    workflow,
)
from deathless.tools.testing import TestWorld
from deathless.workflows.library import buff, combat, npc_patrol
from deathless.workflows.library.buff import Dispel, Stack
from deathless.workflows.library.npc_patrol import Threat


class Poke(Signal):
    pass


@workflow
async def poked(ctx: Context, times: int) -> list[float]:
    """Return when each poke came."""
    when = []
    while len(when) < times:
        await ctx.receive(Poke)
        when.append(ctx.now)
    return when


@workflow
async def restless(ctx: Context, rounds: int) -> list[float]:
    """Set a timer without delay, again and again."""
    when = []
    for _ in range(rounds):
        await ctx.sleep(0)
        when.append(round(ctx.now, 3))
    return when


@workflow
async def dice(ctx: Context) -> list[int]:
    rolls = []
    for _ in range(3):
        await ctx.sleep(1)
        rolls.append(ctx.random.randrange(1_000_000))
    return rolls


def play(world):
    """Do a bit of everything to a world."""
    world.start(npc_patrol([(0, 0), (10, 0), (3, 4)], laps=2), entity_id=1)
    world.start(buff(5.0), entity_id=1)
    world.start(dice())
    for _ in range(3):
        world.start(restless(4))
    world.run_until(3.1)
    world.signal(Stack(), entity_id=1)
    world.signal(Threat(), entity_id=1)
    world.run_until(60)


PLAYED = [npc_patrol, combat, buff, dice, restless]


# -- time ----------------------------------------------------------------------------------------------------


def test_a_world_does_what_a_runtime_does_frame_by_frame(make_world, tmp_path):
    with Runtime(tmp_path / "world", PLAYED, clock=GameClock(), durability="process") as runtime:
        play(runtime)
        expected = runtime.digest()
    world = make_world(*PLAYED)
    play(world)
    assert world.digest() == expected


def test_advance_stops_at_the_time_to_the_microsecond(make_world):
    world = make_world(poked)
    for dt in (30, 1 / 3, 0.05, 0, 86_400):
        before = world.now
        world.advance(dt)
        assert world.now == pytest.approx(before + dt, abs=1e-6)
    world.run_until(100_000)
    assert world.now == 100_000
    world.run_until(1)
    assert world.now == 100_000


def test_a_timer_fires_in_the_first_frame_at_which_it_is_due(make_world):
    @workflow
    async def late(ctx: Context) -> float:
        await ctx.sleep(10)
        return ctx.now

    world = make_world(late)
    handle = world.start(late())
    world.advance(60)
    frame = round(1e6 / 60) / 1e6
    assert 10 + frame <= handle.result() < 10 + 2 * frame  # The start is taken in the first frame.


def test_a_frame_may_be_of_any_length(make_world):
    world = make_world(restless, frame=0.5)
    handle = world.start(restless(3))
    world.advance(5)
    assert handle.result() == [1.0, 1.5, 2.0]
    handle = world.start(restless(3))
    world.advance(5, frame=0.25)
    assert handle.result() == [5.5, 5.75, 6.0]
    handle = world.start(restless(3))
    world.run_until(15, step=1)
    assert handle.result() == [12.0, 13.0, 14.0]


def test_empty_frames_cost_no_turns(make_world):
    world = make_world(buff)
    world.start(buff(60.0))
    world.advance(86_400)
    assert world.turn < 10


def test_a_beat_that_is_due_every_frame_is_not_passed_over(make_world):
    @workflow
    async def drummer(ctx: Context) -> int:
        beats = 0
        source, end = ctx.every(0.1), ctx.timer(10)
        while True:
            match await ctx.select(source, end):
                case Beat():
                    beats += 1
                case Elapsed():
                    return beats

    world = make_world(drummer)
    handle = world.start(drummer())
    world.advance(11)
    assert handle.result() == 100


def test_the_report_of_advance_is_of_all_frames(make_world):
    world = make_world(dice)
    world.start(dice())
    report = world.advance(10)
    assert (report.steps, report.timers_fired, report.turn) == (4, 3, world.turn)


def test_run_and_run_until_idle_take_no_real_time(make_world):
    world = make_world(poked, max_steps_per_turn=1)
    handles = [world.start(poked(1)) for _ in range(3)]
    assert world.run_until_idle().steps == 3
    for handle in handles:
        world.signal(Poke(), workflow_id=handle.id)
    world.run(until=lambda: world.now > 1000, hz=1)
    assert all(handle.status == "Completed" for handle in handles)
    world.pump(now=2000.0)
    assert world.now == 2000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda world: world.advance(-1), "time never goes back"),
        (lambda world: world.advance(float("nan")), "finite number"),
        (lambda world: world.advance(1, frame=0), "frame is at least a microsecond, not 0"),
        (lambda world: world.run_until(1, step=0), "frame is at least a microsecond"),
        (lambda world: world.run(), "takes until="),
        (lambda world: world.run(until=lambda: True, hz=0), "hz is more than 0"),
    ],
)
def test_times_that_make_no_sense_are_refused(make_world, call, message):
    world = make_world(poked)
    with pytest.raises(ValueError, match=message):
        call(world)
    assert world.now == 0


# -- crashes -------------------------------------------------------------------------------------------------


def test_a_crash_keeps_what_turns_have_done_and_loses_what_they_have_not_taken(make_world):
    world = make_world(poked)
    handle = world.start(poked(2))
    world.advance(1)
    world.signal(Poke(), workflow_id=handle.id)
    world.advance(1)
    world.signal(Poke(), workflow_id=handle.id)
    lost = world.start(poked(1))
    world.crash()
    world.advance(1)
    assert world.get(handle.id).locals["when"] == [pytest.approx(1, abs=0.02)]
    assert world.find(lost.id) is None


def test_a_restart_keeps_what_was_accepted(make_world):
    world = make_world(poked)
    handle = world.start(poked(1))
    world.advance(1)
    world.signal(Poke(), workflow_id=handle.id)
    world.restart()
    world.advance(1)
    assert len(handle.result()) == 1


def test_time_and_ids_go_on_after_a_crash(make_world):
    world = make_world(buff)
    first = world.start(buff(100.0))
    world.advance(30)
    turn = world.turn
    world.crash()
    assert (world.now, world.turn) == (30, turn)
    assert world.start(buff(1.0)).id == first.id + 1
    world.advance(69.9)
    assert first.status == "Suspended"
    world.advance(0.2)
    assert first.status == "Completed"


def test_listeners_hear_of_what_comes_after_a_crash(make_world):
    world = make_world(poked)
    heard = []
    end = world.on_change(lambda changes: heard.extend(change.status for change in changes))
    handle = world.start(poked(1))
    world.advance(0)
    world.crash()
    world.signal(Poke(), workflow_id=handle.id)
    world.advance(0)
    assert heard == ["Suspended", "Completed"]
    end()
    world.start(poked(1))
    world.advance(0)
    assert len(heard) == 2


def test_a_future_is_lost_in_a_crash(make_world):
    world = make_world(poked)
    committed = world.start(poked(1)).committed
    world.crash()
    with pytest.raises(RuntimeClosedError, match="lost in a crash"):
        committed.result(0)


def test_uncommitted_turns_are_lost_where_commits_are_rare(make_world):
    world = make_world(poked, commit_every=3600.0)
    world.start(poked(1))
    world.advance(1)
    assert world.count() == 1
    world.crash()
    assert (world.count(), world.now) == (0, 0)


def test_a_crashed_world_can_go_on_with_other_code(make_world):
    @workflow(name="poked")
    async def gone(ctx: Context) -> None:
        await ctx.sleep(1)

    world = make_world(poked)
    handle = world.start(poked(1))
    world.advance(1)
    world.crash(gone)
    assert world.get(handle.id).held_reason
    world.restart(poked)
    world.signal(Poke(), workflow_id=handle.id)
    world.advance(1)
    assert len(handle.result()) == 1


def test_a_crash_goes_on_with_the_code_that_was_loaded_last(make_world):
    world = make_world(poked)
    world.reload([buff])
    world.crash()
    handle = world.start(buff(1.0))
    world.advance(2)
    assert handle.status == "Completed"


def test_a_world_that_stopped_at_a_fault_can_be_opened_by_a_crash(make_world):
    world = make_world(poked)
    handle = world.start(poked(1))
    world.advance(1)
    world._engine.abandon("a fault")
    world.crash()
    assert handle.status == "Suspended"
    world.close()
    world.restart()
    assert handle.status == "Suspended"


# -- what a crash makes a process forget ----------------------------------------------------------------------

names = ["first"]
tally = {"pokes": 0, "by": [1]}
limit = 3
later = None


class Weather:
    def __init__(self):
        self.rain = 0


weather = Weather()
same_weather = [weather]


def spoil():
    global limit, later, brought
    names.append("second")
    tally["pokes"] += 1
    tally["by"].append(2)
    limit += 1
    later = [1]
    brought = {"a": 1}
    weather.rain += 1


@workflow
async def spoiler(ctx: Context) -> None:
    spoil()
    await ctx.receive(Poke)


def test_a_crash_forgets_global_variables(make_world):
    world = make_world(spoiler)
    alias = names
    for _ in range(2):
        world.start(spoiler())
        world.advance(0)
        assert (names, tally["pokes"], limit, later, weather.rain) == (["first", "second"], 1, 4, [1], 1)
        world.crash()
        assert (names, tally, limit, later, weather.rain) == (["first"], {"pokes": 0, "by": [1]}, 3, None, 0)
        assert alias is names
        assert same_weather[0] is weather
        assert "brought" not in globals()


def test_what_a_test_prepares_before_the_first_turn_outlives_a_crash(make_world, monkeypatch):
    world = make_world(spoiler)
    monkeypatch.setitem(globals(), "limit", 10)
    world.start(spoiler())
    world.advance(0)
    assert limit == 11
    world.crash()
    assert limit == 10


def test_a_crash_forgets_variables_around_a_workflow(make_world):
    seen = []
    count = 0

    def note():
        nonlocal count
        count += 1

    @workflow
    async def watcher(ctx: Context) -> None:
        seen.append(count)
        note()
        await ctx.receive(Poke)

    world = make_world(watcher)
    world.start(watcher())
    world.advance(0)
    assert (seen, count) == ([0], 1)
    world.crash()
    assert (seen, count) == ([], 0)


# -- options ---------------------------------------------------------------------------------------------------


def test_a_clock_and_an_empty_world_are_refused(tmp_path):
    with pytest.raises(TypeError, match="GameClock of its own"):
        TestWorld(tmp_path / "world", [poked], clock=GameClock())
    with pytest.raises(ValueError, match="given none"):
        TestWorld(tmp_path / "world", [])
    with pytest.raises(ValueError, match="frame is at least"):
        TestWorld(tmp_path / "world", [poked], frame=0)
    assert not (tmp_path / "world").exists()


def test_the_seed_decides_chance(make_world):
    def rolls(**options):
        world = make_world(dice, **options)
        handle = world.start(dice())
        world.advance(4)
        return handle.result()

    assert rolls() == rolls(seed=0)
    assert rolls(seed=1) != rolls(seed=0)


def test_the_result_of_an_unfinished_workflow_says_how_it_stands(make_world):
    world = make_world(poked)
    handle = world.start(poked(1))
    with pytest.raises(NotFinishedError, match="workflow 1 has no result, it is not started"):
        handle.result()
    world.advance(0)
    with pytest.raises(NotFinishedError, match="it is Suspended"):
        handle.result()


def test_a_description_lists_seed_time_and_workflows(make_world):
    @workflow
    async def failing(ctx: Context) -> None:
        raise ValueError("no such sword")

    world = make_world(buff, failing, seed=7)
    world.start(buff(30.0), entity_id=4)
    world.start(failing())
    for _ in range(20):
        world.start(buff(30.0))
    world.advance(1)
    world.signal(Dispel(), entity_id=4)
    lines = world.describe().splitlines()
    assert lines[0] == "seed 7; 1.0 s of world time, turn 2"
    assert lines[1].startswith("  1 buff (entity 4): Suspended, lasting (line ")
    assert lines[2].startswith("  2 failing: Failed: ")
    assert "no such sword" in lines[2]
    assert lines[-1] == "  and 2 more"
    world.close()
    assert world.describe() == "seed 7; the world is closed"


@activity
def lookup(ctx: ActivityContext, number: int) -> int:
    return number * 2


@workflow
async def looking(ctx: Context) -> list[float]:
    first = await ctx.run(lookup(4))
    await ctx.sleep(5.0)
    second = await ctx.run(lookup(first))
    return [first, second, round(ctx.now, 3)]


def test_virtual_time_stands_still_while_activities_run(tmp_path):
    for run in range(3):
        with TestWorld(tmp_path / str(run), [looking, lookup]) as world:
            handle = world.start(looking())
            world.advance(10.0)
            assert handle.result() == [8, 16, 5.017]

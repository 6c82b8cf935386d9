"""What an open world counts of itself."""

import pytest

from deathless import Context, Elapsed, Retry, Signal, UnknownSignalError, workflow
from deathless.runtime.meters import Buckets


class Poke(Signal):
    hard: bool = False


class Unheard(Signal):
    pass


@workflow
async def sleeper(ctx: Context, seconds: float) -> int:
    await ctx.sleep(seconds)
    return 1


@workflow
async def poked(ctx: Context) -> int:
    while True:
        match await ctx.select(ctx.timer(60.0), Poke):
            case Poke(hard):
                if hard:
                    raise ValueError("too hard")
            case Elapsed():
                return 0


@workflow(retry=Retry(attempts=2, backoff=1.0))
async def stubborn(ctx: Context) -> int:
    await ctx.receive(Poke)
    raise ValueError("never")


def test_buckets_count_a_value_at_the_first_bound_that_it_does_not_exceed():
    buckets = Buckets((0.1, 1.0))
    for value in (0.05, 0.1, 0.2, 1.0, 5.0):
        buckets.add(value)
    buckets.add(2.0, times=3)
    read = buckets.read()
    assert read.counts == (2, 2, 4)
    assert read.count == 8
    assert read.total == pytest.approx(12.35)


def test_ages_are_counted_as_if_one_by_one():
    bounds = (0.001, 0.5, 1.0, 10.0)
    times = sorted(
        (due_us, key) for key, due_us in enumerate((0, 5, 9_000_000, 9_500_000, 9_999_000, 10_000_000))
    )
    together, apart = Buckets(bounds), Buckets(bounds)
    together.add_ages(times, 10_000_000)
    for due_us, _ in times:
        apart.add((10_000_000 - due_us) / 1e6)
    assert together.counts == apart.counts
    assert together.total == pytest.approx(apart.total)


def test_a_world_counts_turns_steps_and_timers(worlds):
    world = worlds.open([sleeper])
    world.start(sleeper(1.0))
    world.start(sleeper(2.0))
    world.advance(0.0)
    world.advance(2.5)
    seen = world.metrics()
    assert (seen.turns, seen.turn, seen.committed_turn) == (2, 2, 2)
    assert (seen.steps, seen.handled, seen.timers_fired) == (4, 4, 2)
    assert seen.turn_s.count == 2
    assert seen.step_s.count == 4
    assert seen.commits == seen.commit_s.count == 2
    assert seen.started == 2
    assert seen.ended["Completed"] == 2
    assert seen.active == 0
    assert seen.now == 2.5


def test_lateness_of_timers_is_world_time_after_they_were_due(worlds):
    world = worlds.open([sleeper])
    world.start(sleeper(1.0))
    world.start(sleeper(2.0))
    world.advance(0.0)
    world.advance(2.5)
    assert world.metrics().lateness_s.total == pytest.approx(2.0)
    assert world.metrics().lateness_s.count == 2


def test_a_turn_with_inputs_says_how_long_its_oldest_one_waited(worlds):
    world = worlds.open([sleeper])
    world.advance(0.0)
    assert world.metrics().input_s.count == 0
    world.start(sleeper(1.0))
    world.start(sleeper(1.0))
    world.advance(0.0)
    assert world.metrics().input_s.count == 1
    world.advance(0.1)
    assert world.metrics().input_s.count == 1


def test_inputs_are_counted_by_kind_whether_accepted_or_refused(worlds):
    world = worlds.open([poked])
    handle = world.start(poked())
    world.start_many([poked(), poked()])
    world.advance(0.0)
    world.signal(Poke(), workflow_id=handle.id)
    world.signal(Poke(), workflow_id=handle.id, input_id="once")
    world.signal(Poke(), workflow_id=handle.id, input_id="once")
    world.cancel(workflow_id=handle.id)
    world.retry(handle.id)
    with pytest.raises(UnknownSignalError):
        world.signal(Unheard(), workflow_id=handle.id)
    with pytest.raises(KeyError):
        world.cancel(workflow_id=999)
    seen = world.metrics()
    assert {kind: count for kind, count in seen.accepted.items() if count} == {
        "start": 3,
        "signal": 2,
        "cancel": 1,
        "retry": 1,
    }
    assert {kind: count for kind, count in seen.refused.items() if count} == {"signal": 1, "cancel": 1}
    assert seen.waiting == 5


def test_faults_are_counted_whether_or_not_they_are_tried_again(worlds):
    world = worlds.open([poked, stubborn])
    world.signal(Poke(hard=True), workflow_id=world.start(poked()).id)
    world.signal(Poke(), workflow_id=world.start(stubborn()).id)
    world.advance(0.0)
    assert (world.metrics().faults, world.metrics().ended["Failed"]) == (2, 1)
    world.advance(5.0)
    assert (world.metrics().faults, world.metrics().ended["Failed"]) == (3, 2)


def test_what_a_turn_carries_over_and_who_is_in_memory_is_seen(worlds):
    world = worlds.open([sleeper], max_steps_per_turn=3, max_resident=1)
    world.start_many([sleeper(9.0) for _ in range(5)])
    world.advance(0.0)
    seen = world.metrics()
    assert seen.carried_over == 2
    world.advance(0.0)
    assert world.metrics().carried_over == 0
    assert world.metrics().resident == 1
    assert world.metrics().active == 5


def test_held_workflows_are_counted_until_code_comes_that_fits(worlds):
    world = worlds.open([poked])
    handle = world.start(poked())
    world.advance(0.0)
    worlds.crash(world)
    world = worlds.open([sleeper])
    world.advance(60.0)
    assert world.get(handle.id).held_reason
    assert world.metrics().held == 1
    world.reload([poked])
    world.advance(0.0)
    assert world.metrics().held == 0


def test_the_room_that_a_world_takes_is_told_by_table(worlds):
    world = worlds.open([sleeper])
    world.start(sleeper(1.0))
    world.advance(0.0)
    seen = world.metrics()
    assert 0 < seen.map_bytes <= seen.file_bytes < seen.map_limit
    assert seen.table_bytes["meta"] > 0
    assert seen.log_entries >= 1


def test_metrics_do_not_wait_for_a_turn_that_is_under_way(worlds):
    seen = []

    @workflow
    async def curious(ctx: Context) -> None:
        seen.append(world.metrics())

    world = worlds.open([curious])
    world.start(curious())
    world.advance(0.0)
    assert [metrics.turns for metrics in seen] == [0]

"""Timers of a world that was opened are armed when the first of their neighbours is due, and fire as any others."""

import pytest

from deathless import Context, Signal, workflow
from deathless.runtime import recovery


class Hurry(Signal):
    by: float


@workflow
async def sleeper(ctx: Context, seconds: float) -> list[float]:
    """Sleep, or sleep anew when told to; then say when it woke."""
    timer = ctx.timer(seconds)
    while True:
        match await ctx.select(timer, Hurry):
            case Hurry(by):
                timer = ctx.timer(by)
            case _:
                return [ctx.now, ctx.random.random()]


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch):
    monkeypatch.setattr(recovery, "STRETCH", 4)


def timers(world):
    system = world._engine.system
    return len(system.wheel), len(system.dormant._stretches)


SECONDS = [float(7 * number % 41) + 5.0 for number in range(40)]


def filled(worlds):
    world = worlds.open([sleeper])
    handles = world.start_many([(sleeper(seconds), number) for number, seconds in enumerate(SECONDS)])
    world.advance(0.0)
    return world, [handle.id for handle in handles]


def test_opening_a_world_arms_nothing_and_a_turn_what_is_near(worlds):
    world, _ = filled(worlds)
    assert timers(world) == (40, 0)
    world.close()
    world = worlds.open([sleeper])
    assert timers(world) == (0, 10)
    assert world._engine.system.next_due() == 5_000_000
    world.advance(5.0)
    assert timers(world) == (3, 9)
    assert world.recovery.workflows == 40


@pytest.mark.parametrize("when", [0.0, 5.0, 17.0])
def test_they_fire_when_they_would_have_fired(worlds, when):
    world, ids = filled(worlds)
    world.advance(when)
    world.close()
    world = worlds.open([sleeper])
    while world.count():
        world.advance(1.0)
    assert [world.get(number).result[0] for number in ids] == [max(seconds, when) for seconds in SECONDS]


def test_those_that_took_a_step_meanwhile_fire_by_what_they_wait_for_now(worlds):
    world, ids = filled(worlds)
    world.close()
    world = worlds.open([sleeper])
    for entity in (3, 4, 5, 20):
        world.signal(Hurry(2.0 if entity % 2 else 100.0), entity_id=entity)
    world.cancel(entity_id=21)
    while world.count():
        world.advance(1.0)
    woke = {entity: world.get(number).result for entity, number in enumerate(ids)}
    assert woke[21] is None
    assert {entity: woke[entity][0] for entity in (3, 4, 5, 20)} == {3: 3.0, 4: 101.0, 5: 3.0, 20: 101.0}
    assert all(woke[entity][0] == SECONDS[entity] for entity in woke if entity not in (3, 4, 5, 20, 21))


def test_those_that_came_due_while_the_world_was_down_are_counted(worlds):
    world, _ = filled(worlds)
    world.advance(0.5)
    world._engine.clock.advance(20.0)
    world.close()
    world = worlds.open([sleeper])
    assert world.recovery.timers_due == sum(seconds <= 20.5 for seconds in SECONDS)
    assert world.advance(0.0).timers_fired == world.recovery.timers_due


def test_all_can_be_fired_by_hand(worlds):
    world, _ = filled(worlds)
    world.close()
    world = worlds.open([sleeper])
    future = world.call("manual_timer_tick")
    world.advance(0.0)
    assert future.result(0) == 40
    assert world.count() == 0


def test_a_world_that_was_opened_again_goes_on_as_one_that_was_not(worlds, tmp_path):
    digests = []
    for restarts in (0, 1, 3):
        worlds.path = tmp_path / str(restarts)
        world, _ = filled(worlds)
        for turn in range(30):
            if restarts and turn % (30 // restarts) == 4:
                world.close()
                world = worlds.open([sleeper])
            else:
                # Closing is a turn, too.
                world.advance(0.0)
            world.advance(1.0)
        world.close()
        world = worlds.open([sleeper])
        digests.append(world.digest())
        world.close()
    assert len(set(digests)) == 1

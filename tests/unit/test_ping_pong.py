"""Workflows that keep each other busy for ever: a turn ends all the same, and nobody else is starved."""

import pytest

from deathless import Context, Signal, workflow


class Ball(Signal):
    hits: int


class Poke(Signal):
    pass


@workflow
async def player(ctx: Context, partner: int) -> None:
    """Return each ball at once, without end."""
    hits = 0
    while True:
        ball = await ctx.receive(Ball)
        hits += 1
        ctx.signal(Ball(ball.hits + 1), entity_id=partner)


@workflow
async def bystander(ctx: Context) -> list[float]:
    """Take pokes, and look at the time every tenth of a second."""
    seen: list[float] = []
    every = ctx.every(0.1)
    while True:
        await ctx.select(every, Poke)
        seen.append(ctx.now)


def begin(open_world, **options):
    world = open_world(player, bystander, **options)
    pair = [world.start(player(3 - number), entity_id=number).id for number in (1, 2)]
    other = world.start(bystander(), entity_id=3).id
    world.pump()
    world.signal(Ball(0), entity_id=1)
    return world, pair, other


def hits(world, pair):
    return sum(world.get(number).locals["hits"] for number in pair)


def test_a_turn_ends_after_so_many_messages(open_world):
    world, pair, _ = begin(open_world, max_steps_per_turn=50)
    for turn in range(1, 5):
        report = world.advance(0.01)
        assert (report.steps, report.carried_over, hits(world, pair)) == (50, 1, 50 * turn)


def test_a_turn_ends_when_its_budget_is_used_up(open_world):
    world, pair, _ = begin(open_world)
    # A budget of nothing still handles one message: every turn makes some progress.
    for turn in range(1, 5):
        report = world.advance(0.01, budget=0.0)
        assert (report.steps, report.carried_over, hits(world, pair)) == (1, 1, turn)
    report = world.advance(0.01, budget=0.001)
    assert 1 <= report.steps < 100_000
    assert report.carried_over == 1


@pytest.mark.parametrize("cut", [{"max_steps_per_turn": 3}, {}], ids=["by count", "by budget"])
def test_timers_and_signals_of_others_come_through(open_world, cut):
    world, _, other = begin(open_world, **cut)
    budget = None if cut else 0.0
    for _ in range(30):
        world.advance(0.05, budget=budget)
    beats = world.get(other).locals["seen"]
    assert len(beats) >= 5
    world.signal(Poke(), entity_id=3)
    for _ in range(4):
        world.advance(0.0, budget=budget)
    assert len(world.get(other).locals["seen"]) > len(beats)


def test_a_crash_neither_drops_nor_doubles_the_ball(open_world):
    world, pair, _ = begin(open_world, max_steps_per_turn=7)
    for turn in range(1, 10):
        report = world.advance(0.01)
        assert (report.carried_over, hits(world, pair)) == (1, 7 * turn)
        open_world.crash(world)
        world = open_world(player, bystander, max_steps_per_turn=7)


def test_who_is_cancelled_lets_the_ball_drop(open_world):
    world, pair, _ = begin(open_world, max_steps_per_turn=10)
    world.pump()
    world.cancel(workflow_id=pair[0])
    world.pump()
    assert world.run_until_idle().carried_over == 0

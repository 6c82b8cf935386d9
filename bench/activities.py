"""What activities cost: the way there and back of one that does nothing, and how many get through a second."""

from __future__ import annotations

import time
from pathlib import Path

from report import Section, Spread

from deathless import ActivityContext, Context, GameClock, Runtime, activity, workflow

PATIENCE_S = 60.0


@activity
def nothing(ctx: ActivityContext, number: int) -> int:
    return number + ctx.attempt


@workflow
async def asking(ctx: Context, count: int) -> int:
    """Ask for one after the other."""
    total = 0
    for number in range(count):
        total += await ctx.run(nothing(number))
    return total


def measure(scratch: Path, *, rounds: int, trips: int, crowd: int) -> Section:
    """Measure one workflow that asks again and again, and a crowd of which each asks once.

    Args:
        scratch: where the worlds are made.
        rounds: runs of each.
        trips: activities that the one asks for.
        crowd: how many ask at once.
    """
    section = Section(
        "activities that do nothing: from the step that asks, by its commit and the pool, to the step with the result",
        ["durability", "us a round trip, one at a time", f"activities/s, {crowd:,} asked for at once"],
    )
    for durability in ("power", "process"):
        alone: list[float] = []
        many: list[float] = []
        for number in range(rounds):
            place = scratch / f"{durability}{number}"
            with Runtime(place, [asking, nothing], clock=GameClock(), durability=durability) as world:
                alone.append(_run(world, 1, trips) * 1e6 / trips)
                many.append(crowd / _run(world, crowd, 1))
        trip, rate = Spread.of(alone), Spread.of(many)
        section.add(durability, trip.rate(), rate.rate())
        section.data[durability] = {"us_a_round_trip": trip.as_json(), "activities_per_s": rate.as_json()}
    return section


def _run(world: Runtime, workflows: int, each: int) -> float:
    """Start workflows and pump, whenever there is something to do, until all have ended; return seconds."""
    world.start_many([(asking(each), None) for _ in range(workflows)])
    done = world.count("Completed") + workflows
    activities = world._engine.activities
    began = time.perf_counter()
    world.run_until_idle()
    while activities.running:
        assert activities.wait_any(PATIENCE_S)
        world.run_until_idle()
    took = time.perf_counter() - began
    assert world.count("Completed") == done
    return took

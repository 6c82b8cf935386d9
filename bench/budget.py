"""How far a pump overruns a budget that is far too small for its load.

What the pump takes beyond its budget, without the commit, and of that the steps: when the last one ended. Both stand
beside what a step takes in the same world without a budget. The steps that were left over run in the next frame.
"""

from __future__ import annotations

import time
from pathlib import Path

from report import Section, Target, percentile
from workloads import BATCH

from deathless import Context, GameClock, Runtime, workflow

FRAME_S = 1 / 60

ran_at: list[float] = []
"""When the last step ended, by the performance counter."""


@workflow
async def worker(ctx: Context, first: float, period: float) -> None:
    """A step each period, that leaves a note of when it ran."""
    health, place = 100, [0.0, 0.0]
    await ctx.sleep(first)
    # Beats that come late are taken all the same: skipped ones would run nothing of this.
    beats = ctx.every(period, missed="once")
    while health > 0:
        await ctx.select(beats)
        place[0] += 0.25
        note()


def note() -> None:
    ran_at[:] = [time.perf_counter()]


def measure(scratch: Path, *, npcs: int, per_s: int, frames: int, budgets_ms: tuple[float, ...]) -> Section:
    """Pump with each budget.

    Args:
        scratch: where the world is made.
        npcs: how many there are.
        per_s: steps a second that each wants.
        frames: pumps with each budget.
        budgets_ms: what they may take.
    """
    section = Section(
        f"budget overrun, us: {npcs:,} NPCs of {per_s} steps a second, `process`, commit excluded",
        [
            "budget ms",
            "steps a frame",
            "carried over",
            "a step",
            "pump p50",
            "p99",
            "max",
            "steps p50",
            "p99",
            "max",
        ],
    )
    with Runtime(scratch / "world", [worker], clock=GameClock(), durability="process") as world:
        for first in range(0, npcs, BATCH):
            entities = range(first, min(first + BATCH, npcs))
            world.start_many([(worker(entity / npcs / per_s, 1 / per_s), entity) for entity in entities])
            world.advance(0.0)
        for _ in range(90):
            world.advance(FRAME_S)
        for budget_ms in budgets_ms:
            _add(section, world, frames, budget_ms)
    return section


def _add(section: Section, world: Runtime, frames: int, budget_ms: float) -> None:
    step_us = _step_us(world, 60)
    budget_us = 1e3 * budget_ms
    pumps: list[float] = []
    stepping: list[float] = []
    steps = carried = 0
    for _ in range(frames):
        began = time.perf_counter()
        report = world.advance(FRAME_S, budget=budget_ms / 1e3)
        pumps.append(1e6 * (report.elapsed_s - report.commit_s) - budget_us)
        stepping.append(1e6 * (ran_at[0] - began) - budget_us)
        steps += report.steps
        carried += report.carried_over
    world.run_until_idle()
    columns = {"pump": pumps, "steps": stepping}
    found = {
        f"{name}_{at}_us": value
        for name, values in columns.items()
        for at, value in (
            ("p50", percentile(values, 50)),
            ("p99", percentile(values, 99)),
            ("max", max(values)),
        )
    }
    section.add(
        f"{budget_ms:g}",
        f"{steps / frames:.0f}",
        f"{carried / frames:,.0f}",
        f"{step_us:.1f}",
        *(f"{value:.0f}" for value in found.values()),
    )
    section.data[f"{budget_ms:g}"] = {"step_us": step_us, **found}
    section.targets.append(
        Target(
            f"overrun p99 of a budget of {budget_ms:g} ms, in steps",
            1.0,
            found["pump_p99_us"] / step_us,
            at_least=False,
        )
    )


def _step_us(world: Runtime, frames: int) -> float:
    """Measure a step, with its share of the turn, where there is no budget."""
    reports = [world.advance(FRAME_S) for _ in range(frames)]
    took_s = sum(report.elapsed_s - report.commit_s for report in reports)
    return 1e6 * took_s / sum(report.steps for report in reports)

"""Children a second: spawned, run, awaited, their ends committed."""

from __future__ import annotations

import time
from pathlib import Path

from report import Section, Spread

from deathless import Context, GameClock, Runtime, workflow


@workflow
async def errand(ctx: Context, number: int) -> int:
    return number + ctx.workflow_id


@workflow
async def one_by_one(ctx: Context, count: int) -> int:
    total = 0
    for number in range(count):
        total += await ctx.spawn(errand(number))
    return total


@workflow
async def together(ctx: Context, count: int) -> int:
    return sum(await ctx.gather(*[ctx.spawn(errand(number)) for number in range(count)]))


def measure(scratch: Path, *, rounds: int, parents: int, children: int) -> Section:
    """Let parents spawn children that end in their first step, and await them, all within one turn."""
    ways = {
        "one after the other: await ctx.spawn(...)": one_by_one,
        "all at once: await ctx.gather(...)": together,
    }
    section = Section(
        f"children: {parents:,} parents with {children:,} each, `power`", ["", "children/s", "us a child"]
    )
    runs: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            place = scratch / f"{way.name}{number}"
            with Runtime(place, [errand, one_by_one, together], clock=GameClock()) as world:
                world.start_many([(way(children), entity) for entity in range(parents)])
                began = time.perf_counter()
                world.run_until_idle()
                runs[name].append(parents * children / (time.perf_counter() - began))
                assert world.count("Completed") == parents * (1 + children)
    for name, rates in runs.items():
        spread = Spread.of(rates)
        section.add(name, spread.rate(), f"{1e6 / spread.median:.1f}")
        section.data[name] = spread.as_json()
    return section

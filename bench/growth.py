"""What a world's file grows to: under steady load of the same workflows, and under starts that end and are cleaned up.

A page that a commit replaced is free for the commits after it, so that the file stops growing when the free ones are
as many as a few commits need. The log of turns is kept to a megabyte here; by itself it may take sixteen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from report import Section, Target
from steps import Load
from workloads import ALL, BATCH

from deathless import Context, GameClock, Retention, Runtime, workflow

NEEDED = 1.1
LITTLE = Retention(size=1 << 20)
CLEAN_EVERY = 8
"""Commits between two calls of `cleanup_old_workflows`."""


@workflow
async def errand(ctx: Context, number: int) -> dict[str, int]:
    """Come, wait a little, and end with a result."""
    await ctx.sleep(1.0)
    return {"number": number, "by": ctx.workflow_id}


def measure(scratch: Path, *, population: int, commits: int) -> Section:
    """Look at the file after so many commits, twice and four times as many.

    Args:
        scratch: where the worlds are made.
        population: workflows under steady load, and errands under way at a time.
        commits: the first mark.
    """
    marks = [commits, 2 * commits, 4 * commits]
    section = Section(
        f"growth of the file, MB, {population:,} workflows, `process`, commits of {BATCH:,} rows",
        ["", *(f"after {mark:,} commits" for mark in marks), "last / middle", "us a cleaned workflow"],
    )
    place = scratch / "steady"
    load = Load.on_new_world(place, "process", population, retention=LITTLE)
    _report(section, "steady steps", _marks(place, marks, lambda _: load.run(1)))
    load.close()
    place = scratch / "churn"
    with Runtime(place, [*ALL, errand], clock=GameClock(), durability="process", retention=LITTLE) as world:
        churn = Churn(world, population)
        sizes = _marks(place, marks, churn.commit)
    _report(section, "starts, ends and cleaning up", sizes, 1e6 * churn.cleaning_s / churn.cleaned)
    return section


class Churn:
    """Errands that come and go at a steady rate; each is cleaned up some time after its end."""

    def __init__(self, world: Runtime, under_way: int) -> None:
        self.world = world
        self.cleaned, self.cleaning_s = 0, 0.0
        self._each = max(1, min(BATCH // 2, under_way))
        self._dt = self._each / under_way
        self._started = 0

    def commit(self, number: int) -> None:
        world = self.world
        starts = range(self._started, self._started + self._each)
        self._started = starts.stop
        world.start_many([(errand(entity), entity) for entity in starts])
        world.advance(self._dt)
        if number % CLEAN_EVERY == 0:
            began = time.perf_counter()
            cleaned = world.call("cleanup_old_workflows", 0)
            world.advance(self._dt)
            self.cleaned += cleaned.result()
            self.cleaning_s += time.perf_counter() - began


def _marks(place: Path, marks: list[int], commit: Callable[[int], object]) -> list[float]:
    """Make commits; return the file's size in MB at each mark."""
    sizes: list[float] = []
    for number in range(1, marks[-1] + 1):
        commit(number)
        if number in marks:
            sizes.append((place / "data.mdb").stat().st_size / 1e6)
    return sizes


def _report(section: Section, name: str, sizes: list[float], cleaning_us: float | None = None) -> None:
    grown = sizes[-1] / sizes[-2]
    cleaning = "" if cleaning_us is None else f"{cleaning_us:.1f}"
    section.add(name, *(f"{size:.1f}" for size in sizes), f"{grown:.3f}", cleaning)
    section.data[name] = {"mb": sizes, "us_a_cleaned_workflow": cleaning_us}
    section.targets.append(Target(f"file under {name}, last / middle", NEEDED, grown, at_least=False))

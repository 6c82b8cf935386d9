"""Durable steps a second: each a signal by entity id, taken by a workflow, its row committed.

Wall time from the first `Runtime.signal` to the return of the last pump, calls and commits included.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Self

from floor import Floor
from machine import spinning
from report import Section, Spread, Target
from workloads import ALL, BATCH, Stack, batches, populate, shuffled

from deathless import GameClock, Runtime

NEEDED_RATIO = 0.40
NEEDED_BESIDE = 3.0


class Load:
    """Signals to buffs of a world, round and round in one order."""

    def __init__(self, world: Runtime, entities: list[int]) -> None:
        self.world = world
        self._batches = batches(entities)
        self.commit_s = 0.0
        # Each workflow has taken a step, so that the first measured one is like the others.
        self.run(max(2, -(-len(entities) // BATCH)))

    @classmethod
    def on_new_world(cls, place: Path, durability: str, population: int, **options: Any) -> Self:
        """Make a world of buffs, all of which take part, in shuffled order; options are the `Runtime`'s."""
        world = Runtime(place, ALL, clock=GameClock(), durability=durability, **options)
        populate(world, population)
        return cls(world, shuffled(population))

    def run(self, pumps: int) -> float:
        """Send and pump so many batches; return steps a second."""
        world, signal, self.commit_s = self.world, self.world.signal, 0.0
        began = time.perf_counter()
        for _ in range(pumps):
            for entity in next(self._batches):
                signal(Stack(1), entity_id=entity)
            report = world.advance(0.001)
            self.commit_s += report.commit_s
            assert report.steps == BATCH
        return pumps * BATCH / (time.perf_counter() - began)

    def close(self) -> None:
        self.world.close()


def measure(scratch: Path, *, rounds: int, pumps: int, populations: tuple[int, ...]) -> Section:
    """Measure both durabilities at each population, quiet and beside a spinning thread, between runs of the floor.

    Args:
        scratch: where the worlds are made.
        rounds: runs of each.
        pumps: batches a run.
        populations: numbers of workflows.
    """
    section = Section(
        f"durable steps: a signal, a step, its row; a pump per {BATCH:,} signals",
        [
            "workflows",
            "durability",
            "beside",
            "steps/s",
            "us a step",
            "of it commit",
            "of the floor",
            "quiet / this",
        ],
    )
    for population in populations:
        floor = Floor(scratch / f"floor{population}")
        loads = {
            name: Load.on_new_world(scratch / f"{name}{population}", name, population)
            for name in ("power", "process")
        }
        cases = [(name, busy) for name in loads for busy in (False, True)]
        runs: dict[tuple[str, bool], list[tuple[float, float, float]]] = {case: [] for case in cases}
        before = floor.run(2 * pumps)
        for _ in range(rounds):
            for name, busy in cases:
                with spinning(busy=busy):
                    # A spinning thread makes a run several times as long.
                    count = max(2, pumps // 3) if busy else pumps
                    rate = loads[name].run(count)
                # The machine may have slowed down since: the floor is what it was on both sides of the run.
                after = floor.run(2 * pumps)
                commit_us = loads[name].commit_s * 1e6 / (count * BATCH)
                runs[name, busy].append((rate, 2 * rate / (before + after), commit_us))
                before = after
        for load in loads.values():
            load.close()
        floor.close()
        _report(section, population, runs, floor)
    return section


def _report(
    section: Section,
    population: int,
    runs: dict[tuple[str, bool], list[tuple[float, float, float]]],
    floor: Floor,
) -> None:
    rows = Spread.of(floor.runs)
    section.add(f"{population:,}", "floor", "", rows.rate(), f"{1e6 / rows.median:.2f}", "", "", "")
    kept: dict[str, object] = {"floor": rows.as_json()}
    for (name, busy), measured in runs.items():
        rate, ratio, commit_us = (Spread.of(column) for column in zip(*measured, strict=True))
        quiet = Spread.of([run[0] for run in runs[name, False]])
        slower = quiet.median / rate.median
        section.add(
            f"{population:,}",
            name,
            "a spinning thread" if busy else "",
            rate.rate(),
            f"{1e6 / rate.median:.2f}",
            f"{commit_us.median:.2f}",
            ratio.ratio(),
            f"{slower:.2f}" if busy else "",
        )
        kept[f"{name} beside a spinning thread" if busy else name] = {
            "steps_per_s": rate.as_json(),
            "of_floor": ratio.as_json(),
            "commit_us": commit_us.median,
        }
        if busy:
            section.targets.append(
                Target(
                    f"{name}, {population:,}: quiet / beside a spinning thread",
                    NEEDED_BESIDE,
                    slower,
                    at_least=False,
                )
            )
        elif name == "power":
            section.targets.append(
                Target(f"power, {population:,}: steps/s of the floor", NEEDED_RATIO, ratio.median)
            )
    section.data[str(population)] = kept

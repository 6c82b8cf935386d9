"""Recovery from the start of a process: exec, imports, opening the world, and the first timer fired and committed.

The timers are due a millisecond apart, so that the first one fires alone.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from processes import run_child
from report import Section, Spread, Target
from workloads import ALL, BATCH, buff

from deathless import GameClock, Runtime

NEEDED_S = 2.0
FIRST_S = 1_000.0
STAGES = ("imported", "recovered", "fired")


def measure(scratch: Path, *, rounds: int, populations: tuple[int, ...]) -> Section:
    section = Section(
        "recovery, seconds since the process was started",
        ["workflows", "imports done", "recovered", "first timer fired and committed"],
    )
    for population in populations:
        place = scratch / str(population)
        build(place, population)
        runs: dict[str, list[float]] = {stage: [] for stage in STAGES}
        for number in range(rounds):
            took = run_child(__file__, place, number, time.monotonic())
            assert took["workflows"] == population - number
            for stage in STAGES:
                runs[stage].append(took[stage])
        spreads = [Spread.of(runs[stage]) for stage in STAGES]
        section.add(f"{population:,}", *(spread.ratio() for spread in spreads))
        section.data[str(population)] = dict(
            zip(STAGES, (spread.as_json() for spread in spreads), strict=True)
        )
        if population == populations[-1]:
            section.targets.append(
                Target(
                    f"{population:,} workflows recovered, first timer fired",
                    NEEDED_S,
                    spreads[-1].median,
                    " s",
                    at_least=False,
                )
            )
    return section


def build(place: Path, population: int) -> None:
    with Runtime(place, ALL, clock=GameClock(), durability="process") as world:
        for first in range(0, population, BATCH):
            entities = range(first, min(first + BATCH, population))
            # Time stands still meanwhile, so that each duration is a due time.
            world.start_many([(buff(FIRST_S + entity / 1000, "slow"), entity) for entity in entities])
            world.advance(0.0)


def child(place: Path, number: int, exec_s: float) -> None:
    imported = time.monotonic()
    world = Runtime(place, ALL, clock=GameClock())
    recovered = time.monotonic()
    report = world.pump(now=FIRST_S + number / 1000)
    fired = time.monotonic()
    assert report.timers_fired == report.steps == 1
    assert report.committed_turn == report.turn
    found = {"workflows": world.recovery.workflows}
    stages = {stage: at - exec_s for stage, at in zip(STAGES, (imported, recovered, fired), strict=True)}
    print(json.dumps(found | stages))
    world.close()


if __name__ == "__main__":
    child(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))

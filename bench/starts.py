"""Starts a second, counted when the first step has run and is committed."""

from __future__ import annotations

import time
from pathlib import Path

from report import Section, Spread, Target
from workloads import ALL, BATCH, FAR_S, buff

from deathless import GameClock, Runtime

NEEDED = 25_000


def measure(scratch: Path, *, rounds: int, count: int) -> Section:
    """Start workflows in a new world, all at once and one by one."""
    ways = {"start_many": _start_many, "start": _start_each}
    runs: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds):
        for name, way in ways.items():
            with Runtime(scratch / f"{name}{number}", ALL, clock=GameClock()) as world:
                began = time.perf_counter()
                way(world, count)
                runs[name].append(count / (time.perf_counter() - began))
                assert world.committed_turn == world.turn
    section = Section(
        f"starts of {count:,} workflows, `power`, each committed with its first step",
        ["", "starts/s", "us a start"],
    )
    for name, rates in runs.items():
        spread = Spread.of(rates)
        how = "all in one call and turn" if name == "start_many" else f"a call each, a pump per {BATCH:,}"
        section.add(f"{name}: {how}", spread.rate(), f"{1e6 / spread.median:.1f}")
        section.data[name] = spread.as_json()
        section.targets.append(Target(f"starts/s by {name}()", NEEDED, spread.median))
    return section


def _start_many(world: Runtime, count: int) -> None:
    world.start_many([(buff(FAR_S, "slow"), entity) for entity in range(count)])
    world.advance(0.001)


def _start_each(world: Runtime, count: int) -> None:
    for first in range(0, count, BATCH):
        for entity in range(first, min(first + BATCH, count)):
            world.start(buff(FAR_S, "slow"), entity_id=entity)
        world.advance(0.001)

"""A game loop: 60 frames a second in real time, NPCs that each take some steps a second, one pump a frame."""

from __future__ import annotations

import time
from pathlib import Path

from report import Section, Target, percentile
from workloads import ALL, BATCH, npc, phases

from deathless import GameClock, Runtime

FRAME_S = 1 / 60
NEEDED_MS = {"power": 10.0, "process": 5.0}
"""Asked at a step a second each."""


class Game:
    """A world in its steady state, and what its pumps took."""

    def __init__(self, place: Path, durability: str, npcs: int, per_s: int) -> None:
        self.world = Runtime(place, ALL, clock=GameClock(), durability=durability)
        self.pump_ms: list[float] = []
        self.commit_ms: list[float] = []
        self.steps = 0
        starts = [(npc(phase / per_s, 1 / per_s), entity) for entity, phase in enumerate(phases(npcs))]
        for first in range(0, npcs, BATCH):
            self.world.start_many(starts[first : first + BATCH])
            self.world.advance(0.0)
        # After the first second every NPC is in its loop.
        for _ in range(66):
            self.world.advance(FRAME_S)

    def play(self, frames: int) -> None:
        due = time.perf_counter()
        for _ in range(frames):
            began = time.perf_counter()
            report = self.world.advance(FRAME_S)
            ended = time.perf_counter()
            self.pump_ms.append(1e3 * (ended - began))
            self.commit_ms.append(1e3 * report.commit_s)
            self.steps += report.steps
            due = max(due + FRAME_S, ended)
            time.sleep(due - ended)


def measure(scratch: Path, *, npcs: int, per_s: tuple[int, ...], frames: int, rounds: int) -> Section:
    """Play `frames` frames of each durability at each rate, in `rounds` turns with one another."""
    games = {
        (name, rate): Game(scratch / f"{name}{rate}", name, npcs, rate)
        for rate in per_s
        for name in NEEDED_MS
    }
    for _ in range(rounds):
        for game in games.values():
            game.play(frames // rounds)
    section = Section(
        f"60 Hz, {npcs:,} NPCs, {frames} frames",
        [
            "steps/s each",
            "durability",
            "steps a frame",
            "pump p50 ms",
            "p99",
            "max",
            "commit p50 ms",
            "p99",
        ],
    )
    for (name, rate), game in games.items():
        game.world.close()
        pump = [percentile(game.pump_ms, 50), percentile(game.pump_ms, 99), max(game.pump_ms)]
        commit = [percentile(game.commit_ms, 50), percentile(game.commit_ms, 99)]
        section.add(
            str(rate),
            name,
            f"{game.steps / len(game.pump_ms):.0f}",
            *(f"{value:.2f}" for value in (*pump, *commit)),
        )
        section.data[f"{name}, {rate} a second"] = {
            "pump_p50_ms": pump[0],
            "pump_p99_ms": pump[1],
            "pump_max_ms": pump[2],
            "commit_p50_ms": commit[0],
            "commit_p99_ms": commit[1],
        }
        if rate == 1:
            section.targets.append(
                Target(f"pump p99 at 60 Hz, {name}", NEEDED_MS[name], pump[1], " ms", at_least=False)
            )
    return section

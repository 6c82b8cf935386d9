"""The processes of `million`: one that makes a world, one that opens it and ends, one that serves it under load."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from machine import anonymous_bytes
from processes import serve
from steps import Load
from workloads import ALL, BATCH, FAR_S, Stack, buff, plain_buff

from deathless import GameClock, Runtime

PROBES = 16
"""Timers that must have fired before all count as armed, spread over the keys, the last one among them."""
PUMPS = 20
FRAME_S = 1 / 60
PATIENCE_S = 60.0


def active_ones(population: int, active: int) -> list[int]:
    """Choose who is active, in the order in which they take their steps."""
    return random.Random(3).sample(range(population), active)


def _probes(idle: list[int], restarts: int) -> dict[int, float]:
    """Choose whose timers each restart waits for: spread over all keys, the last ones among them."""
    gap = max(1, len(idle) // PROBES)
    return {
        entity: number + 1.0 for number in range(restarts) for entity in idle[-1 - number :: -gap][:PROBES]
    }


def build(place: Path, population: int, active: int, residents: int, restarts: int) -> dict[str, float]:
    """Make a world; time stands still meanwhile, so that each duration is a due time."""
    chosen = set(active_ones(population, active))
    probes = _probes([entity for entity in range(population) if entity not in chosen], restarts)
    began = time.perf_counter()
    with Runtime(place, ALL, clock=GameClock(), durability="process", max_resident=residents) as world:
        for first in range(0, population, BATCH):
            starts = []
            for entity in range(first, min(first + BATCH, population)):
                kind = buff if entity in chosen else plain_buff
                # All but the probes come due long after.
                starts.append((kind(probes.get(entity, FAR_S + entity / 1000), "slow"), entity))
            world.start_many(starts)
            world.advance(0.0)
        took_s = time.perf_counter() - began
        return {"starts_per_s": population / took_s, "mb": anonymous_bytes() / 1e6}


def restart(place: Path, residents: int, number: int, entity: int, exec_s: float) -> dict[str, float]:
    """Open the world, take a step by a signal, then wait for the timers of this restart's probes."""
    found = {"imported": time.monotonic() - exec_s}
    world = Runtime(place, ALL, clock=GameClock(), max_resident=residents)
    found["opened"] = time.monotonic() - exec_s
    world.signal(Stack(1), entity_id=entity)
    report = world.advance(0.0)
    assert report.steps == 1
    assert report.committed_turn == report.turn
    found["stepped"] = time.monotonic() - exec_s
    fired = 0
    while fired < PROBES:
        # Pumped as a game would: a world that still arms its timers goes on with that in the next frame.
        fired += world.pump(now=number + 1.0).timers_fired
        assert time.monotonic() - exec_s < PATIENCE_S, f"{fired} of {PROBES} timers have fired"
    assert fired == PROBES
    found["armed"] = time.monotonic() - exec_s
    world.close()
    return found


class Served:
    """A world that was made before, under load."""

    def __init__(self, place: Path, population: int, active: int, residents: int, frames: int) -> None:
        self.world = Runtime(place, ALL, clock=GameClock(), max_resident=residents)
        self.world.advance(0.0)
        self.opened = anonymous_bytes()
        self._load = Load(self.world, active_ones(population, active))
        self._most, self._frames = min(population, residents), frames

    def answer(self, word: str) -> object:
        match word:
            case "steps":
                rate = self._load.run(PUMPS)
                return rate, 1e6 * self._load.commit_s / (PUMPS * BATCH)
            case "idle":
                return 1e6 * min(self._idle() for _ in range(3))
            case "fill":
                self._signal(range(self._most))
                return {"full": anonymous_bytes()}
        raise ValueError(word)

    def _idle(self) -> float:
        began = time.perf_counter()
        for _ in range(self._frames):
            assert not self.world.advance(FRAME_S).steps
        return (time.perf_counter() - began) / self._frames

    def _signal(self, entities: Iterable[int]) -> None:
        for number, entity in enumerate(entities, 1):
            self.world.signal(Stack(1), entity_id=entity)
            if number % BATCH == 0:
                self.world.advance(0.0)
        self.world.advance(0.0)


def child(what: str, place: Path, *numbers: Any) -> None:
    match what:
        case "serve":
            served = Served(place, *map(int, numbers))
            serve({"opened": served.opened}, served.answer)
            served.world.close()
        case "build":
            print(json.dumps(build(place, *map(int, numbers))))
        case "restart":
            *whole, exec_s = numbers
            print(json.dumps(restart(place, *map(int, whole), float(exec_s))))


if __name__ == "__main__":
    child(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])

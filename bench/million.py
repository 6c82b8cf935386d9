"""A million workflows: what the idle ones cost those that are active, memory, a restart and an idle frame.

Most are the buff of the documentation; those that are active are the measured one, scattered among the others.
Memory and speed are of processes that open the world as a server would. The file is in the system's cache.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from floor import Floor
from machine import anonymous_bytes
from processes import Child, run_child, serve
from report import Section, Spread, Target
from steps import Load
from workloads import ALL, BATCH, FAR_S, Stack, buff, plain_buff

from deathless import GameClock, Runtime

NEEDED_RATIO = 0.7
NEEDED_MB = 450
NEEDED_STEP_S = 1.2
NEEDED_ARMED_S = 2.5
FEW = 100
"""Workflows of the world whose idle frame is the measure of the large one's."""
PROBES = 16
"""Timers that must have fired before all count as armed, spread over the keys, the last one among them."""
STAGES = ("imported", "opened", "stepped", "armed")
FRAME_S = 1 / 60
PATIENCE_S = 60.0


def measure(
    scratch: Path, *, population: int, active: int, residents: int, rounds: int, restarts: int, frames: int
) -> Section:
    """Make the world once, then restart it, load it, and let it idle.

    Args:
        scratch: where the worlds are made.
        population: workflows of the large world.
        active: those that take steps, and all that are in the small world.
        residents: `max_resident` of both.
        rounds: runs of the load, each beside one of the small world and of the floors.
        restarts: processes that open the world.
        frames: idle frames a run.
    """
    section = Section(
        f"{population:,} workflows, {active:,} of them active, max_resident={residents:,}", ["", "", "asked"]
    )
    large = scratch / "large"
    made = run_child(__file__, "build", large, population, active, residents, restarts)
    run_child(__file__, "build", scratch / "small", active, active, residents, 0)
    run_child(__file__, "build", scratch / "few", FEW, FEW, residents, 0)
    file_bytes = (large / "data.mdb").stat().st_size / population
    _row(section, "starts/s while it was made", f"{made['starts_per_s']:,.0f}")
    _row(section, "MB of the process that made it", f"{made['mb']:.0f}")
    _row(section, "bytes of file a workflow", f"{file_bytes:.0f}")
    section.data |= {"made": made, "file_bytes_a_workflow": file_bytes}
    _restarts(section, large, population, active, residents, restarts)
    _loads(section, scratch, population, active, residents, rounds, frames)
    return section


def _restarts(
    section: Section, place: Path, population: int, active: int, residents: int, restarts: int
) -> None:
    runs = [
        run_child(__file__, "restart", place, residents, number, entity, time.monotonic())
        for number, entity in enumerate(_active(population, active)[:restarts])
    ]
    spreads = {stage: Spread.of([run[stage] for run in runs]) for stage in STAGES}
    asked = {"stepped": NEEDED_STEP_S, "armed": NEEDED_ARMED_S}
    for stage, spread in spreads.items():
        _row(section, f"restart: {stage}, s", spread.ratio(), asked.get(stage))
        section.data[stage] = spread.as_json()
    for stage, wanted in asked.items():
        name = (
            f"{population:,}: s from process start to {'first step' if stage == 'stepped' else 'all armed'}"
        )
        section.targets.append(Target(name, wanted, spreads[stage].median, " s", at_least=False))


def _loads(
    section: Section, scratch: Path, population: int, active: int, residents: int, rounds: int, frames: int
) -> None:
    """Take turns between the large world and the small one; then let the large one idle, beside one of few."""
    sizes = {"large": population, "small": active, "few": FEW}
    floors = {
        "large": Floor(scratch / "large floor", keys=population, entities=_active(population, active)),
        "small": Floor(scratch / "small floor", keys=active),
    }
    ratios: dict[str, list[float]] = {"steps": [], "rows": []}
    rates: dict[str, list[float]] = {"large": [], "small": []}
    with contextlib.ExitStack() as stack:
        children = {
            name: stack.enter_context(
                Child(__file__, "serve", scratch / name, size, min(size, active), residents, frames)
            )
            for name, size in sizes.items()
        }
        for _ in range(rounds):
            rows = {name: floor.run(20) for name, floor in floors.items()}
            steps = {name: children[name].ask("steps") for name in rates}
            for name, rate in steps.items():
                rates[name].append(rate)
            ratios["steps"].append(steps["large"] / steps["small"])
            ratios["rows"].append(rows["large"] / rows["small"])
        idle = {name: children[name].ask("idle") for name in ("large", "few")}
        memory = {name: children[name].ready | children[name].ask("fill") for name in ("large", "few")}
    for floor in floors.values():
        floor.close()
    _report_loads(section, population, rates, ratios, idle)
    per_workflow = (memory["large"]["opened"] - memory["few"]["opened"]) / population
    _row(section, "bytes of memory a workflow that is not resident", f"{per_workflow:.0f}")
    _row(section, "MB once open", f"{memory['large']['opened'] / 1e6:.0f}")
    _row(section, "MB with all that may be resident", f"{memory['large']['full'] / 1e6:.0f}", NEEDED_MB)
    section.data |= {"bytes_a_workflow": per_workflow, "memory": memory["large"]}
    section.targets.append(
        Target(f"{population:,}: RssAnon", NEEDED_MB, memory["large"]["full"] / 1e6, " MB", at_least=False)
    )


def _report_loads(
    section: Section,
    population: int,
    rates: dict[str, list[float]],
    ratios: dict[str, list[float]],
    idle: dict[str, float],
) -> None:
    for name, runs in rates.items():
        spread = Spread.of(runs)
        _row(section, f"steps/s, `power`, {name} world", spread.rate())
        section.data[f"steps_per_s_{name}"] = spread.as_json()
    steps, rows = (Spread.of(ratios[name]) for name in ("steps", "rows"))
    _row(section, "steps/s, large / small", steps.ratio(), NEEDED_RATIO)
    _row(section, "the floor's rows/s among as many keys, large / small", rows.ratio())
    _row(section, f"us an idle frame, and beside {FEW} workflows", f"{idle['large']:.0f}, {idle['few']:.0f}")
    section.data |= {"steps_ratio": steps.as_json(), "floor_ratio": rows.as_json(), "idle_frame_us": idle}
    section.targets.append(
        Target(f"{population:,}: steps/s of the small world's", NEEDED_RATIO, steps.median)
    )


def _row(section: Section, name: str, value: str, asked: float | None = None) -> None:
    section.add(name, value, "" if asked is None else f"{asked:g}")


def _active(population: int, active: int) -> list[int]:
    """Choose who is active, in the order in which they take their steps."""
    return random.Random(3).sample(range(population), active)


def _probes(idle: list[int], restarts: int) -> dict[int, float]:
    """Choose whose timers each restart waits for: spread over all keys, the last ones among them."""
    gap = max(1, len(idle) // PROBES)
    return {
        entity: number + 1.0 for number in range(restarts) for entity in idle[-1 - number :: -gap][:PROBES]
    }


# -- in processes of their own ---------------------------------------------------------------------------------


def build(place: Path, population: int, active: int, residents: int, restarts: int) -> dict[str, float]:
    """Make a world; time stands still meanwhile, so that each duration is a due time."""
    chosen = set(_active(population, active))
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
        self._load = Load(self.world, _active(population, active))
        self._most, self._frames = min(population, residents), frames

    def answer(self, word: str) -> object:
        match word:
            case "steps":
                return self._load.run(10)
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

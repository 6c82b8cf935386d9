"""A million workflows: what the idle ones cost those that are active, memory, a restart and an idle frame.

Most are the buff of the documentation; those that are active are the measured one, scattered among the others.
Memory and speed are of processes that open the world as a server would. The file is in the system's cache.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from floor import Floor
from million_worlds import PUMPS, active_ones
from processes import Child, run_child
from report import Section, Spread, Target

NEEDED_RATIO = 0.7
NEEDED_MB = 450
NEEDED_STEP_S = 1.2
NEEDED_ARMED_S = 2.5
FEW = 100
"""Workflows of the world whose idle frame is the measure of the large one's."""
STAGES = ("imported", "opened", "stepped", "armed")
WORLDS = str(Path(__file__).parent / "million_worlds.py")


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
    made = run_child(WORLDS, "build", large, population, active, residents, restarts)
    run_child(WORLDS, "build", scratch / "small", active, active, residents, 0)
    run_child(WORLDS, "build", scratch / "few", FEW, FEW, residents, 0)
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
        run_child(WORLDS, "restart", place, residents, number, entity, time.monotonic())
        for number, entity in enumerate(active_ones(population, active)[:restarts])
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
        "large": Floor(scratch / "large floor", keys=population, entities=active_ones(population, active)),
        "small": Floor(scratch / "small floor", keys=active, entities=active_ones(active, active)),
    }
    ratios: dict[str, list[float]] = {"steps": [], "rows": []}
    runs: dict[str, list[tuple[float, float]]] = {"large": [], "small": []}
    with contextlib.ExitStack() as stack:
        children = {
            name: stack.enter_context(
                Child(WORLDS, "serve", scratch / name, size, min(size, active), residents, frames)
            )
            for name, size in sizes.items()
        }
        for _ in range(rounds):
            rows = {name: floor.run(2 * PUMPS) for name, floor in floors.items()}
            for name, measured in runs.items():
                measured.append(children[name].ask("steps"))
            ratios["steps"].append(runs["large"][-1][0] / runs["small"][-1][0])
            ratios["rows"].append(rows["large"] / rows["small"])
        idle = {name: children[name].ask("idle") for name in ("large", "few")}
        memory = {name: children[name].ready | children[name].ask("fill") for name in ("large", "few")}
    for floor in floors.values():
        floor.close()
    _report_loads(section, population, runs, ratios, idle)
    per_workflow = (memory["large"]["opened"] - memory["few"]["opened"]) / population
    _row(section, "bytes of memory a workflow, none of them resident", f"{per_workflow:.0f}")
    _row(section, "MB once open", f"{memory['large']['opened'] / 1e6:.0f}")
    _row(section, "MB with all that may be resident", f"{memory['large']['full'] / 1e6:.0f}", NEEDED_MB)
    section.data |= {"bytes_a_workflow": per_workflow, "memory": memory["large"]}
    section.targets.append(
        Target(f"{population:,}: RssAnon", NEEDED_MB, memory["large"]["full"] / 1e6, " MB", at_least=False)
    )


def _report_loads(
    section: Section,
    population: int,
    runs: dict[str, list[tuple[float, float]]],
    ratios: dict[str, list[float]],
    idle: dict[str, float],
) -> None:
    for name, measured in runs.items():
        rate, commit_us = (Spread.of(column) for column in zip(*measured, strict=True))
        _row(section, f"steps/s, `power`, {name} world", rate.rate())
        _row(section, "of a step's us, the commit", f"{commit_us.median:.1f} of {1e6 / rate.median:.1f}")
        section.data[f"steps_per_s_{name}"] = rate.as_json()
        section.data[f"commit_us_{name}"] = commit_us.median
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

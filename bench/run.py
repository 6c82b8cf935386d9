"""The benchmarks: figures beside the floor of this machine, in one run.

    python bench/run.py                     all of them, some minutes
    python bench/run.py --quick             smaller and shorter, about a minute
    python bench/run.py --only floor,steps  some of them
    python bench/run.py --profile           where a step's time goes

Judge by ratios within one run: the machine's own noise is in every figure. What is printed is also written to
bench.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import activities
import audit
import baselines
import budget
import children
import floor
import frame_loop
import growth
import history
import lateness
import machine
import memory
import million
import parts
import publish
import recovery
import replay_ui
import sql
import starts
import steps
import tables
import two_worlds
import virtual_time
from report import Printer, Section, Target

# Each with the sizes of a full run and of a quick one.
BENCHMARKS: dict[str, tuple[Callable[..., Section], dict[str, Any], dict[str, Any]]] = {
    "floor": (floor.measure, {"rounds": 9, "commits": 30}, {"rounds": 3, "commits": 10}),
    "steps": (
        steps.measure,
        {"rounds": 9, "pumps": 20, "populations": (100, 10_000, 100_000)},
        {"rounds": 3, "pumps": 4, "populations": (100, 2_000)},
    ),
    "parts": (
        parts.measure,
        {"rounds": 25, "populations": (100, 10_000, 100_000)},
        {"rounds": 6, "populations": (2_000,)},
    ),
    "starts": (starts.measure, {"rounds": 5, "count": 20_000}, {"rounds": 3, "count": 2_000}),
    "children": (
        children.measure,
        {"rounds": 5, "parents": 100, "children": 100},
        {"rounds": 2, "parents": 20, "children": 20},
    ),
    "publish": (
        publish.measure,
        {"rounds": 9, "subscribers": 100_000, "reached": (1, 100, 10_000)},
        {"rounds": 3, "subscribers": 2_000, "reached": (1, 100, 1_000)},
    ),
    "tables": (
        tables.measure,
        {"rounds": 9, "pumps": 10, "population": 10_000},
        {"rounds": 3, "pumps": 2, "population": 1_000},
    ),
    "activities": (
        activities.measure,
        {"rounds": 5, "trips": 300, "crowd": 2_000},
        {"rounds": 2, "trips": 30, "crowd": 200},
    ),
    "memory": (memory.measure, {"count": 50_000}, {"count": 5_000}),
    "recovery": (
        recovery.measure,
        {"rounds": 5, "populations": (10_000, 100_000)},
        {"rounds": 2, "populations": (2_000,)},
    ),
    "lateness": (
        lateness.measure,
        {"timers": (10_000, 30_000), "seconds": 5.0},
        {"timers": (1_000,), "seconds": 1.0},
    ),
    "frame_loop": (
        frame_loop.measure,
        {"npcs": 10_000, "per_s": (1, 5), "frames": 600, "rounds": 5},
        {"npcs": 1_000, "per_s": (1, 5), "frames": 60, "rounds": 2},
    ),
    "budget": (
        budget.measure,
        {"npcs": 10_000, "per_s": 5, "frames": 400, "budgets_ms": (1.0, 4.0)},
        {"npcs": 1_000, "per_s": 5, "frames": 40, "budgets_ms": (0.1,)},
    ),
    "virtual_time": (
        virtual_time.measure,
        {"npcs": 1_000, "paced_s": 5.0, "seconds": 30.0, "rounds": 5},
        {"npcs": 100, "paced_s": 1.5, "seconds": 5.0, "rounds": 2},
    ),
    "baselines": (
        baselines.measure,
        {"rounds": 5, "pumps": 10, "populations": (1_000, 10_000)},
        {"rounds": 2, "pumps": 2, "populations": (100,)},
    ),
    "two_worlds": (
        two_worlds.measure,
        {"rounds": 9, "pumps": 30, "population": 10_000},
        {"rounds": 2, "pumps": 4, "population": 1_000},
    ),
    "audit": (
        audit.measure,
        {"rounds": 9, "pumps": 20, "population": 10_000},
        {"rounds": 3, "pumps": 4, "population": 2_000},
    ),
    "history": (
        history.measure,
        {"rounds": 9, "pumps": 20, "population": 10_000, "recorded": 1_000_000, "shows": 200},
        {"rounds": 2, "pumps": 4, "population": 1_000, "recorded": 20_000, "shows": 20},
    ),
    "growth": (
        growth.measure,
        {"population": 10_000, "commits": 120},
        {"population": 1_000, "commits": 10},
    ),
    "sql": (
        sql.measure,
        {"population": 1_000_000, "rounds": 5},
        {"population": 5_000, "rounds": 2},
    ),
    "replay_ui": (
        replay_ui.measure,
        {"npcs": 10_000, "seconds": 60.0, "presses": 100},
        {"npcs": 300, "seconds": 3.0, "presses": 4},
    ),
    "million": (
        million.measure,
        {
            "population": 1_000_000,
            "active": 10_000,
            "residents": 50_000,
            "rounds": 9,
            "restarts": 3,
            "frames": 300,
        },
        {"population": 10_000, "active": 1_024, "residents": 2_000, "rounds": 2, "restarts": 2, "frames": 30},
    ),
}


def main() -> int:
    options = _options()
    printer = Printer()
    options.dir.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="bench-", dir=options.dir))
    found: dict[str, Any] = {
        "machine": machine.describe(),
        "disk": machine.file_system(scratch),
        "quick": options.quick,
        "benchmarks": {},
        "targets": [],
    }
    facts = ", ".join(f"{name} {value}" for name, value in found["machine"].items())
    printer.say(f"{facts}; worlds on {found['disk']}")
    if found["disk"] == "tmpfs":
        printer.say("A synced commit costs nothing on a tmpfs: name a directory on a disk with --dir.")
    targets: list[Target] = []
    try:
        for name in options.only:
            began = time.perf_counter()
            measure, full, quick = BENCHMARKS[name]
            place = scratch / name
            place.mkdir()
            printer.say(f"{name} ...")
            section = measure(place, **(quick if options.quick else full))
            shutil.rmtree(place)
            printer.section(section)
            printer.say(f"{name}: {time.perf_counter() - began:.0f} s")
            found["benchmarks"][name] = section.data
            targets += section.targets
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if targets:
        printer.targets(targets)
    if options.quick and targets:
        printer.say("These are the sizes of a quick run; the targets are meant for those of a full one.")
    found["targets"] = [target.as_json() for target in targets]
    options.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure Deathless beside the floor of this machine.")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter, about a minute")
    parser.add_argument(
        "--only", default=",".join(BENCHMARKS), help=f"some of {','.join(BENCHMARKS)}, separated by commas"
    )
    parser.add_argument("--profile", action="store_true", help="where a step's time goes: --only floor,parts")
    parser.add_argument(
        "--dir",
        type=Path,
        default=machine.CHECKOUT / "worlds",
        help="where worlds are made, on a real disk (worlds)",
    )
    parser.add_argument(
        "--json", type=Path, default=machine.CHECKOUT / "bench.json", help="where figures go (bench.json)"
    )
    options = parser.parse_args()
    options.only = (
        ["floor", "parts"] if options.profile else [name for name in options.only.split(",") if name]
    )
    if unknown := [name for name in options.only if name not in BENCHMARKS]:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())

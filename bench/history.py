"""What recording costs, and how fast a recording is read: the load of `steps.py`, in `power`.

A world keeps the log of its turns always; to measure it, one load has it taken out. Each load has a world of its own,
and they take turns. Then steps are run again, and a workflow is looked at as it was at turns drawn at random.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from floor import Floor
from report import Section, Spread, Target
from steps import Load
from workloads import ALL, BATCH, populate, shuffled

from deathless import GameClock, Retention, Runtime
from deathless.runtime.registration import registry_of
from deathless.tools.replay.saved_world import SavedWorld
from deathless.tools.replay.verification import verify_world

NEEDED_LOG = 0.95
NEEDED_ALL = 0.60
NEEDED_VERIFIED = 40_000
NEEDED_SHOW_MS = 100
NEEDED_COMMAND_MS = 400
BARE, LOG, STEPS = "nothing", "the log of turns", "and all steps"


def measure(scratch: Path, *, rounds: int, pumps: int, population: int, recorded: int, shows: int) -> Section:
    """Measure steps a second with each recording; then verifying and showing.

    Args:
        scratch: where the worlds are made.
        rounds: runs of each.
        pumps: batches a run.
        population: workflows.
        recorded: steps that the world has that is read.
        shows: turns that are looked at.
    """
    section = Section(
        f"history, {population:,} workflows, `power`: a pump per {BATCH:,} signals",
        ["recorded", "steps/s", "of the floor", "of the same without"],
    )
    floor = Floor(scratch / "floor")
    loads = {name: _load(scratch / str(at), population, name) for at, name in enumerate((BARE, LOG, STEPS))}
    runs: dict[str, list[float]] = {name: [] for name in loads}
    floors = []
    for at in range(rounds):
        floors.append(floor.run(2 * pumps))
        for name in loads if at % 2 else reversed(loads):
            runs[name].append(loads[name].run(pumps))
    section.add("floor", Spread.of(floors).rate(), "", "")
    for name, measured in runs.items():
        rate = Spread.of(measured)
        of_bare = Spread.of([one / other for one, other in zip(measured, runs[BARE], strict=True)])
        of_floor = Spread.of([one / other for one, other in zip(measured, floors, strict=True)])
        section.add(name, rate.rate(), of_floor.ratio(), "" if name == BARE else of_bare.ratio())
        section.data[name] = {"steps_per_s": rate.as_json(), "of_nothing": of_bare.as_json()}
        needed = {LOG: NEEDED_LOG, STEPS: NEEDED_ALL}.get(name)
        if needed is not None:
            section.targets.append(Target(f"{name}: steps/s of those without", needed, of_bare.median))
    load = loads[STEPS]
    while load.world.turn * BATCH < recorded:
        load.run(pumps)
    for each in loads.values():
        each.close()
    floor.close()
    _read(section, scratch / "2", shows, recorded)
    return section


def _load(place: Path, population: int, recorded: str) -> Load:
    world = Runtime(
        place,
        ALL,
        clock=GameClock(),
        history="all" if recorded == STEPS else "off",
        retention=Retention(size=None),
    )
    if recorded == BARE:
        world._engine.history.end_turn = lambda *_: None  # type: ignore[method-assign]
    populate(world, population)
    return Load(world, shuffled(population))


def _read(section: Section, place: Path, shows: int, recorded: int) -> None:
    """Verify the recording, and look at workflows of it."""
    with SavedWorld(place, registry_of(ALL)) as world:
        began = time.perf_counter()
        found = verify_world(world, lambda _done, _of: None)
        rate = found.steps / (time.perf_counter() - began)
        assert not found.findings
        choose = random.Random(1)
        last = world.state.turn
        took_ms = []
        for _ in range(shows):
            workflow_id, turn = choose.randrange(1, found.workflows), choose.randrange(last // 20, last)
            began = time.perf_counter()
            row = world.row(workflow_id, turn)
            assert row is not None
            world.view(workflow_id, row)
            took_ms.append(1e3 * (time.perf_counter() - began))
    shown = Spread.of(took_ms)
    command_ms = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(
            [
                sys.executable,
                "-m",
                "deathless.tools",
                "replay",
                "show",
                str(place),
                "7",
                "--turn",
                str(last // 2),
            ],
            check=True,
            capture_output=True,
        )
        command_ms.append(1e3 * (time.perf_counter() - began))
    command = statistics.median(command_ms)
    section.add(f"run again: {found.steps:,} steps on one core", f"{rate:,.0f}", "", "")
    section.add(
        f"a workflow at a turn, of {recorded:,} steps, ms", f"{shown.median:.2f} (-{shown.high:.2f})", "", ""
    )
    section.add("the same by the command, ms", f"{command:.0f}", "", "")
    section.data["verified_per_s"] = rate
    section.data["show_ms"] = shown.as_json()
    section.data["show_command_ms"] = command
    section.targets += [
        Target("steps run again a second", NEEDED_VERIFIED, rate),
        Target("a workflow at a turn, the slowest", NEEDED_SHOW_MS, shown.high, "ms", at_least=False),
        Target("the same by the command", NEEDED_COMMAND_MS, command, "ms", at_least=False),
    ]

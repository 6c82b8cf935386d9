"""What an audit log costs: the load of `steps.py`, in `power`, with and without one, in one run."""

from __future__ import annotations

from pathlib import Path

from report import Section, Spread, Target
from steps import Load
from workloads import ALL, BATCH, populate, shuffled

from deathless import GameClock, Retention, Runtime

NEEDED = 0.70
WITHOUT, WITH = "without", "with an audit log"


def measure(scratch: Path, *, rounds: int, pumps: int, population: int) -> Section:
    """Measure steps a second with each; they take turns, each on a world of its own.

    Args:
        scratch: where the worlds are made.
        rounds: runs of each.
        pumps: batches a run.
        population: workflows.
    """
    section = Section(
        f"audit log, {population:,} workflows, `power`: a pump per {BATCH:,} signals",
        ["audit log", "steps/s", "of the same without", "bytes an event"],
    )
    loads = {name: _load(scratch / str(at), population, name) for at, name in enumerate((WITHOUT, WITH))}
    runs: dict[str, list[float]] = {name: [] for name in loads}
    for at in range(rounds):
        for name in loads if at % 2 else reversed(loads):
            runs[name].append(loads[name].run(pumps))
    ratio = Spread.of([one / other for one, other in zip(runs[WITH], runs[WITHOUT], strict=True)])
    world = loads[WITH].world
    each = world._engine.store.table_bytes(["event"]) / len(world.audit(limit=10**9))
    section.add(WITHOUT, Spread.of(runs[WITHOUT]).rate(), "", "")
    section.add(WITH, Spread.of(runs[WITH]).rate(), ratio.ratio(), f"{each:.0f}")
    section.data["of_without"] = ratio.as_json()
    section.data["bytes_an_event"] = each
    section.targets.append(Target("steps/s of those without", NEEDED, ratio.median))
    for load in loads.values():
        load.close()
    return section


def _load(place: Path, population: int, name: str) -> Load:
    world = Runtime(place, ALL, clock=GameClock(), audit=name == WITH, audit_retention=Retention(size=None))
    populate(world, population)
    return Load(world, shuffled(population))

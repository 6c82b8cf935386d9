"""Bytes that a resident idle workflow takes, measured in processes of their own.

`RssAnon` is what the system sees, free lists and all; tracemalloc counts what Python's allocator was asked for. Both
after each workflow has taken two steps: a frame that was looked at may keep more than one that was not.
"""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from pathlib import Path

from machine import anonymous_bytes
from processes import run_child
from report import Section, Target
from workloads import ALL, BATCH, Stack, buff, plain_buff, populate

from deathless import GameClock, Runtime

NEEDED = 2_560
KINDS = {"buff of the documentation": plain_buff, "measured buff": buff}


def measure(scratch: Path, *, count: int) -> Section:
    section = Section(
        f"bytes a resident idle workflow, of {count:,}, each after two steps",
        ["", "RssAnon", "tracemalloc", "row"],
    )
    for number, name in enumerate(KINDS):
        found: dict[str, float] = {}
        for how in ("RssAnon", "tracemalloc"):
            place = scratch / f"{number}{how}"
            found |= run_child(__file__, place, name, how, count)
        section.add(name, *(f"{found[how]:,.0f}" for how in ("RssAnon", "tracemalloc", "row")))
        section.data[name] = found
        section.targets.append(Target(f"bytes a workflow, {name}", NEEDED, found["RssAnon"], at_least=False))
    return section


def child(place: Path, name: str, how: str, count: int) -> None:
    kind = KINDS[name]
    with Runtime(place, ALL, clock=GameClock(), durability="process") as world:
        # What the first workflow makes once for all is not counted.
        _fill(world, kind, 1)
        if how == "tracemalloc":
            tracemalloc.start()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0] if how == "tracemalloc" else anonymous_bytes()
        _fill(world, kind, count)
        gc.unfreeze()
        gc.collect()
        after = tracemalloc.get_traced_memory()[0] if how == "tracemalloc" else anonymous_bytes()
        row = len(world._engine.rows.row(1) or b"")
    print(json.dumps({how: (after - before) / count, "row": row}))


def _fill(world: Runtime, kind: object, count: int) -> None:
    populate(world, count, kind)
    for first in range(0, count, BATCH):
        for entity in range(first, min(first + BATCH, count)):
            world.signal(Stack(1), entity_id=entity)
        world.advance(0.001)


if __name__ == "__main__":
    child(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))

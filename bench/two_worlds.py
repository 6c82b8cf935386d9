"""Two worlds in two processes, on two cores, against one of them by itself.

A loop that only counts does the same, and the floor: what they fall short of twice is the cores' and the disk's.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from floor import Floor
from processes import Child, serve
from report import Section, Spread, Target
from steps import Load
from workloads import BATCH

NEEDED = 1.8
COUNT = "a loop that counts"
KINDS = (COUNT, "floor", "process", "power")
COUNTS = 200
"""For each step: about as long as one."""


def measure(scratch: Path, *, rounds: int, pumps: int, population: int) -> Section:
    """Let one run, then both, and so on, each in its steady state.

    Args:
        scratch: where the worlds are made.
        rounds: runs of each.
        pumps: batches a run.
        population: workflows of each world.
    """
    section = Section(
        f"two worlds of {population:,} workflows in two processes, against one",
        ["", "one, steps/s", "both, steps/s", "both / one"],
    )
    for kind in KINDS:
        ones: list[float] = []
        boths: list[float] = []
        with (
            Child(__file__, kind, scratch / f"{kind} first", population) as first,
            Child(__file__, kind, scratch / f"{kind} second", population) as second,
        ):
            for number in range(rounds):
                # Which one goes alone changes: the cores need not be alike.
                ones.append(_rate([(first, second)[number % 2]], pumps))
                boths.append(_rate([first, second], pumps))
        one, both = Spread.of(ones), Spread.of(boths)
        ratio = Spread.of([pair / single for pair, single in zip(boths, ones, strict=True)])
        section.add(kind, one.rate(), both.rate(), ratio.ratio())
        section.data[kind] = {"one": one.as_json(), "both": both.as_json(), "ratio": ratio.as_json()}
        if kind in ("process", "power"):
            section.targets.append(Target(f"two worlds, {kind}: steps/s of one", NEEDED, ratio.median))
    return section


def _rate(children: list[Child], pumps: int) -> float:
    """Let them run at once; return the steps a second of all together, until the last is ready."""
    began = time.perf_counter()
    for each in children:
        each.tell(str(pumps))
    for each in children:
        each.hear()
    return len(children) * pumps * BATCH / (time.perf_counter() - began)


def child(kind: str, place: Path, population: int) -> None:
    if kind == COUNT:
        serve(True, lambda pumps: _count(int(pumps) * BATCH * COUNTS))
        return
    load = Floor(place) if kind == "floor" else Load.on_new_world(place, kind, population)
    serve(True, lambda pumps: load.run(int(pumps)))
    load.close()


def _count(times: int) -> int:
    done = 0
    while done < times:
        done += 1
    return done


if __name__ == "__main__":
    child(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))

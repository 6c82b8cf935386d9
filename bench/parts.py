"""Where the time of a step goes, in microseconds.

Two passes over the load of `steps.py`. The first reads the clock a few times a batch: around the calls of `signal`,
in `advance` before and after the run queue, in the commit around the transaction; that costs nothing measurable. The
second splits the run queue's share: it wraps one function at a time in two readings of the clock, for some batches
each, and subtracts what the wrapper itself takes, so that no figure pays for the measuring of another. A part is the
difference between a function and those that it calls. Of all rounds the lowest figure counts: what a busy machine
adds to one part it does not add to another, so that medians would not add up.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from floor import Floor
from report import Section
from steps import Load
from workloads import BATCH, Stack

from deathless.workflows import snapshots as snapshots_module
from deathless.workflows import stepper as stepper_module

clock = time.perf_counter_ns


class Timed:
    """A function that adds up what its calls take.

    Attributes:
        bias_ns: what a call of an empty function adds to the total.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.total_ns = 0

        # Not methods, and one of fixed arity: the wrapper shall be as cheap as can be.
        def one(given: Any) -> Any:
            began = clock()
            result = function(given)
            self.total_ns += clock() - began
            return result

        def many(*given: Any, **named: Any) -> Any:
            began = clock()
            result = function(*given, **named)
            self.total_ns += clock() - began
            return result

        self.one, self.many = one, many

    @functools.cached_property
    def bias_ns(self) -> float:
        """Measure it: the lowest of a few runs, as everything here."""
        empty = Timed(_nothing)
        found = []
        for _ in range(10):
            empty.total_ns = 0
            for _ in range(500):
                empty.one(None)
            found.append(empty.total_ns / 500)
        return min(found)


def _nothing(_: Any) -> None:
    pass


@contextmanager
def wrapped(holder: Any, name: str, *, one: bool = False) -> Iterator[Timed]:
    function = getattr(holder, name)
    own = name in vars(holder) if hasattr(holder, "__dict__") else False
    timed = Timed(function)
    setattr(holder, name, timed.one if one else timed.many)
    try:
        yield timed
    finally:
        if own or isinstance(holder, type):
            setattr(holder, name, function)
        else:
            delattr(holder, name)


class _Transaction:
    """A write transaction that notes when its body begins and ends."""

    def __init__(self, inner: Any, marks: dict[str, int]) -> None:
        self._inner, self._marks = inner, marks

    def __enter__(self) -> Any:
        self._began = clock()
        return self._inner.__enter__()

    def __exit__(self, *error: object) -> Any:
        ended = clock()
        result = self._inner.__exit__(*error)
        self._marks["put"] += ended - self._began
        self._marks["sync"] += clock() - ended
        return result


class _Environment:
    def __init__(self, inner: Any, marks: dict[str, int]) -> None:
        self._inner, self._marks = inner, marks

    def begin(self, **options: Any) -> Any:
        transaction = self._inner.begin(**options)
        return _Transaction(transaction, self._marks) if options.get("write") else transaction

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def measure(scratch: Path, *, rounds: int, populations: tuple[int, ...]) -> Section:
    cases = [(durability, population) for durability in ("power", "process") for population in populations]
    section = Section(
        "parts of a step, us (batch: clock around whole batches; one by one: a function at a time)",
        ["part", "how", *(f"{durability} {population:,}" for durability, population in cases)],
    )
    columns: list[dict[str, float]] = []
    for durability, population in cases:
        column = _measure_case(scratch / f"{durability}{population}", durability, population, rounds)
        section.data.setdefault(durability, {})[str(population)] = column
        columns.append(column)
    for part, how in PARTS.items():
        section.add(part, how, *(f"{column[part]:.2f}" for column in columns))
    return section


def _measure_case(place: Path, durability: str, population: int, rounds: int) -> dict[str, float]:
    place.mkdir()
    load = Load.on_new_world(place / "world", durability, population)
    floor = Floor(place / "floor")
    whole: list[float] = []
    rows: list[float] = []
    batch: list[dict[str, float]] = []
    split: list[dict[str, float]] = []
    for _ in range(rounds):
        rows.append(1e6 / floor.run(1))
        whole.append(1e6 / load.run(1))
        batch.append(_batch_parts(load))
        split.append(_split_parts(load))
    load.close()
    floor.close()
    return _column(min(whole), min(rows), batch, split)


PARTS = {
    "signal call: check, encode, lock": "batch",
    "intake to queue: address, actor, append": "batch",
    "dequeue, actor, row into buffer": "difference",
    "wheel: re-arm": "one by one",
    "stepper: does it fit the wait": "difference",
    "decode payload, build signal": "one by one",
    "coroutine: send, match, timer, select": "difference",
    "alias scan": "one by one",
    "stored wait, due time": "one by one",
    "row: stack, fields, bounds": "difference",
    "pack": "one by one",
    "turn: rest": "batch",
    "commit: keys, dict, sort": "batch",
    "commit: puts": "batch",
    "commit: write and sync": "batch",
    "sum of the parts": "",
    "whole, measured without them": "batch",
    "whole / floor, lowest of each": "batch",
}


def _batch_parts(load: Load) -> dict[str, float]:
    world = load.world
    marks = {"put": 0, "sync": 0}
    scheduler, store = world._engine.system.scheduler, world._engine.store
    run, environment = scheduler.run, store._env
    span = [0, 0]

    def timed_run(**options: Any) -> int:
        span[0] = clock()
        handled = run(**options)
        span[1] = clock()
        return handled

    scheduler.run = timed_run
    store._env = _Environment(environment, marks)
    try:
        entities = next(load._batches)
        began = clock()
        for entity in entities:
            world.signal(Stack(1), entity_id=entity)
        called = clock()
        report = world.advance(0.001)
        ended = clock()
    finally:
        del scheduler.run
        store._env = environment
    commit_ns = int(report.commit_s * 1e9)
    each = 1e3 * BATCH
    return {
        "signal call: check, encode, lock": (called - began) / each,
        "intake to queue: address, actor, append": (span[0] - called) / each,
        "run queue": (span[1] - span[0]) / each,
        "turn: rest": (ended - span[1] - commit_ns) / each,
        "commit: keys, dict, sort": (commit_ns - marks["put"] - marks["sync"]) / each,
        "commit: puts": marks["put"] / each,
        "commit: write and sync": marks["sync"] / each,
    }


def _split_parts(load: Load) -> dict[str, float]:
    """Return what the functions on the way of a step take, what they call included."""
    system = load.world._engine.system
    stepper = system.stepper
    codec = stepper._codec
    found: dict[str, float] = {}
    # The intake has a codec of its own, so that each of these runs once a step.
    functions: dict[str, tuple[Any, str, bool]] = {
        "wheel": (system.wheel, "schedule", False),
        "handle": (system, "handle", False),
        "unpack": (codec, "unpack", True),
        "signal_from": (stepper_module, "signal_from", False),
        "run": (stepper, "run", False),
        "row": (stepper._snapshots, "pack_suspended", False),
        "scan": (codec, "is_tree", True),
        "wait": (snapshots_module, "store_wait", False),
        "pack": (codec, "_pack", True),
    }
    for name, (holder, attribute, one) in functions.items():
        with wrapped(holder, attribute, one=one) as timed:
            load.run(1)
        # A part that is no longer on the way would count as nothing, and its time as another's.
        assert timed.total_ns > 0, f"{attribute} is not called in a step"
        found[name] = max(0.0, timed.total_ns / BATCH - timed.bias_ns) / 1e3
    return found


def _column(
    whole: float, floor: float, batch: list[dict[str, float]], split: list[dict[str, float]]
) -> dict[str, float]:
    b = {name: min(run[name] for run in batch) for name in batch[0]}
    s = {name: min(run[name] for run in split) for name in split[0]}
    column = {
        **{name: value for name, value in b.items() if name in PARTS},
        "dequeue, actor, row into buffer": b["run queue"] - s["handle"] - s["wheel"],
        "wheel: re-arm": s["wheel"],
        "stepper: does it fit the wait": s["handle"] - s["unpack"] - s["signal_from"] - s["run"],
        "decode payload, build signal": s["unpack"] + s["signal_from"],
        "coroutine: send, match, timer, select": s["run"] - s["row"],
        "alias scan": s["scan"],
        "stored wait, due time": s["wait"],
        "row: stack, fields, bounds": s["row"] - s["scan"] - s["wait"] - s["pack"],
        "pack": s["pack"],
    }
    column["sum of the parts"] = sum(column.values())
    column["whole, measured without them"] = whole
    column["whole / floor, lowest of each"] = whole / floor
    return column

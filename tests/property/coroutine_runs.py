"""How one program is run, in several ways that must not differ.

A run is a sequence of segments, each from one suspension to the next. What is carried from segment to
segment is a `Place`: plain data, so that the next segment can happen in this process or in another. The
driver's answers depend on the seed and on the number of suspensions so far, on nothing else.
"""

from __future__ import annotations

import linecache
import random
import types
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import coroutine_kit as kit

from deathless.workflows.codec import Codec
from deathless.workflows.compiler import UNBOUND, capture_stack, compile_coroutine, resume_stack

PATIENCE = 40
"""Suspensions after which the driver throws `Halt` at every await."""

BOUND = 60
"""Suspensions after which a program counts as endless and is left alone."""

THROWING = (0.0, 0.05, 0.15, 0.3)
"""The share of awaits at which the driver throws, by take."""

CODEC = Codec()


@dataclass
class Place:
    """Where a run stands: what a worker needs to go on, and all that it may know."""

    position: int
    label: str
    trace: list[str]
    stack: bytes


@dataclass
class Outcome:
    """What a whole run showed. `lines` are the program's in the traceback; `?` where a snapshot lost them."""

    trace: list[str]
    result: str
    lines: list[Any]


class Difference(AssertionError):
    """A run that differs from the untransformed one."""


@dataclass
class Loaded:
    """A program's functions, native or transformed."""

    main: Callable[..., Coroutine[str, Any, Any]]
    filename: str
    programs: dict[str, Any]
    sites: dict[tuple[str, int], Any]


# -- loading -----------------------------------------------------------------------------------------------


def load(source: str, name: str, *, durable: bool) -> Loaded:
    """Execute a program's text, with the compiler as its decorators or with decorators that do nothing."""
    filename = f"/programs/{name}.py"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    programs: dict[str, Any] = {}

    def decorator(kind: str) -> Callable[..., Any]:
        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            program = compile_coroutine(function, kind=kind)
            programs[function.__name__] = program
            return program.function

        return decorate if durable else kit.same

    module = types.ModuleType(f"program_{name}")
    module.__dict__.update(
        kit.NAMES,
        workflow=decorator("workflow"),
        routine=decorator("routine"),
        pool=kit.durable_pool if durable else kit.native_pool,
        __file__=filename,
    )
    exec(compile(source, filename, "exec"), module.__dict__)
    sites = {(key, site.number): site for key, program in programs.items() for site in program.sites}
    return Loaded(module.main, filename, programs, sites)


# -- the driver --------------------------------------------------------------------------------------------


class Script:
    """What a random program is given: arguments and answers that follow from the seed, made anew.

    A program is compiled once and played in several takes, which differ in how often the driver throws.
    """

    def __init__(self, seed: int, take: int) -> None:
        self.seed = seed * len(THROWING) + take
        self.throwing = THROWING[take]

    def arguments(self) -> tuple[Any, ...]:
        rng = random.Random(self.seed)
        return (
            rng.randint(-1, 4),
            [rng.randint(0, 5) for _ in range(3)],
            kit.Unit("hero", rng.randint(1, 9), [1, 2]),
        )

    def answer(self, position: int, label: str) -> tuple[bool, Any]:
        """Whether the driver throws at this suspension, and the exception or value."""
        if position > PATIENCE:
            return True, kit.Halt("patience")
        rng = random.Random(self.seed * 4_099 + position)
        if rng.random() < self.throwing:
            return True, rng.choice((
                lambda: kit.Boom("thrown", position), lambda: kit.Dire(position), lambda: kit.Halt("thrown"),
                lambda: kit.Odd("thrown", level=position), lambda: KeyError("thrown"),
                lambda: OSError(5, "thrown"),
            ))()  # fmt: skip
        return False, VALUES[label[0]](rng)


VALUES: dict[str, Callable[[random.Random], Any]] = {
    "n": lambda rng: rng.choice((0, 1, 2, 3, 4, 5, -1, 2**65)),
    "b": lambda rng: rng.random() < 0.6,
    "s": lambda rng: rng.choice(("ale", "bow", "", "gnu")),
    "l": lambda rng: [rng.randint(0, 6) for _ in range(rng.randint(0, 4))],
    "d": lambda rng: {rng.choice(("ale", "bow", "cat", "k")): rng.randint(0, 3) for _ in range(2)},
    "u": lambda rng: kit.Unit(rng.choice(("ale", "bow")), rng.randint(0, 5), [rng.randint(0, 3)]),
}


def proceed(coroutine: Any, answered: tuple[bool, Any] | None) -> str:
    """Run a live coroutine to its next await, and give its label; what ends the coroutine passes through."""
    if answered is None:
        return coroutine.send(None)
    throws, value = answered
    return coroutine.throw(value) if throws else coroutine.send(value)


def ended(loaded: Loaded, error: BaseException, known: set[int]) -> Outcome:
    """The outcome of a run that ended with this; `known` are the exceptions that a snapshot carried."""
    trace = list(kit.TRACE)
    if isinstance(error, StopIteration):
        return Outcome(trace, "returned " + kit.render(error.value), [])
    lines: list[Any] = []
    chain: BaseException | None = error
    while chain is not None and len(lines) < kit.CHAIN_BOUND:
        lines.append("?" if id(chain) in known else program_lines(loaded, chain))
        chain = chain.__cause__ or chain.__context__
    return Outcome(trace, "raised " + kit.render_exception(error), lines)


def program_lines(loaded: Loaded, error: BaseException) -> list[int]:
    lines, entry = [], error.__traceback__
    while entry is not None:
        if entry.tb_frame.f_code.co_filename == loaded.filename:
            lines.append(entry.tb_lineno)
        entry = entry.tb_next
    return lines


# -- snapshots ---------------------------------------------------------------------------------------------


def snapshot(coroutine: Any) -> bytes:
    """A suspended stack as bytes, one value, so that identity is kept across its frames."""
    frames = []
    stack = capture_stack(coroutine)
    check_live(coroutine, *stack[-1])
    for program, site, values in stack:
        unbound = [index for index, value in enumerate(values) if value is UNBOUND]
        stored = [None if value is UNBOUND else value for value in values]
        frames.append([program.function.__name__, site.number, unbound, stored])
    return CODEC.pack(frames)


def check_live(coroutine: Any, program: Any, site: Any, values: list[Any]) -> None:
    """What the innermost function left in `ctx.live`, if anything, is what its frame holds."""
    context = innermost(coroutine).cr_frame.f_locals[next(iter(program.signature.parameters))]
    if context.live is None:
        return
    token, number, *live = context.live
    assert (token, number, len(live)) == (program.token, site.number, len(values)), site
    assert all(one is other for one, other in zip(live, values, strict=True)), site


def innermost(coroutine: Any) -> Any:
    """The coroutine that awaits a primitive."""
    while hasattr(coroutine.cr_await, "cr_frame"):
        coroutine = coroutine.cr_await
    return coroutine


def resume(loaded: Loaded, stack: bytes) -> tuple[Any, list[Any]]:
    """The coroutine that a snapshot describes, and the values it was made of."""
    frames, everything = [], []
    for name, number, unbound, stored in CODEC.unpack(stack):
        values = [UNBOUND if index in unbound else value for index, value in enumerate(stored)]
        everything.extend(stored)
        frames.append((loaded.programs[name], loaded.sites[name, number], tuple(values)))
    return resume_stack(frames, kit.Context()), everything


def exceptions_in(value: Any, found: dict[int, Any]) -> None:
    """Collect what a snapshot gave back: those exceptions have lost the traceback they had."""
    if id(value) in found:
        return
    if isinstance(value, BaseException):
        found[id(value)] = value
        exceptions_in(value.__cause__, found)
        exceptions_in(value.__context__, found)
        exceptions_in(list(getattr(value, "exceptions", ())), found)
    elif isinstance(value, (list, tuple)):
        for item in value:
            exceptions_in(item, found)
    elif isinstance(value, dict):
        exceptions_in(list(value.values()), found)


def shut(coroutine: Any) -> None:
    """Close an evicted coroutine: none of the user's code may run."""
    before = len(kit.TRACE)
    coroutine.close()
    if len(kit.TRACE) != before:
        raise Difference(f"closing ran the program's code: {kit.TRACE[before:]}")


def segment(loaded: Loaded, script: Script, place: Place | None) -> Place | Outcome:
    """Run from one suspension to the next, from bytes to bytes."""
    known: dict[int, Any] = {}
    if place is None:
        kit.TRACE[:] = []
        coroutine, answered = loaded.main(kit.Context(), *script.arguments()), None
    else:
        kit.TRACE[:] = place.trace
        coroutine, values = resume(loaded, place.stack)
        exceptions_in(values, known)
        answered = script.answer(place.position, place.label)
    try:
        label = proceed(coroutine, answered)
    except BaseException as error:
        return ended(loaded, error, set(known))
    stack = snapshot(coroutine)
    shut(coroutine)
    return Place(place.position + 1 if place else 1, label, list(kit.TRACE), stack)


# -- whole runs --------------------------------------------------------------------------------------------


def run_live(loaded: Loaded, script: Script, stacks: list[bytes] | None = None) -> Outcome:
    """Run without interruption; with `stacks`, look at every suspension without touching it."""
    kit.TRACE[:] = []
    coroutine, answered = loaded.main(kit.Context(), *script.arguments()), None
    for position in range(1, BOUND + 1):
        try:
            label = proceed(coroutine, answered)
        except BaseException as error:
            return ended(loaded, error, set())
        if stacks is not None:
            stacks.append(snapshot(coroutine))
        answered = script.answer(position, label)
    return endless(coroutine)


def endless(coroutine: Any) -> Outcome:
    outcome = Outcome(list(kit.TRACE), "endless", [])
    try:
        coroutine.close()
    except BaseException:
        return outcome  # What a native program does when it is closed is its own affair.
    return outcome


def run_stored(loaded: Loaded, script: Script, stacks: list[bytes]) -> Outcome:
    """Run with snapshot, close and resume at every suspension."""
    place: Place | None = None
    while place is None or place.position < BOUND:
        reached = segment(loaded, script, place)
        if isinstance(reached, Outcome):
            return reached
        stacks.append(reached.stack)
        place = reached
    return Outcome(place.trace, "endless", [])


def run_sometimes(loaded: Loaded, script: Script, stacks: list[bytes]) -> Outcome:
    """Run with snapshot, close and resume at random suspensions."""
    rng = random.Random(len(loaded.filename))
    kit.TRACE[:] = []
    known: dict[int, Any] = {}
    coroutine, answered = loaded.main(kit.Context(), *script.arguments()), None
    for position in range(1, BOUND + 1):
        try:
            label = proceed(coroutine, answered)
        except BaseException as error:
            return ended(loaded, error, set(known))
        stacks.append(snapshot(coroutine))
        answered = script.answer(position, label)
        if rng.random() < 0.4:
            shut(coroutine)
            coroutine, values = resume(loaded, stacks[-1])
            exceptions_in(values, known)
    return endless(coroutine)


# -- comparing ---------------------------------------------------------------------------------------------


def compare(run: str, expected: Outcome, found: Outcome) -> None:
    """Raise `Difference` naming the first thing in which a run differs from the reference."""
    for index, (one, other) in enumerate(zip(expected.trace, found.trace, strict=False)):
        if one != other:
            raise Difference(f"{run}: trace line {index} is\n  {other}\ninstead of\n  {one}")
    if len(expected.trace) != len(found.trace):
        longer = max(expected.trace, found.trace, key=len)
        which = "lacks" if longer is expected.trace else "has besides"
        rest = longer[min(len(expected.trace), len(found.trace)) :][:3]
        raise Difference(f"{run}: the trace {which} {rest}")
    if expected.result != found.result:
        raise Difference(f"{run}: the program\n  {found.result}\ninstead of\n  {expected.result}")
    lines = [one if other != "?" else "?" for one, other in zip(expected.lines, found.lines, strict=True)]
    if lines != found.lines:
        raise Difference(f"{run}: the traceback's lines are {found.lines} instead of {expected.lines}")


def compare_stacks(run: str, expected: list[bytes], found: list[bytes]) -> None:
    """Raise `Difference` at the first suspension whose snapshot is not byte for byte the reference."""
    for index, (one, other) in enumerate(zip(expected, found, strict=True)):
        if one != other:
            raise Difference(
                f"{run}: the snapshot at suspension {index + 1} is\n  {CODEC.unpack(other)}\n  {other!r}\n"
                f"instead of\n  {CODEC.unpack(one)}\n  {one!r}"
            )

"""What the generated programs of the coroutine fuzz may use: values, managers, exceptions and a stub context.

Everything observable goes into one list, `TRACE`, as text: a run saves and restores it like any other
state, so that a program can stop in one process and go on in another. Nothing here knows the compiler.
"""

from __future__ import annotations

import enum
import sys
import types
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, NamedTuple

TRACE: list[str] = []
TRACE_BOUND = 1_500
LIST_BOUND = 8
CHAIN_BOUND = 12


# -- exceptions --------------------------------------------------------------------------------------------


class Boom(Exception):
    """The ordinary failure."""


class Dire(Boom):
    """A failure that `except Boom` catches too."""


class Odd(Exception):
    """A failure whose `args` are not what its constructor takes."""

    def __init__(self, what: str, *, level: int = 0) -> None:
        super().__init__(f"{what} at {level}")
        self.what = what
        self.level = level


class Halt(BaseException):
    """What `except Exception` does not catch: the stand-in for a cancelled workflow."""


class Runaway(BaseException):
    """A program that notes without end."""


# -- values ------------------------------------------------------------------------------------------------


@dataclass
class Unit:
    """A mutable thing, the usual victim of aliasing."""

    name: str
    hp: int = 10
    tags: list[Any] = field(default_factory=list)
    mate: Any = None

    def hurt(self, by: int = 1, *more: int) -> int:
        self.hp -= by + sum(more)
        return self.hp


@dataclass(slots=True)
class Crate:
    """A mutable thing without a `__dict__`."""

    items: list[Any]
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """An immutable thing."""

    x: int
    y: int = 0


class Pair(NamedTuple):
    """A tuple with names."""

    left: Any
    right: Any


class Mood(enum.Enum):
    """Constants for value patterns."""

    CALM = 1
    WILD = "wild"


@dataclass
class Gate:
    """A context manager that records, may swallow, may fail, and remembers how often it was passed."""

    name: str
    swallows: str = ""
    fails: str = ""
    passed: int = 0

    def __enter__(self) -> Gate:
        note("enter", self.name, self.passed)
        self.passed += 1
        if self.fails == "enter":
            raise Boom("enter", self.name)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: object) -> bool:
        note("exit", self.name, self.passed, kind and kind.__name__, error, traceback is None)
        self.passed += 1
        if self.fails == "exit":
            raise Dire("exit", self.name)
        return kind is not None and kind.__name__ in self.swallows.split()


@dataclass
class Loan:
    """A context manager whose `__enter__` gives something else than itself."""

    items: list[Any]

    def __enter__(self) -> list[Any]:
        note("lend", self.items)
        return self.items

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: object) -> None:
        self.items.append(-1)
        note("back", self.items, error)


KINDS = (type(None), int, str, bytes, tuple)
"""The order of values of different kinds in a set that a loop goes through."""


class Ordered:
    """What the untransformed run uses for a set: the same answers, iterated in sorted order.

    A set's own order depends on the hash seed, so a native run cannot be the reference for it; the compiler
    promises sorted order wherever the text reads one.
    """

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.items = list(dict.fromkeys(items))

    def add(self, item: Any) -> None:
        if item not in self.items:
            self.items.append(item)

    def discard(self, item: Any) -> None:
        if item in self.items:
            self.items.remove(item)

    def pop(self) -> Any:
        item = next(iter(self))
        self.items.remove(item)
        return item

    def copy(self) -> Ordered:
        return Ordered(self.items)

    def __contains__(self, item: Any) -> bool:
        return item in self.items

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(self.items, key=lambda item: (KINDS.index(type(item)), item is not None and item)))


def native_pool(*items: Any) -> Ordered:
    return Ordered(items)


def durable_pool(*items: Any) -> set[Any]:
    return set(items)


# -- small functions ---------------------------------------------------------------------------------------


def pick(value: Any, why: str = "pick") -> Any:
    """Return the value and leave a trace, to show the order of evaluation."""
    note(why, value)
    return value


def add(*numbers: Any, k: int = 0, **more: int) -> int:
    note("add", numbers, k, more)
    return sum(numbers) + k + sum(more.values())


def at(items: list[Any], index: int) -> Any:
    return items[index % len(items)] if items else -1


def grow(items: list[Any], item: Any) -> list[Any]:
    if len(items) < LIST_BOUND:
        items.append(item)
    return items


def small(number: int) -> int:
    """Keep numbers from growing, but let some be large."""
    return number if -(10**30) < number < 10**30 else number % 997


def handled() -> BaseException | None:
    """The exception that is being handled, as `sys.exc_info` sees it."""
    return sys.exc_info()[1]


# -- the trace ---------------------------------------------------------------------------------------------


def render(value: Any, depth: int = 0) -> str:
    """Write a value as text that depends neither on addresses nor on the hash seed."""
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return repr(value)
    if depth > CHAIN_BOUND:
        return "..."
    deeper = depth + 1
    if isinstance(value, BaseException):
        return render_exception(value, depth)
    if isinstance(value, enum.Enum):
        return str(value)
    if isinstance(value, (set, frozenset, Ordered)):
        items = value.items if isinstance(value, Ordered) else value
        return "{" + ", ".join(sorted(render(item, deeper) for item in items)) + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{render(k, deeper)}: {render(v, deeper)}" for k, v in value.items()) + "}"
    if is_dataclass(value) and not isinstance(value, type):
        inside = ", ".join(render(getattr(value, each.name), deeper) for each in fields(value))
        return f"{type(value).__name__}({inside})"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(render(item, deeper) for item in value)
        return f"[{inside}]" if type(value) is list else f"{type(value).__name__}({inside})"
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, range):
        return repr(value)
    return f"<{type(value).__name__}>"


def render_exception(error: BaseException, depth: int = 0) -> str:
    """Write an exception with its arguments, attributes, notes, cause and context; not its traceback."""
    if depth > CHAIN_BOUND:
        return "..."
    parts = [f"{type(error).__name__}{render(error.args, depth + 1)[5:]}"]
    parts += [f"{name}={render(value, depth + 1)}" for name, value in sorted(vars(error).items())]
    if isinstance(error, BaseExceptionGroup):
        parts.append(f"group={render(error.exceptions, depth + 1)}")
    if error.__cause__ is not None:
        parts.append(f"cause={render_exception(error.__cause__, depth + 1)}")
    if error.__context__ is not None:
        parts.append(f"context={render_exception(error.__context__, depth + 1)}")
    if error.__suppress_context__:
        parts.append("suppressed")
    return "<" + " ".join(parts) + ">"


def note(*values: Any) -> None:
    """Write one line into the trace."""
    if len(TRACE) >= TRACE_BOUND:
        raise Runaway
    TRACE.append(" ".join(map(render, values)))


class Context:
    """The stub that programs get as `ctx`; it has no state of its own."""

    note = staticmethod(note)

    @types.coroutine
    def op(self, label: str, *values: Any) -> Generator[str, Any, Any]:
        """Suspend; the driver answers by the label's first letter. What is sent is a fresh value."""
        note("op", label, *values)
        return (yield label)


def same(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator of the untransformed run."""
    return function


NAMES: dict[str, Any] = {
    each.__name__: each
    for each in (
        Boom, Dire, Odd, Halt, Unit, Crate, Point, Pair, Mood, Gate, Loan,
        pick, add, at, grow, small, handled, note,
    )
}  # fmt: skip

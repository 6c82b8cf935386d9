"""What a workflow can wait for, and the events that waiting gives.

A source is a value: a timer is only a due time with a name, a child only an id. While a workflow is suspended
its wait is the tuple of its sources; signal classes stand in that tuple as themselves. `Every` is the one source
with state (which beat comes next), so it is kept by identity like a list.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from .errors import WorkflowMisuseError
from .limits import MAX_TIME_US

EventT_co = TypeVar("EventT_co", covariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)

Missed: TypeAlias = Literal["skip", "once", "catch_up", "shift"]
"""What becomes of beats that come due while nobody can take them; see `Context.every`."""
MISSED: Final[tuple[Missed, ...]] = get_args(Missed)
"""A snapshot stores a policy as its index in this tuple."""

US = 1_000_000
LONGEST_S: Final = MAX_TIME_US // US
"""The longest duration, in seconds."""


def to_us(seconds: float, what: str) -> int:
    """Return a duration in whole microseconds; below zero counts as zero.

    Raises:
        ValueError: for what is not a finite number or does not fit an i64.
    """
    try:
        micros = round(seconds * US)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{what} takes a finite number of seconds, not {seconds!r}") from None
    if 0 <= micros <= MAX_TIME_US:
        return micros
    if micros < 0:
        return 0
    raise ValueError(f"{what} of {seconds!r} seconds is over the limit of {LONGEST_S}")


class Elapsed(NamedTuple):
    """A timer came due. `due` is the world time in seconds for which it was set, not when it was noticed."""

    name: str | None
    due: float


class Beat(NamedTuple):
    """A beat of `ctx.every`: number `n` from 1 up, after `missed` beats that were given to nobody."""

    n: int
    missed: int


@dataclass(frozen=True, slots=True)
class ChildDone(Generic[ResultT_co]):
    """A child ended: `result` where it completed, else `error`, a `ChildFailed` or `ChildCancelled`."""

    child: Child[ResultT_co]
    result: ResultT_co | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class ActivityDone(Generic[ResultT_co]):
    """An activity ended: `result` where it succeeded, else `error`, an `ActivityFailed`."""

    activity: Running[ResultT_co]
    result: ResultT_co | None = None
    error: Exception | None = None


class Source(Generic[EventT_co]):
    """Something that `ctx.select` can wait for; `EventT_co` is what it gives."""

    __slots__ = ()

    if not TYPE_CHECKING:  # To a type checker it stays something that cannot be awaited.

        def __await__(self) -> None:
            raise WorkflowMisuseError(
                f"{type(self).__name__} is a source and not an awaitable; write await ctx.select(...) of it"
            )


class Timer(Source[Elapsed]):
    """A deadline: kept in a local it keeps its due time, made anew it starts anew."""

    __slots__ = ("due_us", "name")

    def __init__(self, due_us: int, name: str | None = None) -> None:
        self.due_us = due_us
        self.name = name

    def __repr__(self) -> str:
        return f"Timer(due_us={self.due_us}, name={self.name!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is Timer and self.due_us == other.due_us and self.name == other.name

    def __hash__(self) -> int:
        return hash((self.due_us, self.name))


class Sleep(Source[None]):
    """The wait of `ctx.sleep`: a timer whose event is nothing."""

    __slots__ = ("due_us",)

    def __init__(self, due_us: int) -> None:
        self.due_us = due_us


class Every(Source[Beat]):
    """A drift-free periodic source: beat `n` is due at `start_us + n * period_us`.

    Where more than one beat is due when the workflow wakes, after downtime or because nobody awaited, its policy says
    what comes of them.

    Attributes:
        start_us: the grid's beginning.
        period_us: the time between two beats.
        n: the next beat.
        missed: its policy.
        skipped: how many beats were passed over since the last one that was given; by `skip` alone.
    """

    __slots__ = ("missed", "n", "period_us", "skipped", "start_us")

    def __init__(
        self, start_us: int, period_us: int, n: int = 1, missed: Missed = "skip", skipped: int = 0
    ) -> None:
        self.start_us = start_us
        self.period_us = period_us
        self.n = n
        self.missed = missed
        self.skipped = skipped

    @property
    def due_us(self) -> int:
        """When the next beat is due, in microseconds of world time."""
        return self.start_us + self.n * self.period_us

    def beat(self, now_us: int, *, may_skip: bool = True) -> Beat | None:
        """Give what is due at `now_us` and move on; None where it is all skipped.

        Args:
            now_us: the time. Before the next beat's time, that beat is given early.
            may_skip: whether it may be skipped.
        """
        n = latest = self.n
        if now_us >= self.start_us + (n + 1) * self.period_us and self.missed != "catch_up":
            latest = (now_us - self.start_us) // self.period_us
            if self.missed == "shift":
                self.start_us = now_us - latest * self.period_us
            elif self.missed == "skip" and may_skip and not self.skipped:
                # Not twice in a row: a period shorter than a frame would never give a beat.
                self.skipped = latest - n + 1
                self.n = latest + 1
                return None
        beat = Beat(latest, latest - n + self.skipped)
        self.n = latest + 1
        self.skipped = 0
        return beat

    def __repr__(self) -> str:
        return (
            f"Every(start_us={self.start_us}, period_us={self.period_us}, n={self.n}, missed={self.missed!r}, "
            f"skipped={self.skipped})"
        )


class Pending(Source[EventT_co], Generic[EventT_co, ResultT_co]):
    """Something that runs beside the workflow and has a result: await it for that, or select on it for its event."""

    __slots__ = ("workflow_id",)

    def __init__(self, workflow_id: int) -> None:
        self.workflow_id = workflow_id

    def __await__(self) -> Generator[Any, Any, ResultT_co]:
        """Wait for the end.

        Raises:
            ChildFailed, ActivityFailed: it failed.
            ChildCancelled: it was cancelled.
        """
        return (yield (Join(self.workflow_id),))  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.workflow_id})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.workflow_id == other.workflow_id

    def __hash__(self) -> int:
        return hash((type(self), self.workflow_id))


class Child(Pending[ChildDone[ResultT_co], ResultT_co]):
    """A child workflow, by its id."""

    __slots__ = ()


class Running(Pending[ActivityDone[ResultT_co], ResultT_co]):
    """An activity that was asked for, by its id."""

    __slots__ = ()


JOINING = Pending.__await__.__code__
"""The code of what `await child` waits in."""


class Join(Source[Any]):
    """The wait of `await child`: its event is the result itself, or the raised error."""

    __slots__ = ("workflow_id",)

    def __init__(self, workflow_id: int) -> None:
        self.workflow_id = workflow_id

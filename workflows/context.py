"""`Context`: everything that a workflow function can do to the world.

A workflow gets it as its first argument. It holds who the workflow is and speaks to the runtime through a small
port, so that the same workflow code runs in a game, in a test and in the replay tool.
"""

from __future__ import annotations

import random
import types
from collections.abc import Awaitable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Protocol, TypeVar, overload

from .errors import LimitError, WorkflowMisuseError
from .retry import ONCE, Retry
from .signal import Signal
from .sources import MISSED, US, Child, Every, Missed, Pending, Running, Sleep, Source, Timer, to_us

if TYPE_CHECKING:
    from .activity import ActivityCall
    from .definition import Call
    from .reducer import Reducer

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound=Signal)
# `select` gives the union of what its sources give; one variable a source lets both type checkers say so.
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")
OnParentClose = Literal["cancel", "abandon"]
NAME_LIMIT = 255


class StepPort(Protocol):
    """What a context needs of whoever runs it. All calls happen inside a step and take effect if it succeeds."""

    now_us: int

    def send(
        self,
        sender: Context,
        signal: Signal,
        workflow_id: int | None,
        entity_id: int | None,
        correlation_id: str | None,
    ) -> None:
        """Buffer a signal for exactly one of the three kinds of address."""
        ...

    def publish(self, sender: Context, signal: Signal) -> None:
        """Buffer a signal to all who subscribed to it."""
        ...

    def subscribe(self, subscriber: Context, signal: type[Signal], fields: Mapping[str, Any]) -> None:
        """Buffer a subscription."""
        ...

    def unsubscribe(self, subscriber: Context, signal: type[Signal], fields: Mapping[str, Any]) -> None:
        """Buffer the end of subscriptions."""
        ...

    def reply(self, replier: Context, signal: Signal, value: object) -> bool:
        """Buffer an answer."""
        ...

    def spawn(
        self,
        parent: Context,
        call: Call[Any],
        entity_id: int | None,
        correlation_id: str | None,
        on_parent_close: OnParentClose,
    ) -> int:
        """Buffer the start of a child; return its id."""
        ...

    def run(self, parent: Context, call: ActivityCall[Any], retry: Retry, timeout: float | None) -> int:
        """Buffer the launch of an activity; return its id."""
        ...

    def call(
        self, caller: Context, reducer: Reducer[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run a reducer inside this step."""
        ...

    def random_of(self, context: Context) -> random.Random:
        """Return the generator, pointed at this workflow's counter."""
        ...

    def logger_of(self, context: Context) -> Any:
        """Return a logger bound to this workflow."""
        ...


@types.coroutine
def _wait(sources: tuple[Any, ...]) -> Generator[tuple[Any, ...], Any, Any]:
    """Suspend the workflow; the driver sends the event. Every primitive ends here."""
    return (yield sources)


PRIMITIVE = _wait.__code__
"""The code of what every primitive awaits in the end."""


class Context:
    """The world as a workflow sees it. Every effect of a step happens at its end, all or nothing."""

    __slots__ = ("_port", "correlation_id", "draws", "entity_id", "label", "live", "workflow_id")

    workflow_id: int
    """This run: unique in the world, never reused."""
    entity_id: int | None
    """The thing in the game that it belongs to, if any."""
    correlation_id: str | None
    """The group that it belongs to, if any."""
    label: str | None
    draws: int
    live: list[Any] | None
    _port: StepPort

    # -- time ----------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """World time of this turn, in seconds: the same for all that happens in one turn."""
        return self._port.now_us / US

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait at least `seconds` of world time; a crash in between does not lengthen it."""
        return _wait((Sleep(self._port.now_us + to_us(seconds, "ctx.sleep")),))

    def timer(self, seconds: float, name: str | None = None) -> Timer:
        """Return a deadline `seconds` from now, to select on. It gives `Elapsed(name, due)`."""
        if name is not None and len(name) > NAME_LIMIT:
            raise LimitError(
                "the length of a timer's name", value=len(name), limit=NAME_LIMIT, setting="name"
            )
        return Timer(self._port.now_us + to_us(seconds, "ctx.timer"), name)

    def every(self, seconds: float, missed: Missed = "skip") -> Every:
        """Return a drift-free periodic source, to keep in a local and select on. It gives `Beat(n, missed)`.

        A beat comes each `seconds`, numbered from 1, on a grid that begins now. Where several are due when the
        workflow could take one (after downtime, a pause of the game, or while it awaited something else), `missed`
        says what comes of them:

        | missed       | at once                                       | the next beat                                |
        |--------------|-----------------------------------------------|----------------------------------------------|
        | `"skip"`     | nothing                                       | on the grid, and tells how many were missed  |
        | `"once"`     | the latest, which tells how many were missed  | on the grid                                  |
        | `"catch_up"` | each of them, one after the other, a step each | on the grid                                 |
        | `"shift"`    | the latest, which tells how many were missed  | a full period from now: the grid moves       |

        A skipped beat that is itself overtaken when its time comes is given at once, so that a period shorter than the
        game's frames still beats. Numbers count all beats, the missed ones too.

        Raises:
            ValueError: for a period under a microsecond, or an unknown policy.
        """
        period_us = to_us(seconds, "ctx.every")
        if period_us < 1:
            raise ValueError(f"ctx.every takes a period of at least a microsecond, not {seconds!r} seconds")
        if missed not in MISSED:
            known = ", ".join(map(repr, MISSED))
            raise ValueError(f"ctx.every(missed=...) is one of {known}, not {missed!r}")
        return Every(self._port.now_us, period_us, missed=missed)

    # -- messages ------------------------------------------------------------------------------------------

    @overload
    def receive(self, s1: type[A], /) -> Awaitable[A]: ...
    @overload
    def receive(self, s1: type[A], s2: type[B], /) -> Awaitable[A | B]: ...
    @overload
    def receive(self, s1: type[A], s2: type[B], s3: type[C], /) -> Awaitable[A | B | C]: ...
    @overload
    def receive(
        self, s1: type[A], s2: type[B], s3: type[C], s4: type[D], /, *more: type[E]
    ) -> Awaitable[A | B | C | D | E]: ...
    def receive(self, *signals: Any) -> Awaitable[Any]:
        """Wait for the next signal of one of these classes, in the order in which they were accepted."""
        return _wait(signals)

    @overload
    def select(self, s1: type[A] | Source[A], /) -> Awaitable[A]: ...
    @overload
    def select(self, s1: type[A] | Source[A], s2: type[B] | Source[B], /) -> Awaitable[A | B]: ...
    @overload
    def select(
        self, s1: type[A] | Source[A], s2: type[B] | Source[B], s3: type[C] | Source[C], /
    ) -> Awaitable[A | B | C]: ...
    @overload
    def select(
        self,
        s1: type[A] | Source[A],
        s2: type[B] | Source[B],
        s3: type[C] | Source[C],
        s4: type[D] | Source[D],
        /,
    ) -> Awaitable[A | B | C | D]: ...
    @overload
    def select(
        self,
        s1: type[A] | Source[A],
        s2: type[B] | Source[B],
        s3: type[C] | Source[C],
        s4: type[D] | Source[D],
        s5: type[E] | Source[E],
        /,
        *more: type[F] | Source[F],
    ) -> Awaitable[A | B | C | D | E | F]: ...
    def select(self, *sources: Any) -> Awaitable[Any]:
        """Wait for whichever comes first of timers, beats, signal classes and children.

        What is ready already wins by the order of messages, then as listed. Gives `Elapsed`, `Beat`, the signal
        itself, or `ChildDone`.
        """
        return _wait(sources)

    def signal(
        self,
        signal: Signal,
        *,
        workflow_id: int | None = None,
        entity_id: int | None = None,
        correlation_id: str | None = None,
    ) -> None:
        """Send a signal to other workflows, exactly once, when this step succeeds.

        By entity or correlation id it goes to all active workflows that accept its class, which may be none.

        Raises:
            SignalNotAccepted: by workflow id, where that workflow has ended or never awaits the class.
            LimitError: where a receiver has too many unread signals.
        """
        self._port.send(self, signal, workflow_id, entity_id, correlation_id)

    def publish(self, signal: Signal) -> None:
        """Send a signal to all who have subscribed to it, when this step succeeds.

        Who they are is settled by this call; they get it in the order of their ids, this workflow not among them.

        Raises:
            LimitError: a subscriber has too many unread signals.
        """
        self._port.publish(self, signal)

    def subscribe(self, signal: type[Signal], **fields: Any) -> None:
        """Get each published signal of a class from when this step succeeds; with fields, only those that match.

        After `ctx.subscribe(Noise, zone=3)` a published `Noise(zone=3, ...)` comes like any signal, and waits unread
        until it is awaited. A subscription is part of the snapshot and ends with the workflow. Subscribing twice is as
        good as once; a signal that matches several subscriptions comes once.

        Raises:
            WorkflowMisuseError: a class that this workflow never awaits, or a field that it has not.
        """
        self._port.subscribe(self, signal, fields)

    def unsubscribe(self, signal: type[Signal], **fields: Any) -> None:
        """End the subscription with just these fields; without any, all to the class. What is unread stays."""
        self._port.unsubscribe(self, signal, fields)

    # -- children ------------------------------------------------------------------------------------------

    def spawn(
        self,
        call: Call[R],
        *,
        entity_id: int | None = None,
        correlation_id: str | None = None,
        on_parent_close: OnParentClose = "cancel",
    ) -> Child[R]:
        """Start a child when this step succeeds; await the returned handle, select on it, or let it run.

        Args:
            call: the child and its arguments: `combat(enemy=7)`.
            entity_id: the child's entity.
            correlation_id: the child's group.
            on_parent_close: what becomes of it when this workflow completes or is cancelled first.
        """
        return Child(self._port.spawn(self, call, entity_id, correlation_id, on_parent_close))

    # Results of different types are typed one by one, as those of `asyncio.gather` are.
    @overload
    def gather(self, a1: Awaitable[A], a2: Awaitable[B], /) -> Awaitable[tuple[A, B]]: ...  # pyright: ignore[reportOverlappingOverload] # As asyncio's.
    @overload
    def gather(
        self, a1: Awaitable[A], a2: Awaitable[B], a3: Awaitable[C], /
    ) -> Awaitable[tuple[A, B, C]]: ...
    @overload
    def gather(
        self, a1: Awaitable[A], a2: Awaitable[B], a3: Awaitable[C], a4: Awaitable[D], /
    ) -> Awaitable[tuple[A, B, C, D]]: ...
    @overload
    def gather(self, *awaitables: Awaitable[A]) -> Awaitable[list[A]]: ...
    def gather(self, *awaitables: Awaitable[Any]) -> Awaitable[Any]:
        """Wait for children and activities; return the list of their results.

        Results stand in the order of the arguments, whichever came first; of nothing, the list is empty. Where some
        fail, the error of the first of them in that order is raised once those before it are done; the others run on.

        Raises:
            ChildFailed, ChildCancelled, ActivityFailed: one of them ended so.
            WorkflowMisuseError: for what cannot be awaited.
        """
        from .gathering import gathered  # noqa: PLC0415 - a routine, which needs this module first.

        for awaitable in awaitables:
            if not isinstance(awaitable, Pending):
                raise WorkflowMisuseError(
                    f"ctx.gather takes children and activities, as ctx.spawn and ctx.run give them, not {awaitable!r}"
                )
        return gathered(self, awaitables)

    # -- outside work --------------------------------------------------------------------------------------

    def run(
        self,
        call: ActivityCall[R],
        *,
        retry: Retry = ONCE,
        timeout: float | None = None,
    ) -> Running[R]:
        """Have outside work done when this step is durable; await what it returns, or select on it.

        It is done at least once: a crash begins it again. It is given up when this workflow ends. What it returns and
        what it is given are values that a local may hold.

        Args:
            call: `fetch(url)`.
            retry: how often it is tried; once by default.
            timeout: seconds of real time for each try.

        Raises:
            ActivityFailed: at the await, after the last try has failed.
        """
        return Running(self._port.run(self, call, retry, timeout))

    # -- the rest ------------------------------------------------------------------------------------------

    def reply(self, signal: Signal, value: object = None) -> bool:
        """Answer `Runtime.ask`, when this step succeeds, with any value that a local may hold.

        Answered is the oldest question that equals the signal, as it was received: reply before you change a list in
        it. A question that is still open when the workflow ends is answered with `AskFailed`.

        Returns:
            False where nobody waits: it came as an ordinary signal, or has been answered.
        """
        return self._port.reply(self, signal, value)

    def call(self, reducer: Reducer[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a registered reducer now, as a part of this step, and return its result.

        What it raises undoes all that it did, and is raised here; caught, the step goes on. Arguments and result are
        copies.
        """
        return self._port.call(self, reducer, args, kwargs)  # type: ignore[no-any-return]

    def step(self, label: str) -> None:
        """Name the current step, as `current_step` shows it until the next one."""
        if not isinstance(label, str):
            raise WorkflowMisuseError(f"ctx.step takes a text, not {label!r}")
        if len(label) > NAME_LIMIT:
            raise LimitError(
                "the length of a step's label", value=len(label), limit=NAME_LIMIT, setting="name"
            )
        self.label = label

    @property
    def random(self) -> random.Random:
        """Deterministic randomness: a step that runs again draws the same numbers. Do not keep it in a local."""
        return self._port.random_of(self)

    @property
    def log(self) -> Any:
        """A structlog logger bound to this workflow."""
        return self._port.logger_of(self)

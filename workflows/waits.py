"""Waits: the tuple of sources that a suspended workflow awaits, how a row keeps it, and which event ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .errors import ActivityFailed, ChildCancelled, ChildError, ChildFailed, WorkflowMisuseError
from .messages import ACTIVITY_FAILED, CHILD_DONE, SIGNAL, STATUS_CODE, Message, Status
from .signal import Signal, SignalType, signal_from
from .sources import US, ActivityDone, Child, ChildDone, Elapsed, Every, Join, Running, Sleep, Timer
from .versions import HeldError

# Kinds of sources in a stored wait; a signal class stands there by its name.
TIMER = 0
SLEEP = 1
CHILD = 2
JOIN = 3
EVERY = 4
EVERY_LOCAL = 5
ACTIVITY = 6

_TIMED = (Timer, Sleep, Every)
SKIPPED: Final = object()
"""Stands for the event of a beat that was skipped."""
_CHILDREN = (Child, Running, Join)
_CODE = {Child: CHILD, Running: ACTIVITY, Join: JOIN}
_COMPLETED = STATUS_CODE[Status.COMPLETED]
_ERRORS: dict[int, type[ChildError]] = {
    STATUS_CODE[Status.FAILED]: ChildFailed,
    STATUS_CODE[Status.CANCELLED]: ChildCancelled,
    ACTIVITY_FAILED: ActivityFailed,
}


def store_wait(
    wait: tuple[Any, ...], stack: list[list[Any]], type_name: str, names: Mapping[type[Signal], str]
) -> tuple[list[Any], int | None, list[Every]]:
    """Return the stored form of a wait, its first due time, and what it holds beside the stack by identity.

    Args:
        wait: the sources.
        stack: what the row stores of each frame. An `Every` that is a local is stored there, and named here.
        type_name: for the error.
        names: the signals that senders are told this type takes, with their names.

    Raises:
        WorkflowMisuseError: something in it cannot be awaited.
    """
    if type(wait) is not tuple or not wait:
        raise WorkflowMisuseError(_not_a_wait(type_name, wait))
    stored: list[Any] = []
    due_us: int | None = None
    apart: list[Every] = []
    for source in wait:
        kind = type(source)
        if kind is SignalType:
            name = names.get(source)
            if name is None:
                raise WorkflowMisuseError(_not_accepted(type_name, source))
            stored.append(name)
            continue
        if kind is Timer:
            stored.append([TIMER, source.due_us, source.name])
        elif kind is Sleep:
            stored.append([SLEEP, source.due_us])
        elif kind is Every:
            place = _place(source, stack)
            if place is None:
                stored.append([EVERY, source])
                apart.append(source)
            else:
                stored.append([EVERY_LOCAL, *place])
        elif kind in _CHILDREN:
            stored.append([_CODE[kind], source.workflow_id])
            continue
        else:
            raise WorkflowMisuseError(_not_a_source(type_name, source))
        if due_us is None or source.due_us < due_us:
            due_us = source.due_us
    return stored, due_us, apart


def _place(source: Every, stack: list[list[Any]]) -> tuple[int, int] | None:
    for frame, values in enumerate(stack):
        for index, value in enumerate(values):
            if value is source:
                return frame, index
    return None


def load_wait(
    stored: list[Any], stack: list[list[Any]], signals: Mapping[str, type[Signal]]
) -> tuple[tuple[Any, ...], int | None]:
    """Return the sources of a stored wait and the first due time among them.

    Raises:
        HeldError: it awaits a signal that no loaded workflow knows.
    """
    sources: list[Any] = []
    for item in stored:
        if isinstance(item, str):
            if item not in signals:
                raise HeldError(f"it awaits signal {item!r}, which no registered workflow accepts")
            sources.append(signals[item])
        else:
            kind, *parts = item
            if kind == EVERY_LOCAL:
                frame, index = parts
                sources.append(stack[frame][index])
            else:
                sources.append(parts[0] if kind == EVERY else _MAKE[kind](*parts))
    due = [source.due_us for source in sources if type(source) in _TIMED]
    return tuple(sources), min(due, default=None)


_MAKE: dict[int, Callable[..., Any]] = {
    TIMER: Timer,
    SLEEP: Sleep,
    CHILD: Child,
    JOIN: Join,
    ACTIVITY: Running,
}


def source_of(wait: tuple[Any, ...], message: Message) -> Any:
    """Return the source of a wait that a signal or a child's result fits, or None."""
    if message[0] == SIGNAL:
        for source in wait:
            if type(source) is SignalType and source.__name__ == message[2]:
                return source
    elif message[0] == CHILD_DONE:
        for source in wait:
            if type(source) in _CHILDREN and source.workflow_id == message[2]:
                return source
    return None


def event_of(source: Any, message: Message, unpack: Callable[[bytes], Any]) -> tuple[Any, Exception | None]:
    """Return what a message gives at its source: a value to send, or an exception to throw."""
    if message[0] == SIGNAL:
        return signal_from(source, unpack(message[3]), message[4]), None
    _, _, child_id, status, outcome = message
    result, error = None, None
    if status == _COMPLETED:
        result = unpack(outcome)
    else:
        error = _ERRORS[status](child_id, outcome)
    if type(source) is Join:
        return result, error
    done: Any = ActivityDone if type(source) is Running else ChildDone
    return done(source, result, error), None


def elapsed(wait: tuple[Any, ...], now_us: int, *, may_skip: bool = True) -> Any:
    """Return the event of the source that came due first; of equals, the one listed first.

    `SKIPPED` where that is a periodic source that skips its beats: it has moved on, and gives nothing.
    """
    first: Any = None
    for source in wait:
        if type(source) in _TIMED and (first is None or source.due_us < first.due_us):
            first = source
    if type(first) is Every:
        beat = first.beat(now_us, may_skip=may_skip)
        return SKIPPED if beat is None else beat
    if type(first) is Timer:
        return Elapsed(first.name, first.due_us / US)
    return None


def catches_up(wait: tuple[Any, ...], now_us: int) -> bool:
    """Say whether a periodic source that gives every beat has one to give."""
    return any(
        type(source) is Every and source.missed == "catch_up" and source.due_us <= now_us for source in wait
    )


def children_of(wait: tuple[Any, ...]) -> list[int]:
    """Return the ids of the children that a wait names."""
    return [source.workflow_id for source in wait if type(source) in _CHILDREN]


def _not_a_wait(type_name: str, wait: Any) -> str:
    if wait == ():
        return f"workflow {type_name!r} waits for nothing; give ctx.select or ctx.receive a source"
    return (
        f"workflow {type_name!r} awaited something that is no ctx primitive (it gave {wait!r}); "
        "only ctx primitives, children and routines can be awaited in a workflow"
    )


def _not_accepted(type_name: str, signal: type[Signal]) -> str:
    name = signal.__name__
    return (
        f"workflow {type_name!r} waits for signal {name}, which no await of it names; "
        f"say so: @workflow(signals=({name},))"
    )


def _not_a_source(type_name: str, source: Any) -> str:
    return (
        f"workflow {type_name!r} waits for {source!r}; sources are signal classes, ctx.timer(...), "
        "ctx.every(...), children and activities"
    )

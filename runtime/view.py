"""`WorkflowView`: one workflow as it stood at the end of a turn, read from its row."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from ..workflows import rows, waits
from ..workflows.codec import Codec
from ..workflows.errors import DeathlessError
from ..workflows.messages import CANCEL, CHILD_DONE, SIGNAL, STATUSES, Status
from ..workflows.sources import US, Every
from ..workflows.versions import CodeBook, HeldError


@dataclass(frozen=True, slots=True)
class FrameView:
    """A function on a workflow's stack: its stored name, source line and locals."""

    name: str
    line: int
    locals: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TimerView:
    """A timer that a workflow awaits; `due` is world time in seconds."""

    name: str | None
    due: float


@dataclass(frozen=True, slots=True)
class WorkflowView:
    """A workflow. Everything in it is a copy.

    Attributes:
        current_step: the text given by `ctx.step`, else the key of the await where it stands.
        line: source line of that await, of the innermost routine; 0 where it has not started or has ended.
        locals: of the workflow function; its arguments before the first step.
        frames: the routines below it, outermost first.
        awaiting: what it waits for, as text.
        unread: names of buffered signals, oldest first; children's results as `ChildDone`.
        result: of Completed.
        unreadable: why the loaded code cannot read the result, or None.
        error_message: of Failed, or the reason of Cancelled; of one whose step is tried again, why it failed.
        traceback: of Failed, or of a step that is tried again.
        retry_at: when the step that failed is tried again, in seconds of world time; None where none is.
        held_reason: why the loaded code cannot go on with it, or None.
        created_at, updated_at: world time in seconds.
    """

    id: int
    type: str
    entity_id: int | None
    correlation_id: str | None
    parent_id: int | None
    status: Status
    current_step: str
    line: int
    locals: dict[str, Any]
    frames: tuple[FrameView, ...]
    timers: tuple[TimerView, ...]
    awaiting: tuple[str, ...]
    unread: tuple[str, ...]
    result: Any
    error_message: str | None
    traceback: str | None
    held_reason: str | None
    created_at: float
    updated_at: float
    children: tuple[int, ...] = field(default=())
    unreadable: DeathlessError | None = None
    retry_at: float | None = None


def view_row(
    workflow_id: int, row: bytes, codec: Codec, codes: CodeBook, types: Container[str]
) -> WorkflowView:
    """Read a row whole.

    Args:
        workflow_id: whose it is.
        row: as stored.
        codec: knows the classes of its values, where they are loaded.
        codes: the world's descriptions of code.
        types: the names of the workflow types that are loaded.

    Raises:
        RowError: the bytes are not a row.
        DecodeError: a value does not decode.
    """
    split = rows.split(row)
    held: str | None = None
    fields: list[Any]
    try:
        fields = codec.unpack(row)
    except DeathlessError as error:
        # A class that is not loaded: show what can be shown without it.
        held = str(error)
        readable = (
            None if i in (rows.STACK, rows.WAIT) else rows.read_field(split, i) for i in range(rows.FIELDS)
        )
        fields = list(readable)
    status = STATUSES[fields[rows.STATUS]]
    frames, found = _frames(fields[rows.STACK], codes)
    held = held or found
    outcome = fields[rows.OUTCOME]
    backing_off = rows.failures(split) > 0
    failed = status is Status.FAILED or backing_off
    result, unreadable = None, None
    if status is Status.COMPLETED:
        try:
            result = codec.unpack(outcome)
        except DeathlessError as error:
            # Its class is not loaded any more: say so, and show the rest.
            unreadable = error
    timers, awaiting = _wait(fields[rows.WAIT] or [], fields[rows.STACK])
    if type(fields[rows.STACK]) is bytes:
        own, step = {}, "start"
        try:
            own = _arguments(codec, fields[rows.STACK])
        except DeathlessError as error:
            held = str(error)
        if fields[rows.TYPE] not in types:
            held = f"workflow type {fields[rows.TYPE]!r} is not registered"
    else:
        own, step = (frames[0].locals, _key(fields[rows.STACK], codes)) if frames else ({}, str(status))
    return WorkflowView(
        id=workflow_id,
        type=fields[rows.TYPE],
        entity_id=fields[rows.ENTITY],
        correlation_id=fields[rows.GROUP],
        parent_id=fields[rows.PARENT],
        status=status,
        current_step=fields[rows.LABEL] or step,
        line=frames[-1].line if frames else 0,
        locals=own,
        frames=tuple(frames[1:]),
        timers=timers,
        awaiting=awaiting,
        unread=tuple(_unread_name(message) for message in fields[rows.UNREAD] or ()),
        result=result,
        error_message=outcome[0] if failed else outcome if status is Status.CANCELLED else None,
        traceback=outcome[1] if failed else None,
        held_reason=held if status is Status.SUSPENDED else None,
        created_at=fields[rows.CREATED] / US,
        updated_at=fields[rows.UPDATED] / US,
        children=tuple((fields[rows.CHILDREN] or ())[::2]),
        unreadable=unreadable,
        retry_at=fields[rows.DUE] / US if backing_off else None,
    )


def _frames(stack: Any, codes: CodeBook) -> tuple[list[FrameView], str | None]:
    held = None
    frames = []
    for number, site, *values in stack if type(stack) is list else ():
        names = [name for name in codes.names(number, site) if not name.startswith(".")]
        descriptor = codes.descriptor(number)
        line = descriptor["sites"][site - 1][2]
        try:
            line = codes.fit(number, site).site.line
        except HeldError as error:
            held = held or str(error)
        frames.append(FrameView(descriptor["name"], line, dict(zip(names, values, strict=False))))
    return frames, held


def _key(stack: Any, codes: CodeBook) -> str:
    number, site = stack[0][:2]
    key: str = codes.descriptor(number)["sites"][site - 1][0]
    return key


def _arguments(codec: Codec, packed: bytes) -> dict[str, Any]:
    args, kwargs = codec.unpack(packed)
    return {**{str(index): value for index, value in enumerate(args)}, **kwargs}


def _wait(stored: list[Any], stack: Any) -> tuple[tuple[TimerView, ...], tuple[str, ...]]:
    timers, awaiting = [], []
    for source in stored:
        if isinstance(source, str):
            awaiting.append(source)
            continue
        kind, value = source[:2]
        if kind == waits.EVERY_LOCAL:
            value = stack[value][source[2]]
        if kind in (waits.CHILD, waits.JOIN):
            awaiting.append(f"child {value}")
            continue
        if kind == waits.ACTIVITY:
            awaiting.append(f"activity {value}")
            continue
        name = source[2] if kind == waits.TIMER else None
        due_us = value.due_us if isinstance(value, Every) else value
        if isinstance(due_us, int):
            timers.append(TimerView(name, due_us / US))
        awaiting.append("timer" if name is None else f"timer {name}")
    return tuple(timers), tuple(awaiting)


def _unread_name(message: list[Any]) -> str:
    name: str = {SIGNAL: message[2], CHILD_DONE: "ChildDone", CANCEL: "Cancel"}[message[0]]
    return name

"""The events of the audit log: their names, what each says, and how a turn's are stored.

A name is a text in the store, too: one that a newer version has added is read by an older one as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import msgpack

from ...workflows.messages import STATUSES, Status
from ...workflows.sources import US

STARTED = "started"
SIGNALLED = "signalled"
TIMER_FIRED = "timer_fired"
CHILD_ENDED = "child_ended"
ACTIVITY_ENDED = "activity_ended"
BUFFERED = "buffered"
CANCEL_REQUESTED = "cancel_requested"
RETRIED = "retried"
STEP_FAILED = "step_failed"
COMPLETED = "completed"
FAILED = "failed"
CANCELLED = "cancelled"
HELD = "held"
RESUMED = "resumed"
DELETED = "deleted"
REDUCER_CALLED = "reducer_called"
REDUCER_FAILED = "reducer_failed"
EVENTS = (
    *(STARTED, SIGNALLED, TIMER_FIRED, CHILD_ENDED, ACTIVITY_ENDED, BUFFERED, CANCEL_REQUESTED, RETRIED),
    *(STEP_FAILED, COMPLETED, FAILED, CANCELLED, HELD, RESUMED, DELETED, REDUCER_CALLED, REDUCER_FAILED),
)

PLACES = 1 << 24
"""More events than one turn has: with the turn and the place in it, an event has a number of its own."""

NotedEvent: TypeAlias = tuple[str, int | None, str, int | None, str, int | None, str | None]
"""(event, workflow id, type, entity, detail, status, current step), the status as its index in `STATUSES`."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something that became of a workflow, or a call of a reducer from outside.

    Attributes:
        id: ascending in time, and the same for as long as the event is kept; with gaps.
        turn: in which it was.
        time: world time of that turn, in seconds.
        event: its name; docs/reference/audit.md lists them.
        workflow_id, type, entity_id: of the workflow; for a reducer its name is the type, and the rest None.
        detail: what the event's name leaves open, as the list there says.
        status: of the workflow after it; None for a reducer.
        current_step: where the workflow stood after it; None for a reducer, and where it is deleted.
    """

    id: int
    turn: int
    time: float
    event: str
    workflow_id: int | None
    type: str
    entity_id: int | None
    detail: str
    status: Status | None
    current_step: str | None


def pack_events(now_us: int, events: list[NotedEvent]) -> bytes:
    """Return the stored form of a turn's events: [time, texts, events], where a text stands as its index."""
    texts: dict[str | None, int] = {}
    index = texts.setdefault
    numbered = [
        (
            index(event, len(texts)),
            workflow_id,
            index(type_name, len(texts)),
            entity_id,
            index(detail, len(texts)),
            status,
            index(step, len(texts)),
        )
        for event, workflow_id, type_name, entity_id, detail, status, step in events
    ]
    packed: bytes = _packer.pack((now_us, list(texts), numbered))
    return packed


def unpack_events(turn: int, stored: bytes) -> Iterator[AuditEvent]:
    """Return the events of a turn, in order.

    Raises:
        ValueError: they do not decode.
    """
    try:
        now_us, texts, events = msgpack.unpackb(stored)
        for place, (event, workflow_id, type_name, entity_id, detail, status, step) in enumerate(events):
            yield AuditEvent(
                turn * PLACES + place,
                turn,
                now_us / US,
                texts[event],
                workflow_id,
                texts[type_name],
                entity_id,
                texts[detail],
                None if status is None else STATUSES[status],
                texts[step],
            )
    except (TypeError, ValueError, IndexError, msgpack.exceptions.UnpackException) as error:
        raise ValueError(f"the events of turn {turn} do not decode: {error!r}") from None


_packer = msgpack.Packer()

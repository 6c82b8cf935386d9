"""Messages between the runtime and a workflow, as plain tuples.

A message is its encoded form: payloads are packed bytes, so that sender and receiver never share an object and
a message on disk equals the one in memory. Element 0 is the kind, element 1 the time in microseconds that orders
it against timers.

| kind       | tuple                                                        |
|------------|--------------------------------------------------------------|
| START      | (START, time_us)                                             |
| SIGNAL     | (SIGNAL, time_us, name, packed list of values, field names)  |
| TICK       | (TICK, due_us)                                               |
| CHILD_DONE | (CHILD_DONE, time_us, child_id, status, outcome)             |
| CANCEL     | (CANCEL, time_us, reason, force)                             |
| RETRY      | (RETRY, time_us)                                             |
| NEXT       | (NEXT, time_us): an unread message fits the wait             |
| FIRE       | (FIRE, time_us): the next timer is due, whatever its time    |
| CALL       | (CALL, time_us, reducer, packed [args, kwargs], sender,      |
|            | ticket, input id or None), for the world's reducers          |
| ASK        | (ASK, time_us, name, packed list of values, field names,     |
|            | ticket, input id or None): a signal that wants an answer     |

A signal's field names are one text, joined by commas.

An activity's result comes as a CHILD_DONE too. `outcome` of a child is its packed result where it completed, else the
text of its error or the reason.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

import msgpack

START = 0
SIGNAL = 1
TICK = 2
CHILD_DONE = 3
CANCEL = 4
RETRY = 5
NEXT = 6
FIRE = 7
CALL = 8
ASK = 9

Message: TypeAlias = tuple[Any, ...]


def pack_message(receiver: object, message: Message) -> bytes:
    """Return the stored form of a message on its way, [receiver, *message]; it is plain msgpack."""
    packed: bytes = _packer.pack([receiver, *message])
    return packed


_packer = msgpack.Packer()

ACTIVITY_FAILED = 5
"""The status of an activity's CHILD_DONE where it failed; where it succeeded, it is that of Completed."""


class Status(StrEnum):
    """Where a workflow stands. `RUNNING` is seen only from inside a step."""

    RUNNING = "Running"
    SUSPENDED = "Suspended"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def active(self) -> bool:
        """Whether more steps may come."""
        return self in (Status.RUNNING, Status.SUSPENDED)


STATUSES = (Status.RUNNING, Status.SUSPENDED, Status.COMPLETED, Status.FAILED, Status.CANCELLED)
"""A row stores a status as its index in this tuple."""
STATUS_CODE = {status: code for code, status in enumerate(STATUSES)}

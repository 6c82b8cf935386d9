"""What a look over a whole world asks of each row: little of it, and a million of them a second or so.

One unpacker is fed row after row: to make one for each would take longer than to read what is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgpack

from ..workflows.messages import STATUS_CODE, Status
from ..workflows.rows import FIELDS, RowError

SUSPENDED = STATUS_CODE[Status.SUSPENDED]
_tuple = tuple.__new__


class RowFacts(NamedTuple):
    """A row as far as such a look reads it.

    Attributes:
        key: its key; big end first, the workflow's id.
        due_us: when its next timer is due, or the step that failed is tried again; None where there is none.
        status: index in `STATUSES`.
        wait: the stored sources that it awaits, empty before its first step; None where one of them is a timer.
        unread: messages that no await has taken.
        size: bytes of the row.
    """

    key: bytes
    due_us: int | None
    status: int
    type_name: str
    entity_id: int | None
    updated_us: int
    wait: list[Any] | None
    unread: int
    size: int


def facts_of(stored: Iterable[tuple[bytes, bytes]]) -> Iterator[RowFacts]:
    """Read rows of the table of workflows.

    Raises:
        RowError: one is damaged; its message names the workflow.
    """
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
    feed, header, unpack, skip = unpacker.feed, unpacker.read_array_header, unpacker.unpack, unpacker.skip
    key = b""
    try:
        for key, row in stored:
            feed(row)
            if header() != FIELDS:
                raise RowError("a row of another length")
            due_us, status = unpack(), unpack()
            skip()
            type_name, entity_id = unpack(), unpack()
            skip()
            skip()
            skip()
            updated_us = unpack()
            skip()
            skip()
            skip()
            wait = None
            if due_us is None and status == SUSPENDED:
                wait = unpack()
            else:
                skip()
            unread = unpack()
            skip()
            skip()
            skip()
            read = 0 if unread is None else len(unread)
            # As `RowFacts(...)`, in half the time.
            yield _tuple(
                RowFacts,
                (key, due_us, status, type_name, entity_id, updated_us, wait, read, len(row)),
            )
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
        number = int.from_bytes(key, "big")
        raise RowError(f"the row of workflow {number} is damaged: {error}") from error

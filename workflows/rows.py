"""The row of a workflow: one msgpack array that holds everything it is.

The head comes first, and its next due time first of all, so that recovery arms the timers by reading heads
alone. A row is read in three depths: its head; raw, with values left as they are packed (to change a field
without loading any class); and whole, by the codec.

| index | field     | value                                                                              |
|-------|-----------|------------------------------------------------------------------------------------|
| 0     | due       | next due time of its wait in microseconds, or nil                                  |
| 1     | status    | index in `STATUSES`                                                                |
| 2     | type      | workflow type name                                                                 |
| 3     | entity    | u64 or nil                                                                         |
| 4     | group     | correlation id or nil                                                              |
| 5     | parent    | workflow id of the parent or nil                                                   |
| 6     | created   | microseconds                                                                       |
| 7     | updated   | microseconds                                                                       |
| 8     | draws     | random numbers drawn so far                                                        |
| 9     | label     | text given by `ctx.step`, or nil                                                   |
| 10    | stack     | bytes: packed [args, kwargs] before the first step; else one [code, site, values...] per frame, outermost first; nil when ended |
| 11    | wait      | sources awaited: signal name, [0, due, name] timer, [1, due] sleep, [2, child], [3, child] joined, [4, every] |
| 12    | unread    | messages that no await has taken, oldest first, or nil                             |
| 13    | children  | [id, policy, ...] of children that run: 1 cancel, 0 abandon with the parent; or nil |
| 14    | outcome   | nil; packed result of Completed; [message, traceback, failed message] of Failed; reason of Cancelled |
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgpack

DUE = 0
STATUS = 1
TYPE = 2
ENTITY = 3
GROUP = 4
PARENT = 5
CREATED = 6
UPDATED = 7
DRAWS = 8
LABEL = 9
STACK = 10
WAIT = 11
UNREAD = 12
CHILDREN = 13
OUTCOME = 14
FIELDS = 15

_HEAD = 6

# Kinds of sources in a stored wait; a signal class stands there by its name.
WAIT_TIMER = 0
WAIT_SLEEP = 1
WAIT_CHILD = 2
WAIT_JOIN = 3
WAIT_EVERY = 4

_raw_packer = msgpack.Packer(strict_types=True, use_bin_type=True)


class Head(NamedTuple):
    """What recovery and the directory need of a workflow."""

    due_us: int | None
    status: int
    type_name: str
    entity_id: int | None
    correlation_id: str | None
    parent_id: int | None


class RowError(ValueError):
    """Bytes that are not a row."""


def read_head(row: bytes) -> Head:
    """Decode the head of a row and nothing more.

    Raises:
        RowError: the bytes are not a row.
    """
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
    unpacker.feed(row)
    try:
        if unpacker.read_array_header() != FIELDS:
            raise RowError("a row of another length")
        unpack = unpacker.unpack
        return Head(unpack(), unpack(), unpack(), unpack(), unpack(), unpack())
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise RowError(f"not a row: {error}") from None


def read_raw(row: bytes) -> list[Any]:
    """Decode a row and leave every stored value as it is packed.

    Raises:
        RowError: the bytes are not a row.
    """
    try:
        fields = msgpack.unpackb(row, raw=False, strict_map_key=False)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise RowError(f"not a row: {error}") from None
    if type(fields) is not list or len(fields) != FIELDS:
        raise RowError("not a row: a row of another length")
    return fields


def pack_raw(fields: list[Any]) -> bytes:
    """Pack what `read_raw` gave, changed or not."""
    packed: bytes = _raw_packer.pack(fields)
    return packed


def patch(row: bytes, **changes: Any) -> bytes:
    """Return a row with some fields changed, by their lower-case names; the rest stays as it is to the byte."""
    fields = read_raw(row)
    for name, value in changes.items():
        fields[_INDEX[name]] = value
    return pack_raw(fields)


_INDEX = {
    "due": DUE,
    "status": STATUS,
    "updated": UPDATED,
    "draws": DRAWS,
    "label": LABEL,
    "stack": STACK,
    "wait": WAIT,
    "unread": UNREAD,
    "children": CHILDREN,
    "outcome": OUTCOME,
}

"""The row of a workflow: one msgpack array that holds everything it is.

The head comes first, and in it what a start of the world asks of each of a million rows. A row is read in four
depths: at a glance, its first bytes; its head; split, each field still packed (to change one without loading any
class); and whole, by the codec.

| index | field    | value                                                                   |
|-------|----------|-------------------------------------------------------------------------|
| 0     | due      | next due time of its wait in microseconds, or nil                       |
| 1     | status   | index in `STATUSES`                                                     |
| 2     | topics   | what it subscribed to, or nil: [name, [field, packed value, ...], ...]  |
| 3     | type     | workflow type name                                                      |
| 4     | entity   | u64 or nil                                                              |
| 5     | group    | correlation id or nil                                                   |
| 6     | parent   | workflow id of the parent or nil                                        |
| 7     | created  | microseconds                                                            |
| 8     | updated  | microseconds                                                            |
| 9     | draws    | random numbers drawn so far                                             |
| 10    | label    | text given by `ctx.step`, or nil                                        |
| 11    | stack    | bytes, packed [args, kwargs], before the first step; then               |
|       |          | [code, site, *values] for each frame, outermost first; nil when ended   |
| 12    | wait     | a list of sources: a signal's name, [0, due, name] a timer,             |
|       |          | [1, due] a sleep, [2, id] a child, [3, id] a child joined, [4, every],  |
|       |          | [5, frame, index] an every that is at stack[frame][index]               |
| 13    | unread   | messages that no await has taken, oldest first, or nil                  |
| 14    | children | [id, policy, ...] of children that run: 0 abandon and 1 cancel with the |
|       |          | parent, 2 an activity; or nil                                           |
| 15    | asks     | questions not answered yet, oldest first, or nil:                       |
|       |          | [id, name of the signal, digest of its values, input id or nil]          |
| 16    | outcome  | nil; the packed result of Completed; [text, traceback, failed message]  |
|       |          | of Failed; the reason of Cancelled; of a Suspended one whose step is    |
|       |          | tried again at its due time, [text, traceback, failed message, failures] |
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgpack

from .messages import STATUS_CODE, Status

DUE = 0
STATUS = 1
TOPICS = 2
TYPE = 3
ENTITY = 4
GROUP = 5
PARENT = 6
CREATED = 7
UPDATED = 8
DRAWS = 9
LABEL = 10
STACK = 11
WAIT = 12
UNREAD = 13
CHILDREN = 14
ASKS = 15
OUTCOME = 16
FIELDS = 17

_packer = msgpack.Packer(strict_types=True)
_BIN = (0xC4, 0xC5, 0xC6)


class Head(NamedTuple):
    """What the directory needs of a workflow."""

    due_us: int | None
    status: int
    topics: list[Any] | None
    type_name: str
    entity_id: int | None
    correlation_id: str | None
    parent_id: int | None
    created_us: int
    updated_us: int


class RowError(ValueError):
    """Bytes that are not a row."""


def glance(row: bytes) -> tuple[int | None, int, bool]:
    """Return the due time, the status, and whether there are topics, without an unpacker.

    Raises:
        RowError: the bytes are not a row.
    """
    due_us: int | None
    try:
        first = row[3]
        # The two forms of nearly all times, written out.
        if first == _U64:
            (due_us,) = _unpack_u64(row, 4)
            end = 12
        elif first == _U32:
            (due_us,) = _unpack_u32(row, 4)
            end = 8
        else:
            size = _INT_SIZE.get(first, 0)
            end = 4 + size
            due_us = None if first == _NIL[0] else msgpack.unpackb(row[3:end])
        status, topics = row[end], row[end + 1]
    except (IndexError, ValueError, struct.error, msgpack.exceptions.UnpackException) as error:
        raise RowError(f"not a row: {error}") from None
    if row[:3] != _HEADER or status not in _STATUSES or (due_us is not None and type(due_us) is not int):
        raise RowError("not a row: it begins with other bytes")
    return due_us, status, topics != _NIL[0]


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
        return Head(unpack(), unpack(), unpack(), unpack(), unpack(), unpack(), unpack(), unpack(), unpack())
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise RowError(f"not a row: {error}") from None


def split(row: bytes) -> list[bytes]:
    """Return the packed fields of a row, none of them decoded.

    Raises:
        RowError: the bytes are not a row.
    """
    unpacker = msgpack.Unpacker(max_buffer_size=len(row) or 1)
    unpacker.feed(row)
    try:
        if unpacker.read_array_header() != FIELDS:
            raise RowError("not a row: a row of another length")
        ends = [unpacker.tell()]
        for _ in range(FIELDS):
            unpacker.skip()
            ends.append(unpacker.tell())
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise RowError(f"not a row: {error}") from None
    if ends[-1] != len(row):
        raise RowError("not a row: bytes follow its end")
    return [row[start:end] for start, end in pairwise(ends)]


def read_field(fields: list[bytes], index: int) -> Any:
    """Decode one field of a split row; not `STACK` or `WAIT`, which hold values and need the codec.

    Raises:
        RowError: the bytes do not decode.
    """
    try:
        return msgpack.unpackb(fields[index], strict_map_key=False)
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
        raise RowError(f"not a row: field {index}: {error}") from None


def awaited(fields: list[bytes]) -> list[str]:
    """Return the names of the signals that a split row awaits; none while its step waits to be tried again."""
    if fields[OUTCOME] != _NIL:
        return []
    wait = msgpack.unpackb(fields[WAIT], strict_map_key=False)
    return [source for source in wait if type(source) is str]


def arguments(fields: list[bytes]) -> bytes | None:
    """Return the packed arguments of a workflow that has not started; None of one that has."""
    return read_field(fields, STACK) if fields[STACK][0] in _BIN else None


def failures(fields: list[bytes]) -> int:
    """Return how often the step of a split row has failed, if it waits to be tried again; else 0."""
    if fields[OUTCOME] == _NIL or read_field(fields, STATUS) != STATUS_CODE[Status.SUSPENDED]:
        return 0
    count: int = read_field(fields, OUTCOME)[3]
    return count


def first_arguments(row: bytes) -> bytes:
    """Return the packed arguments of a workflow that has not started, by a shorter way than `arguments`."""
    unpacker = msgpack.Unpacker(max_buffer_size=len(row) or 1)
    unpacker.feed(row)
    unpacker.read_array_header()
    for _ in range(STACK):
        unpacker.skip()
    packed = unpacker.unpack()
    assert type(packed) is bytes, "a workflow starts once"
    return packed


def place(row: bytes) -> tuple[int, int] | None:
    """Return the code and the site of the await at which a row's workflow function stands; None where at none."""
    unpacker = msgpack.Unpacker(raw=True, strict_map_key=False, max_buffer_size=len(row) or 1)
    # What comes before the stack, as an array of its own, is read by one call.
    unpacker.feed(_BEFORE_STACK)
    unpacker.feed(memoryview(row)[len(_HEADER) :])
    unpacker.unpack()
    first = row[len(_HEADER) - len(_BEFORE_STACK) + unpacker.tell()]
    if first == _NIL[0] or first in _BIN:
        return None
    unpacker.read_array_header()
    unpacker.read_array_header()
    return unpacker.unpack(), unpacker.unpack()


def patch(row: bytes, **changes: Any) -> bytes:
    """Return a row with some fields changed, by their lower-case names; the rest stays as it is to the byte."""
    fields = split(row)
    for name, value in changes.items():
        fields[_INDEX[name]] = _packer.pack(value)
    return _HEADER + b"".join(fields)


def add_unread(row: bytes, message: Sequence[Any], **changes: Any) -> bytes:
    """Return a row with one more unread message and some fields changed; those before it are not packed again."""
    fields = split(row)
    kept = fields[UNREAD]
    unpacker = msgpack.Unpacker()
    unpacker.feed(kept)
    count = 0 if kept == _NIL else unpacker.read_array_header()
    start = 0 if kept == _NIL else unpacker.tell()
    tail = b"" if kept == _NIL else kept[start:]
    fields[UNREAD] = _packer.pack_array_header(count + 1) + tail + _packer.pack(list(message))
    for name, value in changes.items():
        fields[_INDEX[name]] = _packer.pack(value)
    return _HEADER + b"".join(fields)


_HEADER: bytes = _packer.pack_array_header(FIELDS)


def is_held(row: bytes) -> bool:
    """Say whether code that was loaded could not go on with a workflow: its row is so marked by a due time of 0."""
    due_us, status, _ = glance(row)
    if due_us != 0 or status != STATUS_CODE[Status.SUSPENDED]:
        return False
    if read_head(row).updated_us != 0:
        return True
    # Where time begins, a timer may be due at 0, too, or the next try of a step.
    fields = split(row)
    wait = msgpack.unpackb(fields[WAIT], strict_map_key=False)
    return not failures(fields) and not any(type(source) is list and source[1] == 0 for source in wait)


_BEFORE_STACK: bytes = _packer.pack_array_header(STACK)
_NIL = b"\xc0"
# How msgpack writes an integer: by itself where it is small, else after one of these first bytes in so many others.
_INT_SIZE = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_U32, _U64 = 0xCE, 0xCF
_unpack_u32, _unpack_u64 = struct.Struct(">I").unpack_from, struct.Struct(">Q").unpack_from
_STATUSES = frozenset(STATUS_CODE.values())
_INDEX = {
    "due": DUE,
    "status": STATUS,
    "topics": TOPICS,
    "updated": UPDATED,
    "draws": DRAWS,
    "label": LABEL,
    "stack": STACK,
    "wait": WAIT,
    "unread": UNREAD,
    "children": CHILDREN,
    "asks": ASKS,
    "outcome": OUTCOME,
}

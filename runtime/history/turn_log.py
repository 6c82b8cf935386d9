"""The turn log: what each turn was given, and a hash of what it changed.

A world at some turn and the turns that follow in the log are the same world again: see `Runtime.replay_turn`. Turns in
which nothing happened are not in it.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import msgpack

from ...workflows.errors import WorldCorruptError
from ..inputs import ActivityInput, Input, NamedInput, StartInput, TurnRecord

_NAMED_INPUTS = {len(kind._fields): kind for kind in (StartInput, ActivityInput, NamedInput)}
_packer = msgpack.Packer()


class LoggedTurn(NamedTuple):
    """A turn of the log.

    Attributes:
        record: what it was given.
        digest: 16 bytes of the SHA-256 over the rows that it left behind.
    """

    record: TurnRecord
    digest: bytes


def pack_turn(record: TurnRecord, digest: bytes) -> bytes:
    """Return the stored form of a turn."""
    packed: bytes = _packer.pack(
        (record.now_us, record.closing, record.handled, record.id_blocks, record.inputs, digest)
    )
    return packed


def unpack_turn(turn: int, stored: bytes) -> LoggedTurn:
    """Return a turn of its stored form.

    Raises:
        ValueError: it does not decode.
    """
    try:
        now_us, closing, handled, id_blocks, inputs, digest = msgpack.unpackb(
            stored, use_list=False, strict_map_key=False
        )
        record = TurnRecord(turn, now_us, tuple(map(_input, inputs)), id_blocks, handled, closing)
    except (TypeError, ValueError, msgpack.exceptions.UnpackException) as error:
        raise ValueError(f"the log of turn {turn} does not decode: {error}") from None
    return LoggedTurn(record, digest)


def damaged_history(world: str, error: ValueError) -> WorldCorruptError:
    """Return the error for a history that does not decode; the caller raises it."""
    return WorldCorruptError(world, f"its history is damaged ({error}); the world itself may be whole")


def _input(stored: tuple[Any, ...]) -> Input:
    """Return an input; their kinds differ in length."""
    kind = _NAMED_INPUTS.get(len(stored))
    # A message to an address is a plain tuple.
    return cast("Input", stored if kind is None else kind(*stored))


def digest_of(
    rows: Mapping[int, bytes | None],
    tables: Mapping[str, Mapping[bytes, bytes | None]],
    leftover: bytes | None,
) -> bytes:
    """Hash what a turn wrote, in the order in which it did."""
    digest = hashlib.sha256(_ids(rows))
    try:
        digest.update(b"".join(rows.values()))  # type: ignore[arg-type] # None, for a deleted one, is seen to below.
    except TypeError:
        digest.update(b"".join(b"\xc0" if row is None else row for row in rows.values()))
    if tables:
        digest.update(_packer.pack(tables))
    if leftover is not None:
        digest.update(leftover)
    return digest.digest()[:16]


def _ids(rows: Mapping[int, bytes | None]) -> bytes:
    ids = array("Q", rows)
    if sys.byteorder == "big":
        ids.byteswap()
    return ids.tobytes()

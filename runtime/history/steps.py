"""Recorded steps: what changed each workflow, and what it was before.

The row after a step is the one before the next step of its workflow, or the one that the world has now. So a recording
needs nothing older than itself: whatever is deleted at its old end, what is left still says how the world was at each
turn of it.

A turn's steps are one value in pieces: a packed array [time, steps, rows of other tables before the turn], then the
steps one after the other, each a packed array [workflow id, message, answers, row before].
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import msgpack

from ...workflows.messages import Message

Step: TypeAlias = tuple[int, Message | None, list[Any] | None, bytes | None]
"""(workflow id, message, answers, row before), as a `StepRecord` has them."""
Before: TypeAlias = tuple[str, bytes, bytes | None]
"""(table, key, value before): a row of a table that a turn changed."""


class StepRecord(NamedTuple):
    """A step, or another change of a workflow's row.

    Attributes:
        turn: in which it was; now_us: the time of that turn.
        workflow_id: whose it was.
        message: what caused it; None where the workflow was made or deleted.
        answers: what the step was told by the world, see `tape`; None for nothing.
        before: the row that it began on; None where there was none, and the workflow was made.
    """

    turn: int
    now_us: int
    workflow_id: int
    message: Message | None
    answers: list[Any] | None
    before: bytes | None

    @property
    def made(self) -> bool:
        """Whether the workflow was made."""
        return self.before is None

    @property
    def deleted(self) -> bool:
        """Whether the workflow was deleted."""
        return self.message is None and self.before is not None


class TurnSteps(NamedTuple):
    """The steps of a turn, and what else it changed."""

    turn: int
    now_us: int
    steps: list[StepRecord]
    tables: list[Before]


_packer = msgpack.Packer()


def pack_steps(now_us: int, steps: list[Step], tables: list[Before]) -> tuple[bytes, list[int]]:
    """Return the stored form of a turn's steps, and where in it each begins."""
    pack = _packer.pack
    parts = [pack((now_us, len(steps), tables))]
    at = len(parts[0])
    offsets = []
    for step in steps:
        packed = pack(step)
        parts.append(packed)
        offsets.append(at)
        at += len(packed)
    return b"".join(parts), offsets


def unpack_steps(turn: int, stored: bytes) -> TurnSteps:
    """Return the steps of a turn.

    Raises:
        ValueError: they do not decode.
    """
    unpacker = _unpacker(len(stored))
    unpacker.feed(stored)
    try:
        now_us, count, tables = unpacker.unpack()
        steps = [_record(turn, now_us, unpacker.unpack()) for _ in range(count)]
    except (TypeError, ValueError, msgpack.exceptions.UnpackException) as error:
        raise ValueError(f"the steps of turn {turn} do not decode: {error!r}") from None
    return TurnSteps(turn, now_us, steps, [(table, key, value) for table, key, value in tables])


def unpack_step(turn: int, now_us: int, pieces: Iterator[bytes], skip: int) -> StepRecord:
    """Return one step from the pieces that it lies in.

    Args:
        turn: its turn.
        now_us: the time of that.
        pieces: from the one in which it begins.
        skip: where in that it begins.

    Raises:
        ValueError: it does not decode.
    """
    unpacker = _unpacker(1 << 30)
    for piece in pieces:
        unpacker.feed(piece[skip:])
        skip = 0
        try:
            return _record(turn, now_us, unpacker.unpack())
        except msgpack.OutOfData:
            continue
        except (TypeError, ValueError, msgpack.exceptions.UnpackException) as error:
            raise ValueError(f"a step of turn {turn} does not decode: {error!r}") from None
    raise ValueError(f"a step of turn {turn} is not whole")


def unpack_time(first_piece: bytes) -> int:
    """Return the time of a turn, in microseconds, from the first piece of its steps."""
    unpacker = _unpacker(len(first_piece))
    unpacker.feed(first_piece)
    unpacker.read_array_header()
    now_us: int = unpacker.unpack()
    return now_us


def _unpacker(size: int) -> msgpack.Unpacker:
    return msgpack.Unpacker(strict_map_key=False, max_buffer_size=max(1, size))


def _record(turn: int, now_us: int, stored: list[Any]) -> StepRecord:
    workflow_id, message, answers, before = stored
    return StepRecord(turn, now_us, workflow_id, None if message is None else tuple(message), answers, before)

"""The few values of a world that are not a workflow: its turn, time, ids, clock and seed, and its carried messages."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgpack

from ..workflows.errors import WorldCorruptError
from .store import Store

META = "meta"
CODE = "code"
TURN = "turn"
STATE_KEY = b"world"
CARRIED_KEY = b"carried"
FIRST_ID = 1


class WorldState(NamedTuple):
    """What a world says of itself; stored as a msgpack map by these names.

    Attributes:
        turn: the last turn in the world.
        now_us: its time.
        offset_us: what is added to the computer's clock to get world time; not 0 only after a rebase.
        next_id: ids from here on were never handed out.
        clock: kind of clock.
        seed: of `ctx.random`.
    """

    turn: int
    now_us: int
    offset_us: int
    next_id: int
    clock: str
    seed: int

    def pack(self) -> bytes:
        """Return the stored form."""
        packed: bytes = msgpack.packb(self._asdict())
        return packed


def load_state(store: Store) -> WorldState | None:
    """Read a world's state; None in a new world.

    Raises:
        WorldCorruptError: it does not decode.
    """
    stored = store.get(META, STATE_KEY)
    if stored is None:
        return None
    try:
        return WorldState(**msgpack.unpackb(stored))
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
        raise WorldCorruptError(
            str(store.path), f"the value {STATE_KEY!r} of table {META} is damaged: {error}"
        ) from error


def load_codes(store: Store) -> dict[int, dict[str, Any]]:
    """Read the descriptors of the code that snapshots refer to."""
    try:
        return {int.from_bytes(key, "big"): msgpack.unpackb(value) for key, value in store.scan(CODE)}
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise WorldCorruptError(str(store.path), f"a value of table {CODE} is damaged: {error}") from error


def load_carried(store: Store) -> list[list[Any]]:
    """Read the messages that the last turn did not get to, as [workflow_id, *message]."""
    stored = store.get(TURN, CARRIED_KEY)
    if stored is None:
        return []
    try:
        carried: list[list[Any]] = msgpack.unpackb(stored, strict_map_key=False)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise WorldCorruptError(str(store.path), f"the carried messages are damaged: {error}") from error
    return carried


def pack_carried(carried: list[list[Any]]) -> bytes | None:
    """Return the stored form of carried messages; None deletes the value."""
    if not carried:
        return None
    packed: bytes = msgpack.packb(carried)
    return packed

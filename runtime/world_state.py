"""The few values of a world that are no workflow: turn, time, ids, clock and seed, and what the last turn left."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple, cast

import msgpack

from ..actors import Carried
from ..workflows.errors import WorldCorruptError
from .storage.readable import Readable
from .storage.store import Store

META = "meta"
CODE = "code"
TURN = "turn"
STATE_KEY = b"world"
IDS_KEY = b"ids"
TABLE_KEY = b"table:"
"""Before the name of a user's table: the form of its keys."""
LEFTOVER_KEY = b"leftover"
FIRST_ID = 1


class WorldState(NamedTuple):
    """What a world says of itself; stored as a msgpack map by these names.

    Attributes:
        turn: the last turn in the world.
        now_us: its time.
        offset_us: what is added to the computer's clock to get world time; not 0 only after a rebase.
        clock: kind of clock.
        seed: of `ctx.random`.
    """

    turn: int
    now_us: int
    offset_us: int
    clock: str
    seed: int

    def pack(self) -> bytes:
        """Return the stored form."""
        return cast("bytes", msgpack.packb(self._asdict()))


def load_state(store: Readable) -> WorldState | None:
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


def load_codes(store: Readable) -> dict[int, dict[str, Any]]:
    """Read the descriptors of the code that snapshots refer to."""
    try:
        return {int.from_bytes(key, "big"): msgpack.unpackb(value) for key, value in store.scan(CODE)}
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise WorldCorruptError(str(store.path), f"a value of table {CODE} is damaged: {error}") from error


def load_next_id(store: Readable) -> int:
    """Read the workflow id from which on none was ever handed out."""
    stored = store.get(META, IDS_KEY)
    return FIRST_ID if stored is None else int.from_bytes(stored, "big")


def store_next_id(store: Store, next_id: int) -> None:
    """Make it durable that ids below this one may have been handed out."""
    store.commit({META: {IDS_KEY: next_id.to_bytes(8, "big")}})


class Leftover(NamedTuple):
    """What a turn left to the next one, beside rows.

    Attributes:
        carried: the messages that it did not get to, as [workflow_id, *message].
        crowded: ids of workflows with a full mailbox.
        rearmed: ids of workflows whose timer is armed although a tick of theirs is among the carried messages. Of
            others with such a tick it has fired already, and must not be armed again.
    """

    carried: list[list[Any]]
    crowded: list[int]
    rearmed: list[int]


def load_leftover(store: Readable) -> Leftover:
    """Read what the last turn left."""
    stored = store.get(TURN, LEFTOVER_KEY)
    if stored is None:
        return Leftover([], [], [])
    try:
        leftover = Leftover(*msgpack.unpackb(stored, strict_map_key=False))
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
        raise WorldCorruptError(str(store.path), f"what the last turn left is damaged: {error}") from error
    return leftover


def pack_leftover(carried: Carried, crowded: Collection[int]) -> bytes | None:
    """Return the stored form of what a turn left, None for nothing."""
    messages, rearmed = carried
    if not messages and not crowded:
        return None
    head = _packer.pack_array_header(len(Leftover._fields)) + _packer.pack_array_header(len(messages))
    return b"".join((head, b"".join(messages), _packer.pack(sorted(crowded)), _packer.pack(rearmed)))


_packer = msgpack.Packer()

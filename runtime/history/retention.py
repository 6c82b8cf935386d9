"""Retention: how much of its history, or its audit log, a world keeps, and what goes when there is more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ...workflows.sources import US
from ..storage.pieces import key_number, number_key
from ..storage.store import Store
from .steps import unpack_time

MIB = 1 << 20
LEAST_DELETED = 64
"""Rows that one commit deletes, however few it wrote: history shrinks where its bounds are narrowed."""

Tables: TypeAlias = Mapping[str, Mapping[bytes, bytes | None]]


@dataclass(frozen=True, slots=True)
class Retention:
    """How much a world keeps of its history, or of its audit log.

    The oldest goes first, a little with each commit, so that no frame waits for it.

    Attributes:
        age: seconds of world time; None for any.
        turns: how many in which something happened; None for any.
        size: bytes of the world's file that it takes; None for any, up to a quarter of `Runtime(map_limit=)`.

    Raises:
        ValueError: a bound of the wrong kind or out of range.
    """

    age: float | None = None
    turns: int | None = None
    size: int | None = 16 * MIB

    def __post_init__(self) -> None:
        """Check each."""
        if self.age is not None and not self.age > 0:
            raise ValueError(f"age is a number of seconds over 0.0, or None, not {self.age!r}")
        for name in ("turns", "size"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise ValueError(f"{name} is a whole number from 1 up, or None, not {value!r}")


class Pruner:
    """Finds what has to go.

    It does so in tables whose keys begin with the number of a turn.
    """

    def __init__(self, store: Store, retention: Retention, tables: tuple[str, ...], *, timed: str) -> None:
        """Bound what some tables hold together.

        Args:
            store: the world.
            retention: the bounds.
            tables: the first is the one that may have many pieces of a turn.
            timed: the one of them that has every turn; its values begin with the time.
        """
        self._store = store
        self._retention = retention
        self._tables = tables
        self._timed = timed

    def pruned(self, fresh: Tables, turn: int, now_us: int) -> Tables:
        """Return what the next commit writes, with what it deletes.

        Args:
            fresh: what it writes.
            turn: the last one.
            now_us: its time.
        """
        written = sum(map(len, fresh.values()))
        doomed = self._doomed(turn, now_us, written) if written else {}
        if not doomed:
            return fresh
        changes = {table: dict(rows) for table, rows in fresh.items()}
        for table, keys in doomed.items():
            rows = changes.setdefault(table, {})
            rows.update((key, None) for key in keys if key not in rows)
        return changes

    def _doomed(self, turn: int, now_us: int, written: int) -> dict[str, list[bytes]]:
        """Return the keys to delete with the next commit.

        Args:
            turn: the last one.
            now_us: its time.
            written: rows that the commit adds: about twice as many go.
        """
        store, most = self._store, max(LEAST_DELETED, 2 * written)
        last = self._last_over(turn, now_us, most)
        if last is None:
            return {}
        largest, *others = self._tables
        steps = [key for key in store.first_keys(largest, most) if key_number(key) <= last]
        if len(steps) == most:
            # Of the last of these turns there may be more. It stays, unless it alone is more than goes at once: then
            # its first pieces go, by which the others are known to mean nothing.
            whole = [key for key in steps if key_number(key) < key_number(steps[-1])]
            last = key_number(steps[-1]) - 1 if whole else key_number(steps[-1])
            steps = whole or steps
        return {
            largest: steps,
            **{
                table: [key for key in store.first_keys(table, most) if key_number(key) <= last]
                for table in others
            },
        }

    def _last_over(self, turn: int, now_us: int, most: int) -> int | None:
        """Return the last of the oldest turns that is over a bound, or None."""
        bounds = self._retention
        # However much is allowed, history leaves room in the map for the world.
        most_bytes = min(self._store.map_limit // 4, bounds.size or self._store.map_limit)
        too_large = self._store.table_bytes(self._tables) > most_bytes
        if not too_large and bounds.turns is None and bounds.age is None:
            return None
        oldest = 0 if bounds.age is None else now_us - round(bounds.age * US)
        last = None
        for key in self._store.first_keys(self._timed, most):
            number = key_number(key)
            over = too_large or (bounds.turns is not None and number <= turn - bounds.turns)
            if not over and (bounds.age is None or self._time_of(key) >= oldest):
                break
            last = number
        return last

    def _time_of(self, key: bytes) -> int:
        # All pieces of a turn have the time of the first one.
        first = self._store.get(self._timed, number_key(key_number(key)) + bytes(4))
        return 0 if first is None else unpack_time(first)

"""The rows of tables: those that the turns since the last commit have written, over those in the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..workflows.overlay import overlaid
from .store import Store


class TableBuffer:
    """A `TableSpace` over a store.

    Attributes:
        fresh: rows that are not committed yet, by table and key; None where they are deleted.
    """

    def __init__(self, store: Store) -> None:
        self.fresh: dict[str, dict[bytes, bytes | None]] = {}
        self._store = store

    def read(self, table: str, key: bytes) -> bytes | None:
        """Return the latest value of a key, or None; from any thread."""
        fresh = self.fresh.get(table)
        value = _ABSENT if fresh is None else fresh.get(key, _ABSENT)
        return self._store.get(table, key) if value is _ABSENT else value

    def write(self, table: str, key: bytes, value: bytes | None) -> None:
        """Keep a value for the next commit; None deletes."""
        self.fresh.setdefault(table, {})[key] = value

    def scan(
        self, table: str, start: bytes = b"", stop: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the latest rows in key order, from `start` up to and without `stop`."""
        return overlaid(self._store.scan(table, start, stop), self.fresh.get(table, {}), start, stop)

    def stored(self, table: str, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """Return the committed rows of an index whose keys have a prefix."""
        return self._store.stored(table, prefix)


_ABSENT: Any = object()

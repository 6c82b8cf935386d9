"""The rows of tables: those that the turns since the last commit have written, over those in the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..workflows.overlay import overlaid
from .storage.store import Store

_Written = dict[str, dict[bytes, bytes | None]]


class TableBuffer:
    """A `TableSpace` over a store.

    Attributes:
        fresh: what the turn has written, by table and key; None where it is deleted.
    """

    def __init__(self, store: Store) -> None:
        self.fresh: _Written = {}
        # What the turns before it have, since the last commit.
        self._staged: _Written = {}
        self._store = store

    def read(self, table: str, key: bytes) -> bytes | None:
        """Return the latest value of a key, or None; from any thread."""
        fresh = self.fresh.get(table)
        value = _ABSENT if fresh is None else fresh.get(key, _ABSENT)
        return self.read_before(table, key) if value is _ABSENT else value

    def read_before(self, table: str, key: bytes) -> bytes | None:
        """Return the value that a key had before the turn, or None."""
        staged = self._staged.get(table)
        value = _ABSENT if staged is None else staged.get(key, _ABSENT)
        return self._store.get(table, key) if value is _ABSENT else value

    def write(self, table: str, key: bytes, value: bytes | None) -> None:
        """Keep a value for the next commit; None deletes."""
        self.fresh.setdefault(table, {})[key] = value

    def scan(
        self, table: str, start: bytes = b"", stop: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the latest rows in key order, from `start` up to and without `stop`."""
        staged, written = self._staged.get(table), self.fresh.get(table, {})
        if staged:
            written = {**staged, **written}
        return overlaid(self._store.scan(table, start, stop), written, start, stop)

    def stored(self, table: str, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """Return the committed rows of an index whose keys have a prefix."""
        return self._store.stored(table, prefix)

    @property
    def dirty(self) -> bool:
        """Whether something was written since the last commit."""
        return bool(self.fresh or self._staged)

    def written(self) -> _Written:
        """Return what was written since the last commit; not to be changed."""
        if not self._staged:
            return self.fresh
        tables = {**self._staged, **self.fresh}
        return {table: {**self._staged.get(table, {}), **self.fresh.get(table, {})} for table in tables}

    def begin_turn(self) -> None:
        """Keep what the last turn has written for the commit, if that is still to come."""
        if self.fresh:
            for table, rows in self.fresh.items():
                self._staged.setdefault(table, {}).update(rows)
            self.fresh = {}

    def note_committed(self) -> None:
        """Forget what was written: it is in the store."""
        self.fresh, self._staged = {}, {}


_ABSENT: Any = object()

"""`ReadView`: a world's tables as of one commit, for reads that belong together.

It holds a reader of LMDB, which keeps every page that it can see from being used again: a busy world grows
while one is open. So views are for as long as one question takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, Protocol

import lmdb

from ...workflows.overlay import overlaid, overlaid_backwards
from .commit_log import LOG
from .environment import translated
from .table_rows import pages_of

Row = tuple[bytes, bytes]
_ABSENT: Any = object()


class Newer(Protocol):
    """What the log of commits says of keys that are not in their places yet."""

    @property
    def tables(self) -> Iterable[str]:
        """The tables that it names."""
        ...

    def find(self, table: str, key: bytes, absent: Any) -> Any:
        """Return a key's value, None where it is deleted, `absent` where it has none."""
        ...

    def rows(self, table: str, start: bytes = ..., stop: bytes | None = ...) -> Mapping[bytes, bytes | None]:
        """Return the rows of a table from `start` up to `stop`; others may be among them."""
        ...


class ReadView:
    """A world's tables, each a sorted map from bytes to bytes, as of one commit. One thread at a time.

    Attributes:
        path: the world's directory.
        wanted_back: tells whether the world stands still until this view ends: it has to be mapped larger, or closed.
    """

    def __init__(
        self,
        path: Path,
        transaction: Any,
        handles: Mapping[str, Any],
        newer: Newer,
        page_size: int,
        wanted_back: Callable[[], bool] = lambda: False,
    ) -> None:
        """Look through an open transaction.

        Args:
            path: the world's directory.
            transaction: LMDB's.
            handles: of LMDB's tables, by name.
            newer: what the log of commits says; as of the same commit.
            page_size: bytes of a page.
            wanted_back: see the attribute.
        """
        self.path = path
        self.wanted_back = wanted_back
        self._transaction = transaction
        self._handles = handles
        self._newer = newer
        self._page_size = page_size

    def get(self, table: str, key: bytes) -> bytes | None:
        """Read one value; None where there is none."""
        value: bytes | None = self._newer.find(table, key, _ABSENT)
        if value is _ABSENT:
            handle = self._handles.get(table)
            value = None if handle is None else self._transaction.get(key, db=handle)
        return value

    def scan(
        self,
        table: str,
        start: bytes = b"",
        stop: bytes | None = None,
        *,
        batch: int = 0,  # noqa: ARG002 - all is as of one commit anyway.
    ) -> Iterator[Row]:
        """Go through a table in key order, from `start` up to and without `stop`.

        Raises:
            WorldError: LMDB failed.
        """
        newer = self._newer.rows(table, start, stop)
        stored = self._stored(table, start)
        if newer:
            return overlaid(stored, newer, start, stop)
        return stored if stop is None else takewhile(lambda row: row[0] < stop, stored)

    def keys(self, table: str, start: bytes = b"", stop: bytes | None = None) -> Iterable[bytes]:
        """Go through the keys of a table as `scan` does."""
        return (key for key, _ in self.scan(table, start, stop))

    def backwards(self, table: str, below: bytes | None = None) -> Iterator[Row]:
        """Go through a table down from its last key, or its last below one."""
        newer = self._newer.rows(table, stop=below)
        stored = self._stored_backwards(table, below)
        return overlaid_backwards(stored, newer, below) if newer else stored

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        handle = self._handles.get(table)
        count = self.estimate(table)
        for key, value in self._newer.rows(table).items():
            there = handle is not None and self._transaction.get(key, db=handle) is not None
            count += (value is not None) - there
        return count

    def estimate(self, table: str) -> int:
        """Return how many rows a table has but for what the log adds and takes away."""
        handle = self._handles.get(table)
        return 0 if handle is None else int(self._transaction.stat(handle)["entries"])

    def table_bytes(self, table: str) -> int:
        """Return how many bytes of pages a table takes."""
        handle = self._handles.get(table)
        if handle is None:
            return 0
        return pages_of(self._transaction.stat(handle)) * self._page_size

    def tables(self) -> list[str]:
        """Return the names of the tables that there are, the log not among them."""
        return sorted({*self._handles, *self._newer.tables} - {LOG})

    def _stored(self, table: str, start: bytes) -> Iterator[Row]:
        handle = self._handles.get(table)
        if handle is None:
            return
        try:
            with self._transaction.cursor(db=handle) as cursor:
                if cursor.set_range(start):
                    yield from cursor
        except lmdb.Error as error:
            raise translated(self.path, error) from error

    def _stored_backwards(self, table: str, below: bytes | None) -> Iterator[Row]:
        handle = self._handles.get(table)
        if handle is None:
            return
        try:
            with self._transaction.cursor(db=handle) as cursor:
                if below is not None and cursor.set_range(below) and not cursor.prev():
                    return
                yield from cursor.iterprev()
        except lmdb.Error as error:
            raise translated(self.path, error) from error

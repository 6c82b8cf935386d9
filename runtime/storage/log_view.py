"""`LogView`: what a world's log of commits says, for a reader from outside; see `commit_log`."""

from __future__ import annotations

from typing import Any

from .commit_log import CYCLE, merge_entry, whole_entries
from .pending_rows import FlatRows
from .pieces import number_key, number_of

_MOST_MERGED = 8 * CYCLE
"""Entries after which what they said is read anew: what has reached its place is not kept without end."""


class LogView:
    """What a log says, for a reader from outside: it reads each entry once.

    Attributes:
        rows: the newest values of keys that the log names, by table; None where deleted.
    """

    def __init__(self) -> None:
        self.rows: dict[str, dict[bytes, bytes | None]] = {}
        self._next = 0
        self._merged = 0

    def frozen(self) -> FlatRows:
        """Return what it says as it stays."""
        return FlatRows({table: rows.copy() for table, rows in self.rows.items()})

    def refresh(self, cursor: Any) -> None:
        """Read what was appended since the last time.

        Args:
            cursor: on the log's table, in a transaction.

        Raises:
            ValueError: an entry does not decode, or is not there.
        """
        first = number_of(cursor.item()) if cursor.first() else None
        # A number left out: what was read before is in place, and may be old. Nor is it kept without end.
        if first is None or first > self._next or self._merged > _MOST_MERGED:
            self.rows, self._next, self._merged = {}, first or 0, 0
        if cursor.set_range(number_key(self._next)):
            for number, entry in whole_entries(cursor, self._next):
                merge_entry(entry, self.rows)
                self._next = number + 1
                self._merged += 1

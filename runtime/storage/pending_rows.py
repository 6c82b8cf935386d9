"""Rows that are in the log of commits and not in their places yet, as `ReadView` and the log look them up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class PendingRows:
    """What the log says of keys, by stretches of neighbouring ones: those that are alike but for the last byte."""

    def __init__(self, pending: dict[str, dict[bytes, dict[bytes, bytes | None]]]) -> None:
        self._pending = pending

    @property
    def tables(self) -> Iterable[str]:
        """The tables that it names."""
        return list(self._pending)

    def find(self, table: str, key: bytes, absent: Any) -> Any:
        """Return a key's pending value, None where it is deleted, `absent` where it has none; from any thread."""
        stretches = self._pending.get(table)
        if not stretches:
            return absent
        rows = stretches.get(key[:-1])
        return absent if rows is None else rows.get(key, absent)

    def rows(self, table: str, start: bytes = b"", stop: bytes | None = None) -> dict[bytes, bytes | None]:
        """Copy the pending rows of a table, some from before `start` and after `stop` among them; from any thread."""
        found: dict[bytes, bytes | None] = {}
        for stretch, rows in self._pending.get(table, {}).copy().items():
            # Its keys have one byte more.
            if stretch + b"\xff" >= start and (stop is None or stretch < stop):
                found.update(rows)
        return found


class FlatRows:
    """What the log says of keys, as `PendingRows` has it."""

    def __init__(self, rows: dict[str, dict[bytes, bytes | None]]) -> None:
        self._rows = rows

    @property
    def tables(self) -> Iterable[str]:
        """The tables that it names."""
        return list(self._rows)

    def find(self, table: str, key: bytes, absent: Any) -> Any:
        """Return a key's value, None where it is deleted, `absent` where it has none."""
        return self._rows.get(table, {}).get(key, absent)

    def rows(self, table: str, start: bytes = b"", stop: bytes | None = None) -> dict[bytes, bytes | None]:  # noqa: ARG002
        """Return the rows of a table."""
        return self._rows.get(table, {})

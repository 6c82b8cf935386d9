"""`Readable`: what a world is read through, its own store or a `WorldReader` from outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class Readable(Protocol):
    """A world's tables, each a sorted map from bytes to bytes.

    Attributes:
        path: the world's directory.
    """

    path: Path

    def get(self, table: str, key: bytes) -> bytes | None:
        """Read one value; None where there is none."""
        ...

    def scan(
        self, table: str, start: bytes = b"", stop: bytes | None = None, *, batch: int = ...
    ) -> Iterator[tuple[bytes, bytes]]:
        """Go through a table in key order, from `start` up to and without `stop`, by batches of one commit each."""
        ...

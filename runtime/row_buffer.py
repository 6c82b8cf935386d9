"""The rows of a world: those that the turns since the last commit have written, over those in the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..workflows.overlay import overlaid
from .store import Store

WORKFLOW_TABLE = "workflow"


def row_key(workflow_id: int) -> bytes:
    """Return the store's key of a workflow: eight bytes, big end first, so that keys sort as ids do."""
    return workflow_id.to_bytes(8, "big")


class RowBuffer:
    """Finds the latest row of a workflow.

    Attributes:
        fresh: rows that are not committed yet, by workflow id; None where it is deleted.
    """

    def __init__(self, store: Store) -> None:
        self.fresh: dict[int, bytes | None] = {}
        self._store = store

    def row(self, workflow_id: int) -> bytes | None:
        """Return the latest row of a workflow, or None if there is none; from any thread."""
        row: bytes | None = self.fresh.get(workflow_id, _ABSENT)
        if row is not _ABSENT:
            return row
        if not 0 <= workflow_id < 2**64:
            return None
        return self._store.get(WORKFLOW_TABLE, row_key(workflow_id))

    def all(self) -> Iterator[tuple[int, bytes]]:
        """Iterate over the latest rows of all workflows, by ascending id."""
        return self.between(0, 2**64)

    def between(self, first_id: int, following_id: int) -> Iterator[tuple[int, bytes]]:
        """Iterate over the latest rows from one id up to, and without, another, by ascending id."""
        fresh = {
            row_key(workflow_id): row
            for workflow_id, row in self.fresh.items()
            if first_id <= workflow_id < following_id
        }
        start, stop = row_key(first_id), row_key(following_id) if following_id < 2**64 else None
        for key, row in overlaid(self._store.scan(WORKFLOW_TABLE, start, stop), fresh):
            yield int.from_bytes(key, "big"), row


_ABSENT: Any = object()

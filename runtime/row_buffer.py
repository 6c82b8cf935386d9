"""The rows of a world: those that the turns since the last commit have written, over those in the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..workflows.overlay import overlaid
from .storage.store import Store

WORKFLOW_TABLE = "workflow"


def row_key(workflow_id: int) -> bytes:
    """Return the store's key of a workflow: eight bytes, big end first, so that keys sort as ids do."""
    return workflow_id.to_bytes(8, "big")


class RowBuffer:
    """Finds the latest row of a workflow.

    Attributes:
        fresh: what the turn has written, by workflow id; None where it is deleted.
    """

    def __init__(self, store: Store) -> None:
        self.fresh: dict[int, bytes | None] = {}
        # What the turns before it have, since the last commit.
        self._staged: dict[int, bytes | None] = {}
        self._store = store

    def row(self, workflow_id: int) -> bytes | None:
        """Return the latest row of a workflow, or None if there is none; from any thread."""
        row: bytes | None = self.fresh.get(workflow_id, _ABSENT)
        if row is not _ABSENT:
            return row
        row = self._staged.get(workflow_id, _ABSENT)
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
        written = {
            row_key(workflow_id): row
            for workflow_id, row in self.written().items()
            if first_id <= workflow_id < following_id
        }
        start, stop = row_key(first_id), row_key(following_id) if following_id < 2**64 else None
        for key, row in overlaid(self._store.scan(WORKFLOW_TABLE, start, stop), written):
            yield int.from_bytes(key, "big"), row

    @property
    def dirty(self) -> bool:
        """Whether something was written since the last commit."""
        return bool(self.fresh or self._staged)

    def written(self) -> dict[int, bytes | None]:
        """Return what was written since the last commit; not to be changed."""
        return {**self._staged, **self.fresh} if self._staged else self.fresh

    def begin_turn(self) -> None:
        """Keep what the last turn has written for the commit, if that is still to come."""
        if self.fresh:
            self._staged.update(self.fresh)
            self.fresh.clear()

    def note_committed(self) -> None:
        """Forget what was written: it is in the store."""
        self._staged = {}
        self.fresh.clear()


_ABSENT: Any = object()

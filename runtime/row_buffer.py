"""The rows of a world: those that the turns since the last commit have written, over those in the store."""

from __future__ import annotations

from collections.abc import Iterator

from .store import Store

WORKFLOW_TABLE = "workflow"


def row_key(workflow_id: int) -> bytes:
    """Return the store's key of a workflow: eight bytes, big end first, so that keys sort as ids do."""
    return workflow_id.to_bytes(8, "big")


class RowBuffer:
    """Finds the latest row of a workflow.

    Attributes:
        fresh: rows that are not committed yet, by workflow id.
    """

    def __init__(self, store: Store) -> None:
        self.fresh: dict[int, bytes] = {}
        self._store = store

    def row(self, workflow_id: int) -> bytes | None:
        """Return the latest row of a workflow, or None if there is none."""
        row = self.fresh.get(workflow_id)
        if row is not None:
            return row
        if not 0 <= workflow_id < 2**64:
            return None
        return self._store.get(WORKFLOW_TABLE, row_key(workflow_id))

    def all(self) -> Iterator[tuple[int, bytes]]:
        """Iterate over the latest rows of all workflows, by ascending id."""
        fresh = sorted(self.fresh)
        position = 0
        for key, row in self._store.scan(WORKFLOW_TABLE):
            workflow_id = int.from_bytes(key, "big")
            while position < len(fresh) and fresh[position] < workflow_id:
                yield fresh[position], self.fresh[fresh[position]]
                position += 1
            yield workflow_id, self.fresh.get(workflow_id, row)
            if position < len(fresh) and fresh[position] == workflow_id:
                position += 1
        for workflow_id in fresh[position:]:
            yield workflow_id, self.fresh[workflow_id]

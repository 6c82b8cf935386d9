"""Listings: which workflows are of a type, and which have ended; tables of the world, for whoever looks for them."""

from __future__ import annotations

from collections.abc import Iterator

from ..workflows.messages import STATUS_CODE, Status
from .address_index import IndexTables, id_key, id_of, ids_under, prefix_of

TYPE_INDEX = "type"
ENDED_INDEX = "ended"
_ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


class Listings:
    """The workflows of each type, and those that have ended, by how and when.

    Attributes:
        begun: how many workflows were made since the world was opened.
        ends: how often one ended so since then.
    """

    def __init__(self, tables: IndexTables) -> None:
        self.begun = 0
        self.ends = dict.fromkeys(_ENDED, 0)
        self._tables = tables

    def begin(self, workflow_id: int, type_name: str) -> None:
        """Enter a new workflow."""
        self.begun += 1
        self._tables.write(TYPE_INDEX, prefix_of(type_name) + id_key(workflow_id), b"")

    def change(self, workflow_id: int, before: Status, after: Status, now_us: int) -> None:
        """Note that a workflow has ended, or is active again."""
        if before in _ENDED:
            self._tables.write(ENDED_INDEX, _ended_key(before, workflow_id), None)
        if after in _ENDED:
            self.ends[after] += 1
            self._tables.write(
                ENDED_INDEX, _ended_key(after, workflow_id), now_us.to_bytes(8, "big", signed=True)
            )

    def forget(self, workflow_id: int, type_name: str, status: Status) -> None:
        """Take out a workflow that is deleted."""
        self._tables.write(TYPE_INDEX, prefix_of(type_name) + id_key(workflow_id), None)
        self._tables.write(ENDED_INDEX, _ended_key(status, workflow_id), None)

    def of_type(self, type_name: str) -> Iterator[int]:
        """Iterate over the ids of a type's workflows, ascending."""
        return ids_under(self._tables, TYPE_INDEX, prefix_of(type_name))

    def ended(self, status: Status) -> Iterator[int]:
        """Iterate over the ids of the workflows that have ended so, ascending."""
        return ids_under(self._tables, ENDED_INDEX, _prefix(status))

    def ended_before(self, before_us: int) -> list[int]:
        """Return the ids of those that ended before a time, ascending."""
        return sorted(
            id_of(key)
            for status in _ENDED
            for key, time in self._tables.scan(ENDED_INDEX, _prefix(status), bytes([_prefix(status)[0] + 1]))
            if int.from_bytes(time, "big", signed=True) < before_us
        )


def _prefix(status: Status) -> bytes:
    return bytes([STATUS_CODE[status]])


def _ended_key(status: Status, workflow_id: int) -> bytes:
    return _prefix(status) + id_key(workflow_id)

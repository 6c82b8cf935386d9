"""Table `workflow`: what each workflow is."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cached_property
from itertools import chain, repeat, takewhile
from typing import Any, NamedTuple

from ...actors import ENDED_INDEX, ENTITY_INDEX, GROUP_INDEX, TYPE_INDEX
from ...actors.address_index import ids_under, prefix_of
from ...workflows import rows
from ...workflows.messages import STATUS_CODE, Status
from ..row_buffer import WORKFLOW_TABLE, row_key
from .context import SqlContext
from .json_values import SqlValue
from .virtual_table import Search, VirtualTable, as_id, as_text, key_range
from .workflow_record import WorkflowRecord

_ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
_SUSPENDED = STATUS_CODE[Status.SUSPENDED]


class _Counted(NamedTuple):
    """Stands for a workflow of which only what its index says is wanted."""

    status: str | None = None
    workflow_type: str | None = None


_COLUMNS = {
    "id": "INTEGER",
    "workflow_type": "TEXT",
    "entity_id": "",
    "correlation_id": "TEXT",
    "parent_id": "INTEGER",
    "status": "TEXT",
    "current_step": "TEXT",
    "state": "TEXT",
    "created_at": "REAL",
    "updated_at": "REAL",
    "error_message": "TEXT",
    "held_reason": "TEXT",
    "next_due": "REAL",
    "retry_at": "REAL",
    "awaiting": "TEXT",
    "unread": "TEXT",
    "children": "TEXT",
    "frames": "TEXT",
    "line": "INTEGER",
    "result": "TEXT",
    "traceback": "TEXT",
    "state_bytes": "INTEGER",
}


class WorkflowTable(VirtualTable):
    """The workflows, by ascending id."""

    name = "workflow"
    columns = _COLUMNS
    orders = ("id",)
    bounded = "id"
    backwards = True

    def __init__(self, context: SqlContext) -> None:
        """Look at the workflows of a world."""
        self._context = context
        self._view = context.view

    def size(self) -> float:
        """Estimate how many there are."""
        return float(self._estimate)

    @cached_property
    def _estimate(self) -> int:
        return self._view.estimate(WORKFLOW_TABLE)

    def expected(self, column: str) -> float | None:
        """Estimate how many have one value: an id has one workflow, an entity a few."""
        match column:
            case "id":
                return 1.0
            case "entity_id":
                return 4.0
            case "correlation_id":
                return 20.0
            case "workflow_type":
                return 30.0 + self._estimate / 8
            case "status":
                return 30.0 + self._estimate / 4
        return None

    def identity(self, record: WorkflowRecord | _Counted, place: int) -> Hashable:
        """Return its id; of a stand-in its place among those that have the same value in the index."""
        return (record, place) if isinstance(record, _Counted) else record.id

    def covers(self, used: frozenset[str]) -> str | None:
        """Return "status" or "workflow_type" where only that is asked for: its index tells without the rows."""
        if len(used) <= 1:
            return next((column for column in used if column in ("status", "workflow_type")), None)
        return None

    def rows(self, search: Search) -> Iterator[Any]:
        """Go through the workflows that a search wants."""
        if not search.used or self.covers(search.used):
            return self._counted(search)
        if search.column is None:
            return self._all(search)
        return self._records(self._ids(search.column, search.value))

    def _all(self, search: Search) -> Iterator[WorkflowRecord]:
        context, view = self._context, self._view
        low, high = key_range(search)
        stored = (
            takewhile(lambda row: row[0] >= low, view.backwards(WORKFLOW_TABLE, high))
            if search.descending
            else view.scan(WORKFLOW_TABLE, low, high)
        )
        return (WorkflowRecord(context, int.from_bytes(key, "big"), row) for key, row in stored)

    def _records(self, ids: Iterator[int]) -> Iterator[WorkflowRecord]:
        context, get = self._context, self._view.get
        for workflow_id in ids:
            row = get(WORKFLOW_TABLE, row_key(workflow_id))
            if row is not None:
                yield WorkflowRecord(context, workflow_id, row)

    def _ids(self, column: str, value: SqlValue) -> Iterator[int]:
        """Go through the ids that an index has under a value, ascending but for an entity's and a group's."""
        match column:
            case "id":
                number = as_id(value)
                return iter(()) if number is None else iter((number,))
            case "entity_id":
                number = as_id(value)
                return iter(()) if number is None else ids_under(self._view, ENTITY_INDEX, prefix_of(number))
            case "correlation_id":
                text = as_text(value)
                return iter(()) if text is None else ids_under(self._view, GROUP_INDEX, prefix_of(text))
            case "workflow_type":
                text = as_text(value)
                return iter(()) if text is None else ids_under(self._view, TYPE_INDEX, prefix_of(text))
        return self._of_status(value)

    def _of_status(self, value: SqlValue) -> Iterator[int]:
        if value in _ENDED:
            return ids_under(self._view, ENDED_INDEX, bytes([STATUS_CODE[Status(value)]]))
        if value != Status.SUSPENDED:
            return iter(())
        return (
            int.from_bytes(key, "big")
            for key, row in self._view.scan(WORKFLOW_TABLE)
            if rows.glance(row)[1] == _SUSPENDED
        )

    # -- what the indexes tell alone --------------------------------------------------------------------------

    def _counted(self, search: Search) -> Iterator[_Counted]:
        """Go through as many stand-ins as there are workflows: without reading them."""
        if not search.used:
            return repeat(_Counted(), self._view.count(WORKFLOW_TABLE))
        if search.used == {"workflow_type"}:
            if search.column is None:
                return (_Counted(workflow_type=key[2:-8].decode()) for key in self._view.keys(TYPE_INDEX))
            value = as_text(search.value)
            return (_Counted(workflow_type=value) for _ in self._ids("workflow_type", value))
        counts = {
            status: sum(1 for _ in ids_under(self._view, ENDED_INDEX, bytes([STATUS_CODE[status]])))
            for status in _ENDED
        }
        counts[Status.SUSPENDED] = self._view.count(WORKFLOW_TABLE) - sum(counts.values())
        wanted = counts if search.column is None else [each for each in counts if each == search.value]
        return chain.from_iterable(repeat(_Counted(status=str(each)), counts[each]) for each in wanted)

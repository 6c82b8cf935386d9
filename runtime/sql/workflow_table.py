"""Table `workflow`: what each workflow is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, NamedTuple

from ...actors import ENDED_INDEX, ENTITY_INDEX, GROUP_INDEX, TYPE_INDEX
from ...actors.address_index import id_of, prefix_of
from ...workflows import rows
from ...workflows.errors import DecodeError
from ...workflows.messages import STATUS_CODE, STATUSES, Status
from ...workflows.sources import US
from ..row_buffer import WORKFLOW_TABLE, row_key
from ..view import WorkflowView
from .context import SqlContext
from .json_values import SqlValue, json_text, sql_value
from .virtual_table import Search, VirtualTable, as_id, as_text

_ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
_SUSPENDED = STATUS_CODE[Status.SUSPENDED]
_AFTER = b"\xff" * 9
HELD = "the code that ran last does not fit it; name the code to see why"


class WorkflowRecord:
    """A row of table `workflow`; what is asked for is decoded then."""

    __slots__ = ("_context", "_known_fields", "_known_head", "_known_view", "_row", "id")

    def __init__(self, context: SqlContext, workflow_id: int, row: bytes) -> None:
        self._context = context
        self._row = row
        self.id = workflow_id
        # Not `cached_property`, whose lock takes longer than the decoding.
        self._known_head: rows.Head | None = None
        self._known_fields: list[Any] | None = None
        self._known_view: WorkflowView | None = None

    @property
    def status(self) -> str:
        """Its status."""
        try:
            return STATUSES[rows.glance(self._row)[1]].value
        except rows.RowError as error:
            raise self._context.damaged(self.id, error) from error

    @property
    def _head(self) -> rows.Head:
        if self._known_head is None:
            try:
                self._known_head = rows.read_head(self._row)
            except rows.RowError as error:
                raise self._context.damaged(self.id, error) from error
        return self._known_head

    @property
    def _fields(self) -> list[Any]:
        fields = self._known_fields
        if fields is None:
            try:
                fields = self._known_fields = self._context.codec.unpack(self._row)
            except DecodeError as error:
                raise self._context.damaged(self.id, error) from error
        return fields

    @property
    def _view(self) -> WorkflowView:
        if self._known_view is None:
            self._known_view = self._context.workflow(self.id, self._row)
        return self._known_view

    workflow_type = property(attrgetter("_head.type_name"))
    correlation_id = property(attrgetter("_head.correlation_id"))
    parent_id = property(attrgetter("_head.parent_id"))
    line = property(attrgetter("_view.line"))
    error_message = property(attrgetter("_view.error_message"))
    traceback = property(attrgetter("_view.traceback"))
    retry_at = property(attrgetter("_view.retry_at"))

    @property
    def entity_id(self) -> SqlValue:
        """Its entity; from 2^63 up a text, as SQLite has no such numbers."""
        return sql_value(self._head.entity_id)

    @property
    def created_at(self) -> float:
        """In seconds of world time."""
        return self._head.created_us / US

    @property
    def updated_at(self) -> float:
        """In seconds of world time."""
        return self._head.updated_us / US

    @property
    def next_due(self) -> float | None:
        """When its next timer is due, in seconds of world time; none of one that is held."""
        due_us = self._head.due_us
        return due_us / US if due_us else None

    @property
    def current_step(self) -> str:
        """The label of its step, else the key of its await."""
        stack = self._fields[rows.STACK]
        if self._fields[rows.LABEL]:
            return str(self._fields[rows.LABEL])
        if type(stack) is not list:
            return "start" if type(stack) is bytes else self.status
        try:
            return str(self._context.codes.descriptor(stack[0][0])["sites"][stack[0][1] - 1][0])
        except LookupError as error:
            raise self._context.damaged(self.id, error) from error

    @property
    def state(self) -> str | None:
        """Its locals as JSON; its arguments before the first step, nothing after the last."""
        stack = self._fields[rows.STACK]
        if type(stack) is not list:
            return json_text(self._view.locals) if type(stack) is bytes else None
        number, site, *values = stack[0]
        try:
            names = self._context.codes.names(number, site)
        except LookupError as error:
            raise self._context.damaged(self.id, error) from error
        shown = {name: value for name, value in zip(names, values, strict=False) if not name.startswith(".")}
        return json_text(shown)

    @property
    def frames(self) -> str:
        """The routines that it is in, as JSON."""
        return json_text([{"name": f.name, "line": f.line, "state": f.locals} for f in self._view.frames])

    @property
    def held_reason(self) -> str | None:
        """Why it cannot go on."""
        if self._context.registry is not None:
            return self._view.held_reason
        return HELD if self._head.status == _SUSPENDED and self._head.due_us == 0 else None

    @property
    def awaiting(self) -> str:
        """What it waits for, as a JSON array."""
        return json_text(self._view.awaiting)

    @property
    def unread(self) -> str:
        """The names of its unread messages, as a JSON array."""
        return json_text(self._view.unread)

    @property
    def children(self) -> str:
        """The ids of its children that run, as a JSON array."""
        return json_text(self._view.children)

    @property
    def result(self) -> SqlValue:
        """Its result as JSON, where it completed."""
        return json_text(self._view.result) if self._head.status == STATUS_CODE[Status.COMPLETED] else None

    @property
    def state_bytes(self) -> int:
        """Length of its row in the store."""
        return len(self._row)


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
            return self._all()
        return self._records(self._ids(search.column, search.value))

    def _all(self) -> Iterator[WorkflowRecord]:
        context = self._context
        return (
            WorkflowRecord(context, int.from_bytes(key, "big"), row)
            for key, row in self._view.scan(WORKFLOW_TABLE)
        )

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
                return iter(()) if number is None else self._under(ENTITY_INDEX, prefix_of(number))
            case "correlation_id":
                text = as_text(value)
                return iter(()) if text is None else self._under(GROUP_INDEX, prefix_of(text))
            case "workflow_type":
                text = as_text(value)
                return iter(()) if text is None else self._under(TYPE_INDEX, prefix_of(text))
        return self._of_status(value)

    def _under(self, table: str, prefix: bytes) -> Iterator[int]:
        return map(id_of, self._view.keys(table, prefix, prefix + _AFTER))

    def _of_status(self, value: SqlValue) -> Iterator[int]:
        if value in _ENDED:
            return self._under(ENDED_INDEX, bytes([STATUS_CODE[Status(value)]]))
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
            value = as_text(search.value)
            keys = self._view.keys(TYPE_INDEX) if search.column is None or value is None else ()
            if search.column is not None and value is not None:
                keys = self._view.keys(TYPE_INDEX, prefix_of(value), prefix_of(value) + _AFTER)
            return (_Counted(workflow_type=key[2:-8].decode()) for key in keys)
        counts = {
            status: sum(1 for _ in self._under(ENDED_INDEX, bytes([STATUS_CODE[status]])))
            for status in _ENDED
        }
        counts[Status.SUSPENDED] = self._view.count(WORKFLOW_TABLE) - sum(counts.values())
        wanted = counts if search.column is None else {Status(v) for v in counts if v == search.value}
        return chain.from_iterable(repeat(_Counted(status=str(each)), counts[each]) for each in wanted)

"""A row of table `workflow`: what is asked for is decoded then, and no more."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from ...workflows import rows
from ...workflows.errors import DecodeError
from ...workflows.messages import STATUS_CODE, STATUSES, Status
from ...workflows.sources import US
from ..view import WorkflowView
from .context import SqlContext
from .json_values import SqlValue, json_text, sql_value

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
        return None if due_us is None or rows.is_held(self._row) else due_us / US

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
        return HELD if rows.is_held(self._row) else None

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

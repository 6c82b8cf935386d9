"""Table `workflow_timer`: what is due, and when."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgpack

from ...workflows import rows, waits
from ...workflows.messages import STATUS_CODE, Status
from ...workflows.sources import US
from ..row_buffer import WORKFLOW_TABLE, row_key
from .context import SqlContext
from .json_values import SqlValue, sql_value
from .virtual_table import Search, VirtualTable, as_id, key_range

_SUSPENDED = STATUS_CODE[Status.SUSPENDED]
_PLACES = 1 << 16
"""More than the timers that one workflow may await: ids of timers are made of the workflow's and a place."""
RETRY = "retry"
_NOTHING_AFTER = b"\xc0" * (rows.FIELDS - rows.UNREAD)
"""How a row ends that has no unread messages, children, questions and outcome."""


class TimerRecord:
    """A row of table `workflow_timer`.

    Attributes:
        scheduled_at: in seconds of world time.
        name: as given to `ctx.timer`; "retry" of a step that failed and is tried again.
        cancelled: always 0: a timer that nobody awaits any more is not there.
    """

    __slots__ = ("_context", "_place", "_row", "name", "scheduled_at", "workflow_id")
    cancelled = 0

    def __init__(
        self, context: SqlContext, workflow_id: int, row: bytes, place: int, name: str | None, due_us: int
    ) -> None:
        self._context = context
        self._row = row
        self._place = place
        self.workflow_id = workflow_id
        self.name = name
        self.scheduled_at = due_us / US

    @property
    def scheduled_id(self) -> int:
        """A number of its own among the timers of now."""
        return self.workflow_id * _PLACES + self._place

    @property
    def workflow_type(self) -> str:
        """The type of its workflow."""
        return self._head.type_name

    @property
    def entity_id(self) -> SqlValue:
        """The entity of its workflow."""
        return sql_value(self._head.entity_id)

    @property
    def _head(self) -> rows.Head:
        try:
            return rows.read_head(self._row)
        except rows.RowError as error:
            raise self._context.damaged(self.workflow_id, error) from error


_COLUMNS = {
    "scheduled_id": "INTEGER",
    "scheduled_at": "REAL",
    "workflow_id": "INTEGER",
    "name": "TEXT",
    "cancelled": "INTEGER",
    "workflow_type": "TEXT",
    "entity_id": "",
}


class TimerTable(VirtualTable):
    """The timers of all workflows, by ascending workflow id."""

    name = "workflow_timer"
    columns = _COLUMNS
    orders = ("workflow_id", "scheduled_id")
    bounded = "workflow_id"

    def __init__(self, context: SqlContext) -> None:
        """Look at the timers of a world."""
        self._context = context

    def identity(self, record: TimerRecord, place: int) -> int:  # noqa: ARG002
        """Return its id."""
        return record.scheduled_id

    def size(self) -> float:
        """Estimate how many there are."""
        return float(self._size)

    @cached_property
    def _size(self) -> int:
        return self._context.view.estimate(WORKFLOW_TABLE)

    def expected(self, column: str) -> float | None:
        """Estimate how many have one value."""
        return 1.0 if column in ("workflow_id", "scheduled_id") else None

    def rows(self, search: Search) -> Iterator[TimerRecord]:
        """Go through the timers that a search wants."""
        if search.column is None:
            for key, row in self._context.view.scan(WORKFLOW_TABLE, *key_range(search)):
                yield from self._timers(int.from_bytes(key, "big"), row)
            return
        number = as_id(search.value)
        if number is not None:
            workflow_id = number if search.column == "workflow_id" else number // _PLACES
            found = self._context.view.get(WORKFLOW_TABLE, row_key(workflow_id))
            if found is not None:
                yield from self._timers(workflow_id, found)

    def _timers(self, workflow_id: int, row: bytes) -> Iterator[TimerRecord]:
        context = self._context
        try:
            due_us, status, _ = rows.glance(row)
            if due_us is None or status != _SUSPENDED:
                return
            timers = self._awaited(row) or self._scheduled(workflow_id, row, due_us)
        except (rows.RowError, ValueError, msgpack.exceptions.UnpackException) as error:
            raise context.damaged(workflow_id, error) from error
        for place, (name, at_us) in enumerate(timers):
            yield TimerRecord(context, workflow_id, row, place, name, at_us)

    @staticmethod
    def _awaited(row: bytes) -> list[tuple[str | None, int]] | None:
        """Return the timers of a row that has plain ones only, by a short way; else None."""
        if not row.endswith(_NOTHING_AFTER):
            return None
        unpacker = msgpack.Unpacker(strict_map_key=False)
        unpacker.feed(row)
        unpacker.read_array_header()
        for _ in range(rows.WAIT):
            unpacker.skip()
        found: list[tuple[str | None, int]] = []
        for source in unpacker.unpack():
            if type(source) is str:
                continue
            kind, due_us = source[:2]
            if kind not in (waits.TIMER, waits.SLEEP) or type(due_us) is not int:
                return None
            found.append((source[2] if kind == waits.TIMER else None, due_us))
        return found

    def _scheduled(self, workflow_id: int, row: bytes, due_us: int) -> list[tuple[str | None, int]]:
        """Return the timers of any row."""
        if rows.failures(rows.split(row)):
            return [(RETRY, due_us)]
        timers = self._context.workflow(workflow_id, row).timers
        return [(timer.name, round(timer.due * US)) for timer in timers]

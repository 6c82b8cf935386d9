"""Table `workflow_event`: the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from operator import attrgetter

from ..audit.events import PLACES, AuditEvent
from ..audit.reader import AuditReader
from ..audit.tables import EVENT_TABLE
from .context import SqlContext
from .json_values import SqlValue, sql_value
from .virtual_table import Search, VirtualTable, as_number

_COLUMNS = {
    "id": "INTEGER",
    "timestamp": "REAL",
    "turn": "INTEGER",
    "workflow_id": "INTEGER",
    "event": "TEXT",
    "detail": "TEXT",
    "workflow_type": "TEXT",
    "entity_id": "",
    "status": "TEXT",
    "current_step": "TEXT",
}


class EventRow:
    """A row of table `workflow_event`."""

    __slots__ = ("_event",)

    def __init__(self, event: AuditEvent) -> None:
        self._event = event

    id = property(attrgetter("_event.id"))
    timestamp = property(attrgetter("_event.time"))
    turn = property(attrgetter("_event.turn"))
    workflow_id = property(attrgetter("_event.workflow_id"))
    event = property(attrgetter("_event.event"))
    detail = property(attrgetter("_event.detail"))
    workflow_type = property(attrgetter("_event.type"))
    current_step = property(attrgetter("_event.current_step"))

    @property
    def entity_id(self) -> SqlValue:
        """The entity of the workflow."""
        return sql_value(self._event.entity_id)

    @property
    def status(self) -> str | None:
        """The status of the workflow after the event."""
        return None if self._event.status is None else self._event.status.value


class EventTable(VirtualTable):
    """What was noted of each workflow, in the order of time; empty but for `audit=True` of `Runtime`."""

    name = "workflow_event"
    columns = _COLUMNS
    orders = ("timestamp", "id", "turn")
    bounded = "turn"
    backwards = True

    def __init__(self, context: SqlContext) -> None:
        """Look at the audit log of a world."""
        self._context = context
        self._reader = AuditReader(context.view)

    def identity(self, record: EventRow, place: int) -> int:  # noqa: ARG002
        """Return its id."""
        number: int = record.id
        return number

    def size(self) -> float:
        """Estimate how many events there are."""
        return 1.0 + 100.0 * self._context.view.estimate(EVENT_TABLE)

    def expected(self, column: str) -> float | None:
        """Estimate what it costs to find one value: the events of a turn are read together."""
        return 1000.0 if column == "id" else None

    def rows(self, search: Search) -> Iterator[EventRow]:
        """Go through the events that a search wants."""
        if search.column is None:
            return map(EventRow, self._in_order(search))
        number = as_number(search.value)
        if number is None or number < 0:
            return iter(())
        found = next(self._reader.events(number), None)
        return iter(() if found is None else (EventRow(found),))

    def _in_order(self, search: Search) -> Iterator[AuditEvent]:
        low, high = max(0, search.low or 0), search.high
        if search.descending:
            last = None if high is None else max(0, high + 1) * PLACES
            events = self._reader.events(last, backwards=True)
            return takewhile(lambda event: event.turn >= low, events)
        events = self._reader.events(low * PLACES)
        return events if high is None else takewhile(lambda event: event.turn <= high, events)

"""Table `workflow_history`: the recorded steps, each with the state that it left."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from functools import cached_property, partial
from operator import attrgetter

from ..history.entries import HistoryEntry, entries
from ..history.reader import HistoryReader
from ..history.steps import StepRecord
from ..history.tables import STEP_TABLE
from ..row_buffer import WORKFLOW_TABLE, row_key
from ..view import WorkflowView
from .context import SqlContext
from .json_values import SqlValue, json_text, sql_value
from .virtual_table import Search, VirtualTable, as_id


class StepRow:
    """A row of table `workflow_history`.

    Attributes:
        number: of the step among those of its workflow that are kept.
    """

    def __init__(self, workflow_id: int, entry: HistoryEntry) -> None:
        self.workflow_id = workflow_id
        self._entry = entry
        self._state = entry.state
        self.number = 0

    turn = property(attrgetter("_entry.turn"))
    timestamp = property(attrgetter("_entry.now"))
    event = property(attrgetter("_entry.cause"))
    detail = property(attrgetter("_entry.detail"))

    @property
    def workflow_type(self) -> str | None:
        """The type; None where the step deleted the workflow."""
        return None if self._state is None else self._state.type

    @property
    def entity_id(self) -> SqlValue:
        """The entity."""
        return None if self._state is None else sql_value(self._state.entity_id)

    @property
    def status(self) -> str | None:
        """The status after the step."""
        return None if self._state is None else str(self._state.status)

    @property
    def current_step(self) -> str | None:
        """Where it stood after the step."""
        return None if self._state is None else self._state.current_step

    @property
    def state(self) -> str | None:
        """Its locals after the step, as JSON."""
        return None if self._state is None else json_text(self._state.locals)

    @property
    def error_message(self) -> str | None:
        """Why it failed, or was cancelled."""
        return None if self._state is None else self._state.error_message


_COLUMNS = {
    "workflow_id": "INTEGER",
    "turn": "INTEGER",
    "timestamp": "REAL",
    "event": "TEXT",
    "detail": "TEXT",
    "workflow_type": "TEXT",
    "entity_id": "",
    "status": "TEXT",
    "current_step": "TEXT",
    "state": "TEXT",
    "error_message": "TEXT",
}


class HistoryTable(VirtualTable):
    """The steps of each workflow, oldest first; which are recorded, `history=` of `Runtime` says."""

    name = "workflow_history"
    columns = _COLUMNS

    def __init__(self, context: SqlContext) -> None:
        """Look at the history of a world."""
        self._context = context
        self._reader = HistoryReader(context.view)

    def identity(self, record: StepRow, place: int) -> Hashable:  # noqa: ARG002
        """Return whose step it is, and which."""
        return record.workflow_id, record.number

    def size(self) -> float:
        """Estimate how many steps there are."""
        return 100.0 * self._turns

    @cached_property
    def _turns(self) -> int:
        return 1 + self._context.view.estimate(STEP_TABLE)

    def expected(self, column: str) -> float | None:
        """Estimate how many a workflow has."""
        return 100.0 if column == "workflow_id" else None

    def rows(self, search: Search) -> Iterator[StepRow]:
        """Go through the steps that a search wants."""
        if search.column is None:
            return _numbered(self._all())
        number = as_id(search.value)
        return iter(()) if number is None else _numbered(self._rows(number, self._reader.steps_of(number)))

    def _all(self) -> Iterator[StepRow]:
        # A step's row is the one on which the next step of that workflow began.
        last: dict[int, StepRecord] = {}
        for turn in self._reader.turn_steps():
            for record in turn.steps:
                before = last.pop(record.workflow_id, None)
                if before is not None:
                    yield from self._one(before, record.before)
                last[record.workflow_id] = record
        kept: dict[int, list[StepRecord]] = {number: [record] for number, record in last.items()}
        for record in self._reader.all_last_steps():
            kept.setdefault(record.workflow_id, []).append(record)
        for number, records in kept.items():
            yield from self._rows(number, records)

    def _one(self, record: StepRecord, after: bytes | None) -> Iterator[StepRow]:
        number = record.workflow_id
        view = partial(self._context.workflow, number)
        return (StepRow(number, entry) for entry in entries([record], after, view))

    def _rows(self, number: int, records: Iterable[StepRecord]) -> Iterator[StepRow]:
        stored = self._context.view.get(WORKFLOW_TABLE, row_key(number))

        def view(row: bytes) -> WorkflowView:
            return self._context.workflow(number, row)

        return (StepRow(number, entry) for entry in entries(records, stored, view))


def _numbered(found: Iterable[StepRow]) -> Iterator[StepRow]:
    numbers: dict[int, int] = {}
    for row in found:
        row.number = numbers[row.workflow_id] = numbers.get(row.workflow_id, 0) + 1
        yield row

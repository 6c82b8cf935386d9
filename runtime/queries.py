"""Queries: workflows as they stood at the end of the last turn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ..actors import ActorSystem
from ..workflows import rows as row_format
from ..workflows.codec import Codec
from ..workflows.errors import WorldCorruptError
from ..workflows.messages import STATUSES, Status
from ..workflows.versions import CodeBook
from .audit.events import AuditEvent
from .audit.reader import AuditReader
from .history.entries import HistoryEntry, entries
from .history.reader import HistoryReader
from .row_buffer import WORKFLOW_TABLE, RowBuffer, row_key
from .storage.store import Store
from .view import WorkflowView, view_row


class Queries:
    """Finds and reads workflows. The caller keeps turns from running meanwhile."""

    def __init__(
        self, store: Store, rows: RowBuffer, system: ActorSystem, codec: Codec, codes: CodeBook
    ) -> None:
        self._store = store
        self._rows = rows
        self._system = system
        self._codec = codec
        self._codes = codes

    def find(self, workflow_id: int) -> WorkflowView | None:
        """Return a workflow, or None."""
        row = self._rows.row(workflow_id)
        return None if row is None else self._view(workflow_id, row)

    def history(self, workflow_id: int) -> list[HistoryEntry]:
        """Return the recorded steps of a workflow as of the last commit."""
        stored = self._store.get(WORKFLOW_TABLE, row_key(workflow_id))
        steps = HistoryReader(self._store).steps_of(workflow_id)
        return list(entries(steps, stored, lambda row: self._view(workflow_id, row)))

    def audit(self, workflow_id: int | None, limit: int) -> list[AuditEvent]:
        """Return the last events of the audit log as of the last commit, oldest first."""
        events = AuditReader(self._store).events(backwards=True)
        wanted = (event for event in events if workflow_id is None or event.workflow_id == workflow_id)
        return list(islice(wanted, limit))[::-1]

    def workflows(
        self, entity_id: int | None, type_name: str | None, status: Status | None, correlation_id: str | None
    ) -> list[WorkflowView]:
        """Return the workflows that fit all that is given, by ascending id."""
        return [
            self._view(workflow_id, row)
            for workflow_id, row in self._candidates(entity_id, type_name, status, correlation_id)
            if _fits(row, entity_id, type_name, status, correlation_id)
        ]

    def count(self, status: Status | None) -> int:
        """Count the active workflows, or all of one status."""
        if status is None or status is Status.SUSPENDED:
            return self._system.directory.active
        return sum(1 for _ in self._system.directory.listings.ended(status))

    def _view(self, workflow_id: int, row: bytes) -> WorkflowView:
        try:
            return view_row(workflow_id, row, self._codec, self._codes, self._system.stepper.types)
        except row_format.RowError as error:
            raise WorldCorruptError(
                str(self._store.path), f"the row of workflow {workflow_id} is damaged: {error}"
            ) from error

    def _candidates(
        self, entity_id: int | None, type_name: str | None, status: Status | None, correlation_id: str | None
    ) -> Iterator[tuple[int, bytes]]:
        ids = self._system.directory.candidates(entity_id, type_name, status, correlation_id)
        if ids is None:
            yield from self._rows.all()
            return
        for workflow_id in ids:
            row = self._rows.row(workflow_id)
            assert row is not None, "an index names workflows that are there"
            yield workflow_id, row


def _fits(
    row: bytes,
    entity_id: int | None,
    type_name: str | None,
    status: Status | None,
    correlation_id: str | None,
) -> bool:
    head = row_format.read_head(row)
    return (
        (entity_id is None or head.entity_id == entity_id)
        and (type_name is None or head.type_name == type_name)
        and (status is None or STATUSES[head.status] is status)
        and (correlation_id is None or head.correlation_id == correlation_id)
    )

"""Looking at an open world: what its workflows are as of the last turn, and which turns are durable."""

from __future__ import annotations

from concurrent.futures import Future

from ..workflows.errors import UnknownWorkflowError
from ..workflows.messages import Status
from ..workflows.sources import US
from .audit.events import AuditEvent
from .audit.tables import RECORDING_TABLES
from .census import Census
from .engine import Engine
from .history.entries import HistoryEntry
from .measuring import read_metrics
from .reports import Metrics, RecoveryReport
from .sql.query import TIMEOUT_S, Params, SqlResult, ask_store
from .view import WorkflowView
from .world_state import META


class Looking:
    """The part of `Runtime` that changes nothing. Everything may be called from any thread."""

    _engine: Engine

    @property
    def recovery(self) -> RecoveryReport:
        """What opening the world found."""
        return self._engine.recovery

    @property
    def turn(self) -> int:
        """The last finished turn."""
        return self._engine.turn

    @property
    def now(self) -> float:
        """World time of the last turn, in seconds."""
        return self._engine.system.stepper.now_us / US

    def get(self, workflow_id: int) -> WorkflowView:
        """Return a workflow as it stood at the end of the last turn.

        Raises:
            UnknownWorkflowError: there is none of this id.
        """
        view = self.find(workflow_id)
        if view is None:
            raise UnknownWorkflowError(workflow_id)
        return view

    def find(self, workflow_id: int) -> WorkflowView | None:
        """Return a workflow as it stood at the end of the last turn, or None."""
        self._engine.require_open()
        with self._engine.finished_turns():
            return self._engine.queries.find(workflow_id)

    def history(self, workflow_id: int) -> list[HistoryEntry]:
        """Return the recorded steps of a workflow, oldest first, as of the last commit.

        It is empty where none are recorded: see `history=` of `Runtime` and `@workflow`. What `Retention` has given up
        is not in it.

        Raises:
            UnknownWorkflowError: there is none of this id now, and no step of one is kept.
        """
        if not 0 < workflow_id < 2**64:
            raise UnknownWorkflowError(workflow_id)
        self._engine.require_open()
        with self._engine.finished_turns():
            found = self._engine.queries.history(workflow_id)
            if not found and self._engine.queries.find(workflow_id) is None:
                raise UnknownWorkflowError(workflow_id)
        return found

    def sql(self, query: str, params: Params = (), *, timeout: float | None = TIMEOUT_S) -> SqlResult:
        """Run a query over the world as of the last commit; from any thread, beside turns that go on.

        Args:
            query: one SELECT of SQLite's SQL; docs/reference/sql.md has the tables.
            params: values for its `?` or `:name`.
            timeout: seconds that it may take; None for any time. A busy world grows meanwhile.

        Raises:
            SqlError: it cannot be run; the text says why.
        """
        self._engine.require_open()
        return ask_store(self._engine.store, query, params, registry=self._engine.registry, timeout=timeout)

    def audit(self, workflow_id: int | None = None, *, limit: int = 100) -> list[AuditEvent]:
        """Return the last events of the audit log, oldest first, as of the last commit.

        What was not recorded (see `audit=` of `Runtime`), and what its retention has given up, is not in it.

        Args:
            workflow_id: whose; None for all, with the calls of reducers.
            limit: how many at most.
        """
        if type(limit) is not int or limit < 1:
            raise ValueError(f"limit is a whole number from 1 up, not {limit!r}")
        self._engine.require_open()
        return self._engine.queries.audit(workflow_id, limit)

    def workflows(
        self,
        *,
        entity_id: int | None = None,
        type: str | None = None,  # noqa: A002 - the name that the design gives it.
        status: Status | str | None = None,
        correlation_id: str | None = None,
    ) -> list[WorkflowView]:
        """Return the workflows that fit all that is given, by ascending id."""
        self._engine.require_open()
        wanted = None if status is None else Status(status)
        with self._engine.finished_turns():
            return self._engine.queries.workflows(entity_id, type, wanted, correlation_id)

    def count(self, status: Status | str | None = None) -> int:
        """Count the active workflows, or all of one status."""
        self._engine.require_open()
        with self._engine.finished_turns():
            return self._engine.queries.count(None if status is None else Status(status))

    def metrics(self) -> Metrics:
        """Return what the world counts of itself; from any thread, and without waiting for a turn.

        It reads no row: see `census` for the workflows by type and status.

        Raises:
            RuntimeClosedError: the world is closed.
        """
        self._engine.require_open()
        return read_metrics(self._engine)

    def census(self) -> Census:
        """Count the workflows by type and status, those that are stuck, and timers; from any thread.

        It goes through all rows as of the last commit, in the calling thread. So that it may be called as often as one
        likes, it does so for a twentieth of the time at most, and else returns what it found before.

        Raises:
            RuntimeClosedError: the world is closed.
            WorldCorruptError: a row is damaged.
        """
        self._engine.require_open()
        return self._engine.censuses.latest()

    def digest(self) -> str:
        """Commit, and return a hash over all that turns wrote: the same inputs give the same digest.

        Not in it is what depends on how often the world was opened, the reserve of ids, nor its history and audit log.
        """
        with self._engine.finished_turns():
            self._engine.require_open()
            self._engine.commit()
            store = self._engine.store
            digest = store.digest(set(store.stats().entries) - {META, *RECORDING_TABLES})
        self._engine.settle()
        return digest

    @property
    def committed_turn(self) -> int:
        """The last turn that is durable."""
        return self._engine.committer.committed_turn

    def committed(self, turn: int) -> Future[int]:
        """Return a future that is done, with the turn's number, once that turn is durable."""
        return self._engine.committer.future(turn)

    def wait_committed(self, turn: int, timeout: float | None = None) -> None:
        """Wait until a turn is durable; from a thread other than the one that pumps.

        Raises:
            WrongThreadError: this thread pumps, so that nobody else would end the wait.
            TimeoutError: it took longer than `timeout` seconds.
        """
        self._engine.committer.future(turn).result(timeout)

"""Commits: what finished turns wrote goes to the store in one transaction, and only then does anything leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

import msgpack

from ..workflows import rows
from ..workflows.errors import RuntimeClosedError, WorldFull
from ..workflows.messages import STATUSES, Status
from ..workflows.versions import CodeBook
from .futures import PumpFuture
from .row_buffer import WORKFLOW_TABLE, RowBuffer
from .storage.store import Store
from .table_buffer import TableBuffer
from .world_state import CODE, LEFTOVER_KEY, META, STATE_KEY, TURN, WorldState

QUIET_S = 1.0
"""Seconds for which turns in which nothing happened share one commit."""


class Change(NamedTuple):
    """A workflow that a commit changed."""

    workflow_id: int
    type: str
    entity_id: int | None
    correlation_id: str | None
    status: Status


class Recording(Protocol):
    """What turns are recorded in, and committed with them: the history, the audit log."""

    def changes(self) -> Mapping[str, Mapping[bytes, bytes | None]]:
        """Return what the next commit writes, and deletes, of it."""
        ...

    def note_committed(self) -> None:
        """Forget what was written: it is in the store."""
        ...


class Committer:
    """Groups turns into commits and resolves what waits for them.

    Attributes:
        committed_turn: the last durable turn.
        full: the error of a commit that found no room, until one succeeds.
    """

    def __init__(
        self,
        store: Store,
        buffer: RowBuffer,
        tables: TableBuffer,
        codes: CodeBook,
        recordings: Sequence[Recording],
        *,
        commit_every: float,
        is_pump_thread: Callable[[], bool],
    ) -> None:
        self._is_pump_thread = is_pump_thread
        self.committed_turn = 0
        self.full: WorldFull | None = None
        self._store = store
        self._buffer = buffer
        self._tables = tables
        self._codes = codes
        self._recordings = recordings
        self._every_s = commit_every
        self._last_s = time.monotonic()
        self._state: WorldState | None = None
        self._leftover: bytes | None = None
        self._had_leftover = True
        self._waiting: list[tuple[int, Future[int]]] = []
        self._done: list[tuple[int, Future[int]]] = []
        self._lock = threading.Lock()
        self._abandoned = ""
        self._changes: dict[int, bytes | None] = {}

    def stage(self, state: WorldState, leftover: bytes | None) -> None:
        """Take note of a finished turn, and of what it left in packed form; its rows are in the buffer."""
        self._state = state
        self._leftover = leftover

    def due(self, *, quiet: bool) -> bool:
        """Whether the next commit is due.

        Args:
            quiet: the turn took no input and changed nothing but the time, which need not be exact after a crash.
        """
        wait_s = (
            max(self._every_s, QUIET_S)
            if quiet and not self._buffer.dirty and not self._tables.dirty
            else self._every_s
        )
        return wait_s == 0.0 or time.monotonic() - self._last_s >= wait_s

    def commit(self, *, collect: bool) -> float:
        """Commit every finished turn; return the seconds it took.

        Args:
            collect: keep the changed rows for `take_changes`.

        Raises:
            WorldFull: no room; everything stays staged.
        """
        state = self._state
        if state is None:
            return 0.0
        began = time.perf_counter()
        fresh = self._buffer.written()
        changes: dict[str, dict[bytes, bytes | None]] = {
            # `row_key`, without a call for each.
            WORKFLOW_TABLE: {workflow_id.to_bytes(8, "big"): row for workflow_id, row in fresh.items()},
            META: {STATE_KEY: state.pack()},
        }
        codes = dict(self._codes.fresh)
        if codes:
            changes[CODE] = {number.to_bytes(4, "big"): msgpack.packb(text) for number, text in codes.items()}
        changes.update(self._tables.written())
        for recording in self._recordings:
            for table, written in recording.changes().items():
                changes[table] = {**changes.get(table, {}), **written}
        if self._leftover is not None or self._had_leftover:
            changes[TURN] = {LEFTOVER_KEY: self._leftover}
        try:
            self._store.commit(changes)
        except WorldFull as error:
            self.full = error
            raise
        self.full = None
        for number in codes:
            self._codes.fresh.pop(number, None)
        if collect:
            self._changes.update(fresh)
        self._buffer.note_committed()
        self._tables.note_committed()
        for recording in self._recordings:
            recording.note_committed()
        self._had_leftover = self._leftover is not None
        self._last_s = time.monotonic()
        self._note(state.turn)
        return time.perf_counter() - began

    def take_changes(self) -> tuple[Change, ...]:
        """Return what was committed since the last call, by ascending id."""
        changes, self._changes = self._changes, {}
        made = []
        for workflow_id, row in sorted(changes.items()):
            if row is None:
                continue
            head = rows.read_head(row)
            made.append(
                Change(
                    workflow_id, head.type_name, head.entity_id, head.correlation_id, STATUSES[head.status]
                )
            )
        return tuple(made)

    def future(self, turn: int) -> Future[int]:
        """Return a future that is done once a turn is durable."""
        future: PumpFuture[int] = PumpFuture(f"turn {turn} is committed", self._is_pump_thread)
        with self._lock:
            if self.committed_turn >= turn:
                future.set_result(turn)
            elif self._abandoned:
                future.set_exception(RuntimeClosedError(self._abandoned))
            else:
                self._waiting.append((turn, future))
        return future

    def abandon(self, why: str) -> None:
        """Fail what waits for turns that will not come."""
        with self._lock:
            self._abandoned = why
            waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(RuntimeClosedError(why))

    def _note(self, turn: int) -> None:
        with self._lock:
            self.committed_turn = turn
            self._done += [pair for pair in self._waiting if pair[0] <= turn]
            self._waiting = [pair for pair in self._waiting if pair[0] > turn]

    def resolve(self) -> None:
        """Resolve the futures of what is durable; outside of a turn, since their callbacks are the user's."""
        with self._lock:
            done, self._done = self._done, []
        for number, future in done:
            if future.set_running_or_notify_cancel():
                future.set_result(number)

"""The audit log of an open world: each turn's events, committed with the turn."""

from __future__ import annotations

from ...actors import ActorSystem
from ...workflows.versions import CodeBook
from ..history.retention import Pruner, Retention, Tables
from ..row_buffer import RowBuffer
from ..storage.pieces import cut
from ..storage.store import Store
from .events import pack_events
from .step_events import StepEvents
from .tables import EVENT_TABLE


class AuditLog:
    """Writes a world's audit log.

    What is to be committed is in `changes`, until `note_committed`.
    """

    def __init__(
        self, store: Store, rows: RowBuffer, system: ActorSystem, codes: CodeBook, retention: Retention
    ) -> None:
        self._listener = StepEvents(system, rows, codes)
        self._pruner = Pruner(store, retention, (EVENT_TABLE,), timed=EVENT_TABLE)
        self._fresh: dict[bytes, bytes | None] = {}
        self._turn, self._now_us = 0, 0

    def end_turn(self, turn: int, now_us: int) -> None:
        """Take down what happened in a turn."""
        events, self._listener.events = self._listener.events, []
        if events:
            self._fresh.update(cut(turn, pack_events(now_us, events)))
        self._turn, self._now_us = turn, now_us

    def changes(self) -> Tables:
        """Return what the next commit writes, and deletes, of the log."""
        return self._pruner.pruned({EVENT_TABLE: self._fresh}, self._turn, self._now_us)

    def note_committed(self) -> None:
        """Forget what was written: it is in the store."""
        self._fresh = {}

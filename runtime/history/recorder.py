"""Recording: each turn in the turn log, and the steps of those workflow types that are to be recorded.

What is recorded of a turn is committed with it. Nothing here decides how a workflow runs: with and without a recording
a world's own tables are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import msgpack

from ...actors import ActorSystem
from ...workflows.definition import Recorded
from ...workflows.limits import Limits
from ...workflows.registry import Registry
from ..inputs import TurnRecord
from ..row_buffer import RowBuffer
from ..storage.pieces import cut
from ..storage.store import Store
from ..table_buffer import TableBuffer
from ..world_state import LEFTOVER_KEY, META, TURN
from .last_steps import LastSteps
from .reader import HistoryReader
from .retention import Pruner, Retention
from .step_index import IndexWriter, Place
from .step_recorder import StepRecorder
from .steps import Before, pack_steps
from .tables import INDEX_TABLE, INDEXED_KEY, LAST_TABLE, LIMITS_KEY, SCOPES_KEY, STEP_TABLE, TURN_TABLE
from .turn_log import digest_of, pack_turn


class History:
    """Writes a world's history.

    What is to be committed is in `changes`, until `note_committed`.

    Attributes:
        last: the number and the hash of the last turn in which something happened.
    """

    def __init__(
        self,
        store: Store,
        rows: RowBuffer,
        tables: TableBuffer,
        system: ActorSystem,
        *,
        recorded: Recorded,
        retention: Retention,
        limits: Limits,
        turn: int,
    ) -> None:
        """Go on with the history of a world, whose last turn was `turn`."""
        self._store = store
        self._rows = rows
        self._tables = tables
        self._system = system
        self._recorded: Recorded = recorded
        self._pruner = Pruner(store, retention, (STEP_TABLE, TURN_TABLE, INDEX_TABLE), timed=TURN_TABLE)
        self._turn, self._now_us = turn, 0
        self._leftover = store.get(TURN, LEFTOVER_KEY)
        self._fresh: dict[str, dict[bytes, bytes | None]] = {}
        self._recorder: StepRecorder | None = None
        self._index: IndexWriter | None = None
        self._last_steps = LastSteps(store)
        self._whole = False
        self.last = (turn, b"")
        reader = HistoryReader(store)
        self._scopes: list[list[Any]] = reader.scopes()
        if reader.limits() != limits:
            self._add(META, [(LIMITS_KEY, msgpack.packb(asdict(limits)))])

    def record(self, registry: Registry) -> None:
        """Record what the loaded code wants recorded, from the next turn on."""
        wants: dict[str, Recorded] = {}
        for kind in registry.workflows.values():
            wants[kind.name] = self._recorded if kind.history is None else kind.history
        self._whole = self._recorded == "all" and set(wants.values()) <= {"all"}
        whole = sorted(name for name, wanted in wants.items() if wanted == "all")
        last = sorted(name for name, wanted in wants.items() if type(wanted) is int)
        if self._recorder is None and (self._whole or whole or last):
            self._recorder = StepRecorder(self._system, self._rows)
            reader = HistoryReader(self._store)
            # What a crash kept from being indexed.
            self._index = IndexWriter(
                Place(number, turn, offset) for number, turn, offset in reader.places_after(reader.indexed())
            )
        if self._recorder is not None:
            self._recorder.record(wants, self._recorded)
        scope = [self._whole or whole, last]
        if (self._scopes[-1][1:] if self._scopes else [[], []]) != scope:
            self._scopes.append([self._turn, *scope])
            self._add(META, [(SCOPES_KEY, msgpack.packb(self._scopes))])

    def end_turn(self, record: TurnRecord, leftover: bytes | None) -> None:
        """Take down a turn, when all that it wrote is in the buffers and in what it left over."""
        turn, now_us = record.turn, record.now_us
        rows, tables = self._rows.fresh, self._tables.fresh
        digest = digest_of(rows, tables, leftover)
        self._add(TURN_TABLE, cut(turn, pack_turn(record, digest)))
        recorder, index = self._recorder, self._index
        if recorder is not None and recorder.last:
            for most, step in recorder.last:
                self._add(LAST_TABLE, self._last_steps.add(most, turn, now_us, step))
            recorder.last = []
        if recorder is not None and index is not None and (recorder.steps or self._whole):
            steps, recorder.steps = recorder.steps, []
            packed, offsets = pack_steps(now_us, steps, self._before(leftover) if self._whole else [])
            self._add(STEP_TABLE, cut(turn, packed))
            index.add((step[0] for step in steps), turn, offsets)
            segment = index.segment(turn)
            if segment:
                self._add(INDEX_TABLE, segment.items())
                self._add(META, [(INDEXED_KEY, turn.to_bytes(8, "big"))])
        self._leftover = leftover
        self._turn, self._now_us = turn, now_us
        self.last = (turn, digest)

    def _before(self, leftover: bytes | None) -> list[Before]:
        """Return what the turn changed beside workflows, as it was."""
        read = self._tables.read_before
        before: list[Before] = [
            (table, key, read(table, key)) for table, rows in self._tables.fresh.items() for key in rows
        ]
        if leftover != self._leftover:
            before.append((TURN, LEFTOVER_KEY, self._leftover))
        return before

    def _add(self, table: str, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        self._fresh.setdefault(table, {}).update(rows)

    def changes(self) -> Mapping[str, Mapping[bytes, bytes | None]]:
        """Return what the next commit writes, and deletes, of the history."""
        return self._pruner.pruned(self._fresh, self._turn, self._now_us)

    def note_committed(self) -> None:
        """Forget what was written: it is in the store."""
        self._fresh = {}

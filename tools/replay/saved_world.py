"""`SavedWorld`: a world with its history, opened for looking; it may be running meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple, Self

from ...runtime import WorkflowView
from ...runtime.history.reader import HistoryReader
from ...runtime.history.steps import StepRecord
from ...runtime.row_buffer import WORKFLOW_TABLE, row_key
from ...runtime.view import view_row
from ...runtime.world_reader import WorldReader
from ...runtime.world_state import WorldState, load_codes, load_state
from ...workflows import rows
from ...workflows.errors import HistoryError, UnknownWorkflowError, WorldCorruptError
from ...workflows.registry import Registry
from ...workflows.sources import US
from ...workflows.values import engine_codec
from ...workflows.versions import CodeBook


class Step(NamedTuple):
    """A recorded step of a workflow.

    Attributes:
        number: from 1 up, counted from the oldest that is kept.
        record: what caused it, and the row that it began on.
        after: the row that it left; None where the workflow was deleted.
    """

    number: int
    record: StepRecord
    after: bytes | None


class SavedWorld:
    """A world as it is and was. One thread at a time.

    Attributes:
        reader: reads its tables.
        history: reads its history.
        registry: the loaded code; where there is none, locals are shown all the same, but for values of its classes.
        codes: the world's descriptions of code.
    """

    def __init__(self, path: str | os.PathLike[str], registry: Registry | None = None) -> None:
        """Open a world.

        Args:
            path: its directory.
            registry: the code that ran in it, or other code.

        Raises:
            WorldError: as `WorldReader` raises.
        """
        self.reader = WorldReader(path)
        self.registry = Registry() if registry is None else registry
        self.history = HistoryReader(self.reader)
        self.codec = engine_codec()
        self._codes: CodeBook | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it. A second call does nothing."""
        self.reader.close()

    # -- the world -------------------------------------------------------------------------------------------

    @property
    def codes(self) -> CodeBook:
        """The world's descriptions of code."""
        if self._codes is None:
            self._codes = CodeBook(self.registry.workflows, load_codes(self.reader))
        return self._codes

    @property
    def state(self) -> WorldState:
        """What the world says of itself as of the last commit.

        Raises:
            WorldCorruptError: it says nothing.
        """
        state = load_state(self.reader)
        if state is None:
            raise WorldCorruptError(str(self.reader.path), "it has no state; restore it from a backup")
        return state

    def turn_at(self, time_s: float) -> int:
        """Return the last turn at a time of the world, in seconds.

        Raises:
            HistoryError: the time is before the oldest turn that is kept.
        """
        found = None
        for turn in self.history.turns():
            if turn.record.now_us > round(time_s * US):
                break
            found = turn.record.turn
        if found is None:
            raise HistoryError(f"no turn at or before {time_s} s is kept")
        return found

    # -- one workflow ----------------------------------------------------------------------------------------

    def row(self, workflow_id: int, turn: int | None = None) -> bytes | None:
        """Return the row of a workflow at the end of a turn, now by default; None where there was none then.

        Raises:
            UnknownWorkflowError: there is none now, and no step of one is kept.
            HistoryError: how it was then is not known.
        """
        if turn is None:
            return self.reader.get(WORKFLOW_TABLE, row_key(workflow_id))
        row = self.history.row_at(workflow_id, turn)
        known = row or self.row(workflow_id) or self._last_row(workflow_id)
        if known is None:
            raise UnknownWorkflowError(workflow_id)
        self.require_known(turn, rows.read_head(known).type_name, workflow_id)
        return row

    def _last_row(self, workflow_id: int) -> bytes | None:
        """Return the last row of a workflow that was deleted."""
        last = None
        for record in self.history.steps_of(workflow_id):
            last = record.before or last
        return last

    def require_known(self, turn: int, type_name: str | None, workflow_id: int | None = None) -> None:
        """Raise `HistoryError` unless it is known how workflows of a type (None for all) were at a turn."""
        last = self.state.turn
        if turn >= last:
            if turn > last:
                raise HistoryError(f"turn {turn} is not yet: the world's last turn is {last}")
            return
        known = self.history.known_from(type_name, workflow_id)
        what = "the world" if type_name is None else f"type {type_name!r}"
        if known is None:
            raise HistoryError(
                f"the steps of {what} are not recorded; give history='all' to Runtime or to @workflow"
            )
        if turn < known:
            raise HistoryError(
                f"turn {turn} is not kept: the history of {what} goes from turn {known} to {last}; "
                "give Runtime a larger Retention to keep more"
            )

    def steps(self, workflow_id: int) -> Iterator[Step]:
        """Go through the recorded steps of a workflow, as far as the world is now."""
        # In this order: if the row has changed since, a step of a later turn says from what.
        turn = self.state.turn
        now = self.row(workflow_id)
        number, last = 0, None
        for record in self.history.steps_of(workflow_id):
            if last is not None:
                yield Step(number, last, record.before)
            if record.turn > turn:
                return
            number, last = number + 1, record
        if last is not None:
            yield Step(number, last, None if last.deleted else now)

    def view(self, workflow_id: int, row: bytes) -> WorkflowView:
        """Return what a row says.

        Raises:
            WorldCorruptError: it does not decode.
        """
        try:
            return view_row(workflow_id, row, self.codec, self.codes, self.registry.workflows)
        except rows.RowError as error:
            problem = f"the row of workflow {workflow_id} is damaged: {error}"
            raise WorldCorruptError(str(self.reader.path), problem) from error

    # -- the whole world -------------------------------------------------------------------------------------

    def rows_at(self, turn: int | None = None) -> dict[int, bytes]:
        """Return the rows of all workflows at the end of a turn, now by default, by id; all are read.

        Raises:
            HistoryError: how they were then is not known.
        """
        found: dict[int, bytes | None] = {
            int.from_bytes(key, "big"): row for key, row in self.reader.scan(WORKFLOW_TABLE)
        }
        if turn is not None:
            self.require_known(turn, None)
            earlier: dict[int, bytes | None] = {}
            for steps in self.history.turn_steps(turn):
                for record in steps.steps:
                    earlier.setdefault(record.workflow_id, record.before)
            found.update(earlier)
        return {number: row for number, row in sorted(found.items()) if row is not None}

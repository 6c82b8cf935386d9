"""`SavedWorld`: a world with its history, opened for looking; it may be running meanwhile."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from itertools import takewhile
from struct import error as StructError  # noqa: N812 - `error` is what a caught one is called.
from typing import NamedTuple, Self

import msgpack

from ...runtime import WorkflowView
from ...runtime.history.reader import HistoryReader
from ...runtime.history.step_index import _PLACE, Place
from ...runtime.history.steps import StepRecord
from ...runtime.history.tables import INDEX_TABLE, TURN_TABLE
from ...runtime.history.turn_log import damaged_history
from ...runtime.row_buffer import WORKFLOW_TABLE, row_key
from ...runtime.storage.pieces import number_key
from ...runtime.storage.world_reader import WorldReader
from ...runtime.view import view_row
from ...runtime.world_state import WorldState, load_codes, load_state
from ...workflows import rows
from ...workflows.errors import DecodeError, HistoryError, UnknownWorkflowError, WorldCorruptError
from ...workflows.registry import Registry
from ...workflows.sources import US
from ...workflows.unloaded import tolerant_codec
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


class TurnHead(NamedTuple):
    """A turn of the log without what it was given: its number, its time, and how many messages it handled."""

    turn: int
    now_us: int
    handled: int


class Span(NamedTuple):
    """Where a workflow's recorded steps are: the turn of the first one, and the place of the last one."""

    first_turn: int
    last: Place


class SavedWorld:
    """A world as it is and was. One thread at a time.

    Attributes:
        reader: reads its tables.
        history: reads its history.
        registry: the loaded code; where there is none, locals are shown all the same, with stand-ins for values of
            its classes.
        codec: for running code; it refuses values whose classes are not loaded.
        looking: for looking; it puts stand-ins in their places.
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
        self.looking = tolerant_codec()
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
        state, first, wanted_us = self.state, self.history.first_turn(), round(time_s * US)
        if wanted_us >= state.now_us:
            return state.turn
        if first is None or self._time_from(first) > wanted_us:
            raise HistoryError(f"no turn at or before {time_s} s is kept")
        # In the log are numbers of turns with gaps: a gap has the time of the turn that follows it.
        after = bisect_right(range(first, state.turn + 1), wanted_us, key=self._time_from)
        return first + after - 1

    def time_at(self, turn: int) -> float:
        """Return the time of a turn, in seconds of world time; of one that is not in the log, that of the one before.

        Raises:
            HistoryError: neither it nor one before it is kept, or there was none such.
        """
        state = self.state
        if turn >= state.turn:
            self.require_known(turn, None)
            return state.now_us / US
        reach = 1
        while reach < 4 * turn:
            # The log is read forwards only.
            near = takewhile(lambda one: one.record.turn <= turn, self.history.turns(max(0, turn - reach)))
            times = [one.record.now_us for one in near]
            if times:
                return times[-1] / US
            reach *= 4
        raise HistoryError(f"turn {turn} is not kept; give Runtime a larger Retention to keep more")

    def turn_heads(self) -> Iterator[TurnHead]:
        """Go through the turns of the log, reading no more of them than when they were.

        Raises:
            WorldCorruptError: one does not decode.
        """
        for key, piece in self.reader.scan(TURN_TABLE):
            if any(key[8:]):
                continue
            unpacker = msgpack.Unpacker()
            unpacker.feed(piece)
            try:
                unpacker.read_array_header()
                now_us, _, handled = unpacker.unpack(), unpacker.unpack(), unpacker.unpack()
            except (ValueError, msgpack.exceptions.UnpackException) as error:
                raise damaged_history(str(self.reader.path), ValueError(str(error))) from error
            yield TurnHead(int.from_bytes(key[:8], "big"), now_us, handled)

    def _time_from(self, turn: int) -> int:
        """Return the time of the first turn of the log that is not before one, in microseconds."""
        found = next(self.history.turns(turn - 1), None)
        return self.state.now_us if found is None else found.record.now_us

    # -- one workflow ----------------------------------------------------------------------------------------

    def row(self, workflow_id: int, turn: int | None = None) -> bytes | None:
        """Return the row of a workflow at the end of a turn, now by default; None where there was none then.

        Raises:
            UnknownWorkflowError: there is none now, and no step of one is kept.
            HistoryError: how it was then is not known.
        """
        if turn is None:
            return self.reader.get(WORKFLOW_TABLE, row_key(workflow_id))
        type_name = self._type_of(workflow_id)
        if type_name is None:
            raise UnknownWorkflowError(workflow_id)
        self.require_known(turn, type_name, workflow_id)
        row = self.history.row_at(workflow_id, turn)
        # A world that runs may have deleted meanwhile what was asked for.
        self.require_known(turn, type_name, workflow_id)
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
            raise not_recorded(what)
        if turn < known:
            raise HistoryError(
                f"turn {turn} is not kept: the history of {what} goes from turn {known} to {last}; "
                "give Runtime a larger Retention to keep more"
            )

    def steps(self, workflow_id: int) -> Iterator[Step]:
        """Go through the recorded steps of a workflow; those before a gap in the recording are left out."""
        number, last, after = 0, None, self._recorded_after(workflow_id)
        while after is not None:
            for record in self.history.steps_of(workflow_id, after):
                if last is not None:
                    yield Step(number, last, record.before)
                number, last, after = number + 1, record, record.turn
            now = self.row(workflow_id)
            if next(self.history.steps_of(workflow_id, after), None) is None:
                # There was none between the last step and the row, which so is what that step left.
                if last is not None:
                    yield Step(number, last, None if last.deleted else now)
                return

    def step(self, workflow_id: int, number: int) -> Step:
        """Return a step by its number.

        Raises:
            UnknownWorkflowError: there is no such workflow, and no step of one is kept.
            HistoryError: no step of this number is kept.
        """
        self.require_steps(workflow_id)
        places = self._places(workflow_id)
        # Where the last steps are kept, there are few, and they have no places.
        few = [] if places else list(self.steps(workflow_id))
        count = len(places) or len(few)
        if not 1 <= number <= count:
            kept = f"1 to {count}" if count else "none"
            raise HistoryError(f"workflow {workflow_id} has no step {number}: kept are {kept}")
        return self._step(places, number) if places else few[number - 1]

    def last_step(self, workflow_id: int, turn: int | None = None) -> Step | None:
        """Return the last step of a workflow up to a turn, or of all that are kept; None where there is none."""
        places = self._places(workflow_id)
        if not places:
            few = [step for step in self.steps(workflow_id) if turn is None or step.record.turn <= turn]
            return few[-1] if few else None
        number = len(places) if turn is None else bisect_right(places, turn, key=lambda place: place.turn)
        return self._step(places, number) if number else None

    def _step(self, places: list[Place], number: int) -> Step:
        record = self.history.step_at(places[number - 1])
        if record.deleted:
            return Step(number, record, None)
        if number < len(places):
            return Step(number, record, self.history.step_at(places[number]).before)
        # Read afterwards: a step that was made meanwhile began on the row that is wanted.
        now, later = self.row(record.workflow_id), self.history.steps_of(record.workflow_id, record.turn)
        following = next(later, None)
        return Step(number, record, now if following is None else following.before)

    def _places(self, workflow_id: int) -> list[Place]:
        after = self._recorded_after(workflow_id)
        return [] if after is None else list(self.history.places(workflow_id, after))

    def _recorded_after(self, workflow_id: int) -> int | None:
        """Return the turn after which all steps of a workflow are kept; None where they are not."""
        type_name = self._type_of(workflow_id)
        return None if type_name is None else self.history.recorded_after(type_name, workflow_id)

    def _type_of(self, workflow_id: int) -> str | None:
        """Return the type of a workflow that there is, or of which a step is kept; else None."""
        row = self.row(workflow_id) or self._last_row(workflow_id)
        try:
            return None if row is None else rows.read_head(row).type_name
        except rows.RowError as error:
            raise self.damaged(workflow_id, error) from error

    def require_steps(self, workflow_id: int) -> None:
        """Raise unless steps of a workflow may be kept.

        Raises:
            UnknownWorkflowError: there is no such workflow, and no step of one is kept.
            HistoryError: those of its type are not recorded.
        """
        type_name = self._type_of(workflow_id)
        if type_name is None:
            raise UnknownWorkflowError(workflow_id)
        if self.history.known_from(type_name, workflow_id) is None:
            raise not_recorded(f"type {type_name!r}")

    def view(self, workflow_id: int, row: bytes) -> WorkflowView:
        """Return what a row says.

        Raises:
            WorldCorruptError: it does not decode.
        """
        try:
            try:
                return view_row(workflow_id, row, self.looking, self.codes, self.registry.workflows)
            except LookupError:
                # The world runs, and has got other code since its descriptions of code were read.
                self._codes = None
                return view_row(workflow_id, row, self.looking, self.codes, self.registry.workflows)
        except (rows.RowError, DecodeError, LookupError) as error:
            raise self.damaged(workflow_id, error) from error

    def damaged(self, workflow_id: int, error: Exception) -> WorldCorruptError:
        """Return the error for a row that does not decode; the caller raises it."""
        if isinstance(error, LookupError):
            error = ValueError("it stands in code that the world does not describe")
        return WorldCorruptError(
            str(self.reader.path), f"the row of workflow {workflow_id} is damaged: {error}"
        )

    # -- the whole world -------------------------------------------------------------------------------------

    def rows_at(self, turn: int | None = None, type_name: str | None = None) -> dict[int, bytes]:
        """Return the rows of all workflows at the end of a turn, now by default, by id; all are read.

        Args:
            turn: the turn.
            type_name: if given, only rows of this type are certain.

        Raises:
            HistoryError: how they were then is not known.
        """
        found: dict[int, bytes | None] = {
            int.from_bytes(key, "big"): row for key, row in self.reader.scan(WORKFLOW_TABLE)
        }
        if turn is not None:
            self.require_known(turn, type_name)
            earlier: dict[int, bytes | None] = {}
            for steps in self.history.turn_steps(turn):
                for record in steps.steps:
                    earlier.setdefault(record.workflow_id, record.before)
            found.update(earlier)
            # A world that runs may have deleted meanwhile what was asked for.
            self.require_known(turn, type_name)
        return {number: row for number, row in sorted(found.items()) if row is not None}

    def spans(self) -> dict[int, Span]:
        """Return between which turns each workflow has recorded steps that are kept, by id.

        It goes through the index and reads no step: 600,000 of them in a tenth of a second.

        Raises:
            WorldCorruptError: the index is damaged.
        """
        first: dict[int, int] = {}
        last: dict[int, tuple[int, int]] = {}
        # A segment of the index outlives the first of its steps.
        kept = self.history._kept_after(-1) + 1
        try:
            for _, row in self.reader.scan(INDEX_TABLE, number_key(kept)):
                for number, turn, offset in _PLACE.iter_unpack(row):
                    if turn >= kept:
                        if number not in first:
                            first[number] = turn
                        last[number] = turn, offset
        except StructError as error:
            raise damaged_history(str(self.reader.path), ValueError(f"index: {error}")) from error
        for number, turn, offset in self.history.places_after(self.history.indexed()):
            first.setdefault(number, turn)
            last[number] = turn, offset
        return {number: Span(turn, Place(number, *last[number])) for number, turn in first.items()}


def not_recorded(what: str) -> HistoryError:
    """Return the error for steps that were never recorded; the caller raises it."""
    return HistoryError(
        f"the steps of {what} are not recorded; give history='all' to Runtime or to @workflow"
    )

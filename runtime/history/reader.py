"""Reading a history: how a workflow, or a whole world, was at the end of each turn, and what made it so.

It reads from a store or from a `WorldReader`, and so from a world that runs. Reads are short and of different commits;
what comes out is of one all the same, for it goes by the order in which it asks: the world as it is now comes first,
then the steps since the turn in question. If there is none, nothing has changed meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import msgpack

from ...workflows.errors import HistoryError
from ...workflows.limits import Limits
from ..row_buffer import WORKFLOW_TABLE, row_key
from ..storage.pieces import PIECE, from_a_beginning, joined, number_key, piece_key
from ..storage.readable import Readable
from ..world_state import META
from .last_steps import all_last_steps, last_steps_of
from .step_index import Place, count_places, places_of
from .steps import StepRecord, TurnSteps, unpack_step, unpack_steps, unpack_time
from .tables import INDEXED_KEY, LIMITS_KEY, SCOPES_KEY, STEP_TABLE, TURN_TABLE
from .turn_log import LoggedTurn, damaged_history, unpack_turn


class HistoryReader:
    """A world's history. Turns are given by their numbers; "at a turn" is at its end.

    Every method may raise `WorldCorruptError`, where what it reads does not decode.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source

    # -- what there is ---------------------------------------------------------------------------------------

    def scopes(self) -> list[list[Any]]:
        """Return what has been recorded, oldest first: [turn after which, scope, last].

        A scope is true for all, or the names of types; of those in `last` the last steps of each workflow are kept.
        """
        stored = self._source.get(META, SCOPES_KEY)
        try:
            scopes = [] if stored is None else msgpack.unpackb(stored)
            return [[turn, scope, last] for turn, scope, last in scopes]
        except (TypeError, ValueError, msgpack.exceptions.UnpackException) as error:
            raise damaged_history(str(self._source.path), ValueError(str(error))) from error

    def limits(self) -> Limits | None:
        """Return the bounds that the world ran with last; None where they are not known."""
        stored = self._source.get(META, LIMITS_KEY)
        if stored is None:
            return None
        try:
            return Limits(**msgpack.unpackb(stored))
        except (TypeError, ValueError, msgpack.exceptions.UnpackException) as error:
            raise damaged_history(str(self._source.path), ValueError(str(error))) from error

    def indexed(self) -> int:
        """Return the last turn that the index has."""
        return int.from_bytes(self._source.get(META, INDEXED_KEY) or b"", "big")

    def first_turn(self) -> int | None:
        """Return the oldest turn of the log that is whole; None where there is none."""
        return next((turn for turn, _ in self._whole(TURN_TABLE, 0)), None)

    def known_from(self, type_name: str | None, workflow_id: int | None = None) -> int | None:
        """Return the turn from which on it is known how a workflow was; None where it is not recorded.

        Args:
            type_name: of the workflow; None for the whole world.
            workflow_id: of the workflow; without one, all of the type are meant.
        """
        since: int | None = None
        last, until = False, 2**64 - 1
        for turn, scope, kept in reversed(self.scopes()):
            whole = scope is True or (type_name is not None and type_name in scope)
            if since is None:
                last = not whole and type_name in kept
            if type_name not in kept if last else not whole:
                if self._happened(turn, until):
                    break
            else:
                since = turn
            until = turn
        if since is None:
            return None
        if last:
            first = None if workflow_id is None else next(self._last_steps_of(workflow_id), None)
            # In that turn there may have been others before it.
            oldest = None if first is None else 0 if first.made else first.turn
            return oldest if oldest is None else max(since, oldest)
        first_turn = self.first_turn()
        return since if first_turn is None else max(since, first_turn - 1)

    def recorded_after(self, type_name: str, workflow_id: int) -> int | None:
        """Return the turn after which the recorded steps of a workflow are all that it made; None where it has none."""
        known = self.known_from(type_name, workflow_id)
        first = next(self._last_steps_of(workflow_id), None)
        # Of the first turn of which steps are kept, there may have been others before them.
        return known - 1 if known and first is not None and first.turn == known else known

    def unbroken(self, type_name: str, after: int, until: int) -> bool:
        """Say whether workflows of a type were recorded in one way in all turns after one, up to another."""
        ways = set()
        until = max(until, after + 1)
        scopes = self._scopes
        for at, (turn, scope, last) in enumerate(scopes):
            following = scopes[at + 1][0] if at + 1 < len(scopes) else until
            if turn < until and following > after:
                whole = scope is True or type_name in scope
                ways.add("all" if whole else "last" if type_name in last else "off")
        return len(ways) == 1 and "off" not in ways

    @cached_property
    def _scopes(self) -> list[list[Any]]:
        return self.scopes()

    def _happened(self, after: int, until: int) -> bool:
        """Say whether something happened in the turns after one, up to another."""
        following = next((turn for turn, _ in self._whole(TURN_TABLE, after + 1)), None)
        return following is not None and following <= until

    # -- turns -----------------------------------------------------------------------------------------------

    def turns(self, after: int = 0) -> Iterator[LoggedTurn]:
        """Go through the log, from the first turn after one on."""
        for turn, stored in self._whole(TURN_TABLE, after + 1):
            yield self._decoded(unpack_turn, turn, stored)

    def turn(self, number: int) -> LoggedTurn | None:
        """Return one turn of the log, or None."""
        found = next(self.turns(number - 1), None)
        return found if found is not None and found.record.turn == number else None

    def turn_steps(self, after: int = 0) -> Iterator[TurnSteps]:
        """Go through the recorded steps by turns, from the first turn after one on."""
        for turn, stored in self._whole(STEP_TABLE, after + 1):
            yield self._decoded(unpack_steps, turn, stored)

    def _whole(self, table: str, first: int) -> Iterator[tuple[int, bytes]]:
        pieces = self._source.scan(table, number_key(first), batch=4)
        return joined(from_a_beginning(pieces))

    def _decoded(self, unpack: Any, *stored: Any) -> Any:
        try:
            return unpack(*stored)
        except ValueError as error:
            raise damaged_history(str(self._source.path), error) from error

    # -- workflows -------------------------------------------------------------------------------------------

    def steps_of(self, workflow_id: int, after: int = -1) -> Iterator[StepRecord]:
        """Go through the recorded steps of a workflow, from the first turn after one on."""
        last, kept = after, self._kept_after(after)
        for place in places_of(self._source, workflow_id, kept):
            yield self.step_at(place)
            last = place.turn
        for turn in self.turn_steps(max(last, kept, self.indexed())):
            for step in turn.steps:
                if step.workflow_id == workflow_id:
                    yield step
                    last = turn.turn
        yield from (step for step in self._last_steps_of(workflow_id) if step.turn > last)

    def _last_steps_of(self, workflow_id: int) -> Iterator[StepRecord]:
        try:
            yield from last_steps_of(self._source, workflow_id)
        except ValueError as error:
            raise damaged_history(str(self._source.path), error) from error

    def places(self, workflow_id: int, after: int = -1) -> Iterator[Place]:
        """Go through the places of a workflow's recorded steps, as `steps_of` does, and read none of them."""
        last = after = self._kept_after(after)
        for place in places_of(self._source, workflow_id, after):
            yield place
            last = place.turn
        for step in self.places_after(max(last, self.indexed())):
            if step[0] == workflow_id:
                yield Place(*step)

    def step_counts(self) -> Counter[int]:
        """Count the recorded steps of each workflow, by id."""
        counts = count_places(self._source, self._kept_after(-1) + 1)
        counts.update(step[0] for step in self.places_after(self.indexed()))
        return counts

    def _kept_after(self, after: int) -> int:
        """Return the turn after which steps are kept, or a later one: a segment of the index outlives its first."""
        first = next((turn for turn, _ in self._whole(STEP_TABLE, 0)), None)
        return after if first is None else max(after, first - 1)

    def all_last_steps(self) -> Iterator[StepRecord]:
        """Go through the steps of all workflows of which the last are kept, by workflow and then oldest first."""
        try:
            yield from all_last_steps(self._source)
        except ValueError as error:
            raise damaged_history(str(self._source.path), error) from error

    def places_after(self, turn: int) -> Iterator[tuple[int, int, int]]:
        """Go through the places of steps in turns after one: workflow id, turn, offset."""
        for number, stored in self._whole(STEP_TABLE, turn + 1):
            yield from self._decoded(_offsets, number, stored)

    def step_at(self, place: Place) -> StepRecord:
        """Read a step.

        Raises:
            HistoryError: it has been deleted.
        """
        first = number_key(place.turn)
        head = self._source.get(STEP_TABLE, first + bytes(4))
        stop = number_key(place.turn + 1)
        pieces = self._source.scan(STEP_TABLE, piece_key(place.turn, place.offset), stop, batch=1)
        if head is None:
            raise HistoryError(f"turn {place.turn} was deleted from the history meanwhile")
        return self._decoded(  # type: ignore[no-any-return]
            unpack_step, place.turn, unpack_time(head), (piece for _, piece in pieces), place.offset % PIECE
        )

    def row_at(self, workflow_id: int, turn: int) -> bytes | None:
        """Return the row of a workflow at a turn; None where there was none. Its type must have been recorded."""
        now = self._source.get(WORKFLOW_TABLE, row_key(workflow_id))
        step = next(self.steps_of(workflow_id, turn), None)
        return now if step is None else step.before

    def value_at(self, table: str, key: bytes, turn: int) -> bytes | None:
        """Return what another table had under a key at a turn; all of the world must have been recorded since."""
        now = self._source.get(table, key)
        for steps in self.turn_steps(turn):
            for changed, changed_key, before in steps.tables:
                if changed == table and changed_key == key:
                    return before
        return now


def _offsets(turn: int, stored: bytes) -> list[tuple[int, int, int]]:
    unpacker = msgpack.Unpacker(strict_map_key=False, max_buffer_size=max(1, len(stored)))
    unpacker.feed(stored)
    _, count, _ = unpacker.unpack()
    places = []
    for _ in range(count):
        offset = unpacker.tell()
        places.append((unpacker.unpack()[0], turn, offset))
    return places

"""`Trace`: the recorded steps of one workflow, each read when it is looked at."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

from .saved_world import SavedWorld, Step


class Trace:
    """Where a workflow's steps are, and the rows that they left.

    Attributes:
        workflow_id: whose they are.
        moves: the turns in which it was changed, ascending, each once.
    """

    def __init__(self, world: SavedWorld, workflow_id: int, type_name: str, last_turn: int) -> None:
        """Find the steps of a workflow.

        Args:
            world: is read from as long as the trace is in use.
            workflow_id: one of its workflows.
            type_name: its type.
            last_turn: up to which steps count: a world that runs has later ones, too.

        """
        self.workflow_id = workflow_id
        self._type = type_name
        self._world = world
        known = world.history.known_from(type_name)
        places = () if known is None else world.history.places(workflow_id, known)
        self._places = [place for place in places if place.turn <= last_turn]
        self._turns = array("Q", (place.turn for place in self._places))
        self.moves = array("Q", dict.fromkeys(self._turns))
        self._last_turn = last_turn
        # By the history, for a world that runs has another row by now.
        self._last = world.history.row_at(workflow_id, last_turn)

    def row_at(self, turn: int) -> bytes | None:
        """Return the row at the end of a turn; None where there was none.

        Raises:
            HistoryError: it is not known.
        """
        self._world.require_known(turn, self._type)
        return self._row_before(bisect_right(self._turns, turn))

    def _row_before(self, at: int) -> bytes | None:
        """Return the row on which the step at an index began; after the last one, the row that it left."""
        if at == len(self._places):
            return self._last
        return self._world.history.step_at(self._places[at]).before

    def steps_in(self, turn: int) -> list[Step]:
        """Return the steps of a turn, in order."""
        first, after = bisect_left(self._turns, turn), bisect_right(self._turns, turn)
        records = [self._world.history.step_at(place) for place in self._places[first:after]]
        lefts = [*(record.before for record in records[1:]), self._row_before(after)]
        numbered = enumerate(zip(records, lefts, strict=True), first + 1)
        return [Step(number, record, left) for number, (record, left) in numbered]

    def last_move(self, turn: int) -> int | None:
        """Return the last turn up to and with this one in which it was changed; None where none is kept."""
        at = bisect_right(self.moves, turn)
        return self.moves[at - 1] if at else None

    def next_move(self, turn: int) -> int | None:
        """Return the first turn after this one in which it was changed, or None."""
        at = bisect_right(self.moves, turn)
        return self.moves[at] if at < len(self.moves) else None

"""`Scrubber`: one place in a world's recorded time, the workflow that is looked at, and how both are moved.

It is what the full-screen view shows, without a terminal. Each move reads a few rows, whatever the length of the
history: the index says where a workflow's steps are, and a step has the row that it began on.
"""

from __future__ import annotations

import inspect
import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from ...runtime import WorkflowView
from ...workflows import rows
from ...workflows.errors import DeathlessError, WorldCorruptError
from ...workflows.sources import US
from .causes import Cause, Causes
from .differences import Difference, differences
from .fork import ForkReport, fork
from .population import Member, Standing, members_of
from .saved_world import SavedWorld
from .source_lines import FrameSource, sources_of
from .trace import Trace
from .turns import Turns

T = TypeVar("T")
LONGEST_PAUSE_US = 5 * US
"""World time without a turn of which playing skips the rest."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A workflow at the end of a turn.

    Attributes:
        member: who it is.
        standing: how it stands then.
        turn, now_us: the turn, and its time in microseconds.
        view: what its row says; None where it is not there, or where that is not known.
        move: its place among the turns in which it was changed, from 1 up; 0 before the first that is kept.
        moves: how many of these there are.
        moved_turn, moved_us: the last of them, up to now, and its time; None where none is kept.
        causes: of the steps in that turn.
        changes: what differs from the turn before that.
        unread: the messages that no await has taken yet, in words.
        source: of the innermost function on its stack; of one that has not begun or has ended, its own, if loaded.
        problem: why nothing is shown.
    """

    member: Member
    standing: Standing
    turn: int
    now_us: int
    view: WorkflowView | None = None
    move: int = 0
    moves: int = 0
    moved_turn: int | None = None
    moved_us: int | None = None
    causes: tuple[Cause, ...] = ()
    changes: tuple[Difference, ...] = ()
    unread: tuple[str, ...] = ()
    source: FrameSource | None = None
    problem: str | None = None

    @property
    def moved_now(self) -> bool:
        """Whether it was changed in this very turn."""
        return self.moved_turn == self.turn


class Scrubber:
    """Where one looks. One thread at a time.

    Attributes:
        world: that is looked at.
        turns: those that can be gone to.
        members: its workflows, by ascending id.
        place: the index of the turn among `turns`.
        chosen: the workflow that is looked at, or None.
        mark: the turn with which to compare, or None for the one before the last step.
    """

    def __init__(self, world: SavedWorld) -> None:
        """Look at a world from its last turn on backwards. It reads the index, and no steps."""
        self.world = world
        self.turns = Turns.of(world)
        self.members = members_of(world, self.turns)
        self.place = len(self.turns) - 1
        self.chosen: Member | None = None
        self.mark: int | None = None
        self._causes = Causes(world)
        self._trace: Trace | None = None
        self._problem: str | None = None
        self._playing_us = 0

    # -- where -----------------------------------------------------------------------------------------------

    @property
    def turn(self) -> int:
        """The turn at whose end one looks."""
        return self.turns.numbers[self.place]

    @property
    def now_us(self) -> int:
        """Its time, in microseconds of world time."""
        return self.turns.times_us[self.place]

    @property
    def at_end(self) -> bool:
        """Whether it is the last turn."""
        return self.place == len(self.turns) - 1

    def choose(self, member: Member | None) -> None:
        """Look at another workflow, or at none."""
        self.chosen, self._trace, self._problem = member, None, None
        if member is not None:
            try:
                self._trace = Trace(self.world, member.id, member.type, self.turns.last)
            except DeathlessError as error:
                self._problem = str(error)

    def go_to(self, place: int) -> None:
        """Go to a place among the turns; one beyond an end is that end."""
        self.place = min(max(place, 0), len(self.turns) - 1)

    def step_world(self, by: int) -> None:
        """Go so many turns of the world on, or back."""
        self.go_to(self.place + by)

    def step_workflow(self, by: int) -> bool:
        """Go to the next turn in which the chosen workflow moved, or with -1 to the one before; say whether there is.

        Where nothing of it is recorded, or nobody is chosen, it is a turn of the world.
        """
        trace = self._trace
        if trace is None or not trace.moves:
            before = self.place
            self.step_world(by)
            return self.place != before
        turn = trace.next_move(self.turn) if by > 0 else trace.last_move(self.turn - 1)
        if turn is None or turn < self.turns.numbers[0]:
            return False
        self.place = self.turns.place_of(turn)
        return True

    def play_from_here(self) -> None:
        """Begin to play, from this turn's time; after the last turn from the first."""
        if self.at_end:
            self.place = 0
        self._playing_us = self.now_us

    def play(self, elapsed_us: int) -> bool:
        """Go on by so much world time; say whether there is more. The rest of a long pause is skipped."""
        self._playing_us += elapsed_us
        if not self.at_end:
            following_us = self.turns.times_us[self.place + 1]
            if following_us - self._playing_us > LONGEST_PAUSE_US:
                self._playing_us = following_us - LONGEST_PAUSE_US
        self.place = max(self.place, self.turns.place_at(self._playing_us))
        return not self.at_end

    # -- what ------------------------------------------------------------------------------------------------

    def moment(self) -> Moment | None:
        """Return the chosen workflow as it was at this turn; None where nobody is chosen."""
        member = self.chosen
        if member is None:
            return None
        nothing = Moment(member, member.standing(self.turn), self.turn, self.now_us, problem=self._problem)
        if self._trace is None:
            return nothing
        try:
            return self._look(member, self._trace, nothing)
        except DeathlessError as error:
            return replace(nothing, problem=str(error))

    def _look(self, member: Member, trace: Trace, nothing: Moment) -> Moment:
        turn = self.turn
        row, moved = trace.row_at(turn), trace.last_move(turn)
        found = replace(
            nothing, move=bisect_right(trace.moves, turn), moves=len(trace.moves), moved_turn=moved
        )
        view = None if row is None else self.world.view(member.id, row)
        if moved is not None:
            steps = trace.steps_in(moved)
            before = steps[0].record.before
            changes = (
                []
                if before is None or view is None
                else differences(self.world.view(member.id, before), view)
            )
            found = replace(
                found,
                moved_us=steps[0].record.now_us,
                causes=tuple(map(self._causes.of, steps)),
                changes=tuple(changes),
            )
        if row is None or view is None:
            return found
        return replace(
            found,
            view=view,
            # The row says it to the turn; the list goes by times.
            standing=Standing(str(view.status).lower()),
            unread=tuple(self._decoded(self._causes.unread, row)),
            source=self._source(view, row),
        )

    def _decoded(self, read: Callable[[bytes], list[T]], row: bytes) -> list[T]:
        try:
            return read(row)
        except (rows.RowError, LookupError) as error:
            assert self.chosen is not None, "its row is read"
            raise self.world.damaged(self.chosen.id, error) from error

    def _source(self, view: WorkflowView, row: bytes) -> FrameSource | None:
        """Return the innermost function of a workflow; of one that has none on its stack, its own."""
        frames = self._decoded(partial(sources_of, self.world), row)
        if frames:
            return frames[-1]
        kind = self.world.registry.workflows.get(view.type)
        if kind is None:
            return None
        program = kind.program
        try:
            lines, first = inspect.getsourcelines(program.original)
        except (OSError, TypeError):
            return None
        text = tuple(line.rstrip() for line in lines)
        return FrameSource(view.type, "", 0, program.filename, first, text)

    def movers(self) -> frozenset[int]:
        """Return who was changed in this turn, as far as that was recorded, is kept and can be read."""
        try:
            steps = next(self.world.history.turn_steps(self.turn - 1), None)
        except WorldCorruptError:
            # The rest can be looked at all the same; whose steps these are, will be told so.
            return frozenset()
        if steps is None or steps.turn != self.turn:
            return frozenset()
        return frozenset(record.workflow_id for record in steps.steps)

    def moves_between(self, first: int, after: int) -> bool:
        """Say whether the chosen workflow moved in the turns of the places from `first` up to and without `after`."""
        if self._trace is None or first >= after:
            return False
        moves, numbers = self._trace.moves, self.turns.numbers
        at = bisect_left(moves, numbers[first])
        return at < len(moves) and moves[at] <= numbers[after - 1]

    # -- comparing and forking -------------------------------------------------------------------------------

    def set_mark(self) -> None:
        """Compare with this turn from now on; with none, if it was this one."""
        self.mark = None if self.mark == self.turn else self.turn

    def compare(self) -> tuple[int, int, list[Difference]] | None:
        """Return in what the chosen workflow differs between two turns, the earlier one and the later, with these.

        They are the mark and this turn; without a mark, the turns before and after its last step. None where it was
        not there in one of them.

        Raises:
            DeathlessError: how it was then is not known.
        """
        trace = self._trace
        if trace is None:
            return None
        if self.mark is not None:
            first, second = sorted((self.mark, self.turn))
        else:
            moved = trace.last_move(self.turn)
            if moved is None:
                return None
            first, second = moved - 1, self.turn
        row, later = trace.row_at(first), trace.row_at(second)
        if row is None or later is None:
            return None
        view = partial(self.world.view, trace.workflow_id)
        return first, second, differences(view(row), view(later))

    def fork(self, target: str | os.PathLike[str]) -> ForkReport:
        """Make a new world as this one was at the end of this turn.

        Raises:
            DeathlessError: as `fork` raises.
        """
        return fork(self.world, self.turn, target)

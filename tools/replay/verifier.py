"""Verifying: the code is run again from each recorded step, and must come to the same bytes.

A step needs its workflow's row, its message, the time and the answers that it got, all of which are recorded; so it is
run by itself, without the world around it. A workflow stays warm from one of its steps to the next, as in a game, and
is resumed from its recorded bytes wherever it came to others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...runtime.history.steps import StepRecord
from ...workflows.errors import DeathlessError
from ...workflows.instance import Instance
from ...workflows.outbox import Neighbours
from ...workflows.stepper import Stepper
from ...workflows.tape import Playback
from .saved_world import SavedWorld

MOST_WARM = 50_000
"""Workflows that stay in memory between their steps."""


class Divergence(NamedTuple):
    """A step that came to something else.

    Attributes:
        record: the step.
        recorded: the row that it left when it was recorded; None where it left none.
        found: the row that it leaves now.
    """

    record: StepRecord
    recorded: bytes | None
    found: bytes


class Unfit(NamedTuple):
    """A step that cannot be run with the loaded code."""

    record: StepRecord
    reason: str


@dataclass(slots=True)
class Verified:
    """What came of it.

    Attributes:
        steps: how many were run again.
        workflows: of how many workflows.
        moved: how many came to the same state in other code.
        divergences: in the order of time, one for each workflow at most: after it, others only follow.
        unfit: likewise.
    """

    steps: int = 0
    workflows: int = 0
    moved: int = 0
    divergences: list[Divergence] = field(default_factory=list)
    unfit: list[Unfit] = field(default_factory=list)


class _Held(NamedTuple):
    """A workflow between two of its steps: in memory or not, the row that it came to, and by which step."""

    instance: Instance | None
    row: bytes
    record: StepRecord
    type_name: str


class Verifier:
    """Runs recorded steps again, those of each workflow in their order."""

    def __init__(
        self,
        world: SavedWorld,
        same: Callable[[int, bytes, bytes], bool],
        *,
        cold: bool = False,
    ) -> None:
        """Make ready.

        Args:
            world: with the code to run.
            same: whether two rows of a workflow, which differ in bytes, say the same in different code.
            cold: resume each step from its bytes, as after a crash.
        """
        self._playback = Playback()
        neighbours: Any = self._playback
        self._stepper = Stepper(
            world.registry,
            world.codes,
            world.codec,
            _as_neighbours(neighbours),
            seed=world.state.seed,
            limits=world.history.limits(),
            paranoid=cold,
        )
        self._stepper.outbox.run_reducer = self._playback.run_reducer
        self._same = same
        self._unbroken = world.history.unbroken
        self._held: dict[int, _Held] = {}
        self._given_up: set[int] = set()
        self._seen: set[int] = set()
        self.verified = Verified()

    def verify(self, records: Iterable[StepRecord]) -> None:
        """Run steps again, and compare what each comes to with what the next one of its workflow began on."""
        for record in records:
            if record.workflow_id not in self._given_up:
                self._compare(record.workflow_id, record.before, record.turn)
                if record.deleted:
                    self._held.pop(record.workflow_id, None)
                elif record.workflow_id not in self._given_up and record.message is not None:
                    self._run(record)

    def end(self, rows: Callable[[int], bytes | None], turn: int) -> Verified:
        """Compare the last step of each workflow with the row that it left; return what came of it all.

        Args:
            rows: gives the row of a workflow after the last of the steps.
            turn: of which these rows are.
        """
        for workflow_id in list(self._held):
            self._compare(workflow_id, rows(workflow_id), turn)
        self.verified.workflows = len(self._seen)
        return self.verified

    def _compare(self, workflow_id: int, row: bytes | None, turn: int) -> None:
        """Look, in a turn, whether a workflow has come to the row that was recorded; forget it unless it has."""
        held = self._held.get(workflow_id)
        if held is None or held.row == row:
            return
        del self._held[workflow_id]
        if not self._unbroken(held.type_name, held.record.turn, turn):
            # What became of it in between is not recorded.
            return
        if row is not None and self._same(workflow_id, row, held.row):
            self.verified.moved += 1
            return
        self._given_up.add(workflow_id)
        self.verified.divergences.append(Divergence(held.record, row, held.row))

    def _run(self, record: StepRecord) -> None:
        workflow_id, message, row = record.workflow_id, record.message, record.before
        assert message is not None
        assert row is not None, "a workflow is made before it makes a step"
        held = self._held.get(workflow_id)
        instance = None if held is None else held.instance
        if instance is None:
            self._seen.add(workflow_id)
            instance = Instance.from_row(self._stepper.outbox, workflow_id, row)
        outbox = self._stepper.outbox
        outbox.now_us = record.now_us
        self._playback.begin(row, record.answers)
        try:
            found = self._stepper.handle(instance, message)
        except DeathlessError as error:
            self._give_up(record, str(error))
            return
        finally:
            if outbox.effects:
                outbox.take()
        unfit = instance.held or self._playback.unplayable
        if unfit:
            self._give_up(record, unfit)
            return
        self.verified.steps += 1
        if len(self._held) >= MOST_WARM and workflow_id not in self._held:
            self._let_go()
        self._held[workflow_id] = _Held(instance, row if found is None else found, record, instance.type_name)

    def _give_up(self, record: StepRecord, reason: str) -> None:
        self._held.pop(record.workflow_id, None)
        self._given_up.add(record.workflow_id)
        self.verified.unfit.append(Unfit(record, reason))

    def _let_go(self) -> None:
        """Let all workflows leave memory; their rows stay."""
        for workflow_id, held in self._held.items():
            if held.instance is not None:
                held.instance.chill()
                self._held[workflow_id] = held._replace(instance=None)


def _as_neighbours(playback: Any) -> Neighbours:
    """Reducers alone ask for more than a playback has, and it runs none."""
    neighbours: Neighbours = playback
    return neighbours


def of_workflows(records: Iterable[StepRecord], part: int, parts: int) -> Iterator[StepRecord]:
    """Leave out the steps of workflows that are not of one part of the world, of several."""
    return (record for record in records if record.workflow_id % parts == part)

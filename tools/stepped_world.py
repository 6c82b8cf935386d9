"""`SteppedWorld`: a test's world that can crash after any one of its steps.

A crash can only fall between two turns, and a frame's turn may handle many messages. Here each turn handles one, so
that there is a place for a crash after each of them, such as a budget that runs out leaves in a game. Nothing else is
different: the same frames, the same order, the same time.

That order is kept across a cut: what a turn leaves comes first in the next one. Only a timer without delay could get
ahead, since one that is set and due within a frame fires in the next turn, which here is still the same frame. So a
frame ends when all messages are handled that were there before such a timer.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..runtime import Change, PumpReport, WorkflowView
from ..workflows.definition import ROUTINES, WorkflowType
from ..workflows.messages import Status
from ..workflows.registry import Registered
from .testing import TestWorld, sum_reports

FRAME_STEPS = 100_000
"""Messages that a frame handles at most, as a turn does by default."""


class SteppedWorld(TestWorld):
    """A world whose turns handle one message each, and which crashes by itself after one of its steps.

    Attributes:
        steps: how many messages have changed a workflow so far.
        places: for each of them, which workflow it was and where it stands since, as text.
    """

    def __init__(
        self, path: Path, workflows: Iterable[Registered], crash_after: int = 0, **options: Any
    ) -> None:
        """Make a world.

        Args:
            path: its directory.
            workflows: what it may run; see `TestWorld`.
            crash_after: the step after which it crashes; 0 for never.
            **options: of `TestWorld`.
        """
        for name in ("max_steps_per_turn", "commit_every"):
            if name in options:
                raise TypeError(f"a crash search cuts and commits turns by itself; leave {name}= out")
        self.steps = 0
        self.places: list[str] = []
        self._crash_after = crash_after
        self._changed: tuple[Change, ...] = ()
        super().__init__(path, workflows, max_steps_per_turn=1, **options)
        self.on_change(self._note_changes)

    def _run_frame(self, budget: float | None) -> PumpReport:  # noqa: ARG002 - a machine's speed decides nothing here.
        """Run turns of one message until nothing waits that belongs to this frame."""
        total = report = self._run_step()
        ahead = FRAME_STEPS
        while report.carried_over and ahead > 0:
            waiting = report.carried_over
            report = self._run_step()
            # Timers that fired now were set in this frame; they wait behind what was there before them.
            ahead = min(ahead, waiting) - 1 if report.timers_fired else ahead - 1
            total = sum_reports(total, report)
        return total

    def _run_step(self) -> PumpReport:
        self._changed = ()
        report = super()._run_frame(None)
        if report.steps:
            self.steps += 1
            self.places.append(f"{self._place()}, at {round(self.now, 3)} s")
            if self.steps == self._crash_after:
                self.crash()
        return report

    def _note_changes(self, changes: tuple[Change, ...]) -> None:
        self._changed = changes

    def _place(self) -> str:
        """Say which workflow has just made a step; others that changed in the same turn have only been started."""
        if not self._changed:
            return "a call that changed no workflow"
        views = [self.get(change.workflow_id) for change in self._changed]
        moved = [view for view in views if view.line or view.status is not Status.SUSPENDED] or views
        return self._stand(moved[0])

    def _stand(self, view: WorkflowView) -> str:
        name = f"{view.type} {view.id}" + ("" if view.entity_id is None else f" (entity {view.entity_id})")
        if not view.line:
            return f"{name}, {view.status}"
        types = [item for item in self._workflows if isinstance(item, WorkflowType)]
        programs = {kind.name: kind.program for kind in types}
        program = ROUTINES.get(view.frames[-1].name) if view.frames else programs.get(view.type)
        file = "" if program is None else f"{Path(program.filename).name}:"
        return f"{name}, which then awaited {' or '.join(view.awaiting)} ({file}{view.line})"

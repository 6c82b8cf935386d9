"""The step recorder: stands between the actors and the stepper, and keeps what each step of a turn began on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ...actors import ActorSystem
from ...workflows.definition import Recorded
from ...workflows.instance import Instance
from ...workflows.messages import Message
from ...workflows.outbox import Neighbours
from ...workflows.tape import Recording
from ..row_buffer import RowBuffer
from .steps import Step


class StepRecorder:
    """Lets steps run, and records those that are to be recorded.

    Attributes:
        steps: of the turn, in order: (workflow id, message, answers, row before).
        last: those of which the last so many are kept: (how many, step as above).
    """

    def __init__(self, system: ActorSystem, rows: RowBuffer) -> None:
        self.steps: list[Step] = []
        self.last: list[tuple[int, Step]] = []
        self._system = system
        self._rows = rows
        self._recorded: Mapping[str, Recorded] = {}
        self._otherwise: Recorded = "off"
        outbox = system.stepper.outbox
        self._recording = Recording(outbox.neighbours, outbox.run_reducer)
        # It passes on what it does not have itself.
        outbox.neighbours = cast("Neighbours", self._recording)
        outbox.run_reducer = self._recording.run_reducer
        self._handle = system.handle
        system.handle = self.handle
        system.recorders.append(self)

    def record(self, recorded: Mapping[str, Recorded], otherwise: Recorded) -> None:
        """Record workflows from now on: as it is said of their type, or otherwise."""
        self._recorded, self._otherwise = recorded, otherwise
        for actor in self._system.directory.actors.values():
            # It may have gone on unrecorded.
            actor.instance.recorded = None

    def handle(self, instance: Instance, message: Message) -> bytes | None:
        """Let a step run, as `Stepper.handle` does, and record it if it changed its workflow."""
        recording = self._recording
        recorded = self._recorded.get(instance.type_name, self._otherwise)
        if recorded == "off":
            return self._handle(instance, message)
        if recording.answers:
            # Of a step that is not recorded, or a reducer that was called from outside.
            recording.answers = []
        # The store has it too, somewhere: to find it there takes as long as half a step.
        before = instance.recorded or self._rows.row(instance.workflow_id)
        row = self._handle(instance, message)
        if row is not None:
            instance.recorded = row
            step = (instance.workflow_id, message, recording.answers or None, before)
            if recorded == "all":
                self.steps.append(step)
            else:
                self.last.append((recorded, step))
        return row

    def note_made(self, instance: Instance) -> None:
        """Record that a workflow was made."""
        self._note(instance.type_name, (instance.workflow_id, None, None, None))

    def note_deleted(self, workflow_id: int, type_name: str, row: bytes) -> None:
        """Record that a workflow is deleted, whose row is as given."""
        self._note(type_name, (workflow_id, None, None, row))

    def _note(self, type_name: str, step: Step) -> None:
        recorded = self._recorded.get(type_name, self._otherwise)
        if recorded == "all":
            self.steps.append(step)
        elif recorded != "off":
            self.last.append((recorded, step))

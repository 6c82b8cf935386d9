"""The workflow actor: a pykka actor for each running workflow.

It takes messages from the run queue, lets the stepper run them, and puts what came of them where it belongs: the
row into the turn's buffer, the next due time into the wheel, sends and spawns into the run queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..workflows.instance import Instance
from ..workflows.messages import Message, Status
from ..workflows.signal import Signal
from .scheduler import RUNNING
from .world_actor import WorldActor

if TYPE_CHECKING:
    from .system import ActorSystem


class WorkflowActor(WorldActor):
    """One running workflow. Found through the directory, not through pykka's registry.

    `ref.tell(Stack(2))` is taken as `Runtime.signal(Stack(2), workflow_id=...)`: an input of the next turn.
    """

    __slots__ = ("instance", "system", "used")

    def __init__(self, system: ActorSystem, instance: Instance) -> None:
        # What `super().__init__` and `launch` do, without the calls: a world makes a million of these.
        self._scheduler = system.scheduler
        self._face = None
        self._life = RUNNING
        self.system = system
        self.instance = instance
        # Whether it has had a message since it was last asked whether it can leave; see `residents`.
        self.used = False

    def on_receive(self, message: Message) -> None:
        """Handle one message of the run queue; see `messages` for the kinds."""
        if type(message) is not tuple:
            self._receive_foreign(message)
            return
        self.used = True
        system = self.system
        instance = self.instance
        before = instance.status
        row = system.handle(instance, message)
        if row is None:
            if system.outbox.effects:
                system.apply_effects()
            return
        workflow_id = instance.workflow_id
        system.fresh[workflow_id] = row
        system.steps += 1
        if instance.unread is not None or system.crowded:
            system.mailboxes.note_unread(instance)
        if instance.status is not before:
            self._note_status(before)
        due_us = instance.due_us
        if due_us is not None:
            system.wheel.schedule(workflow_id, due_us)
        else:
            system.wheel.cancel(workflow_id)
        if system.outbox.effects:
            system.apply_effects()

    def _note_status(self, before: Status) -> None:
        """Enter or leave the directory: a workflow has ended or failed, or runs again."""
        instance = self.instance
        directory = self.system.directory
        if before is Status.SUSPENDED:
            directory.unindex(instance)
        elif instance.status is Status.SUSPENDED:
            directory.index(instance, again=True)
        directory.listings.change(instance.workflow_id, before, instance.status, instance.updated_us)
        if instance.status in (Status.COMPLETED, Status.CANCELLED):
            directory.actors.pop(instance.workflow_id, None)
            self.system.ended.add(self)
            if self._face is not None:
                # Whoever holds a reference sees it dead.
                self._end()

    def end(self) -> None:
        """Be dead for whoever holds a reference: the workflow is deleted."""
        self._end()

    def _receive_foreign(self, message: Any) -> None:
        if isinstance(message, Signal):
            self.system.take_foreign_signal(self.instance.workflow_id, message)
        else:
            super().on_receive(message)

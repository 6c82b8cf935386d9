"""The reducer actor: it runs the calls that come from outside, each as a message of the run queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..workflows.messages import CALL, Message
from .scheduled_actor import ScheduledActor

if TYPE_CHECKING:
    from .system import ActorSystem

WORLD_ID = 0
"""The address of the reducers, where a workflow id stands otherwise: no workflow has it."""


class ReducerActor(ScheduledActor):
    """Runs the world's reducers for callers outside of it."""

    registered: ClassVar[bool] = False

    def __init__(self, system: ActorSystem) -> None:
        super().__init__(system.scheduler)
        self._system = system

    def on_receive(self, message: Message) -> Any:
        """Run a call; its effects and its answer are the turn's."""
        if type(message) is not tuple or message[0] != CALL:
            return super().on_receive(message)
        system = self._system
        system.stepper.outbox.reducers.handle(message)
        system.steps += 1
        system.apply_effects()
        return None

    def on_failure(self, *fault: Any) -> None:
        """Hand a fault of the engine itself to the turn."""
        self._system.fault = fault[1]

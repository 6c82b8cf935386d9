"""The reducer actor: it runs the calls that come from outside, each as a message of the run queue."""

from __future__ import annotations

from typing import Any

from ..workflows.messages import CALL, Message
from .world_actor import WorldActor

WORLD_ID = 0
"""The address of the reducers, where a workflow id stands otherwise: no workflow has it."""


class ReducerActor(WorldActor):
    """Runs the world's reducers for callers outside of it."""

    __slots__ = ()

    def on_receive(self, message: Message) -> Any:
        """Run a call; its effects and its answer are the turn's."""
        if type(message) is not tuple or message[0] != CALL:
            return super().on_receive(message)
        system = self.system
        system.call(message)
        system.steps += 1
        system.apply_effects()
        return None

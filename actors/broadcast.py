"""Broadcasts: one published message on its way to its receivers, one delivery at a time.

A publish may reach a hundred thousand workflows. It stands in the run queue as one entry that holds the message and
the receivers that have not had it, and goes back to the head of the queue after each delivery: so the order is as if
every delivery had been queued by itself, a budget can cut anywhere, and what a cut leaves is one body and a list.
"""

from __future__ import annotations

from typing import Any

from ..workflows.messages import Message
from .world_actor import WorldActor


class Broadcast:
    """A message, and whom it still goes to."""

    __slots__ = ("at", "message", "receivers")

    def __init__(self, message: Message, receivers: list[int]) -> None:
        self.message = message
        self.receivers = receivers
        self.at = 0

    @property
    def waiting(self) -> list[int]:
        """The receivers that have not had it."""
        return self.receivers[self.at :]


class Broadcaster(WorldActor):
    """The actor that delivers a world's broadcasts."""

    __slots__ = ()

    def send(self, message: Message, receivers: list[int]) -> None:
        """Queue a broadcast; on the pump thread."""
        if receivers:
            self._scheduler.queue.append((self, Broadcast(message, receivers), None))

    def on_receive(self, message: Any) -> Any:
        """Deliver to the next receiver."""
        if not isinstance(message, Broadcast):
            return super().on_receive(message)
        number = message.receivers[message.at]
        message.at += 1
        if message.at < len(message.receivers):
            self._scheduler.queue.appendleft((self, message, None))
        receiver = self.system.receiver(number, message.message)
        if receiver is not None:
            receiver.on_receive(message.message)
        return None

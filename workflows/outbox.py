"""The outbox: what a step does to the world, buffered until the step has succeeded.

After a failed step it is emptied as if the step had never been.
"""

from __future__ import annotations

from typing import Any, Protocol

from .codec import Codec
from .context import Context
from .messages import Message
from .signal import Signal

# Effects, in the order in which the step made them.
TELL = 0
"""(TELL, workflow_id, message): to exactly this workflow."""
SEND = 1
"""(SEND, entity_id, correlation_id, message): to all active workflows there that accept the signal."""
SPAWN = 2
"""(SPAWN, instance, row): a new workflow, whose START follows."""
PUBLISH = 3
"""(PUBLISH, publisher_id, message): to all who subscribed to the signal, the publisher not among them."""
SUBSCRIBE = 4
"""(SUBSCRIBE, workflow_id, topic)"""
UNSUBSCRIBE = 5
"""(UNSUBSCRIBE, workflow_id, topic)"""


class Neighbours(Protocol):
    """What a step may ask of the world around its workflow. Answers are part of what replay must know."""

    def new_workflow_id(self) -> int:
        """Return an id that was never used."""
        ...

    def refusal(self, workflow_id: int, signal: type[Signal]) -> str | None:
        """Return why a workflow does not take a signal, or None if it does."""
        ...

    def check_room(
        self, workflow_id: int | None, entity_id: int | None, correlation_id: str | None, signal: type[Signal]
    ) -> None:
        """Raise `LimitError` if a receiver has too many unread signals."""
        ...

    def check_audience(self, message: Message, publisher_id: int, codec: Codec) -> None:
        """Raise `LimitError` if a subscriber has too many unread signals."""
        ...

    def last_row(self, workflow_id: int) -> bytes:
        """Return the row that the workflow's last successful step left."""
        ...

    def logger_of(self, context: Context, /) -> Any:
        """Return a logger bound to the workflow."""
        ...


class Outbox:
    """The effects of one step.

    Attributes:
        now_us: time of the current turn.
        effects: what the step has done so far.
    """

    def __init__(self) -> None:
        self.now_us = 0
        self.effects: list[tuple[Any, ...]] = []

    def take(self) -> list[tuple[Any, ...]]:
        """Hand the effects over and begin anew."""
        effects, self.effects = self.effects, []
        return effects

    def tell(self, workflow_id: int, message: Message) -> None:
        """Buffer a message of the engine's own."""
        self.effects.append((TELL, workflow_id, message))

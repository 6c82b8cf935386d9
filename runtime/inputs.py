"""Inputs: what the world outside asked for, in encoded form and in the order in which it was accepted.

They are what a turn takes, together with its time; the same inputs give the same turn.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..workflows.messages import Message


class StartInput(NamedTuple):
    """Start a workflow under an id that the caller already knows."""

    time_us: int
    workflow_id: int
    type_name: str
    arguments: bytes
    entity_id: int | None
    correlation_id: str | None


class ActivityInput(NamedTuple):
    """An activity ended: `outcome` is its packed result, or the text of its failure."""

    time_us: int
    activity_id: int
    workflow_id: int
    status: int
    outcome: bytes | str


class NamedInput(NamedTuple):
    """Another input was given a name by its caller."""

    time_us: int
    input_id: str
    record: bytes


MessageInput: TypeAlias = tuple[int | None, int | None, str | None, Message]
"""(workflow_id, entity_id, correlation_id, message): a signal, cancel or retry to one of the three kinds of address;
a signal to none is published."""

Input: TypeAlias = StartInput | ActivityInput | NamedInput | MessageInput


class TurnRecord(NamedTuple):
    """All that decides a turn: the same records on the same world give the same rows.

    Attributes:
        turn: its number.
        now_us: its time.
        inputs: what it took, in order.
        id_blocks: (first, length) of the id ranges it drew children's ids from.
        handled: how many messages it handled before it was quiet or out of budget.
        closing: it only took its inputs, as `close` does, and fired no timers.
    """

    turn: int
    now_us: int
    inputs: tuple[Input, ...]
    id_blocks: tuple[tuple[int, int], ...]
    handled: int
    closing: bool

    @property
    def following_id(self) -> int:
        """A workflow id that it has not used, nor any above."""
        starts = (given.workflow_id + 1 for given in self.inputs if isinstance(given, StartInput))
        return max((*starts, *(first + length for first, length in self.id_blocks)), default=0)

"""The outbox: what a step does to the world, buffered until the step has succeeded.

After a failed step it is emptied as if the step had never been.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from typing import Any, NamedTuple, Protocol

import msgpack

from .codec import Codec
from .context import Context
from .messages import Message
from .overlay import overlaid
from .retry import Retry
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
PUT = 6
"""(PUT, table, key, value): a row of a table; None deletes it."""
POST = 7
"""(POST, workflow_id, entity_id, correlation_id, message): to whom the one address of the three means."""
FIRE_ALL = 8
"""(FIRE_ALL,): every workflow's next timer is due."""
FORGET = 9
"""(FORGET, workflow_id): delete a workflow that has ended."""
REPLY = 10
"""(REPLY, ticket, answer, input_id): for whoever asked or called from outside."""


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

    def check_audience(self, message: Message, publisher_id: int | None, codec: Codec) -> None:
        """Raise `LimitError` if a subscriber has too many unread signals."""
        ...

    def read_table(self, table: str, key: bytes) -> bytes | None:
        """Return a row of a table as the steps before this one left it."""
        ...

    def scan_table(self, table: str, start: bytes, stop: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over rows of a table as the steps before this one left them."""
        ...

    def workflow_rows(self) -> Iterator[tuple[int, bytes]]:
        """Iterate over all workflows by ascending id."""
        ...

    def ended_before(self, before_us: int) -> list[int]:
        """Return the ids of workflows that ended before a time, ascending."""
        ...

    def find_row(self, workflow_id: int) -> bytes | None:
        """Return the row of a workflow, or None."""
        ...

    def next_timers(self) -> int:
        """Return how many workflows have a timer."""
        ...

    def last_row(self, workflow_id: int) -> bytes:
        """Return the row that the workflow's last successful step left."""
        ...

    def logger_for(self, sender: str, /) -> Any:
        """Return a logger bound to the caller of a reducer."""
        ...

    def logger_of(self, context: Context, /) -> Any:
        """Return a logger bound to the workflow."""
        ...


LAUNCH = 11
"""(LAUNCH, activity_id, record): begin an activity once this is durable."""
ABANDON = 12
"""(ABANDON, activity_id): nobody waits for an activity any more."""

ACTIVITY_TABLE = "activity"
"""The store's table of activities that have been asked for and have not ended; the key is the id, eight bytes."""


class ActivityRecord(NamedTuple):
    """An activity that was asked for; stored as a msgpack array, with the retry policy as one of its fields' values.

    Attributes:
        workflow_id, entity_id: who asked.
        name: of the activity.
        arguments: packed [args, kwargs].
        retry: how often it is tried.
        timeout_s: seconds that one try may take; None for any.
    """

    workflow_id: int
    entity_id: int | None
    name: str
    arguments: bytes
    retry: Retry
    timeout_s: float | None

    def pack(self) -> bytes:
        """Return the stored form."""
        packed: Any = msgpack.packb([*self[:4], list(astuple(self.retry)), self.timeout_s])
        return bytes(packed)

    @classmethod
    def unpack(cls, stored: bytes) -> ActivityRecord:
        """Return the record of its stored form."""
        workflow_id, entity_id, name, arguments, retry, timeout_s = msgpack.unpackb(stored)
        return cls(workflow_id, entity_id, name, arguments, Retry(*retry), timeout_s)


class Answer(NamedTuple):
    """What an ask or a call gives.

    Attributes:
        value: the packed result; None where there is none.
        problem: why there is none.
        error: the exception itself, for a caller in this process; no part of any record.
    """

    value: bytes | None
    problem: str
    error: BaseException | None = None


INPUT_TABLE = "input"
"""The store's table of inputs that were named by their callers."""


class InputRecord(NamedTuple):
    """What a world remembers of a named input; stored as a msgpack array.

    Attributes:
        time_us: when it was accepted.
        kind: "signal", "publish", "cancel", "start", "ask" or "call".
        ref: a start's workflow id, an ask's or call's ticket; else 0.
        turn: that took it.
        answer: None, or [packed value or None, problem].
    """

    time_us: int
    kind: str
    ref: int
    turn: int
    answer: list[Any] | None = None

    def pack(self) -> bytes:
        """Return the stored form."""
        packed: Any = msgpack.packb(list(self))
        return bytes(packed)

    @classmethod
    def unpack(cls, stored: bytes) -> InputRecord:
        """Return the record of its stored form."""
        return cls(*msgpack.unpackb(stored))


class Outbox:
    """The effects of one step. It is also the `TableSpace` of that step.

    Attributes:
        now_us: time of the current turn.
        effects: what the step has done so far.
        neighbours: the world around.
    """

    def __init__(self, neighbours: Neighbours) -> None:
        self.now_us = 0
        self.effects: list[tuple[Any, ...]] = []
        self.neighbours = neighbours
        # The latest of the PUT effects, for reading.
        self._written: dict[str, dict[bytes, bytes | None]] = {}

    def take(self) -> list[tuple[Any, ...]]:
        """Hand the effects over and begin anew."""
        effects, self.effects = self.effects, []
        if self._written:
            self._written = {}
        return effects

    def undo(self, mark: int) -> None:
        """Take back all effects but the first `mark`."""
        del self.effects[mark:]
        self._written = {}
        for effect in self.effects:
            if effect[0] == PUT:
                self._written.setdefault(effect[1], {})[effect[2]] = effect[3]

    def tell(self, workflow_id: int, message: Message) -> None:
        """Buffer a message of the engine's own."""
        self.effects.append((TELL, workflow_id, message))

    # -- tables --------------------------------------------------------------------------------------------

    def read(self, table: str, key: bytes) -> bytes | None:
        """Return a row as this step has it."""
        written = self._written.get(table)
        if written is not None and key in written:
            return written[key]
        return self.neighbours.read_table(table, key)

    def write(self, table: str, key: bytes, value: bytes | None) -> None:
        """Buffer a row."""
        self.effects.append((PUT, table, key, value))
        self._written.setdefault(table, {})[key] = value

    def scan(self, table: str, start: bytes, stop: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over rows as this step has them when the iteration begins."""
        stored = self.neighbours.scan_table(table, start, stop)
        return overlaid(stored, dict(self._written.get(table, {})), start, stop)

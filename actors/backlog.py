"""The backlog: what a turn leaves in the run queue, in stored form.

A world that is overloaded carries thousands of messages from turn to turn. Each is packed once, when it is first left
over; a turn pays for what it took from the queue and what it added, not for all that waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, KeysView
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from ..workflows.messages import TICK, pack_message
from .broadcast import Broadcast
from .reducer_actor import WORLD_ID, ReducerActor
from .workflow_actor import WorkflowActor

if TYPE_CHECKING:
    from .scheduler import Entry


class Carried(NamedTuple):
    """What a turn did not get to.

    Attributes:
        messages: each packed, [workflow_id, *message], a broadcast [[workflow_id, ...], *message].
        rearmed: ids of workflows whose timer is armed anew while a tick of theirs is among the messages.
    """

    messages: list[bytes]
    rearmed: list[int]


class Backlog:
    """Packs what is queued after each turn."""

    def __init__(self) -> None:
        # What was packed last; of each, its packed form, empty for what is not stored, and whose tick it is, or 0.
        self._entries: deque[Entry] = deque()
        self._packed: deque[bytes] = deque()
        self._ticks: deque[int] = deque()

    def pack(self, queue: deque[Entry], armed: KeysView[int]) -> Carried:
        """Return what is queued; `armed` are the workflows with an armed timer."""
        # Of a broadcast at the head the receivers change: those that have not had it are packed each time.
        head = [_pack(queue[0])] if queue and type(queue[0][1]) is Broadcast else []
        self._follow(queue, len(head))
        messages = [*head, *self._packed]
        if not all(messages):
            messages = [message for message in messages if message]
        return Carried(messages, sorted(armed & set(self._ticks)))

    def _follow(self, queue: deque[Entry], at: int) -> None:
        """Forget what is gone from the queue, from an index on, and pack what has come since."""
        entries, parts = self._entries, (self._entries, self._packed, self._ticks)
        first = queue[at] if at < len(queue) else None
        while entries and entries[0] is not first:
            for part in parts:
                part.popleft()
        new = len(queue) - at - len(entries)
        # Only its head is taken from a queue; where some were dropped from its midst, all is packed anew.
        if entries and (new < 0 or queue[at + len(entries) - 1] is not entries[-1]):
            for part in parts:
                part.clear()
            new = len(queue) - at
        for entry in reversed([*islice(reversed(queue), new)]):
            entries.append(entry)
            self._packed.append(_pack(entry))
            self._ticks.append(_tick_of(entry))


def _pack(entry: Entry) -> bytes:
    actor, message, _ = entry
    if isinstance(actor, ReducerActor):
        return pack_message(WORLD_ID, message)
    if isinstance(actor, WorkflowActor):
        return pack_message(actor.instance.workflow_id, message) if type(message) is tuple else b""
    return pack_message(message.waiting, message.message) if isinstance(message, Broadcast) else b""


def ticks_in(queue: Iterable[Entry]) -> set[int]:
    """Return of which workflows a tick is queued."""
    return {*map(_tick_of, queue)} - {0}


def _tick_of(entry: Entry) -> int:
    actor, message, _ = entry
    is_tick = isinstance(actor, WorkflowActor) and type(message) is tuple and message[0] == TICK
    return actor.instance.workflow_id if is_tick else 0  # type: ignore[attr-defined] # As was just seen.

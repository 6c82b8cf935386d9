"""The backlog: what a turn leaves in the run queue, in stored form.

A world that is overloaded carries thousands of messages from turn to turn. Each is packed once, when it is first left
over; a turn pays for what it took from the queue and what it added, not for all that waits.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
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
        ticked: ids of workflows whose timer has fired, is not armed anew, and whose tick is among the messages.
    """

    messages: list[bytes]
    ticked: list[int]


class Backlog:
    """Packs what is queued after each turn."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        # Of each of them: its packed form, empty for what is not stored, and whose tick it is, or 0.
        self._packed: list[bytes] = []
        self._ticks: list[int] = []

    def pack(self, queue: Iterable[Entry], armed: Container[int]) -> Carried:
        """Return what is queued; `armed` are the workflows with an armed timer."""
        entries = list(queue)
        # A broadcast at the head may have reached some of its receivers since.
        changed = 1 if entries and type(entries[0][1]) is Broadcast else 0
        gone, kept = _overlap(self._entries, entries, changed)
        packed = [_pack(entry) for entry in entries[:changed]]
        packed += self._packed[gone : gone + kept]
        packed += [_pack(entry) for entry in entries[changed + kept :]]
        ticks = [0] * changed
        ticks += self._ticks[gone : gone + kept]
        ticks += [_tick_of(entry) for entry in entries[changed + kept :]]
        self._entries, self._packed, self._ticks = entries, packed, ticks
        return Carried(
            [message for message in packed if message],
            sorted({number for number in ticks if number and number not in armed}),
        )


def _overlap(before: list[Entry], now: list[Entry], at: int) -> tuple[int, int]:
    """Say how many of the entries before are gone, and how many after them are still there, from `at` on."""
    if at < len(now):
        first = now[at]
        gone = next((index for index, entry in enumerate(before) if entry is first), len(before))
        kept = len(before) - gone
        # Only the head of a queue is taken; where some were dropped from its midst, all is packed anew.
        if kept and at + kept <= len(now) and now[at + kept - 1] is before[-1]:
            return gone, kept
    return 0, 0


def _pack(entry: Entry) -> bytes:
    actor, message, _ = entry
    if isinstance(actor, ReducerActor):
        return pack_message(WORLD_ID, message)
    if isinstance(actor, WorkflowActor):
        return pack_message(actor.instance.workflow_id, message) if type(message) is tuple else b""
    return pack_message(message.waiting, message.message) if isinstance(message, Broadcast) else b""


def _tick_of(entry: Entry) -> int:
    actor, message, _ = entry
    is_tick = isinstance(actor, WorkflowActor) and type(message) is tuple and message[0] == TICK
    return actor.instance.workflow_id if is_tick else 0  # type: ignore[attr-defined] # As was just seen.

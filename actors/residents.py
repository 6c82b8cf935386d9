"""Residents: which workflows are in memory, and which of them leave when there are too many.

A workflow's row is all that it is, so that one that nobody has addressed for a while need not be in memory: its
coroutine is closed, its actor forgotten, and its next message loads it again. Nothing that a world does or stores
depends on it.

Who has not been used for longest is found as by the hand of a clock: the actors stand in a line, each with a mark that
its messages set. One that comes up with the mark loses it and goes to the end; one without leaves. A message costs
one store, and a turn O(those that leave or had a message).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .scheduler import Entry
    from .workflow_actor import WorkflowActor

_SPARE = 64
"""How many ended actors may stand in the line, beside as many as are in memory."""


class Residents:
    """The workflow actors that are in memory.

    Attributes:
        actors: by workflow id; whoever ends one takes it out.
        most: how many may stay after a turn, None for any number.
    """

    def __init__(self, most: int | None) -> None:
        self.actors: dict[int, WorkflowActor] = {}
        self.most = most
        self._line: deque[WorkflowActor] = deque()

    def enter(self, actor: WorkflowActor) -> None:
        """Take in an actor that may leave: a new one, or one that may leave again."""
        self.actors[actor.instance.workflow_id] = actor
        if self.most is not None:
            self._line.append(actor)

    def settle(self, queue: Iterable[Entry]) -> None:
        """Let those leave that are too many, between two turns.

        Not those that have a message in the queue. Nor, for good, those to whom somebody outside may hold a pykka
        reference, since that must not outlive its actor, and those that are held, whom a reload has to find.
        """
        if self.most is None:
            return
        over = len(self.actors) - self.most
        if over > 0:
            self._passivate(over, {entry[0] for entry in queue})
        elif len(self._line) > 2 * len(self.actors) + _SPARE:
            self._line = deque(actor for actor in self._line if self._is_here(actor))

    def _passivate(self, over: int, queued: set[object]) -> None:
        line = self._line
        busy: list[WorkflowActor] = []
        while over and line:
            actor = line.popleft()
            if not self._is_here(actor):
                continue
            if actor.used:
                actor.used = False
                line.append(actor)
            elif actor in queued:
                busy.append(actor)
            elif not actor.referenced and actor.instance.held is None:
                actor.instance.chill()
                del self.actors[actor.instance.workflow_id]
                over -= 1
        line.extendleft(reversed(busy))

    def _is_here(self, actor: WorkflowActor) -> bool:
        return self.actors.get(actor.instance.workflow_id) is actor

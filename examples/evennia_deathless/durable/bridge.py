"""A world of Deathless inside a server that has a reactor of its own; it knows neither Evennia nor Twisted.

The reactor's thread pumps, since Evennia's objects may only be touched there. So `mirror` runs on that thread, after
the commit. A mirror assigns what it finds (`obj.db.hp = view.locals["hp"]`) and never adds to what is there: then it
does not matter if a crash comes between the commit and the mirror, for the next start mirrors everything again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from os import PathLike
from typing import Any

from deathless import Call, Change, GameClock, PumpReport, Runtime, WorkflowType, WorkflowView

BUDGET_S = 0.005
"""Of a turn, for steps: the reactor has other things to do."""


class Bridge:
    """A world that is open, with its time tied to the server's: it stands still while the server is down.

    Attributes:
        world: for `start`, `signal` and `cancel`.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        workflows: Iterable[WorkflowType[Any, Any]],
        mirror: Callable[[WorkflowView], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the world and mirror all that is active in it.

        Args:
            path: the world's directory.
            workflows: what may run in it.
            mirror: called with a workflow that a commit changed.
            clock: gives seconds that only grow.
        """
        self.world = Runtime(path, workflows, clock=GameClock())
        self._mirror = mirror
        self._clock = clock
        self._then = clock()
        for view in self.world.workflows(status="Suspended"):
            mirror(view)
        self.world.on_change(self._changed)

    def pump(self) -> PumpReport:
        """Let as much time pass in the world as has passed outside, and run a turn."""
        now = self._clock()
        elapsed, self._then = now - self._then, now
        return self.world.advance(elapsed, budget=BUDGET_S)

    def ensure(self, call: Call[Any], entity_id: int) -> None:
        """Start a workflow, unless its entity has an active one of this type."""
        self.world.start(call, entity_id=entity_id, on_conflict="existing")

    def close(self) -> None:
        """Commit what was accepted, and give the world up."""
        self.world.close()

    def _changed(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._mirror(self.world.get(change.workflow_id))

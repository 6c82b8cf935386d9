"""What surrounds a turn: one thread at a time, nobody looking, and no garbage collection inside."""

from __future__ import annotations

import gc
import threading

from ..actors import ActorSystem
from ..workflows.errors import WrongThreadError

FREEZE_AFTER = 5_000
"""New workflows in one turn from which on the garbage collector is told to leave them alone."""


class TurnAlone:
    """The right to run a turn: one thread at a time, and nobody looks meanwhile."""

    __slots__ = ("_pumping", "_quiet", "_system")

    def __init__(self, pumping: threading.Lock, quiet: threading.RLock, system: ActorSystem) -> None:
        self._pumping = pumping
        self._quiet = quiet
        self._system = system

    def __enter__(self) -> None:
        if not self._pumping.acquire(blocking=False):
            raise WrongThreadError(
                "pump is under way, in another thread or further up in this one; pump from one thread at a time"
            )
        self._quiet.acquire()
        self._system.scheduler.owner = threading.current_thread()

    def __exit__(self, *_: object) -> None:
        self._quiet.release()
        self._pumping.release()


class GcPolicy:
    """Keeps automatic garbage collection out of turns, and lets it skip what lives for long.

    A full collection takes longer than a frame: 100 ms with 50,000 workflows in memory.
    """

    __slots__ = ("_active", "_frozen", "_paused")

    def __init__(self, *, active: bool) -> None:
        self._active = active
        self._frozen = False
        self._paused = False

    def __enter__(self) -> None:
        """Pause collection, unless the program has switched it off itself."""
        self._paused = self._active and gc.isenabled()
        if self._paused:
            gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._paused:
            gc.enable()

    def settle(self, new_workflows: int) -> None:
        """Freeze what there is, after many workflows were made at once."""
        if self._active and new_workflows > FREEZE_AFTER:
            gc.freeze()
            self._frozen = True

    def release(self) -> None:
        """Let a closed world's objects be collected."""
        if self._frozen:
            gc.unfreeze()
            self._frozen = False

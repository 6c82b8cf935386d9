"""Clocks: where a world's time comes from.

Time is whole microseconds and never goes back. A `GameClock` moves only when the game says so; a `WallClock` is
the computer's, so that a timer set before a crash is due when the clock on the wall says so.
"""

from __future__ import annotations

import time
from typing import Protocol

from ..workflows.sources import to_us


class Clock(Protocol):
    """What a Runtime needs of a clock.

    Attributes:
        kind: stored in the world; another kind is refused when it is opened.
    """

    kind: str

    def now_us(self) -> int:
        """Return the time in microseconds."""
        ...

    def resume(self, now_us: int, offset_us: int) -> None:
        """Go on from the time at which the world stopped, with the offset that `rebase` gave it."""
        ...

    def rebase(self, now_us: int) -> int:
        """Let the time now be this one, and return the offset that `resume` will need."""
        ...


class WallClock:
    """The computer's clock, in microseconds since 1970. Downtime counts.

    Where the computer's clock is set back, world time goes on from where it was, at the clock's pace, until the world
    is opened anew.
    """

    kind = "wall"

    def __init__(self) -> None:
        self._last_us = 0
        self._shift_us = 0

    def now_us(self) -> int:
        """Return the time."""
        wall_us = time.time_ns() // 1000
        now_us = wall_us + self._shift_us
        if now_us < self._last_us:
            now_us = self._last_us
            self._shift_us = now_us - wall_us
        self._last_us = now_us
        return now_us

    def resume(self, now_us: int, offset_us: int) -> None:
        """Never show a time before the world's last turn."""
        self._shift_us = offset_us
        self._last_us = now_us

    def rebase(self, now_us: int) -> int:
        """Go on from `now_us` at the pace of the computer's clock."""
        self.resume(now_us, now_us - time.time_ns() // 1000)
        return self._shift_us


class GameClock:
    """The game's time, from 0 or from where the world stopped. Only `advance` moves it."""

    kind = "game"

    def __init__(self) -> None:
        self._now_us = 0

    def now_us(self) -> int:
        """Return the game's time in microseconds."""
        return self._now_us

    def resume(self, now_us: int, offset_us: int) -> None:  # noqa: ARG002 - its time is its own.
        """Go on from the world's last turn."""
        self._now_us = now_us

    def rebase(self, now_us: int) -> int:
        """Go on from `now_us`."""
        self._now_us = now_us
        return 0

    def advance(self, seconds: float) -> int:
        """Move time on and return it in microseconds.

        Raises:
            ValueError: a negative or unbounded time.
        """
        if seconds < 0:
            raise ValueError(f"time never goes back; advance takes at least 0 seconds, not {seconds!r}")
        self._now_us += to_us(seconds, "advance")
        return self._now_us

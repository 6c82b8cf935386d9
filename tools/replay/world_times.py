"""Times of a world, as people write and read them: seconds on a game clock, dates on a wall clock."""

from __future__ import annotations

import math
from datetime import UTC, datetime, time

from ...runtime.world_state import WorldState
from ...workflows.sources import US

WALL = "wall"


class WorldTimes:
    """Reads and writes times of one world."""

    def __init__(self, state: WorldState) -> None:
        self._wall = state.clock == WALL
        self._last_s = state.now_us / US

    def parse(self, text: str) -> float:
        """Return a time in seconds of world time.

        Args:
            text: seconds; on a wall clock also an ISO 8601 date with or without a time, or a time of the day of the
                world's last turn; in UTC where no offset is given.

        Raises:
            ValueError: it is none of these.
        """
        try:
            seconds = float(text)
        except ValueError:
            if not self._wall:
                raise ValueError(
                    f"{text!r} is not a number of seconds, as times of a game clock are"
                ) from None
            return self._parse_date(text)
        if not 0 <= seconds < math.inf:
            raise ValueError(f"{text!r} is not a time: give seconds of world time from 0 up")
        return seconds

    def _parse_date(self, text: str) -> float:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            try:
                moment = datetime.combine(datetime.fromtimestamp(self._last_s, UTC), time.fromisoformat(text))
            except ValueError:
                raise ValueError(
                    f"{text!r} is not a time: give seconds since 1970, or a date such as 2026-01-31T12:34:56"
                ) from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

    def show(self, seconds: float) -> str:
        """Return a time as text: `12.5 s` or `2026-01-31T12:34:56.500Z`."""
        if not self._wall:
            return duration(seconds)
        try:
            shown = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
        except (ValueError, OverflowError, OSError):
            # A timer may be due after the year 9999.
            return duration(seconds)
        return shown.replace("+00:00", "Z")

    def show_us(self, micros: int) -> str:
        """Return a time that is given in microseconds."""
        return self.show(micros / US)


def duration(seconds: float) -> str:
    """Return seconds as text, to the microsecond: `12.5 s`."""
    text = f"{seconds:.6f}".rstrip("0")
    return f"{text}0 s" if text.endswith(".") else f"{text} s"

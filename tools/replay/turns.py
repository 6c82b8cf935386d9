"""The turns of a world that are kept, and when they were: what a slider moves over."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import Self

from .saved_world import SavedWorld


class Turns:
    """The turns of the log, oldest first, and the world's last turn; turns in which nothing happened are not kept.

    Places are indexes from 0 up: turn `numbers[place]` was at `times_us[place]`.

    Attributes:
        numbers: the turns, ascending.
        times_us: the time of each, in microseconds of world time.
        handled: how many messages each handled.
    """

    def __init__(self) -> None:
        self.numbers = array("Q")
        self.times_us = array("q")
        self.handled = array("Q")

    @classmethod
    def of(cls, world: SavedWorld) -> Self:
        """Read when each turn was; of what it was given nothing is read."""
        turns = cls()
        # First: what a world that runs adds meanwhile is left out, so that all that is shown is of one time.
        last = world.state
        for head in world.turn_heads():
            if head.turn <= last.turn:
                turns._append(head.turn, head.now_us, head.handled)
        if not turns.numbers or turns.last < last.turn:
            turns._append(last.turn, last.now_us, 0)
        return turns

    def _append(self, number: int, now_us: int, handled: int) -> None:
        self.numbers.append(number)
        self.times_us.append(now_us)
        self.handled.append(handled)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def last(self) -> int:
        """The last turn."""
        return self.numbers[-1]

    def place_of(self, turn: int) -> int:
        """Return the place of a turn, or of the last one before it; 0 before the oldest."""
        return max(0, bisect_right(self.numbers, turn) - 1)

    def place_at(self, time_us: int) -> int:
        """Return the place of the last turn at a time or before it; 0 before the oldest."""
        return max(0, bisect_right(self.times_us, time_us) - 1)

    def turn_of(self, time_us: int, recorded: int | None) -> int:
        """Return the turn in which something happened that has a time and no turn.

        Args:
            time_us: when it happened: at the time of its turn, or between that and the turn before.
            recorded: the turn of a step that may have been it. It decides among turns at the same time.
        """
        first = bisect_left(self.times_us, time_us)
        after = bisect_right(self.times_us, time_us)
        if recorded is not None and recorded in self.numbers[first : after + 1]:
            return recorded
        return self.numbers[min(first, len(self) - 1)]

"""Workflow ids: from 1 up, never reused, not even those that a crash kept from ever reaching the disk.

The store holds a limit; ids below it may have been handed out. It is raised long before it
is reached, by a commit of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

RESERVE = 65_536
"""Ids by which the stored limit runs ahead; a crash leaves a gap of at most this and a block."""
BLOCK = 64
"""Ids that a turn takes at a time for its children, so that their numbers do not depend on other threads."""


class IdAllocator:
    """Hands out ids; the caller holds the lock that guards it.

    Attributes:
        limit: the stored limit.
    """

    def __init__(self, limit: int, reserve: Callable[[int], None]) -> None:
        """Start after everything that an earlier run may have handed out.

        Args:
            limit: as stored.
            reserve: makes a new limit durable before it returns.
        """
        self.limit = limit
        self._next = limit
        self._reserve = reserve

    def take(self, count: int = 1) -> int:
        """Return the first of `count` new ids."""
        first = self._next
        if first + count > self.limit:
            limit = first + count + RESERVE
            self._reserve(limit)
            self.limit = limit
        self._next = first + count
        return first

    def pass_over(self, following: int) -> None:
        """Hand out no id below this one: replayed turns have used them, which drew theirs in another world."""
        if following > self.limit:
            limit = following + RESERVE
            self._reserve(limit)
            self.limit = limit
        self._next = max(self._next, following)

    def top_up(self) -> None:
        """Store a higher limit while there still are ids, so that no step has to."""
        if self.limit - self._next < RESERVE // 2:
            limit = self._next + RESERVE
            self._reserve(limit)
            self.limit = limit

    @property
    def following(self) -> int:
        """The next id; stored by a clean close, which so leaves no gap."""
        return self._next


class BlockIds:
    """The ids of children, drawn from blocks that become part of the turn's record."""

    def __init__(self, take_block: Callable[[int], int]) -> None:
        self._take_block = take_block
        self._next = 0
        self._end = 0
        self._given: deque[tuple[int, int]] = deque()
        self.blocks: list[tuple[int, int]] = []

    def __call__(self) -> int:
        """Return a new id."""
        if self._next == self._end:
            first, length = self._given.popleft() if self._given else (self._take_block(BLOCK), BLOCK)
            self.blocks.append((first, length))
            self._next, self._end = first, first + length
        number = self._next
        self._next += 1
        return number

    def begin(self, given: tuple[tuple[int, int], ...] = ()) -> None:
        """Begin a turn: forget the rest of the last block, which a crash loses too, and draw from `given` first."""
        self._next = self._end = 0
        self._given = deque(given)
        self.blocks = []

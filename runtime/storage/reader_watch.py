"""Who reads a world for long: a reader keeps every page that it can see from being used again, and the world grows."""

from __future__ import annotations

import math
from typing import NamedTuple

from .store import Store

LOOK_EVERY_S = 60.0


class LongReader(NamedTuple):
    """A reader that has stood still since the last look; `behind` is how many transactions were made since it began."""

    pid: int
    behind: int


class ReaderWatch:
    """Looks at the readers of a store now and then, and frees the places of those whose process has died."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next_s = -math.inf
        self._seen: set[tuple[int, str, int]] = set()

    def due(self, now_s: float) -> bool:
        """Say whether it is time for a look, and if so, set the time of the next one."""
        if now_s < self._next_s:
            return False
        self._next_s = now_s + LOOK_EVERY_S
        return True

    def look(self) -> tuple[int, list[LongReader]]:
        """Return how many dead readers were freed, and who has read since the last look."""
        dead = self._store.check_readers()
        readers, last = self._store.readers()
        long = [LongReader(one[0], last - one[2]) for one in readers if one in self._seen and one[2] < last]
        self._seen = set(readers)
        return dead, long

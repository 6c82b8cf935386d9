"""How often a value was how large, in bounded memory: buckets of equal ratio.

A fixed set of buckets covers a microsecond to more than a day, each 2% wider than the one before; a percentile is off
by at most that. Merging is adding. `hdrhistogram` does the same behind a C extension and 4 MB of counters for as many
digits; here the counts are a dictionary of the few hundred buckets in use, and the file has no dependency.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

RATIO = 1.02
"""Of a bucket's bounds: how far a percentile may be off."""
LEAST_S = 1e-6
MOST_S = 1e6

_LOG = math.log(RATIO)
_LAST = math.ceil(math.log(MOST_S / LEAST_S) / _LOG)


class Histogram:
    """Counts of seconds.

    Attributes:
        count: how many values.
        worst_s: the largest, exactly; 0.0 where there is none.
    """

    __slots__ = ("_buckets", "count", "worst_s")

    def __init__(self) -> None:
        self.count = 0
        self.worst_s = 0.0
        self._buckets: dict[int, int] = {}

    def add(self, value_s: float, times: int = 1) -> None:
        """Count a value, in seconds; less than a microsecond counts as none at all."""
        at = 0 if value_s < LEAST_S else min(1 + int(math.log(value_s / LEAST_S) / _LOG), _LAST)
        self._buckets[at] = self._buckets.get(at, 0) + times
        self.count += times
        self.worst_s = max(self.worst_s, value_s)

    def merge(self, other: Histogram) -> None:
        """Add all that another counted."""
        for at, times in other._buckets.items():
            self._buckets[at] = self._buckets.get(at, 0) + times
        self.count += other.count
        self.worst_s = max(self.worst_s, other.worst_s)

    def percentile(self, percent: float) -> float | None:
        """Return the value that `percent` of all do not exceed, in seconds; None where there is none."""
        if not self.count:
            return None
        wanted = max(1, math.ceil(self.count * percent / 100))
        if wanted >= self.count:
            return self.worst_s
        seen = 0
        for at in sorted(self._buckets):
            seen += self._buckets[at]
            if seen >= wanted:
                return min(_upper_s(at), self.worst_s)
        raise AssertionError("the buckets hold as many as were counted")

    def bars(self, width: int) -> Iterator[tuple[float, float, int]]:
        """Give (least, most, count), bounds in seconds, of each bar in use; one is `width` buckets wide."""
        counts: dict[int, int] = {}
        for at, times in self._buckets.items():
            counts[at // width] = counts.get(at // width, 0) + times
        for at in sorted(counts):
            yield LEAST_S * RATIO ** (at * width - 1), LEAST_S * RATIO ** (at * width + width - 1), counts[at]


def _upper_s(at: int) -> float:
    return LEAST_S * RATIO**at if at else 0.0

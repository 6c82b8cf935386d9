"""Meters: what a running world counts of itself, a turn at a time.

A step is never timed by itself: two readings of a clock cost a tenth of one. A turn is, and its steps share its time.
What is counted for each message is one addition. Whoever reads the meters takes no lock, so that a scrape never waits
for a turn, and a turn never for a scrape; it may see a turn that is half counted.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from .reports import Distribution

INPUT_KINDS: Final[tuple[str, ...]] = (
    "start",
    "signal",
    "ask",
    "publish",
    "call",
    "cancel",
    "retry",
    "activity",
)
"""What an input may be; the last is the result of one, and never refused."""

TURN_BOUNDS_S: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.0167, 0.025, 0.0333),
    *(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
"""Two of them are frames: of 60 and of 30 a second."""
STEP_BOUNDS_S: Final = (
    *(0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005),
    *(0.001, 0.0025, 0.005, 0.01, 0.1, 1.0),
)
LATENESS_BOUNDS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 60.0, 3600.0)

_US: Final = 1_000_000
_NS: Final = 1_000_000_000


class Buckets:
    """How often a value was how large: a count for each bound that it does not exceed, and one for all larger ones."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Create it empty; `bounds` ascend."""
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def add(self, value: float, times: int = 1) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times

    def add_ages(self, times_us: Sequence[tuple[int, int]], now_us: int) -> None:
        """Count how long ago each of many times was; of ascending pairs, the first is the time in microseconds.

        It costs a search for each bound, and not one for each time.
        """
        if not times_us:
            return
        end = len(times_us)
        for at, bound in enumerate(self.bounds):
            # As old as the bound, or younger.
            first = bisect_left(times_us, (now_us - round(bound * _US),), 0, end)
            self.counts[at] += end - first
            end = first
        self.counts[-1] += end
        self.total += sum(now_us - due_us for due_us, _ in times_us) / _US

    def read(self) -> Distribution:
        """Copy it."""
        return Distribution(self.bounds, tuple(self.counts), self.total)


class Meters:
    """What one open world has counted since it was opened.

    Attributes:
        turns, handled, steps, timers_fired: turns, their messages, those that changed a workflow, and due timers.
        commits: transactions.
        accepted, refused: inputs by kind; a refused one raised at the call.
        turn_s: seconds of a turn, its commit not counted.
        commit_s: seconds of a commit.
        step_s: seconds of a step: those of its turn, shared among the messages of it.
        input_s: seconds from the call that made the oldest input of a turn to the end of that turn's steps.
        lateness_s: world seconds from when a timer was due to the turn that fired it.
        oldest_ns: when the oldest input that waits was accepted, on `time.perf_counter_ns`; 0 where none does.
        ended_ns: when the last turn's steps were over, on the same clock; before the first, when the world was opened.
        carried_over: messages that it did not get to.
    """

    def __init__(self) -> None:
        self.turns = self.handled = self.steps = self.timers_fired = self.commits = 0
        self.accepted: dict[str, int] = dict.fromkeys(INPUT_KINDS, 0)
        self.refused: dict[str, int] = dict.fromkeys(INPUT_KINDS[:-1], 0)
        self.turn_s = Buckets(TURN_BOUNDS_S)
        self.commit_s = Buckets(TURN_BOUNDS_S)
        self.step_s = Buckets(STEP_BOUNDS_S)
        self.input_s = Buckets(TURN_BOUNDS_S)
        self.lateness_s = Buckets(LATENESS_BOUNDS_S)
        self.oldest_ns = 0
        self.ended_ns = time.perf_counter_ns()
        self.carried_over = 0
        # As `oldest_ns`, of the inputs of the turn that is under way.
        self._taken_ns = 0

    def note_taken(self) -> None:
        """Note that a turn has taken the inputs that waited."""
        self._taken_ns, self.oldest_ns = self.oldest_ns, 0

    def note_turn(
        self,
        began_ns: int,
        ended_ns: int,
        handled: int,
        *,
        steps: int,
        timers_fired: int,
        carried_over: int,
    ) -> None:
        """Count a turn, from its beginning to the end of its steps on `time.perf_counter_ns`."""
        took_s = (ended_ns - began_ns) / _NS
        self.turns += 1
        self.ended_ns = ended_ns
        self.carried_over = carried_over
        self.steps += steps
        self.timers_fired += timers_fired
        self.turn_s.add(took_s)
        if handled:
            self.handled += handled
            self.step_s.add(took_s / handled, handled)
        if self._taken_ns:
            self.input_s.add((ended_ns - self._taken_ns) / _NS)

    def note_commit(self, took_s: float) -> None:
        """Count a commit."""
        self.commits += 1
        self.commit_s.add(took_s)

"""Dormant timers: those of stored workflows, which nobody has armed since the world was opened.

To put a million of them into the wheel takes longer than anybody wants to wait for the first step, and more memory
than their workflows do, while most come due much later. So a start of the world only looks when the first timer of
each stretch of rows is due; a stretch is armed, each workflow by what its row then says, when that time has come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from heapq import heappop, heappush

from ..workflows.messages import STATUS_CODE, Status
from ..workflows.rows import glance
from .timer_wheel import TimerWheel

_SUSPENDED = STATUS_CODE[Status.SUSPENDED]


class DormantTimers:
    """Stretches of workflow ids, by when the first timer in each is due."""

    def __init__(self, wheel: TimerWheel, rows_of: Callable[[int, int], Iterator[tuple[int, bytes]]]) -> None:
        """Create it without stretches.

        Args:
            wheel: where timers are armed.
            rows_of: gives the latest rows from one workflow id up to, and without, another.
        """
        self._wheel = wheel
        self._rows_of = rows_of
        self._stretches: list[tuple[int, int, int]] = []

    def __bool__(self) -> bool:
        return bool(self._stretches)

    def add(self, due_us: int, first_id: int, following_id: int) -> None:
        """Add the stretch of ids from one up to, and without, another, of which no timer is due before `due_us`."""
        heappush(self._stretches, (due_us, first_id, following_id))

    def next_due(self) -> int | None:
        """Return when the next stretch is to be armed; no timer in it is due before."""
        return self._stretches[0][0] if self._stretches else None

    def arm(self, now_us: int | None, fired: Callable[[], Collection[int]]) -> None:
        """Arm the stretches that are due by now, or all of them where `now_us` is None.

        Args:
            now_us: the time.
            fired: tells whose timer has fired and whose tick is on its way: it must not be armed again.
        """
        stretches = self._stretches
        if not stretches or (now_us is not None and stretches[0][0] > now_us):
            return
        on_its_way = fired()
        armed: list[tuple[int, int]] = []
        while stretches and (now_us is None or stretches[0][0] <= now_us):
            _, first_id, following_id = heappop(stretches)
            for workflow_id, row in self._rows_of(first_id, following_id):
                due_us, status, _ = glance(row)
                if due_us is not None and status == _SUSPENDED and workflow_id not in on_its_way:
                    armed.append((workflow_id, due_us))
        self._wheel.schedule_many(armed)

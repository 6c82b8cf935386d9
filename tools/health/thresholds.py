"""From when on a condition is trouble."""

from __future__ import annotations

from dataclasses import dataclass

from ...runtime.census import LATE_S, UNTOUCHED_S


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is still healthy: a value is trouble where it is larger.

    Attributes:
        stuck: workflows for which nothing can go on.
        overdue: timers that should have fired.
        late_s: seconds of world time after which one should have.
        failure_rate: share of the workflows that have failed.
        untouched_s: seconds of world time after which an active workflow without a change is untouched; None to not
            look.
        untouched_alerts: whether one is an alert. By default it is a warning: who waits for a player's signal may do
            so for days.
        silent_s: real seconds since the last turn, or from outside the last commit, of a world that somebody runs.
        room: share of what the world may take that is taken.
        reader_lag: commits since the oldest open reader began, which keeps their pages from being used again.
        must_run: whether a world that nobody runs is an alert.
    """

    stuck: int = 0
    overdue: int = 0
    late_s: float = LATE_S
    failure_rate: float = 0.01
    untouched_s: float | None = UNTOUCHED_S
    untouched_alerts: bool = False
    silent_s: float = 30.0
    room: float = 0.8
    reader_lag: int = 1000
    must_run: bool = False

    @property
    def shown_untouched_s(self) -> float:
        """Return what counts as untouched, even where it is not looked at."""
        return UNTOUCHED_S if self.untouched_s is None else self.untouched_s

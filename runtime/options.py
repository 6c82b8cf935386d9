"""`Options`: how a world runs, checked before anything is opened."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..workflows.definition import MOST_KEPT, Recorded, is_recorded
from ..workflows.limits import MAX_ID, Limits
from ..workflows.sources import LONGEST_S, US
from .history.retention import Retention
from .inputs import TurnRecord

MAX_STEPS_PER_TURN = 100_000
MAX_WORKERS = 1_000


@dataclass(frozen=True, slots=True)
class Options:
    """How a world runs; what each means is at `Runtime`.

    Raises:
        ValueError, TypeError: an option of the wrong kind or out of range.
    """

    commit_every: float
    seed: int
    limits: Limits
    paranoid: bool
    rebase: bool
    tick: float
    max_steps_per_turn: int
    manage_gc: bool
    activity_workers: int
    on_turn: Callable[[TurnRecord], None] | None
    slow_step: float | None
    max_resident: int | None
    prune_after: float | None
    history: Recorded
    retention: Retention
    audit: bool
    audit_retention: Retention

    def __post_init__(self) -> None:
        """Check each."""
        if not 0 <= self.commit_every < math.inf:
            raise ValueError(f"commit_every is at least 0.0 seconds, not {self.commit_every!r}")
        if not 1 / US <= self.tick <= 1.0:
            raise ValueError(f"tick is from a microsecond to 1.0 second, not {self.tick!r}")
        if type(self.max_steps_per_turn) is not int or self.max_steps_per_turn < 1:
            raise ValueError(
                f"max_steps_per_turn is a whole number from 1 up, not {self.max_steps_per_turn!r}"
            )
        if type(self.activity_workers) is not int or not 1 <= self.activity_workers <= MAX_WORKERS:
            raise ValueError(
                f"activity_workers is a whole number from 1 to {MAX_WORKERS}, not {self.activity_workers!r}"
            )
        if type(self.seed) is not int or not 0 <= self.seed <= MAX_ID:
            raise ValueError(f"seed is a whole number from 0 to 2**64 - 1, not {self.seed!r}")
        if not isinstance(self.limits, Limits):
            raise TypeError(f"limits is a Limits(...), not {self.limits!r}")
        if self.max_resident is not None and (type(self.max_resident) is not int or self.max_resident < 0):
            raise ValueError(f"max_resident is a whole number from 0 up, or None, not {self.max_resident!r}")
        if self.prune_after is not None and not 0 <= self.prune_after < LONGEST_S:
            raise ValueError(
                f"prune_after is a number of seconds from 0.0 up, or None, not {self.prune_after!r}"
            )
        if not is_recorded(self.history):
            raise ValueError(
                f"history is 'off', 'all' or a whole number from 1 to {MOST_KEPT:,}, not {self.history!r}"
            )
        if type(self.audit) is not bool:
            raise TypeError(f"audit is True or False, not {self.audit!r}")
        for name in ("retention", "audit_retention"):
            value = getattr(self, name)
            if not isinstance(value, Retention):
                raise TypeError(f"{name} is a Retention(...), not {value!r}")
        if self.slow_step is not None and not 0 < self.slow_step < math.inf:
            raise ValueError(f"slow_step is a number of seconds over 0.0, or None, not {self.slow_step!r}")
        if self.on_turn is not None and not callable(self.on_turn):
            raise TypeError(f"on_turn is a function of a TurnRecord, not {self.on_turn!r}")

    @property
    def tick_us(self) -> int:
        """Width of the wheel's slots in microseconds."""
        return round(self.tick * US)

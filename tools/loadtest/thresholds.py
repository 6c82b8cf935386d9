"""Thresholds: what a load test must meet, by names such as `p99_frame_ms`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PERCENTILES = (50, 90, 99)
DISTRIBUTIONS = ("frame", "commit", "latency", "lateness")

AT_MOST = frozenset(
    {f"p{percent}_{name}_ms" for percent in PERCENTILES for name in DISTRIBUTIONS}
    | {f"max_{name}_ms" for name in DISTRIBUTIONS}
    | {"max_memory_mb", "max_world_mb", "max_recovery_s", "max_failed", "max_refused", "max_unknown"}
    | {"max_carried_over"}
)
AT_LEAST = frozenset({"min_steps_per_s", "min_starts_per_s", "min_frames_per_s", "min_kills"})
NAMES = AT_MOST | AT_LEAST

ALWAYS = {"max_failed": 0.0, "max_unknown": 0.0}
"""Thresholds that a scenario need not name, but may set otherwise."""
WITH_KILLS = {"min_kills": 1.0}
"""As before, of scenarios with kills: none of them proves nothing."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A threshold and what was measured.

    Attributes:
        name: as the scenario has it.
        limit: the most or the least that is allowed.
        measured: None where nothing was measured, which meets no threshold.
        met: whether it was.
    """

    name: str
    limit: float
    measured: float | None
    met: bool


def judge(thresholds: Mapping[str, float], measured: Mapping[str, float | None]) -> list[Judged]:
    """Compare each threshold with the figure of its name."""
    found = []
    for name, limit in {**ALWAYS, **thresholds}.items():
        value = measured.get(name)
        met = value is not None and (value <= limit if name in AT_MOST else value >= limit)
        found.append(Judged(name, limit, value, met))
    return found

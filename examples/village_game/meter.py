"""The figures that the village shows of itself."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from deathless import PumpReport

WINDOW_S = 5.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Rates over the last seconds; frame times in milliseconds, without the drawing; the world in megabytes."""

    turn: int
    steps_per_s: float
    commits_per_s: float
    frame_p50_ms: float
    frame_p99_ms: float
    world_mb: float


class Meter:
    """Keeps the reports of the last seconds."""

    def __init__(self, world: Path) -> None:
        self._world = world
        self._frames: deque[tuple[float, float, PumpReport]] = deque()
        self._size_mb = 0.0
        self._sized_at = 0.0

    def note(self, report: PumpReport, frame_s: float) -> None:
        """Take a frame into account."""
        now = time.monotonic()
        self._frames.append((now, frame_s, report))
        while self._frames[0][0] < now - WINDOW_S:
            self._frames.popleft()
        if now - self._sized_at >= 1.0:
            self._sized_at = now
            self._size_mb = sum(file.stat().st_size for file in self._world.iterdir() if file.is_file()) / 1e6

    def figures(self) -> Figures:
        """Return the figures; at least one frame was noted."""
        spent = max(self._frames[-1][0] - self._frames[0][0], 1e-3)
        times = sorted(frame_s * 1e3 for _, frame_s, _ in self._frames)
        reports = [report for _, _, report in self._frames]
        return Figures(
            turn=reports[-1].turn,
            steps_per_s=sum(report.steps for report in reports) / spent,
            commits_per_s=sum(report.commit_s > 0 for report in reports) / spent,
            frame_p50_ms=times[len(times) // 2],
            frame_p99_ms=times[len(times) * 99 // 100],
            world_mb=self._size_mb,
        )

"""What a load test measures: distributions in bounded memory, and a sample a second."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .frames import Frame
from .histogram import Histogram

MOST_SAMPLES = 1_200
"""More than these are merged two by two, so that a run of days stays in memory and on a page."""

LEAST_SAMPLE_S = 0.25
"""A shorter rest of a phase counts in the sums and is no sample: its rates would be noise."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A kill of the world's process.

    Attributes:
        at_s: when, in seconds since the run began.
        recovery_s: from the kill until the first frame of the next process was committed.
        open_s: of that, `Runtime(...)`.
        workflows: active ones that were there again.
        sent_again: inputs that came again: not acknowledged, or just before the kill; older ones not counted.
    """

    at_s: float
    recovery_s: float
    open_s: float
    workflows: int
    sent_again: int


@dataclass(slots=True)
class Sample:
    """A second, or a longer period. Rates are a second's; of the rest each is the highest, in the unit of its name.

    Attributes:
        at_s: the end of it, in seconds since the run began.
        load: whether the load was on; starts in bulk before it are like nothing after them.
    """

    at_s: float
    load: bool
    steps_per_s: float
    starts_per_s: float
    inputs_per_s: float
    frames_per_s: float
    live: int
    failed: int
    frame_p50_ms: float | None
    frame_p99_ms: float | None
    frame_max_ms: float | None
    commit_p99_ms: float | None
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    lateness_p99_ms: float | None
    memory_mb: float | None
    world_mb: float | None


_DISTRIBUTIONS = ("frame", "commit", "latency", "lateness")


@dataclass(slots=True)
class Totals:
    """Sums of a run's load, what came before and after it left out."""

    seconds: float = 0.0
    frames: int = 0
    steps: int = 0
    timers: int = 0
    starts: int = 0
    acknowledged: int = 0


class Measures:
    """Takes frames and acknowledgements, and keeps what comes of them.

    Attributes:
        load: sums over the time of the load.
        frame, commit, latency, lateness: of the load, in seconds.
        frame_kills, latency_kills, lateness_kills: of what a kill came between, which the former leave out.
        populated, populate_s: how many workflows were started before the load, and in how long.
        samples: one a period.
        kills: in order.
        live, carried_over: as of the last frame.
        carried_over_peak: the most messages that a frame of the load left for the next.
        memory_b, world_b: of the last look; memory_peak_b, world_peak_b: the highest.
    """

    def __init__(self) -> None:
        self.load = Totals()
        self.frame, self.commit, self.latency, self.lateness = (Histogram() for _ in _DISTRIBUTIONS)
        self.frame_kills, self.latency_kills, self.lateness_kills = (Histogram() for _ in range(3))
        self.populated, self.populate_s = 0, 0.0
        self.samples: list[Sample] = []
        self.kills: list[Kill] = []
        self.live = self.carried_over = self.carried_over_peak = 0
        self.failed_before = self._failed_now = 0
        self.memory_b: int | None = None
        self.world_b: int | None = None
        self.memory_peak_b = self.world_peak_b = 0
        self.period_s = 1.0
        self._loading = False
        self._sample_from_s = 0.0
        self._begin_sample()

    @property
    def failed(self) -> int:
        """How many workflows were seen to fail."""
        return self.failed_before + self._failed_now

    def loading(self, *, on: bool) -> None:
        """Say whether what comes now belongs to the load."""
        self._loading = on

    def take_frame(self, frame: Frame, *, killed: bool = False) -> None:
        """Count a frame.

        Args:
            frame: what it was.
            killed: it catches up with what came due while the world was down.
        """
        (self.frame_kills if killed else self._now["frame"]).add(frame.elapsed_s)
        self._now["commit"].add(frame.commit_s)
        self._totals.frames += 1
        self._totals.steps += frame.steps
        self._totals.timers += frame.timers
        for late in frame.late:
            if killed or late.missed:
                self.lateness_kills.add(late.late_s)
            else:
                self._now["lateness"].add(late.late_s)
        self.live, self.carried_over, self._failed_now = frame.live, frame.carried_over, frame.failed
        if self._loading:
            self.carried_over_peak = max(self.carried_over_peak, frame.carried_over)
        if frame.memory_b is not None:
            self.memory_b = frame.memory_b
            self.memory_peak_b = max(self.memory_peak_b, frame.memory_b)
        if frame.world_b is not None:
            self.world_b = frame.world_b
            self.world_peak_b = max(self.world_peak_b, frame.world_b)

    def take_acknowledged(self, latency_s: float, *, start: bool, killed: bool) -> None:
        """Count an input that became durable."""
        self._totals.acknowledged += 1
        self._totals.starts += start
        if killed:
            self.latency_kills.add(latency_s)
        else:
            self._now["latency"].add(latency_s)

    def take_kill(self, kill: Kill) -> None:
        """Count a kill, from which the world has recovered."""
        self.kills.append(kill)
        self.failed_before, self._failed_now = self.failed, 0

    def end_sample(self, now_s: float) -> Sample:
        """End the sample of the period that goes on, and return it; times in seconds since the run began."""
        seconds = max(now_s - self._sample_from_s, 1e-9)
        totals = self._totals
        sample = Sample(
            at_s=now_s,
            load=self._loading,
            steps_per_s=totals.steps / seconds,
            starts_per_s=totals.starts / seconds,
            inputs_per_s=totals.acknowledged / seconds,
            frames_per_s=totals.frames / seconds,
            live=self.live,
            failed=self.failed,
            frame_p50_ms=self._percentile_ms("frame", 50),
            frame_p99_ms=self._percentile_ms("frame", 99),
            frame_max_ms=self._percentile_ms("frame", 100),
            commit_p99_ms=self._percentile_ms("commit", 99),
            latency_p50_ms=self._percentile_ms("latency", 50),
            latency_p99_ms=self._percentile_ms("latency", 99),
            lateness_p99_ms=self._percentile_ms("lateness", 99),
            memory_mb=None if self.memory_b is None else self.memory_b / 1e6,
            world_mb=None if self.world_b is None else self.world_b / 1e6,
        )
        if seconds >= LEAST_SAMPLE_S:
            self.samples.append(sample)
        self._add_to_load(seconds)
        self._sample_from_s = now_s
        self._begin_sample()
        if len(self.samples) > MOST_SAMPLES:
            self.samples = [merged(*self.samples[at : at + 2]) for at in range(0, len(self.samples), 2)]
            self.period_s *= 2
        return sample

    def _percentile_ms(self, name: str, percent: float) -> float | None:
        """Return a figure of the period, None outside of the load."""
        seconds = self._now[name].percentile(percent) if self._loading else None
        return None if seconds is None else 1e3 * seconds

    def _add_to_load(self, seconds: float) -> None:
        if not self._loading:
            return
        for name in _DISTRIBUTIONS:
            getattr(self, name).merge(self._now[name])
        self.load.seconds += seconds
        for name in ("frames", "steps", "timers", "starts", "acknowledged"):
            setattr(self.load, name, getattr(self.load, name) + getattr(self._totals, name))

    def _begin_sample(self) -> None:
        self._now = {name: Histogram() for name in _DISTRIBUTIONS}
        self._totals = Totals()


def merged(first: Sample, then: Sample | None = None) -> Sample:
    """Return one sample of two that follow one another: the mean of rates, the higher one of the rest."""
    if then is None:
        return first
    values = {}
    for name in (one.name for one in fields(Sample)):
        old, new = getattr(first, name), getattr(then, name)
        if name.endswith("_per_s"):
            values[name] = (old + new) / 2
        else:
            values[name] = max((value for value in (old, new) if value is not None), default=None)
    return Sample(**values)

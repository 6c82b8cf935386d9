"""How late timers fire on the wall clock: workflows of one beat a second each, spread over it, in real time.

The world is run by `Runtime.run`, as a server without a loop of its own does. A beat has fired when its step runs.
"""

from __future__ import annotations

import time
from pathlib import Path

from report import Section, percentile
from workloads import ALL, lateness, phases, punctual

from deathless import Runtime


def measure(scratch: Path, *, timers: int, seconds: float, hz: float = 60.0) -> Section:
    section = Section(
        f"lateness: {timers:,} timers a second for {seconds:g} s, Runtime.run at {hz:g} Hz",
        ["durability", "timers", "p50 ms", "p99 ms", "max ms"],
    )
    for durability in ("power", "process"):
        late_ms = _late_ms(scratch / durability, durability, timers, seconds, hz)
        p50, p99, worst = percentile(late_ms, 50), percentile(late_ms, 99), max(late_ms)
        section.add(durability, f"{len(late_ms):,}", f"{p50:.1f}", f"{p99:.1f}", f"{worst:.1f}")
        section.data[durability] = {"timers": len(late_ms), "p50_ms": p50, "p99_ms": p99, "max_ms": worst}
    return section


def _late_ms(place: Path, durability: str, timers: int, seconds: float, hz: float) -> list[float]:
    """Run a world of beats; return how late each was, those of its first second left out."""
    lateness.clear()
    with Runtime(place, ALL, clock=None, durability=durability) as world:
        # They are told their phase relative to one instant, after all of them are there.
        begin = time.time() + 1.0 + timers / 10_000
        world.start_many(
            [(punctual(begin - time.time() + phase), entity) for entity, phase in enumerate(phases(timers))]
        )
        end = begin + 1.0 + seconds
        world.run(until=lambda: time.time() >= end, hz=hz)
    return [1e3 * (ran - due) for due, ran in lateness if due >= begin + 1.0]

"""How late timers fire on the wall clock: workflows of one beat a second each, spread over it, in real time.

The world is pumped as a server without a loop of its own does it. A beat has fired when its step runs. None can be
on time to the microsecond: it waits for the next turn, and for its place in it.
"""

from __future__ import annotations

import time
from pathlib import Path

from report import Section, Target, percentile
from workloads import ALL, lateness, phases, punctual

from deathless import Runtime

TICK_S = 0.010
NEEDED_SHARE = 0.99
"""Of the firings of each second, those that ran in it: those due at its very end run in the next frame."""


def measure(scratch: Path, *, timers: tuple[int, ...], seconds: float, hz: float = 60.0) -> Section:
    section = Section(
        f"lateness of timers for {seconds:g} s, pumped at {hz:g} Hz",
        [
            "timers/s",
            "durability",
            "fired/s",
            "p50 ms",
            "p99 ms",
            "max ms",
            "pump p99 ms",
            "tick and turn ms",
        ],
    )
    for each in timers:
        for durability in ("power", "process"):
            fired, late_ms, pump_ms = _beats(scratch / f"{durability}{each}", durability, each, seconds, hz)
            p50, p99, worst = percentile(late_ms, 50), percentile(late_ms, 99), max(late_ms)
            # A turn is a frame's wait and the pump.
            allowed = 1e3 * TICK_S + 1e3 / hz + pump_ms
            section.add(
                f"{each:,}",
                durability,
                f"{fired:,.0f}",
                *(f"{value:.1f}" for value in (p50, p99, worst, pump_ms, allowed)),
            )
            section.data[f"{durability}, {each}"] = {
                "fired_per_s": fired,
                "p50_ms": p50,
                "p99_ms": p99,
                "max_ms": worst,
                "pump_p99_ms": pump_ms,
                "allowed_ms": allowed,
            }
            name = f"{each:,} timers/s, {durability}"
            section.targets.append(Target(f"{name}: fired", NEEDED_SHARE * each, fired, "/s"))
            section.targets.append(Target(f"{name}: lateness p99", allowed, p99, " ms", at_least=False))
    return section


def _beats(
    place: Path, durability: str, timers: int, seconds: float, hz: float
) -> tuple[float, list[float], float]:
    """Run a world of beats; return firings a second, how late each was, and the p99 of the pumps in ms.

    All of that without the first second.
    """
    lateness.clear()
    pump_ms: list[float] = []
    with Runtime(place, ALL, clock=None, durability=durability, tick=TICK_S) as world:
        # They are told their phase relative to one instant, after all of them are there.
        begin = time.time() + 1.0 + timers / 10_000
        world.start_many(
            [(punctual(begin - time.time() + phase), entity) for entity, phase in enumerate(phases(timers))]
        )
        first, end = begin + 1.0, begin + 1.0 + seconds
        following = time.time()
        while following < end:
            report = world.pump()
            if following >= first:
                pump_ms.append(1e3 * report.elapsed_s)
            # A pump that took longer than a frame is followed by the next at once.
            following = max(following + 1 / hz, time.time())
            time.sleep(max(0.0, following - time.time()))
    fired = sum(first <= ran < end for _, ran in lateness) / seconds
    return fired, [1e3 * (ran - due) for due, ran in lateness if first <= due < end], percentile(pump_ms, 99)

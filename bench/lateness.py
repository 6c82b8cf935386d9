"""How late timers fire on the wall clock: workflows of one beat a second each, spread over it, in real time.

The world is pumped as a server without a loop of its own does it. A beat has fired when its step runs. It may be late
by a tick of the wheel and by its turn: the time from the pump before, which may have waited for the disk, to the end
of its own.
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
            "p99 beyond its turn",
            "pump p99 ms",
        ],
    )
    for each in timers:
        for durability in ("power", "process"):
            fired, beats, pumps_ms = _beats(scratch / f"{durability}{each}", durability, each, seconds, hz)
            late_ms = [late for late, _ in beats]
            found = {
                "p50_ms": percentile(late_ms, 50),
                "p99_ms": percentile(late_ms, 99),
                "max_ms": max(late_ms),
                "p99_beyond_turn_ms": percentile([late - turn for late, turn in beats], 99),
                "pump_p99_ms": percentile(pumps_ms, 99),
            }
            section.add(
                f"{each:,}", durability, f"{fired:,.0f}", *(f"{value:.1f}" for value in found.values())
            )
            section.data[f"{durability}, {each}"] = {"fired_per_s": fired, **found}
            name = f"{each:,} timers/s, {durability}"
            section.targets.append(Target(f"{name}: fired", NEEDED_SHARE * each, fired, "/s"))
            section.targets.append(
                Target(
                    f"{name}: late beyond the turn, p99",
                    1e3 * TICK_S,
                    found["p99_beyond_turn_ms"],
                    " ms",
                    at_least=False,
                )
            )
    return section


def _beats(
    place: Path, durability: str, timers: int, seconds: float, hz: float
) -> tuple[float, list[tuple[float, float]], list[float]]:
    """Run a world of beats; return firings a second, how late each was and how long its turn, and the pumps, in ms.

    All of that without the first second.
    """
    lateness.clear()
    pumps_ms: list[float] = []
    turns_s: list[float] = []
    with Runtime(place, ALL, clock=None, durability=durability, tick=TICK_S) as world:
        # They are told their phase relative to one instant, after all of them are there.
        begin = time.time() + 1.0 + timers / 10_000
        world.start_many(
            [(punctual(begin - time.time() + phase), entity) for entity, phase in enumerate(phases(timers))]
        )
        first, end = begin + 1.0, begin + 1.0 + seconds
        before = following = time.time()
        while following < end:
            began = time.time()
            report = world.pump()
            turns_s += [time.time() - before] * (len(lateness) - len(turns_s))
            if began >= first:
                pumps_ms.append(1e3 * report.elapsed_s)
            before = began
            # A pump that took longer than a frame is followed by the next at once.
            following = max(following + 1 / hz, time.time())
            time.sleep(max(0.0, following - time.time()))
    fired = sum(first <= ran < end for _, ran in lateness) / seconds
    beats = [
        (1e3 * (ran - due), 1e3 * turn_s)
        for (due, ran), turn_s in zip(lateness, turns_s, strict=True)
        if first <= due < end
    ]
    return fired, beats, pumps_ms

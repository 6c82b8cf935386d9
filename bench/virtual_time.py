"""Virtual time: how much faster than the wall clock a world of NPCs runs in turns of a sixtieth of a second.

A world that keeps pace with the wall clock is recorded; its turns replayed at full speed, and the same turns taken
anew at full speed, must end in the same rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from report import Section, Spread, Target
from workloads import ALL, npc, phases

from deathless import GameClock, Runtime
from deathless.runtime.inputs import TurnRecord

NEEDED = 30.0
FRAME_S = 1 / 60


def measure(scratch: Path, *, npcs: int, paced_s: float, seconds: float, rounds: int) -> Section:
    """Compare with real time, then measure longer runs.

    Args:
        scratch: where the worlds are made.
        npcs: how many there are; each takes a step a second.
        paced_s: seconds of the run in real time.
        seconds: world time of a measured run.
        rounds: measured runs.
    """
    records, paced = _paced(scratch / "paced", npcs, round(paced_s / FRAME_S))
    replayed = _replayed(scratch / "replayed", records)
    with _world(scratch / "anew") as world:
        _populate(world, npcs)
        _frames(world, round(paced_s / FRAME_S))
        anew = world.digest()
    assert replayed == paced, f"another digest: {paced} in real time, {replayed} replayed"
    assert anew == paced, f"another digest: {paced} in real time, {anew} in virtual time"
    speeds: list[float] = []
    rates: list[float] = []
    with _world(scratch / "world") as world:
        _populate(world, npcs)
        # After the first second every NPC is in its loop.
        _frames(world, 66)
        for _ in range(rounds):
            began = time.perf_counter()
            steps = _frames(world, round(seconds / FRAME_S))
            took_s = time.perf_counter() - began
            speeds.append(seconds / took_s)
            rates.append(steps / took_s)
    speed, rate = Spread.of(speeds), Spread.of(rates)
    section = Section(
        f"virtual time: {npcs:,} NPCs of a step a second, turns of 1/60 s, `process`",
        ["", "times real time", "steps/s"],
    )
    section.add(f"{seconds:g} s of world time", speed.ratio(), rate.rate())
    section.add(f"digest after {len(records):,} turns: real time, replayed, virtual", "the same", "")
    section.data = {"times_real_time": speed.as_json(), "steps_per_s": rate.as_json(), "digest": paced}
    section.targets.append(Target(f"virtual time, {npcs:,} NPCs: times real time", NEEDED, speed.median))
    return section


def _world(place: Path, on_turn: Callable[[TurnRecord], None] | None = None) -> Runtime:
    return Runtime(place, ALL, clock=GameClock(), durability="process", on_turn=on_turn)


def _populate(world: Runtime, npcs: int) -> None:
    world.start_many([(npc(phase), entity) for entity, phase in enumerate(phases(npcs))])
    world.advance(0.0)


def _frames(world: Runtime, frames: int) -> int:
    return sum(world.advance(FRAME_S).steps for _ in range(frames))


def _paced(place: Path, npcs: int, frames: int) -> tuple[list[TurnRecord], str]:
    """Run in real time; return what would replay it, and its digest."""
    records: list[TurnRecord] = []
    with _world(place, records.append) as world:
        _populate(world, npcs)
        due = time.perf_counter()
        for _ in range(frames):
            world.advance(FRAME_S)
            due += FRAME_S
            time.sleep(max(0.0, due - time.perf_counter()))
        # Closing is a turn too, and is not among those that are compared.
        return list(records), world.digest()


def _replayed(place: Path, records: list[TurnRecord]) -> str:
    with _world(place) as world:
        for record in records:
            world.replay_turn(record)
        return world.digest()

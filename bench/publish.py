"""What a publish costs among many subscribers, by how many it reaches.

Each workflow subscribes to the noise of its zone. Wall time from the first `Runtime.publish` to the return of the pump:
the call, the search in the index, the steps of those reached, and the commit of their rows.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from report import Section, Spread
from workloads import BATCH

from deathless import Context, GameClock, Runtime, Signal, workflow

NOBODY = 0
"""A zone without subscribers."""


class Noise(Signal):
    zone: int
    loud: float = 1.0


@workflow
async def listener(ctx: Context, zone: int) -> None:
    ctx.subscribe(Noise, zone=zone)
    heard = 0.0
    while True:
        noise = await ctx.receive(Noise)
        heard += noise.loud


def measure(scratch: Path, *, rounds: int, subscribers: int, reached: tuple[int, ...]) -> Section:
    """Publish to zones of several sizes, one after the other, in one world.

    Args:
        scratch: where the world is made.
        rounds: runs of each size.
        subscribers: how many there are in all.
        reached: sizes of zones.
    """
    section = Section(
        f"publish among {subscribers:,} subscribers, `process`; of those reached each takes a step",
        ["reaches", "us a publish", "us a delivery", "of it commit"],
    )
    sizes = {NOBODY: 0} | {zone: size for zone, size in enumerate(reached, NOBODY + 1) if size}
    with Runtime(scratch / "world", [listener], clock=GameClock(), durability="process") as world:
        _populate(world, subscribers, sizes)
        runs: dict[int, list[tuple[float, float]]] = {zone: [] for zone in sizes}
        for _ in range(rounds + 1):
            for zone, size in sizes.items():
                runs[zone].append(_run(world, zone, size))
    for zone, size in sizes.items():
        # The first run of each has workflows that have not been reached before.
        publish, commit = (Spread.of(column) for column in zip(*runs[zone][1:], strict=True))
        each = (
            Spread(*(value / size for value in (publish.median, publish.low, publish.high))) if size else None
        )
        section.add(
            f"{size:,}",
            f"{publish.median:,.1f} ({publish.low:,.1f}-{publish.high:,.1f})",
            f"{each.median:.2f} ({each.low:.2f}-{each.high:.2f})" if each else "",
            f"{commit.median / size:.2f}" if size else "",
        )
        section.data[str(size)] = {
            "us_a_publish": publish.as_json(),
            "us_a_delivery": each.as_json() if each else None,
        }
    return section


def _populate(world: Runtime, subscribers: int, sizes: dict[int, int]) -> None:
    zones = [*Counter(sizes).elements()]
    # The others each have a zone of their own.
    zones += range(len(sizes), len(sizes) + subscribers - len(zones))
    for first in range(0, subscribers, BATCH):
        world.start_many([(listener(zone), None) for zone in zones[first : first + BATCH]])
        world.advance(0.001)


def _run(world: Runtime, zone: int, size: int) -> tuple[float, float]:
    """Publish to one zone, some times a pump; return microseconds a publish, and of them in the commit."""
    times = max(1, min(BATCH, 10_000 // max(1, size)))
    began = time.perf_counter()
    for _ in range(times):
        world.publish(Noise(zone))
    report = world.advance(0.001)
    took = time.perf_counter() - began
    assert report.steps == times * size
    return took * 1e6 / times, report.commit_s * 1e6 / times

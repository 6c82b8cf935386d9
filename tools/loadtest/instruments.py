"""The workflows that a load test runs beside those of its scenario: witnesses and probes.

A witness keeps which numbers it was sent, exactly: numbers are given to each witness in order, so that all of them are
one range, a gap shows what was lost, and a number within a range what came twice. A probe sleeps, and notes how late
its steps run.
"""

from __future__ import annotations

import time

from ...workflows.context import Context
from ...workflows.definition import WorkflowType, workflow
from ...workflows.signal import Signal

WITNESS = "loadtest_witness"
PROBE = "loadtest_probe"
KEPT = 100
"""Numbers that came twice or to the wrong witness: so many are kept, all are counted."""

lateness: list[tuple[float, float, float]] = []
"""(due, world time of the turn, the computer's clock) of each step of a probe in this process, in seconds."""


class LoadtestNote(Signal):
    """Takes a number to a witness.

    Attributes:
        witness: for which witness it is meant.
        number: counted from 0 up for each witness.
    """

    witness: int
    number: int


def enter(ranges: list[list[int]], number: int) -> bool:
    """Put a number into ranges `[first, last]` in order; return whether it was there before."""
    for at in range(len(ranges) - 1, -1, -1):
        first, last = ranges[at]
        if first <= number <= last:
            return True
        if number > last:
            if number == last + 1:
                ranges[at][1] = number
                if at + 1 < len(ranges) and ranges[at + 1][0] == number + 1:
                    ranges[at][1] = ranges.pop(at + 1)[1]
            elif at + 1 < len(ranges) and ranges[at + 1][0] == number + 1:
                ranges[at + 1][0] = number
            else:
                ranges.insert(at + 1, [number, number])
            return False
    if ranges and ranges[0][0] == number + 1:
        ranges[0][0] = number
    else:
        ranges.insert(0, [number, number])
    return False


def note(due: float, now: float) -> None:
    """Note that a probe's step runs. What it writes is this process's, not the world's."""
    lateness.append((due, now, time.time()))


@workflow(name=WITNESS)
async def witness(ctx: Context, name: int) -> None:
    """Keep which numbers came, for ever."""
    count = 0
    checksum = 0
    ranges: list[list[int]] = []
    doubled: list[int] = []
    foreign: list[list[int]] = []
    while True:
        taken = await ctx.receive(LoadtestNote)
        count += 1
        checksum = (checksum * 31 + taken.number + 1) % 2**61
        if taken.witness != name:
            foreign = [*foreign, [taken.witness, taken.number]][:KEPT]
        elif enter(ranges, taken.number):
            doubled = [*doubled, taken.number][:KEPT]


@workflow(name=PROBE)
async def probe(ctx: Context, first: float, period: float) -> None:
    """Take a step each `period` seconds, the first after `first` seconds, and note how late each is.

    Each is due by the time of the start: counted from the step before, all would be due just when a frame begins.
    """
    due = ctx.now + first
    while True:
        await ctx.sleep(max(0.0, due - ctx.now))
        note(due, ctx.now)
        due += period


INSTRUMENTS: tuple[WorkflowType[..., None], ...] = (witness, probe)

"""`countdown`: so many beats to zero, with a word at each.

              Extend: more beats
                +------+
                v      |
    start --> counting +-- a beat --> one less, Counted --+-- at zero --> ended (aborted: False)
                ^  |   ^                                  |
                |  |   +------------ beats are left ------+
         Resume |  | Pause
                |  v
               paused (Extend: more beats)

`Abort` in either state ends it (aborted: True). `Resume` while it counts, and `Pause` while it is paused, change
nothing. A pause keeps the part of the beat that it falls in, so that pausing again and again gains no time.
"""

from __future__ import annotations

import math
from typing import TypedDict

from ..context import Context
from ..definition import workflow
from ..signal import Signal
from ..sources import Elapsed
from .arguments import DAY_S, require_number, require_text, require_whole
from .notices import notify
from .production import Pause, Resume

MAX_BEATS = 1_000_000
SHORTEST_BEAT_S = 0.01


class Extend(Signal):
    """Count so many beats more, up to the most that a countdown may have left."""

    beats: int = 1

    def __post_init__(self) -> None:
        """Check the field."""
        require_whole("beats of Extend", self.beats, 1, MAX_BEATS)


class Abort(Signal):
    """End the countdown now, short of zero."""


class Counted(Signal):
    """A beat is over: sent to the workflows of the group that `countdown` reports to, with the beats left."""

    label: str
    left: int


class CountdownEnd(TypedDict):
    """How a countdown ended, and the beats that were left."""

    label: str
    left: int
    aborted: bool


@workflow
async def countdown(
    ctx: Context, beats: int, beat: float = 1.0, *, label: str = "", report_to: str | None = None
) -> CountdownEnd:
    """Count `beats` down to zero, one each `beat` seconds.

    Beats that pass within one turn are counted together and reported once.

    Args:
        ctx: the world.
        beats: how many, 1 to a million.
        beat: seconds of each, a hundredth of a second to a day.
        label: what is counted down to, for the game to read: "ignition".
        report_to: a correlation id; the workflows of that group that await `Counted` get it at each beat.
    """
    require_whole("beats of countdown", beats, 1, MAX_BEATS)
    require_number("beat of countdown", beat, SHORTEST_BEAT_S, DAY_S)
    require_text("label of countdown", label, 255)
    if report_to is not None:
        require_text("report_to of countdown", report_to, 255)
    left = beats
    # All beats hang on the time of zero, so that the lateness of turns does not add up.
    zero_at = ctx.now + beats * beat
    work_left: float | None = None
    while left > 0:
        if work_left is None:
            ctx.step("counting")
            next_beat = zero_at - (left - 1) * beat
            event = await ctx.select(
                ctx.timer(next_beat - ctx.now, name="beat"), Extend, Abort, Pause, Resume
            )
        else:
            ctx.step("paused")
            event = await ctx.select(Extend, Abort, Pause, Resume)
        match event:
            case Elapsed():
                left = min(left - 1, beats_within(zero_at - ctx.now, beat))
                if report_to is not None:
                    notify(ctx, Counted(label, left), correlation_id=report_to)
            case Extend(wanted):
                more = min(wanted, MAX_BEATS - left)
                left += more
                zero_at += more * beat
                if work_left is not None:
                    work_left += more * beat
            case Abort():
                return {"label": label, "left": left, "aborted": True}
            case Pause() if work_left is None:
                work_left = zero_at - ctx.now
            case Resume() if work_left is not None:
                zero_at = ctx.now + work_left
                work_left = None
    return {"label": label, "left": 0, "aborted": False}


def beats_within(seconds: float, beat: float) -> int:
    """Return how many beats are not over with `seconds` to go; a beat that has just come due is over."""
    # Due times are whole microseconds: a thousandth of a beat is more than they are off, and nothing in a game.
    return max(math.ceil(seconds / beat - 0.001), 0)

"""`day_night`: the phases of the day, one after another, for a whole world.

               +-- time is up: the next phase, PhaseChanged -------------+
               |   SetPhase: that phase with its full time, PhaseChanged |
               v                                                         |
    start --> a phase ---------------------------------------------------+-- last day done --> ended
               |  ^
         Pause |  | Resume: the time that was left
               v  |
              paused (SetPhase: as above, and still paused)

Start one for a world, with the correlation id "day_night", and send it its signals under that id; it publishes
`PhaseChanged` to all who subscribe. Phases that pass while the world is down are not announced one by one: it goes on
where it would be. `Resume` while it runs, and `Pause` while it is paused, change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from ..context import Context
from ..definition import workflow
from ..signal import Signal
from ..sources import Elapsed
from .arguments import YEAR_S, require_number, require_text, require_whole
from .notices import announce
from .production import Pause, Resume

DAY_AND_NIGHT = (("day", 600.0), ("night", 600.0))
MAX_PHASES = 24
LONGEST_NAME = 64


class SetPhase(Signal):
    """Begin this phase now. An earlier one of the day begins on the next day; an unknown one changes nothing."""

    phase: str

    def __post_init__(self) -> None:
        """Check the field."""
        require_text("phase of SetPhase", self.phase, LONGEST_NAME)


class PhaseChanged(Signal):
    """A phase begins, on this day, from 1 up, and will last so many seconds unless it is changed: published.

    `ctx.subscribe(PhaseChanged, phase="night")` hears of nights alone.
    """

    phase: str
    day: int
    lasts: float


class DayNightEnd(TypedDict):
    """The days that passed, and the phase in which they ended."""

    days: int
    phase: str


@workflow
async def day_night(
    ctx: Context, phases: Sequence[tuple[str, float]] = DAY_AND_NIGHT, *, days: int = 0
) -> DayNightEnd:
    """Go through the phases, day after day, and announce each.

    Args:
        ctx: the world.
        phases: 1 to 24 pairs of a name and its seconds, a second to a year; a day begins with the first.
        days: after how many it ends; 0 for never.
    """
    course = check_phases(phases)
    require_whole("days of day_night", days, 0, 1_000_000_000)
    number, day = 0, 1
    ends_at = ctx.now + course[0][1]
    time_left: float | None = None
    announce(ctx, PhaseChanged(course[0][0], day, course[0][1]))
    while True:
        phase = course[number][0]
        if time_left is None:
            ctx.step(phase)
            event = await ctx.select(ctx.timer(ends_at - ctx.now, name="phase"), SetPhase, Pause, Resume)
        else:
            ctx.step(f"{phase}, paused")
            event = await ctx.select(SetPhase, Pause, Resume)
        match event:
            case Elapsed():
                position, ends_at = after(course, number, ends_at, ctx.now)
                number, day = position % len(course), day + position // len(course)
            case SetPhase(wanted):
                names = [name for name, _ in course]
                if wanted not in names:
                    ctx.log.warning("unknown_phase", phase=wanted, known=names)
                    continue
                day += names.index(wanted) < number
                number = names.index(wanted)
                ends_at = ctx.now + course[number][1]
                if time_left is not None:
                    time_left = course[number][1]
            case Pause():
                if time_left is None:
                    time_left = ends_at - ctx.now
                continue
            case Resume():
                if time_left is not None:
                    ends_at = ctx.now + time_left
                    time_left = None
                continue
        if 0 < days < day:
            return {"days": days, "phase": phase}
        # Not the whole length, where it began while the world was down.
        lasts = ends_at - ctx.now if time_left is None else time_left
        announce(ctx, PhaseChanged(course[number][0], day, lasts))


def after(course: list[tuple[str, float]], number: int, ends_at: float, now: float) -> tuple[int, float]:
    """Return where one is at `now`, when phase `number` ended at `ends_at`, and when what is then there ends.

    Where is counted in phases from the first of the day, over its end into later days.
    """
    whole_day = sum(length for _, length in course)
    # Whole days at once: the world may have been down for years of seconds.
    days = max(int((now - ends_at) // whole_day), 0)
    ends_at += days * whole_day
    number += days * len(course)
    number += 1
    ends_at += course[number % len(course)][1]
    while ends_at <= now:
        number += 1
        ends_at += course[number % len(course)][1]
    return number, ends_at


def check_phases(phases: object) -> list[tuple[str, float]]:
    """Return the phases as pairs.

    Raises:
        ValueError: it is no list of 1 to 24 pairs of a name of its own and a length.
    """
    if not isinstance(phases, list | tuple) or not 1 <= len(phases) <= MAX_PHASES:
        raise ValueError(f"phases of day_night is a list of 1 to {MAX_PHASES} phases, not {phases!r}")
    course: list[tuple[str, float]] = []
    for number, phase in enumerate(phases):
        if not isinstance(phase, list | tuple) or len(phase) != 2:
            raise ValueError(f"phase {number} of day_night is a pair (name, seconds), not {phase!r}")
        require_text(f"the name of phase {number} of day_night", phase[0], LONGEST_NAME)
        require_number(f"the seconds of phase {phase[0]!r} of day_night", phase[1], 1, YEAR_S)
        if any(phase[0] == name for name, _ in course):
            raise ValueError(f"two phases of day_night are named {phase[0]!r}; rename one")
        course.append((phase[0], phase[1]))
    return course

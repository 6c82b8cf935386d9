"""`buff`: an effect on an entity for a time.

             Stack: +amount, full time again
              +------+
              v      |
start ----> lasting -+---- time is up ----> ended (dispelled: False)
               |
               +---------- Dispel --------> ended (dispelled: True)
"""

from __future__ import annotations

from typing import TypedDict

from ..context import Context
from ..definition import workflow
from ..signal import Signal
from ..sources import Elapsed
from .arguments import YEAR_S, require_number, require_text, require_whole

MAX_STACKS = 1_000_000


class Stack(Signal):
    """Put more of the same effect on: adds stacks, up to the buff's bound, and starts its time anew."""

    amount: int = 1

    def __post_init__(self) -> None:
        """Check the field."""
        require_whole("amount of Stack", self.amount, 1, MAX_STACKS)


class Dispel(Signal):
    """End the buff now."""


class BuffEnd(TypedDict):
    """How a buff ended, with the stacks that it had reached."""

    effect: str
    stacks: int
    dispelled: bool


@workflow
async def buff(ctx: Context, duration: float, effect: str = "", *, max_stacks: int = 99) -> BuffEnd:
    """Last `duration` seconds from the start or from the latest `Stack`, unless a `Dispel` comes first.

    Args:
        ctx: the world.
        duration: in seconds, up to a year.
        effect: what it does, for the game to read: "haste".
        max_stacks: bound of the stacks; a `Stack` over it only starts the time anew.
    """
    require_number("duration of buff", duration, 0, YEAR_S)
    require_text("effect of buff", effect, 255)
    require_whole("max_stacks of buff", max_stacks, 1, MAX_STACKS)
    stacks = 1
    while True:
        ctx.step("lasting")
        match await ctx.select(ctx.timer(duration, name="expire"), Stack, Dispel):
            case Stack(amount):
                stacks = min(stacks + amount, max_stacks)
            case Dispel():
                return {"effect": effect, "stacks": stacks, "dispelled": True}
            case Elapsed():
                return {"effect": effect, "stacks": stacks, "dispelled": False}

"""What used to be Scripts: a character's body, poison, and what ends it.

An `entity_id` here is the dbref of the Evennia object, without its #.
"""

from __future__ import annotations

from deathless import Context, Elapsed, Signal, workflow


class Hurt(Signal):
    """Take health away."""

    amount: int


class Mend(Signal):
    """Give health back."""

    amount: int


class Antidote(Signal):
    """End every poison in the body."""


@workflow
async def body(ctx: Context, most: int = 100) -> None:
    """Keep a character's health: whatever changes it is a signal, so that nothing changes it twice."""
    hp = most
    while True:
        match await ctx.select(Hurt, Mend):
            case Hurt(amount):
                hp = max(hp - amount, 0)
            case Mend(amount):
                hp = min(hp + amount, most)


@workflow
async def poison(ctx: Context, damage: int, interval: float, repeats: int) -> int:
    """Hurt its entity `repeats` times, every `interval` seconds, unless an antidote comes; return how often it did."""
    for done in range(repeats):
        match await ctx.select(ctx.timer(interval), Antidote):
            case Elapsed():
                ctx.signal(Hurt(damage), entity_id=ctx.entity_id)
            case Antidote():
                return done
    return repeats


WORKFLOWS = [body, poison]

"""A buff: what a potion does to who drinks it."""

from __future__ import annotations

from deathless import Context, workflow

from .signals import Heal


@workflow
async def regeneration(ctx: Context, seconds: int) -> None:
    """Heal the entity that this is on by one each second.

    It is a child of who drank: it ends early where that one falls. A plain loop over awaits goes on after a crash in
    the middle of it.
    """
    beats = ctx.every(1.0)
    for _ in range(seconds):
        await ctx.select(beats)
        ctx.signal(Heal(), entity_id=ctx.entity_id)

"""The shop sells potions while there are some, and gets a new one now and then."""

from __future__ import annotations

from deathless import Beat, Context, workflow

from .signals import Buy, Potion

SHELF = 3
"""Potions that there is room for."""


@workflow
async def shop(ctx: Context, potions: int = 1, *, restock_s: float = 10.0) -> None:
    """Sell, and restock each `restock_s` seconds, for ever."""
    deliveries = ctx.every(restock_s)
    while True:
        match await ctx.select(deliveries, Buy):
            case Beat():
                potions = min(potions + 1, SHELF)
            case Buy(buyer):
                if potions > 0:
                    potions -= 1
                    ctx.signal(Potion(), entity_id=buyer)

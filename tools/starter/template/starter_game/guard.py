"""The guard walks from post to post, fights goblins on the way, and buys a potion when it is hurt."""

from __future__ import annotations

from deathless import Context, Elapsed, workflow

from .regeneration import regeneration
from .signals import Buy, Goblin, Heal, Potion

POSTS = ("gate", "tower", "well")
WALK_S = 2.0
"""From one post to the next."""
MAX_HP = 10
HURT = 6
"""At this health it wants a potion."""


@workflow
async def guard(ctx: Context, shop: int) -> int:
    """Stand guard until a goblin wins; return how many were beaten.

    The local variables are all that a guard is, and they survive the process: where it walks, when it arrives, how
    it feels. A goblin does not delay it, because the timer is kept in a local.

    Args:
        ctx: the world.
        shop: the entity that sells potions.
    """
    hp, beaten, post = MAX_HP, 0, 0
    arrival = ctx.timer(WALK_S, name="arrival")
    while True:
        match await ctx.select(arrival, Goblin, Potion, Heal):
            case Elapsed():
                post = (post + 1) % len(POSTS)
                arrival = ctx.timer(WALK_S, name="arrival")
            case Goblin(strength):
                hp -= ctx.random.randint(0, strength)
                if hp <= 0:
                    return beaten
                beaten += 1
                if hp <= HURT and ctx.entity_id is not None:
                    ctx.signal(Buy(ctx.entity_id), entity_id=shop)
            case Potion(seconds):
                ctx.spawn(regeneration(seconds), entity_id=ctx.entity_id)
            case Heal(amount):
                hp = min(hp + amount, MAX_HP)

"""The village's own workflows: a villager's life, made of ready-made parts, and the chronicle."""

from __future__ import annotations

from deathless import Context, Signal, workflow
from deathless.workflows.library import Produced, Respawned, npc_patrol, respawn

Point = tuple[float, float]
VILLAGE = "village"
"""The correlation id of whoever keeps count."""


class Fell(Signal):
    """A villager has lost a fight."""

    kind: str


@workflow
async def villager(
    ctx: Context,
    kind: str,
    route: list[Point],
    *,
    at: Point,
    home: Point,
    speed: float,
    pause: float,
    hp: int,
    strength: int,
    mend: int,
    action_timeout: float,
    respawn_delay: float,
) -> None:
    """Patrol until killed, come back at home, and patrol again: for ever.

    Both parts are children on the same entity: a signal to the entity reaches whichever is there.
    """
    while True:
        ctx.step("alive")
        end = await ctx.spawn(
            npc_patrol(
                route,
                speed,
                pause=pause,
                hp=hp,
                strength=strength,
                mend=mend,
                action_timeout=action_timeout,
                at=at,
            ),
            entity_id=ctx.entity_id,
        )
        fell_at = (end["x"], end["y"])
        ctx.signal(Fell(kind), correlation_id=VILLAGE)
        ctx.step("fallen")
        back = await ctx.spawn(
            respawn(home[0], home[1], delay=respawn_delay, notify=VILLAGE), entity_id=ctx.entity_id
        )
        ctx.log.info("villager_back", kind=kind, fell_at=fell_at)
        at = (back["x"], back["y"])


@workflow
async def chronicle(ctx: Context) -> None:
    """Count what is made, who falls and who returns; nothing is counted twice or forgotten, whatever crashes."""
    goods: dict[str, int] = {}
    fallen: dict[str, int] = {}
    returned = 0
    while True:
        match await ctx.select(Produced, Fell, Respawned):
            case Produced(product):
                goods[product] = goods.get(product, 0) + 1
            case Fell(kind):
                fallen[kind] = fallen.get(kind, 0) + 1
            case Respawned():
                returned += 1

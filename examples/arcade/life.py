"""What lives in the village: workflows, most of them made of ready-made parts.

Everything that happens is decided in here, so that a kill -9 at any frame changes nothing: the wolf that was about to
come comes, and the same one.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from deathless import Beat, Call, Context, LimitError, Runtime, Signal, WorkflowType, workflow
from deathless.workflows.library import (
    Deliver,
    PhaseChanged,
    Produced,
    Respawned,
    Threat,
    buff,
    combat,
    day_night,
    npc_patrol,
    production,
    respawn,
)

from .land import FOES, HOME, SHOPS, Person, Point, people

VILLAGE = "village"
"""The correlation id of all that takes part in the village as a whole."""
PHASES = (("day", 55.0), ("dusk", 10.0), ("night", 20.0), ("dawn", 5.0))
SKY, FATE, CHRONICLE = 10, 11, 12
"""Their entities."""


class Fell(Signal):
    """A villager has lost a fight."""

    name: str


@workflow
async def villager(
    ctx: Context, name: str, route: list[Point], *, speed: float, pause: float, hp: int, strength: int
) -> None:
    """Patrol until killed, come back at the well, and patrol again: for ever."""
    at = route[0]
    while True:
        ctx.step("alive")
        patrol = npc_patrol(
            route, speed, pause=pause, hp=hp, strength=strength, mend=hp // 4, action_timeout=0.8, at=at
        )
        end = await ctx.spawn(patrol, entity_id=ctx.entity_id)
        fell_at = (end["x"], end["y"])
        ctx.signal(Fell(name), correlation_id=VILLAGE)
        ctx.step("fallen")
        await ctx.spawn(respawn(*HOME, delay=8.0, notify=VILLAGE), entity_id=ctx.entity_id)
        ctx.log.info("villager_back", name=name, fell_at=fell_at)
        at = HOME


@workflow
async def fate(ctx: Context, folk: list[int], shops: dict[int, list[str]]) -> None:
    """Send wolves, blessings and carts with goods; after dark more wolves, and the odd troll."""
    ctx.subscribe(PhaseChanged)
    beats = ctx.every(0.7)
    dark = False
    while True:
        match await ctx.select(beats, PhaseChanged):
            case PhaseChanged(phase):
                dark = phase == "night"
            case Beat():
                if ctx.random.random() < (0.8 if dark else 0.35):
                    troll = dark and ctx.random.random() < 0.2
                    foe = "troll" if troll else "wolf"
                    # For whom too many wait already, there is one less.
                    with suppress(LimitError):
                        ctx.signal(Threat(foe, *FOES[foe]), entity_id=ctx.random.choice(folk))
                if ctx.random.random() < 0.15:
                    effect = ctx.random.choice(["haste", "shield", "luck"])
                    ctx.spawn(
                        buff(20.0, effect), entity_id=ctx.random.choice(folk), on_parent_close="abandon"
                    )
                shop, goods = ctx.random.choice(list(shops.items()))
                ctx.signal(Deliver(ctx.random.choice(goods), ctx.random.randint(1, 3)), entity_id=shop)


@workflow
async def chronicle(ctx: Context) -> None:
    """Count what is made, who falls and who returns: nothing twice and nothing not at all, whatever crashes."""
    goods: dict[str, int] = {}
    fallen = returned = 0
    while True:
        match await ctx.select(Produced, Fell, Respawned):
            case Produced(product):
                goods[product] = goods.get(product, 0) + 1
            case Fell():
                fallen += 1
            case Respawned():
                returned += 1


WORKFLOWS: list[WorkflowType[Any, Any]] = [
    villager,
    fate,
    chronicle,
    day_night,
    npc_patrol,
    combat,
    buff,
    respawn,
    production,
]


def populate(world: Runtime) -> int:
    """Start whatever the world lacks, in one turn; return how many that were.

    One that was killed in the middle of this comes out the same as a new one.
    """
    there = {(view.type, view.entity_id) for view in world.workflows(status="Suspended")}
    folk = people()
    lives = [(_life(person), person.entity) for person in folk if (villager.name, person.entity) not in there]
    started = len(world.start_many(lives))
    for shop in SHOPS:
        if (production.name, shop.entity) not in there:
            work = production(
                shop.product, shop.inputs, shop.craft_time, quantity=1_000_000, capacity=20, report_to=VILLAGE
            )
            world.start(work, entity_id=shop.entity)
            started += 1
    entities = [person.entity for person in folk]
    shops = {shop.entity: list(shop.inputs) for shop in SHOPS}
    whole: list[tuple[Call[Any], int]] = [
        (chronicle(), CHRONICLE),
        (fate(entities, shops), FATE),
        (day_night(PHASES), SKY),
    ]
    for call, entity in whole:
        if (call.type.name, entity) not in there:
            world.start(call, entity_id=entity, correlation_id=VILLAGE)
            started += 1
    return started


def _life(person: Person) -> Call[None]:
    kind = person.kind
    return villager(
        person.name, person.route, speed=kind.speed, pause=kind.pause, hp=kind.hp, strength=kind.strength
    )

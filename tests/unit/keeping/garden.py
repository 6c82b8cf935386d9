"""A small world that has something of everything: what is kept, copied and examined in these tests."""

import asyncio
from dataclasses import dataclass

from deathless import (
    Context,
    Elapsed,
    GameClock,
    Retry,
    Runtime,
    Signal,
    Table,
    activity,
    reducer,
    workflow,
)

stock = Table("stock", key=(int, str), value=float)


class Water(Signal):
    amount: int = 1
    bed: int = 0


class Ripe(Signal):
    pass


@dataclass
class Plant:
    name: str
    sizes: dict[int, float]
    place: tuple[int, int] = (0, 0)


@reducer
def put(ctx, bed: int, what: str, weight: float) -> float:
    table = ctx.table(stock)
    table[bed, what] = table.get((bed, what), 0.0) + weight
    return table[bed, what]


@activity
async def weigh(ctx, what: str) -> float:
    # Until the world is closed: then it is begun again when it is opened.
    await asyncio.Event().wait()
    return float(len(what))


@workflow
async def grower(ctx: Context, plant: Plant) -> str:
    ctx.subscribe(Water, bed=plant.place[0])
    while True:
        match await ctx.select(ctx.timer(5.0, name="dry"), Water, Ripe):
            case Water(amount):
                plant.sizes[amount] = plant.sizes.get(amount, float("inf")) - 1
                ctx.call(put, plant.place[0], plant.name, 0.5)
            case Ripe():
                return plant.name
            case Elapsed():
                raise RuntimeError("dried up")


@workflow
async def seedling(ctx: Context, n: int) -> int:
    await ctx.sleep(n)
    return n


@workflow
async def keeper(ctx: Context) -> list:
    children = [ctx.spawn(seedling(n), on_parent_close=how) for n, how in ((90, "cancel"), (91, "abandon"))]
    return list(await ctx.gather(*children))


@workflow
async def weigher(ctx: Context, what: str) -> float:
    return await ctx.run(weigh(what))


@workflow
async def drip(ctx: Context) -> None:
    beat = ctx.every(7.0)
    while True:
        await ctx.select(beat)


@workflow
async def sleeper(ctx: Context) -> None:
    await ctx.sleep(30.0)
    await ctx.receive(Water)


@workflow(retry=Retry(attempts=3, delay=40.0))
async def stubborn(ctx: Context) -> None:
    await ctx.sleep(0.1)
    raise ValueError("not today")


TYPES = [grower, seedling, keeper, weigher, drip, sleeper, stubborn, put, weigh, stock]


def open_garden(path, **options):
    """Open the world with its history, on a game clock."""
    options = {"clock": GameClock(), "durability": "process", "history": "all", "audit": True, **options}
    return Runtime(path, TYPES, **options)


def plant(world):
    """Let it come to something of everything."""
    for bed in range(4):
        world.start(
            grower(Plant(f"rose {bed}", {}, (bed, 1))), entity_id=bed, correlation_id=f"bed {bed % 2}"
        )
    for call in (keeper(), weigher("kale"), drip(), sleeper(), stubborn()):
        world.start(call, entity_id=9)
    world.advance(0.0)
    world.advance(0.2)
    world.signal(Water(2), entity_id=9)
    world.signal(Water(3, 1), entity_id=1, input_id="watered")
    world.signal(Ripe(), entity_id=2)
    world.cancel(workflow_id=world.workflows(entity_id=3)[0].id, reason="weeds")
    world.call(put, 1, "earth", 2.5)
    world.advance(1.0)
    # The grower of bed 0 dries up; the signals that follow are not all got to.
    world.advance(6.0)
    for amount in range(5):
        world.signal(Water(amount), entity_id=9)
    world.advance(0.1, budget=0.0)


def ids_of(world_path, type_name):
    """Return the ids of the workflows of a type in a closed world."""
    with open_garden(world_path) as world:
        return [view.id for view in world.workflows(type=type_name)]

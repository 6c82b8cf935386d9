"""A game with something of everything, to be asked by SQL."""

from dataclasses import dataclass

from deathless import Context, Runtime, Signal, Table, reducer, routine, workflow


@dataclass
class Weapon:
    name: str
    damage: int = 3


@dataclass
class Player:
    name: str
    gold: int = 0
    bag: tuple[Weapon, ...] = ()


players = Table("player", key=int, value=Player)
prices = Table("price", key=(str, int), value=float)
clash = Table("workflow", key=str, value=str)


class Hit(Signal):
    damage: int = 1


class Heal(Signal):
    pass


@reducer
def set_up(ctx) -> None:
    rows = ctx.table(players)
    for number in range(5):
        rows[number - 2] = Player(f"player {number}", 10 * number, (Weapon("axe"),) * number)
    for name, level, price in (("axe", 1, 3.5), ("axe", 2, 7.0), ("bow", 1, 4.0)):
        ctx.table(prices)[name, level] = price
    ctx.table(clash)["a"] = "mine"


@routine
async def rest(ctx: Context, seconds: float) -> None:
    await ctx.sleep(seconds)


@workflow
async def guard(ctx: Context, hp: int = 10) -> str:
    weapon = Weapon("spear")
    while hp > 0:
        ctx.step("watching")
        match await ctx.select(Hit, Heal):
            case Hit(damage):
                hp -= damage * weapon.damage
            case Heal():
                ctx.step("resting")
                await rest(ctx, 60.0)
    return "slain"


@workflow
async def buff(ctx: Context, duration: float) -> float:
    await ctx.select(ctx.timer(duration, name="expire"), Hit)
    return duration


@workflow
async def brood(ctx: Context, count: int) -> int:
    children = [ctx.spawn(buff(20.0 + number), entity_id=ctx.entity_id) for number in range(count)]
    beats = ctx.every(7.0)
    await ctx.select(beats)
    return sum(await ctx.gather(*children))


@workflow
async def fragile(ctx: Context, why: str) -> None:
    await ctx.receive(Hit)
    raise ValueError(why)


@workflow
async def nest(ctx: Context, times: int) -> None:
    nested: list = []
    for _ in range(times):
        nested = [nested, nested]
    await ctx.receive(Hit)
    ctx.log.info("nested", depth=len(nested))


ALL = [guard, buff, brood, fragile, set_up, players, prices, clash]


def populate(world: Runtime) -> None:
    """Fill a world; 9 workflows have ended in three ways, others stand in all sorts of awaits."""
    world.call(set_up)
    for number in range(4):
        world.start(guard(10 + number), entity_id=number, correlation_id="gate" if number % 2 else None)
        world.start(buff(1.0 + number), entity_id=42, correlation_id="gate")
    for number in range(3):
        world.start(fragile(f"no {number}"), entity_id=2**63 + number)
    world.start(brood(2), entity_id=7, correlation_id="it's a brood")
    world.advance(0.5)
    world.signal(Heal(), entity_id=1)
    world.signal(Hit(5), entity_id=0)
    world.signal(Hit(), entity_id=1)
    for number in range(2):
        world.signal(Hit(), entity_id=2**63 + number)
    world.cancel(entity_id=3, reason="off duty")
    world.advance(2.0)
    world.advance(0.0)

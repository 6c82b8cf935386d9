"""What both type checkers accept; `tests/unit/test_typing.py` runs them, and Python itself, over this file.

Each `assert_type` says what a checker infers, word for word.
"""

from __future__ import annotations

from collections.abc import Awaitable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import assert_never, assert_type

from deathless import (
    ActivityContext,
    ActivityDone,
    Beat,
    Call,
    Child,
    ChildDone,
    Context,
    Elapsed,
    Handle,
    ReducerContext,
    Retry,
    Running,
    Runtime,
    Signal,
    Table,
    activity,
    reducer,
    routine,
    workflow,
)


class Stack(Signal):
    amount: int = 1


class Dispel(Signal):
    pass


@dataclass
class Player:
    name: str
    gold: int = 0


players = Table("player", key=int, value=Player)
places = Table("place", key=(int, str), value=list)
triples = Table("triple", key=(int, str, bytes), value=int)


@workflow
async def buff(ctx: Context, duration: float, *, effect: str = "") -> int:
    """Every event of a select has its case, and the checker knows it."""
    stacks = 1
    while True:
        event = await ctx.select(ctx.timer(duration), Stack, Dispel)
        assert_type(event, Elapsed | Stack | Dispel)
        match event:
            case Stack(amount):
                assert_type(amount, int)
                stacks += amount
            case Dispel():
                return stacks
            case Elapsed():
                return stacks
            case _ as never:
                assert_never(never)


@routine
async def rest(ctx: Context, seconds: float) -> str:
    match await ctx.select(ctx.timer(seconds), Dispel):
        case Elapsed(due=due):
            assert_type(due, float)
            return "rested"
        case Dispel():
            return "woken"
        case _ as never:
            assert_never(never)


@activity
def fetch(ctx: ActivityContext, url: str, tries: int = 1) -> bytes:
    return f"{url} {tries} {ctx.idempotency_key}".encode()


@activity
async def look_up(ctx: ActivityContext, name: str) -> int:
    return len(name) + ctx.attempt


@reducer
def pay(ctx: ReducerContext, player: int, amount: int = 1) -> int:
    rows = ctx.table(players)
    row = rows[player]
    assert_type(row, Player)
    row.gold += amount
    rows[player] = row
    rows[player + 1] = Player("nobody")
    for key, value in rows.between(1, 5):
        assert_type(key, int)
        assert_type(value, Player)
    ctx.table(places)[7, "gate"] = [1, 2]
    ctx.table(triples)[7, "gate", b"x"] = 3
    ctx.start(buff(3.0), entity_id=player)
    ctx.signal(Stack(2), entity_id=player)
    ctx.publish(Dispel())
    ctx.call(pay, player, amount=2)
    return row.gold


@reducer(name="bank.close")
def close_bank(ctx: ReducerContext) -> None:
    ctx.log.info("bank_closed", sender=ctx.sender)


@workflow(name="raid", version=2, signals=(Dispel,), retry=Retry(attempts=2))
async def raid(ctx: Context, size: int) -> dict[str, int]:
    """Every primitive once."""
    child = ctx.spawn(buff(5.0, effect="slow"), entity_id=size)
    assert_type(child, Child[int])
    assert_type(await child, int)
    other = ctx.spawn(raid(size - 1), correlation_id="raid", on_parent_close="abandon")
    assert_type(await other, dict[str, int])
    assert_type(await ctx.gather(*[child, child]), list[int])
    assert_type(await ctx.gather(child, other), tuple[int, dict[str, int]])

    work = ctx.run(fetch("https://example.org", tries=2), retry=Retry(attempts=3), timeout=5.0)
    assert_type(work, Running[bytes])
    assert_type(await work, bytes)
    number = ctx.run(look_up("orc"))
    assert_type(await number, int)

    told: list[object] = [await ctx.run(look_up("orc")), await ctx.spawn(buff(1.0))]
    told.append(await ctx.run(look_up("elf")))

    beats = ctx.every(1.0, missed="catch_up")
    event = await ctx.select(beats, child, work, Stack)
    assert_type(event, Beat | ChildDone[int] | ActivityDone[bytes] | Stack)
    match event:
        case Beat(n, missed):
            assert_type(n + missed, int)
        case ChildDone(_, result, error):
            assert_type(result, int | None)
            assert_type(error, Exception | None)
        case ActivityDone(_, data):
            assert_type(data, bytes | None)
        case Stack():
            assert_type(ctx.reply(event, event.amount), bool)
        case _ as never:
            assert_never(never)

    assert_type(await ctx.receive(Stack), Stack)
    assert_type(await ctx.receive(Stack, Dispel), Stack | Dispel)
    assert_type(await rest(ctx, 2), str)
    assert_type(ctx.call(pay, size, amount=3), int)
    ctx.call(close_bank)
    ctx.subscribe(Stack, amount=3)
    ctx.unsubscribe(Stack)
    ctx.publish(Stack(3))
    ctx.signal(Stack(amount=3), workflow_id=child.workflow_id)
    ctx.step("over")
    ctx.log.info("raid_over", now=ctx.now, luck=ctx.random.random())
    return {"size": size}


def host(world: Runtime) -> None:
    """What a game calls."""
    assert_type(buff(3, effect="slow"), Call[int])
    handle = world.start(buff(3.0), entity_id=42, on_conflict="existing", input_id="once")
    assert_type(handle, Handle[int])
    assert_type(handle.result(), int)
    assert_type(world.start(raid(3)).result(), dict[str, int])
    assert_type(handle.committed, Future[int])
    world.start("buff", args=(3.0,), kwargs={"effect": "slow"})
    world.start_many([(buff(3.0), 1), (raid(3), None)])
    world.start_many([buff(3.0), (raid(3), 1, "raid")])
    assert_type(world.signal(Stack(2), entity_id=42), int)
    assert_type(world.publish(Stack(2), input_id="twice"), int)
    assert_type(world.cancel(correlation_id="raid", reason="rain", force=True), int)
    gold: int = world.ask(Stack(2), entity_id=42).result()
    assert_type(world.call(pay, 1, amount=gold), Future[int])
    assert_type(world.call(pay, 1, gold, sender="shop"), Future[int])
    assert_type(world.call(pay, 1, gold, input_id="a"), Future[int])
    assert_type(world.call(pay, 1, gold, sender="shop", input_id="b"), Future[int])
    assert_type(world.call(close_bank), Future[None])
    paid: int = world.call("pay", 1, amount=3, sender="shop", input_id="c").result()
    world.reload([buff, raid, pay, fetch, players])
    assert paid == world.get(handle.id).locals["stacks"]


async def ordinary(awaitable: Awaitable[int]) -> int:
    return await awaitable

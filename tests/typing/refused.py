"""What both type checkers refuse: each line that ends with a `refused:` comment, and no other.

`tests/unit/test_typing.py` runs them over this file. It is never run itself, and what it does makes no sense.
"""

from __future__ import annotations

from typing import TypedDict, assert_never, assert_type

from accepted import Dispel, Player, Stack, buff, close_bank, fetch, look_up, pay, places, players, raid

from deathless import (
    Child,
    Context,
    Elapsed,
    Handle,
    ReducerContext,
    Retry,
    Runtime,
    Signal,
    Table,
    activity,
    reducer,
    routine,
    workflow,
)


class Noise(Signal):
    zone: int
    loud: float = 1.0


class End(TypedDict):
    stacks: int


# Signals.
Noise()  # refused: a field without a default
Noise("three")  # refused: the type of a field
Noise(3, volume=2.0)  # refused: a field that there is not
Noise(3).zone = 4  # refused: signals are frozen
Noise(3).volume  # refused: reading a field that there is not
Dispel(3)  # refused: a signal without fields

# Calls of a workflow.
buff("long")  # refused: the type of an argument
buff()  # refused: too few
buff(3.0, "slow")  # refused: by position what is by keyword only
buff(3.0, effect=3)  # refused: the type of a keyword
buff(3.0, colour="red")  # refused: an unknown keyword
raid(size=None)  # refused: None for a number
buff(3.0).result()  # refused: a call is no handle


@workflow  # refused: a function that is not async
def no_coroutine(ctx: Context) -> int:
    return 1


@workflow(version="two")  # refused: the type of a version
async def bad_version(ctx: Context) -> None: ...


@workflow(signals=(int,))  # refused: a class that is no signal
async def bad_signals(ctx: Context) -> None: ...


@workflow(retry=3)  # refused: a number for a policy
async def bad_retry(ctx: Context) -> None: ...


Retry(attempts="three")  # refused: a text for a number
Retry(tries=3)  # refused: an unknown field


@routine
async def walk(ctx: Context, steps: int) -> str:
    await ctx.sleep("soon")  # refused: a text for seconds
    await ctx.sleep(steps, name="walk")  # refused: a sleep has no name
    return 3  # refused: the result of a routine


@workflow
async def sources(ctx: Context) -> None:
    await ctx.select(3)  # refused: a number as a source
    await ctx.select(Stack, "Dispel")  # refused: the name of a signal
    await ctx.select(ctx.sleep(3))  # refused: a sleep is no source
    await ctx.select(buff(3.0))  # refused: a call that was not spawned
    await ctx.select(Stack(1))  # refused: a signal for its class
    await ctx.receive(ctx.timer(3))  # refused: a timer is for select
    await ctx.receive(Stack(1))  # refused: a signal for its class
    await ctx.timer(3)  # refused: a source is not awaited
    await ctx.every(3)  # refused: a source is not awaited
    await buff(3.0)  # refused: a call that was not spawned
    ctx.timer("soon")  # refused: a text for seconds
    ctx.every(1.0, missed="later")  # refused: an unknown policy


@workflow
async def events(ctx: Context) -> int:
    """Cases that are missing, and results that are taken for something else."""
    match await ctx.select(ctx.timer(3.0), Stack):
        case Stack(amount):
            amount.upper()  # refused: the type of a field in a case
        case Elapsed(name):
            name.upper()  # refused: a timer may have no name
    match await ctx.select(ctx.timer(3.0), Stack, Dispel):
        case Stack() | Elapsed():
            pass
        case _ as never:
            assert_never(never)  # refused: Dispel has no case
    event = await ctx.select(ctx.timer(3.0), Stack, Dispel)
    event.amount  # refused: not each of them has it
    match event:
        case Stack():
            pass
        case Elapsed():
            pass
        case _ as never:
            assert_never(never)  # refused: Dispel has no case
    match event:
        case Stack():
            pass
        case _ as never:
            assert_never(never)  # refused: two have no case
    got = await ctx.receive(Stack)
    assert_type(got, Dispel)  # refused: what receive gives
    text: str = await walk(ctx, 3)
    number: int = await walk(ctx, 3)  # refused: the result of a routine
    await walk(3)  # refused: a routine without its context
    await walk(ctx, "three")  # refused: an argument of a routine
    return text + str(number)  # refused: the result of a workflow


@workflow
async def children(ctx: Context) -> None:
    ctx.spawn(buff)  # refused: a workflow that was not called
    ctx.spawn("buff")  # refused: a name
    ctx.spawn(buff("long"))  # refused: an argument of a child
    ctx.spawn(walk(ctx, 3))  # refused: a routine
    ctx.spawn(buff(3.0), entity_id="orc")  # refused: a text for an entity
    ctx.spawn(buff(3.0), on_parent_close="keep")  # refused: an unknown policy
    child = ctx.spawn(buff(3.0))
    text: str = await child  # refused: the result of a child
    other: Child[str] = child  # refused: the type of a child
    both: tuple[int, str] = await ctx.gather(child, child)  # refused: the results of gather
    await ctx.gather(3)  # refused: a number to wait for
    done = await ctx.select(child)
    done.result.upper()  # refused: the result in its event
    done.error.args  # refused: there may be no error
    print(text, other, both)


@workflow
async def effects(ctx: Context) -> None:
    ctx.signal(Stack)  # refused: a class for a signal
    ctx.signal("Stack", entity_id=3)  # refused: a name
    ctx.signal(Stack(3), entity="orc")  # refused: an unknown kind of address
    ctx.signal(Stack(3), workflow_id="one")  # refused: a text for an id
    ctx.publish(Stack)  # refused: a class for a signal
    ctx.subscribe(Stack(3))  # refused: a signal for its class
    ctx.subscribe(Player)  # refused: a class that is no signal
    ctx.unsubscribe("Stack")  # refused: a name
    ctx.reply(Stack, 3)  # refused: a class for a signal
    ctx.reply(3)  # refused: an answer without its question
    ctx.step(3)  # refused: a number for a text
    ctx.now = 3.0  # refused: time is not set
    ctx.entity_id.bit_length()  # refused: there may be no entity
    ctx.jump()  # refused: there is no such primitive
    ctx.call(pay, "orc")  # refused: an argument of a reducer
    ctx.call(pay)  # refused: too few
    ctx.call(pay, 1, gold=3)  # refused: an unknown keyword
    ctx.call(close_bank, 1)  # refused: too many
    ctx.call("pay", 1)  # refused: workflows do not call by name
    ctx.call(buff, 3.0)  # refused: a workflow
    text: str = ctx.call(pay, 1)  # refused: the result of a reducer
    ctx.run(fetch)  # refused: an activity that was not called
    ctx.run(fetch(3))  # refused: an argument of an activity
    ctx.run(fetch("https://example.org", attempts=3))  # refused: an unknown keyword
    ctx.run(buff(3.0))  # refused: a workflow
    ctx.run(look_up("orc"), retry=3)  # refused: a number for a policy
    ctx.run(look_up("orc"), timeout="soon")  # refused: a text for seconds
    text = await ctx.run(look_up("orc"))  # refused: the result of an activity
    print(text)


# Tables and reducers.
Table("guild", value=Player)  # refused: no type of key
Table("guild", key=3, value=Player)  # refused: a key for its type
Table("guild", key=int, value=Player("orc"))  # refused: a value for its class


@reducer
def rows(ctx: ReducerContext, player: int) -> None:
    ctx.table("player")  # refused: a name
    table = ctx.table(players)
    table["orc"]  # refused: the type of a key
    table[player] = 3  # refused: the type of a value
    table[player].silver  # refused: a field that there is not
    text: str = table[player].gold  # refused: the type of a field
    table.between("a")  # refused: the type of a bound
    ctx.table(places)[player]  # refused: a part of a key
    ctx.table(places)["gate", player]  # refused: parts in another order
    ctx.sleep(3)  # refused: a reducer does not wait
    ctx.start(buff)  # refused: a workflow that was not called
    ctx.call(pay, "orc")  # refused: an argument of a reducer
    print(text)


@reducer  # refused: without a context
def no_context() -> None: ...


@activity  # refused: with the context of a workflow
def wrong_context(ctx: Context, url: str) -> None: ...


def host(world: Runtime) -> None:
    """What a game calls."""
    world.start(buff)  # refused: a workflow that was not called
    world.start(buff("long"))  # refused: an argument
    world.start(buff(3.0), entity_id="orc")  # refused: a text for an entity
    world.start(buff(3.0), on_conflict="ignore")  # refused: an unknown policy
    world.start(walk)  # refused: a routine
    handle = world.start(buff(3.0))
    handle.result().upper()  # refused: the type of a result
    other: Handle[str] = handle  # refused: the type of a handle
    end: End = handle.result()  # refused: the type of a result
    world.start_many([buff])  # refused: a workflow that was not called
    world.start_many([(buff(3.0), "orc")])  # refused: a text for an entity
    world.start_many([(buff("long"), 1)])  # refused: an argument
    world.signal(Stack)  # refused: a class for a signal
    world.signal(Noise(), entity_id=3)  # refused: a field without a default
    world.signal(Stack(1), 3)  # refused: an address without its kind
    world.publish("Stack")  # refused: a name
    world.ask(Stack, entity_id=3)  # refused: a class for a signal
    world.ask(Stack(1), entity_id=3).upper()  # refused: a future for its answer
    world.cancel(3)  # refused: an address without its kind
    world.call(pay, "orc")  # refused: an argument of a reducer
    world.call(pay)  # refused: too few
    world.call(pay, 1, gold=3)  # refused: an unknown keyword
    world.call(close_bank, 1)  # refused: too many
    world.call(pay, 1, sender=3)  # refused: a number for a sender
    world.call(buff, 3.0)  # refused: a workflow
    world.call(pay, 1).result().upper()  # refused: the result of a reducer
    world.call(pay, 1, sender="shop").result().upper()  # refused: the result, with a sender too
    world.advance("a second")  # refused: a text for seconds
    world.get(handle)  # refused: a handle for its id
    world.reload([walk])  # refused: a routine is not registered
    print(other, end)


Runtime("world", buff)  # refused: one workflow for a list
Runtime("world", [walk])  # refused: a routine is not registered
Runtime("world", [buff], durability="none")  # refused: an unknown durability
Runtime("world", [buff], clock="game")  # refused: a name for a clock

"""The game of these tests, and how its world is pumped."""

import threading
import time
from contextlib import contextmanager

GAME = """
from dataclasses import dataclass

from deathless import Context, Elapsed, ReducerContext, Signal, Table, reducer, workflow

steps = Table("steps", key=int, value=str)


class Stack(Signal):
    amount: int = 1


class Dispel(Signal):
    pass


@dataclass
class Purse:
    gold: int
    owner: bytes


@workflow
async def buff(ctx: Context, duration: float, effect: str = "") -> int:
    stacks = 1
    ctx.subscribe(Stack)
    print("a buff begins")
    while True:
        ctx.step(f"{effect} {duration}")
        match await ctx.select(ctx.timer(duration, name="expire"), Stack, Dispel):
            case Stack(amount):
                stacks += amount
            case Dispel():
                return -stacks
            case Elapsed():
                return stacks


@workflow
async def fragile(ctx: Context) -> str:
    if ctx.call(broken):
        raise ValueError("no luck")
    return "mended"


@reducer
def broken(ctx: ReducerContext) -> bool:
    return 0 not in ctx.table(steps)


@reducer
def mend(ctx: ReducerContext) -> None:
    ctx.table(steps)[0] = "mended"


@reducer
def purse(ctx: ReducerContext, gold: int) -> Purse:
    return Purse(gold, b"\\x01\\xff")


@reducer
def caller(ctx: ReducerContext) -> str:
    return ctx.sender


@reducer
def refuse(ctx: ReducerContext, why: str = "closed") -> None:
    ctx.table(steps)[1] = "half done"
    raise PermissionError(why)
"""


@contextmanager
def pumped(world):
    """Pump a world in a thread, as its game's loop would, without moving its time."""
    stop = threading.Event()

    def pump():
        while not stop.wait(0.002):
            world.pump()

    thread = threading.Thread(target=pump)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def eventually(condition, seconds=60.0):
    """Wait until a condition holds, and return what it gave."""
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, "it never came true"
        time.sleep(0.01)
    return found

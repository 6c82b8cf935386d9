"""The workflows, reducers and activities of the crash test of the language, and what they talk to outside."""

from __future__ import annotations

import os

from deathless import (
    ActivityContext,
    Context,
    ReducerContext,
    Retry,
    Signal,
    Table,
    activity,
    reducer,
    workflow,
)

ACCOUNTS = 20
ZONES = 4
LISTENERS = 40

accounts = Table("account", key=int, value=int)


class Noise(Signal):
    zone: int
    amount: int


class Price(Signal):
    item: str


class Close(Signal):
    pass


@reducer
def transfer(ctx: ReducerContext, payer: int, payee: int, amount: int) -> int:
    rows = ctx.table(accounts)
    rows[payer] = rows.get(payer, 0) - amount
    if amount % 7 == 0:
        raise ValueError("an unlucky amount")
    rows[payee] = rows.get(payee, 0) + amount
    return rows[payer]


@reducer
def balances(ctx: ReducerContext) -> dict[int, int]:
    return dict(ctx.table(accounts))


@workflow
async def listener(ctx: Context, zone: int) -> tuple[int, int]:
    ctx.subscribe(Noise, zone=zone)
    heard = total = 0
    while True:
        match await ctx.receive(Noise, Close):
            case Noise(_, amount):
                heard += 1
                total += amount
            case Close():
                return heard, total


@workflow
async def shop(ctx: Context) -> int:
    asked = 0
    while True:
        match await ctx.receive(Price, Close):
            case Price() as question:
                asked += 1
                ctx.reply(question, asked)
            case Close():
                return asked


@activity
def work(ctx: ActivityContext, number: int) -> int:
    """Leave a mark outside of the world, where no crash takes it back."""
    with open(os.environ["CRASH_MARKS"], "ab", buffering=0) as marks:  # noqa: PTH123 - one write, at the end.
        marks.write(f"{number} {ctx.idempotency_key}\n".encode())
    if number % 5 == 0 and ctx.attempt == 1:
        raise ConnectionError("the first try")
    return number * 2


@workflow
async def job(ctx: Context, number: int) -> int:
    done = await ctx.run(work(number), retry=Retry(attempts=3, delay=0.0))
    ctx.call(transfer, 0, 1, 1)
    return done


@workflow
async def singleton(ctx: Context, name: str) -> str:
    await ctx.receive(Close)
    return name


TYPES = [accounts, transfer, balances, listener, shop, job, singleton, work]

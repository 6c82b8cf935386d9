"""What runs in the worlds that the model predicts: small workflows, each about one thing that a Runtime promises.

The model runs the same functions, without their decorators, in its own way. So no function here has a `finally`,
which would run when the model throws a coroutine away, or keeps the handle of a child in a local that it is done with.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from deathless import (
    ActivityContext,
    ActivityDone,
    Beat,
    Cancelled,
    ChildDone,
    ChildError,
    Context,
    Elapsed,
    ReducerContext,
    Retry,
    Signal,
    SignalNotAccepted,
    Table,
    activity,
    reducer,
    routine,
    workflow,
)

WAIT_S = 10
"""Seconds after which a barrier gives up; nothing here takes more than milliseconds."""

# -- signals -----------------------------------------------------------------------------------------------


class Note(Signal):
    n: int


class Lock(Signal):
    pass


class Unlock(Signal):
    pass


class Boom(Signal):
    """Fail, before this time."""

    until: float


class Finish(Signal):
    pass


class Rest(Signal):
    seconds: float


class Snooze(Signal):
    seconds: float


class Bear(Signal):
    how: str
    policy: str
    seconds: float


class Gather(Signal):
    pass


class Follow(Signal):
    """Subscribe to the news of a zone; of all zones, if it is 0."""

    zone: int


class Unfollow(Signal):
    zone: int


class Tell(Signal):
    zone: int


class News(Signal):
    zone: int
    n: int


class Price(Signal):
    item: int


class Open(Signal):
    pass


class Pay(Signal):
    payer: str
    payee: str
    amount: int


class Forward(Signal):
    """Send a note on, to the one address that is given."""

    n: int
    workflow_id: int | None
    entity_id: int | None
    group: str | None


class Fetch(Signal):
    n: int
    attempts: int


# -- a log of all that comes -------------------------------------------------------------------------------


@routine
async def locked(ctx: Context, patience: float) -> str:
    match await ctx.select(Unlock, ctx.timer(patience, name="patience")):
        case Unlock():
            return "unlocked"
        case Elapsed(name, due):
            return f"{name} {due}"


@workflow
async def ledger(ctx: Context, patience: float) -> list:
    """Log what comes in order; while it is locked, all but one signal waits unread."""
    log: list[Any] = []
    while True:
        match await ctx.receive(Note, Lock, Boom, Finish):
            case Note(n):
                log.append(n)
            case Lock():
                log.append(await locked(ctx, patience))
            case Boom(until):
                log.append(ctx.now)
                ctx.signal(Note(-1), correlation_id="red")
                if ctx.now < until:
                    raise ValueError(f"too early, at {ctx.now}")
            case Finish():
                return log


@workflow(retry=Retry(attempts=3, delay=0.25, backoff=2.0))
async def stubborn(ctx: Context, first: float) -> list:
    """Fail at the start, and on demand, until a time has come; each step is tried three times."""
    log: list[Any] = [ctx.now]
    if ctx.now < first:
        raise ValueError(f"not before {first}")
    while len(log) < 9:
        match await ctx.select(Note, Boom, ctx.timer(2.0)):
            case Note(n):
                log.append(n)
            case Boom(until):
                ctx.publish(News(1, -2))
                if ctx.now < until:
                    raise ValueError(f"too early, at {ctx.now}")
                log.append("boom")
            case Elapsed():
                log.append(ctx.now)
    return log


@workflow
async def mourner(ctx: Context, seconds: float, refuses: bool) -> list:
    """Take its time over a cancel, or survive it."""
    log: list[Any] = []
    try:
        while True:
            match await ctx.receive(Note, Boom):
                case Note(n):
                    log.append(n)
                case Boom():
                    break
    except Cancelled as cancelled:
        log.append(cancelled.reason)
        await ctx.sleep(seconds)
        ctx.signal(Note(len(log)), correlation_id="red")
        if not refuses:
            raise
    log.append((await ctx.receive(Note)).n)
    return log


@workflow
async def courier(ctx: Context) -> list:
    """Send notes on to others, by each kind of address."""
    log: list[str] = []
    while True:
        match await ctx.receive(Forward, Finish):
            case Forward(n, workflow_id, entity_id, group):
                try:
                    ctx.signal(Note(n), workflow_id=workflow_id, entity_id=entity_id, correlation_id=group)
                except SignalNotAccepted:
                    log.append(f"{n} refused")
            case Finish():
                return log


# -- children ----------------------------------------------------------------------------------------------


@workflow
async def kid(ctx: Context, how: str, seconds: float) -> str:
    """Return, fail or spawn after a time, or when it is told."""
    try:
        match await ctx.select(ctx.timer(seconds), Note):
            case Note(n):
                how = f"{how} {n}"
            case Elapsed():
                pass
    except Cancelled as cancelled:
        if how == "clings":
            return cancelled.reason
        raise
    if how == "fails":
        raise ValueError("a child that fails")
    return how


@workflow
async def parent(ctx: Context) -> list:
    """Bear children, hear of them in a select or gather them, and leave the rest to their policies."""
    heard: list[Any] = []
    children: list[Any] = []
    while True:
        match await ctx.select(Bear, Gather, Boom, Finish, *children):
            case Bear(how, policy, seconds):
                call = parent() if how == "parent" else kid(how, seconds)
                children.append(ctx.spawn(call, entity_id=ctx.entity_id, on_parent_close=policy))
                call = None
            case Gather():
                try:
                    heard.append(await ctx.gather(*children))
                except ChildError as error:
                    heard.append(str(error))
                children = []
            case ChildDone() as done:
                children.remove(done.child)
                heard.append(str(done.error) if done.error is not None else done.result)
                done = None
            case Boom(until):
                children.append(ctx.spawn(kid("is undone", 1.0)))
                if ctx.now < until:
                    raise ValueError("a parent that fails")
            case Finish():
                return heard


# -- news --------------------------------------------------------------------------------------------------


@workflow
async def listener(ctx: Context) -> list:
    """Log the news of the zones that it follows, and tell some."""
    log: list[Any] = []
    while True:
        match await ctx.receive(News, Follow, Unfollow, Tell, Boom, Finish):
            case News(zone, n):
                log.append((zone, n))
            case Follow(0):
                ctx.subscribe(News)
            case Follow(zone):
                ctx.subscribe(News, zone=zone)
            case Unfollow(0):
                ctx.unsubscribe(News)
            case Unfollow(zone):
                ctx.unsubscribe(News, zone=zone)
            case Tell(zone):
                ctx.publish(News(zone, len(log)))
            case Boom(until):
                ctx.subscribe(News, zone=9)
                ctx.publish(News(9, 9))
                if ctx.now < until:
                    raise ValueError("a listener that fails")
            case Finish():
                return log


# -- questions ---------------------------------------------------------------------------------------------


@workflow
async def shop(ctx: Context, is_open: bool) -> int:
    """Answer what is asked, at once or when it opens."""
    waiting: list[Price] = []
    answered = 0
    while True:
        match await ctx.receive(Price, Lock, Open, Finish):
            case Price(0):
                raise ValueError("nothing is free")
            case Price(item) as question:
                if is_open:
                    answered += ctx.reply(question, item * 10)
                else:
                    waiting.append(question)
            case Lock():
                is_open = False
            case Open():
                is_open = True
                for question in waiting:
                    answered += ctx.reply(question, question.item)
                waiting = []
            case Finish():
                return answered


# -- tables ------------------------------------------------------------------------------------------------

accounts = Table("account", key=str, value=int)
payments = Table("payment", key=(str, int), value=int)


@reducer
def deposit(ctx: ReducerContext, who: str, amount: int) -> int:
    rows = ctx.table(accounts)
    rows[who] = rows.get(who, 0) + amount
    return rows[who]


@reducer
def transfer(ctx: ReducerContext, payer: str, payee: str, amount: int) -> dict:
    """Write first and look later, so that what it raises has something to undo."""
    rows, done = ctx.table(accounts), ctx.table(payments)
    rows[payer] = rows.get(payer, 0) - amount
    rows[payee] = rows.get(payee, 0) + amount
    done[payer, len(done)] = amount
    ctx.publish(News(2, amount))
    if rows[payer] < 0:
        raise ValueError(f"{payer} has too little")
    if rows[payer] == 0:
        del rows[payer]
    return dict(rows.items())


@reducer
def try_transfer(ctx: ReducerContext, payer: str, payee: str, amount: int) -> str:
    """Catch what another reducer raises."""
    try:
        ctx.call(transfer, payer, payee, amount)
    except ValueError:
        ctx.call(deposit, "fees", 1)
        return "refused"
    return "paid"


@reducer
def found_branch(ctx: ReducerContext, entity_id: int, fails: bool) -> int:
    """Start, signal, publish and cancel, or none of it."""
    started = ctx.start(ledger(1.0), entity_id=entity_id, correlation_id="red")
    ctx.signal(Note(-3), entity_id=entity_id)
    ctx.signal(Note(-4), workflow_id=started)
    ctx.publish(News(1, -3))
    ctx.cancel(correlation_id="blue", reason="a branch opens")
    ctx.table(payments)["branch", started] = entity_id
    if fails:
        raise ValueError("no permit")
    return started


@workflow
async def teller(ctx: Context) -> list:
    """Call reducers inside its steps; a step that fails takes back what they did."""
    log: list[Any] = []
    while True:
        match await ctx.receive(Pay, Boom, Finish):
            case Pay(payer, payee, amount):
                try:
                    log.append(ctx.call(transfer, payer, payee, amount))
                except ValueError as error:
                    log.append(str(error))
            case Boom(until):
                log.append(ctx.call(deposit, "till", 1))
                if ctx.now < until:
                    raise ValueError("a teller that fails")
            case Finish():
                return log


# -- time --------------------------------------------------------------------------------------------------


@workflow
async def metronome(ctx: Context, period: float, missed: str) -> list:
    """Log beats; while it rests, it misses some."""
    log: list[Any] = []
    every = ctx.every(period, missed=missed)
    while len(log) < 12:
        match await ctx.select(every, Rest, Note, Boom):
            case Beat(n, overtaken):
                log.append((n, overtaken, ctx.now))
            case Rest(seconds):
                await ctx.sleep(seconds)
            case Note(n):
                log.append(n)
            case Boom(until):
                if ctx.now < until:
                    raise ValueError("a metronome that fails")
    return log


@workflow
async def sleeper(ctx: Context, seconds: float) -> list:
    """Keep one timer, make another anew each time, and rest so long that both are overdue."""
    log: list[Any] = []
    kept = ctx.timer(seconds, name="kept")
    while len(log) < 9:
        match await ctx.select(ctx.timer(0.7, name="anew"), kept, Snooze, Rest, Note):
            case Elapsed(name, due):
                log.append((name, due, ctx.now))
                if name == "kept":
                    kept = ctx.timer(seconds, name="kept")
            case Snooze(more):
                kept = ctx.timer(more, name="kept")
            case Rest(pause):
                await ctx.sleep(pause)
            case Note(n):
                log.append(n)
    return log


# -- outside -----------------------------------------------------------------------------------------------


class Outside:
    """Where activities wait until the test says how they end."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._visits: dict[str, tuple[int, asyncio.AbstractEventLoop, asyncio.Future[Any]]] = {}

    async def visit(self, key: str, attempt: int) -> Any:
        """Wait for an answer, as an activity."""
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        with self._changed:
            self._visits[key] = attempt, loop, answer
            self._changed.notify_all()
        try:
            return await answer
        finally:
            with self._changed:
                del self._visits[key]
                self._changed.notify_all()

    def await_visits(self, expected: dict[str, int]) -> None:
        """Wait until just these activities, each at its attempt, are here."""
        with self._changed:
            came = self._changed.wait_for(lambda: self.visits == expected, WAIT_S)
            assert came, f"activities {self.visits} are running, and not {expected}"

    @property
    def visits(self) -> dict[str, int]:
        """Attempts by key."""
        return {key: visit[0] for key, visit in self._visits.items()}

    def answer(self, key: str, value: Any, problem: str) -> None:
        """Let a visitor go, with a value or with an error."""
        with self._changed:
            _, loop, answer = self._visits[key]
        if problem:
            loop.call_soon_threadsafe(answer.set_exception, ValueError(problem))
        else:
            loop.call_soon_threadsafe(answer.set_result, value)


OUTSIDE = Outside()


@activity
async def errand(ctx: ActivityContext, n: int) -> Any:
    return await OUTSIDE.visit(ctx.idempotency_key, ctx.attempt)


@workflow
async def fetcher(ctx: Context) -> list:
    """Ask for outside work, and log how it ended."""
    log: list[Any] = []
    jobs: list[Any] = []
    while True:
        match await ctx.select(Fetch, Gather, Boom, Finish, *jobs):
            case Fetch(n, attempts):
                jobs.append(ctx.run(errand(n), retry=Retry(attempts=attempts, delay=0.0)))
            case Gather():
                try:
                    log.append(await ctx.gather(*jobs))
                except ChildError as error:
                    log.append(str(error))
                jobs = []
            case ActivityDone() as done:
                jobs.remove(done.activity)
                log.append(str(done.error) if done.error is not None else done.result)
                done = None
            case Boom(until):
                jobs.append(ctx.run(errand(0)))
                if ctx.now < until:
                    raise ValueError("a fetcher that fails")
            case Finish():
                return log


WORKFLOWS = (
    ledger,
    stubborn,
    mourner,
    courier,
    kid,
    parent,
    listener,
    shop,
    teller,
    metronome,
    sleeper,
    fetcher,
)
ALL = (*WORKFLOWS, deposit, transfer, try_transfer, found_branch, accounts, payments, errand)

"""What runs in the worlds of the determinism test: everything whose order could come from somewhere else.

Many timers fall on the same instants, sets of strings and dicts are kept over awaits, children end together, and
failures, cancels and refused sends happen in the middle of a turn.
"""

from __future__ import annotations

from deathless import (
    Beat,
    Cancelled,
    ChildCancelled,
    ChildDone,
    ChildError,
    Context,
    Elapsed,
    ReducerContext,
    Retry,
    Signal,
    SignalNotAccepted,
    Table,
    reducer,
    workflow,
)
from deathless.workflows.library import (
    Produced,
    Respawned,
    buff,
    combat,
    npc_patrol,
    production,
    respawn,
)

LISTENERS = "listeners"
GRID = 0.1


class Word(Signal):
    text: str
    weight: int


class Load(Signal):
    amount: int


class Go(Signal):
    extra: int


@workflow
async def listener(ctx: Context) -> None:
    """Keep a checksum that depends on the order of all that comes, and the set of the words."""
    words: set[str] = set()
    counts: dict[str, int] = {}
    checksum = 0
    while True:
        match await ctx.receive(Word, Respawned, Produced):
            case Word(text, weight):
                words.add(text)
                counts[text] = counts.get(text, 0) + weight
                checksum = (checksum * 31 + weight) % 1_000_000_007
                if len(words) > 40:
                    words = {text}
                    counts = {text: weight}
            case Respawned(entity_id):
                checksum = (checksum * 31 + (entity_id or 0)) % 1_000_000_007
            case Produced(_, made):
                checksum = (checksum * 31 + made) % 1_000_000_007


@workflow
async def gossip(ctx: Context, to: list[int], rounds: int) -> dict:
    """Wake on the grid that all share, and say something random to someone random."""
    said = frozenset(str(entity) for entity in to)
    for _ in range(rounds):
        await ctx.sleep(GRID * ctx.random.randrange(1, 4))
        word = Word(f"w{ctx.random.randrange(60)}", ctx.random.randrange(1000))
        if ctx.random.random() < 0.2:
            ctx.signal(word, correlation_id=LISTENERS)
        else:
            ctx.signal(word, entity_id=ctx.random.choice(to))
    return {"said": said, "end": ctx.now}


@workflow
async def porter(ctx: Context) -> int:
    """Carry loads; at some times of the day it breaks down under one, and has to be retried later."""
    total = 0
    trips = 0
    while trips < 30:
        match await ctx.select(Load, ctx.timer(GRID * 7)):
            case Load(amount):
                total += amount
                if int(ctx.now / GRID) % 5 == amount % 5:
                    raise ValueError(f"{amount} is too heavy at {ctx.now:.6f}")
            case Elapsed():
                trips += 1
    return total


@workflow(retry=Retry(attempts=3, delay=GRID, max_delay=GRID * 4))
async def mule(ctx: Context, beats: int, missed: str) -> list:
    """Go by beats that are shorter than two frames, stop for loads, and be tried again at some times of the day."""
    every = ctx.every(GRID * 0.7, missed=missed)
    walked: list[tuple[int, int]] = []
    while len(walked) < beats:
        match await ctx.select(every, Load):
            case Beat(n, gone):
                walked.append((n, gone))
                if (int(ctx.now / GRID) + n) % 9 == 0:
                    raise ValueError(f"stubborn at beat {n}")
            case Load(amount):
                await ctx.sleep(GRID * (amount % 6))
    return walked


@workflow
async def kid(ctx: Context, value: int, waits: int, policy: str) -> int:
    """Return the value after a time on the grid, or more where told to go; every seventh fails."""
    try:
        match await ctx.select(ctx.timer(GRID * waits), Go):
            case Go(extra):
                value += extra
            case Elapsed():
                pass
    except Cancelled:
        await ctx.sleep(GRID)
        ctx.signal(Word(policy, value), correlation_id=LISTENERS)
        raise
    if value % 7 == 0:
        raise ValueError(f"{policy} child of value {value}")
    return value


@workflow
async def family(ctx: Context, size: int, generations: int) -> list:
    """Spawn children that end at the same instants, and note the order in which they are heard."""
    heard: list[tuple[int, int | None]] = []
    for _ in range(generations):
        waiting = []
        for _ in range(size):
            policy = ctx.random.choice(("cancel", "abandon"))
            call = kid(ctx.random.randrange(1000), ctx.random.randrange(1, 5), policy)
            waiting.append(ctx.spawn(call, entity_id=ctx.entity_id, on_parent_close=policy))
        patience = ctx.timer(GRID * 4)
        while waiting:
            match await ctx.select(patience, *waiting):
                case ChildDone(child, result, error):
                    waiting.remove(child)
                    heard.append((child.workflow_id, None if error is not None else result))
                case Elapsed():
                    break
    return heard


@workflow
async def elder(ctx: Context, generations: int) -> list:
    """A parent of parents that awaits them in turn."""
    families = [ctx.spawn(family(2, generations), entity_id=ctx.entity_id) for _ in range(2)]
    lines = []
    for child in families:
        try:
            lines.append(await child)
        except ChildCancelled as error:
            lines.append(["cancelled", str(error)])
        except ChildError as error:
            lines.append(["failed", str(error)])
    return lines


@workflow
async def crew(ctx: Context, size: int) -> list[int]:
    """A parent that gathers its children."""
    kids = [ctx.spawn(kid(ctx.random.randrange(1000), 1 + number % 3, "cancel")) for number in range(size)]
    try:
        return await ctx.gather(*kids)
    except ChildError as error:
        return [error.child_id]


@workflow
async def pest(ctx: Context, targets: list[int]) -> list[str]:
    """Send to workflows by id that may have ended, failed or never take it."""
    answers = []
    for target in targets:
        await ctx.sleep(GRID)
        try:
            ctx.signal(Go(target % 10), workflow_id=target)
            answers.append("sent")
        except SignalNotAccepted:
            answers.append("refused")
    return answers


class Question(Signal):
    number: int


tally = Table("tally", key=(str, int), value=int)


@reducer
def count(ctx: ReducerContext, word: str, weight: int) -> int:
    """Count a word by its weight; start, signal and cancel what hangs on some of them; undo all for others."""
    rows = ctx.table(tally)
    key = (word, weight % 5)
    rows[key] = rows.get(key, 0) + 1
    if rows[key] % 6 == 0:
        del rows[key]
    if weight % 4 == 0:
        ctx.start(kid(weight, 1, "abandon"), entity_id=weight)
    if weight % 5 == 0:
        ctx.publish(Word(word, weight))
    if weight % 7 == 0:
        ctx.cancel(correlation_id=f"hearers {weight % 3}", reason="counted out")
    if weight % 9 == 0:
        raise ValueError(f"{word} weighs {weight}")
    return sum(amount for _, amount in rows.between((word, 0), (word, 3)))


@workflow
async def crier(ctx: Context, rounds: int) -> list[int]:
    """Publish words, and count them in a table."""
    counted = []
    for _ in range(rounds):
        await ctx.sleep(GRID)
        word, weight = f"w{ctx.random.randrange(9)}", ctx.random.randrange(40)
        ctx.publish(Word(word, weight))
        try:
            counted.append(ctx.call(count, word, weight))
        except ValueError:
            counted.append(-1)
    return counted


@workflow
async def hearer(ctx: Context, rounds: int) -> dict[str, int]:
    """Hear some of the words, now these and now those, and answer questions, some of them late."""
    heard: dict[str, int] = {}
    asked: list[Question] = []
    ctx.subscribe(Word, text=f"w{ctx.random.randrange(9)}")
    for _ in range(rounds):
        match await ctx.select(Word, Question, ctx.timer(GRID * 5)):
            case Word(text, weight):
                heard[text] = heard.get(text, 0) + weight
                if weight % 8 == 0:
                    ctx.unsubscribe(Word)
                    ctx.subscribe(Word, weight=weight + 1)
            case Question() as question:
                asked.append(question)
            case Elapsed():
                ctx.subscribe(Word, text=f"w{ctx.random.randrange(9)}")
        if len(asked) > 2:
            ctx.reply(asked.pop(0), len(heard))
    return heard


TYPES = [
    tally,
    count,
    crier,
    hearer,
    buff,
    combat,
    npc_patrol,
    production,
    respawn,
    listener,
    gossip,
    porter,
    mule,
    crew,
    kid,
    family,
    elder,
    pest,
]

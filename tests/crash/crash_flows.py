"""What runs in the worlds of the crash tests: the library, and workflows that keep a record of what reached them.

A record is small and exact: how many, a checksum that depends on their order, and whether one came twice or late.
"""

from __future__ import annotations

from deathless import ChildDone, ChildError, Context, Elapsed, Signal, workflow
from deathless.workflows.library import (
    Produced,
    Respawned,
    buff,
    combat,
    npc_patrol,
    production,
    respawn,
)

COLLECTORS = "collectors"
MODULUS = (1 << 61) - 1


class Note(Signal):
    """From outside the world."""

    sender: int
    seq: int


class Parcel(Signal):
    """From a workflow of the world."""

    sender: int
    seq: int


class Fired(Signal):
    number: int


class Release(Signal):
    extra: int


def checksum_after(checksum: int, seq: int) -> int:
    """Add a sequence number to a checksum of all before it."""
    return (checksum * 1_000_003 + seq + 1) % MODULUS


@workflow
async def recorder(ctx: Context, period: float) -> None:
    """Record the notes of each sender as [count, checksum], parcels likewise, and the beats of a timer."""
    begun = ctx.now
    notes: dict[int, list[int]] = {}
    parcels: dict[int, list[int]] = {}
    beats = early = 0
    beat = ctx.timer(period)
    while True:
        match await ctx.select(beat, Note, Parcel):
            case Elapsed(_, due):
                beats += 1
                early += ctx.now < due or ctx.now < begun + beats * period - 1e-5
                beat = ctx.timer(begun + (beats + 1) * period - ctx.now)
            case Note(sender, seq):
                entry(notes, sender, seq)
            case Parcel(sender, seq):
                entry(parcels, sender, seq)


def entry(book: dict[int, list[int]], sender: int, seq: int) -> None:
    """Enter one message into a record."""
    count, checksum = book.get(sender, (0, 0))
    book[sender] = [count + 1, checksum_after(checksum, seq)]


@workflow
async def courier(ctx: Context, to: int, parcels: int, pause: float) -> int:
    """Send numbered parcels to an entity."""
    sent = 0
    while sent < parcels:
        ctx.signal(Parcel(ctx.workflow_id, sent), entity_id=to)
        sent += 1
        await ctx.sleep(pause)
    return sent


@workflow
async def collector(ctx: Context) -> None:
    """Count what alarms, respawns and productions report; all collectors must have counted the same."""
    fired = numbers = respawned = produced = 0
    while True:
        match await ctx.receive(Fired, Respawned, Produced):
            case Fired(number):
                fired += 1
                numbers += number
            case Respawned():
                respawned += 1
            case Produced():
                produced += 1


@workflow
async def alarm(ctx: Context, number: int, seconds: float) -> dict:
    """Report to the collectors when the time is up."""
    begun = ctx.now
    match await ctx.select(ctx.timer(seconds)):
        case Elapsed(_, due):
            ctx.signal(Fired(number), correlation_id=COLLECTORS)
            return {"begun": begun, "due": due, "now": ctx.now}


@workflow
async def kid(ctx: Context, value: int, seconds: float, policy: str) -> int:
    """Return the value after a time, or earlier and more where released; every thirteenth fails."""
    match await ctx.select(ctx.timer(seconds), Release):
        case Release(extra):
            value += extra
        case Elapsed():
            pass
    if value % 13 == 0:
        raise ValueError(f"{policy} child of value {value}")
    return value


@workflow
async def gatherer(ctx: Context, values: list[int], seconds: float) -> dict:
    """Await the children one after the other."""
    children = [
        ctx.spawn(kid(value, seconds * (1 + value % 3), "cancel"), entity_id=ctx.entity_id)
        for value in values
    ]
    total = failed = 0
    for child in children:
        try:
            total += await child
        except ChildError:
            failed += 1
    return {"total": total, "failed": failed, "children": [child.workflow_id for child in children]}


@workflow
async def chooser(ctx: Context, values: list[int], seconds: float, patience: float) -> dict:
    """Select on the children until patience ends; every second one may stay behind."""
    waiting = []
    for value in values:
        policy = "abandon" if value % 2 else "cancel"
        call = kid(value, seconds * (1 + value % 3), policy)
        waiting.append(ctx.spawn(call, entity_id=ctx.entity_id, on_parent_close=policy))
    total = failed = 0
    heard: list[int] = []
    deadline = ctx.timer(patience)
    while waiting:
        match await ctx.select(deadline, *waiting):
            case ChildDone(child, result, error):
                waiting.remove(child)
                heard.append(child.workflow_id)
                if error is None:
                    total += result
                else:
                    failed += 1
            case Elapsed():
                return {"total": total, "failed": failed, "children": heard}
    return {"total": total, "failed": failed, "children": heard}


TYPES = [
    npc_patrol,
    combat,
    buff,
    respawn,
    production,
    recorder,
    courier,
    collector,
    alarm,
    kid,
    gatherer,
    chooser,
]

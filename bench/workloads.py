"""The workflows that the benchmarks run."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator

import structlog

from deathless import Context, Elapsed, Runtime, Signal, workflow

BATCH = 1_024
"""Calls a pump, and rows a commit."""
FAR_S = 3_600.0
"""A duration that no benchmark reaches."""

# Benchmarks open many worlds, in processes whose output is read; none of them has news.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))

lateness: list[tuple[float, float]] = []
"""(due, when its step ran) of each beat of `punctual`, in seconds of the wall clock."""


class Dispel(Signal):
    pass


class Stack(Signal):
    amount: int = 1


@workflow
async def plain_buff(ctx: Context, duration: float, effect: str = "") -> dict:
    """The buff of the documentation: three locals."""
    stacks = 1
    while True:
        match await ctx.select(ctx.timer(duration, name="expire"), Stack, Dispel):
            case Stack(amount):
                stacks += amount
            case Dispel():
                return {"effect": effect, "stacks": stacks, "dispelled": True}
            case Elapsed():
                return {"effect": effect, "stacks": stacks, "dispelled": False}


@workflow
async def buff(ctx: Context, duration: float, effect: str = "") -> dict:
    """The measured one: ten locals live across the await, three of them containers, the timer re-armed each step."""
    stacks = 1
    name, team, health, speed = "orc", 3, 100, 1.5
    place = [1.0, 2.0]
    carries = {"gold": 3, "arrows": 12}
    tags = ["slow", "cold", "undead"]
    while True:
        match await ctx.select(ctx.timer(duration, name="expire"), Stack, Dispel):
            case Stack(amount):
                stacks += amount
            case Dispel():
                break
            case Elapsed():
                break
    return {"effect": effect, "stacks": stacks, "of": [name, team, health, speed, place, carries, tags]}


@workflow
async def npc(ctx: Context, first: float, period: float = 1.0) -> None:
    """One step a period, the first after `first` seconds."""
    health, place, route = 100, [0.0, 0.0], ["gate", "well", "mill"]
    await ctx.sleep(first)
    beats = ctx.every(period)
    while health > 0:
        beat = await ctx.select(beats)
        place[0] += 0.25
        if beat.n % 16 == 0:
            route.append(route.pop(0))


@workflow
async def punctual(ctx: Context, first: float) -> None:
    """One step a second that notes how late it runs.

    Each is due by the time of its start. Counted from the step before, all would be due just when a frame begins, and
    be late by nothing or by a whole frame.
    """
    due = ctx.now + first
    while True:
        await ctx.sleep(max(0.0, due - ctx.now))
        note(due)
        due += 1.0


def note(due: float) -> None:
    lateness.append((due, time.time()))


ALL = [buff, plain_buff, npc, punctual]


def populate(world: Runtime, count: int, what: object = None) -> None:
    """Start `count` buffs, entities from 0 up, a batch a turn, and commit them."""
    kind = what or buff
    for first in range(0, count, BATCH):
        entities = range(first, min(first + BATCH, count))
        world.start_many([(kind(FAR_S, "slow"), entity) for entity in entities])
        world.advance(0.001)
    world.commit()


def shuffled(count: int, seed: int = 1) -> list[int]:
    entities = list(range(count))
    random.Random(seed).shuffle(entities)
    return entities


def batches(entities: list[int]) -> Iterator[list[int]]:
    """Go round the entities for ever, a batch at a time; a batch larger than all of them takes some again."""
    at = 0
    while True:
        batch: list[int] = []
        while len(batch) < BATCH:
            part = entities[at : at + BATCH - len(batch)]
            batch += part
            at = (at + len(part)) % len(entities)
        yield batch


def phases(count: int) -> Iterable[float]:
    """Spread first steps evenly over one second."""
    return (number / count for number in shuffled(count, seed=2))

"""Reducers a second: each reads a row of a table and writes it, from the game and inside a step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from report import Section, Spread
from workloads import BATCH, batches, shuffled

from deathless import Context, GameClock, ReducerContext, Runtime, Signal, Table, reducer, workflow


@dataclass
class Purse:
    owner: str
    gold: int = 0


purses = Table("purse", key=int, value=Purse)


class Coin(Signal):
    gold: int = 1


@reducer
def earn(ctx: ReducerContext, player: int, gold: int) -> int:
    rows = ctx.table(purses)
    purse = rows.get(player) or Purse("somebody")
    purse.gold += gold
    rows[player] = purse
    return purse.gold


@workflow
async def collector(ctx: Context, player: int) -> None:
    """Earn what comes, or count it in a local where there is no player: what a step costs without the call."""
    gold = 0
    while True:
        coin = await ctx.receive(Coin)
        if player < 0:
            gold += coin.gold
        else:
            gold = ctx.call(earn, player, coin.gold)


def measure(scratch: Path, *, rounds: int, pumps: int, population: int) -> Section:
    """Call a reducer from the game, and within steps beside the same steps without it."""
    section = Section(
        f"reducers that read a row and write it, of {population:,} rows, `power`; a pump per {BATCH:,}",
        ["", "a second", "us each"],
    )
    with Runtime(scratch / "world", [collector, earn, purses], clock=GameClock()) as world:
        for first in range(0, population, BATCH):
            players = range(first, min(first + BATCH, population))
            world.start_many([(collector(player), player) for player in players])
            world.start_many([(collector(-1), population + player) for player in players])
            world.advance(0.001)
        ways: dict[str, Callable[[int], object]] = {
            "Runtime.call": lambda player: world.call(earn, player, 1),
            "a step with ctx.call": lambda player: world.signal(Coin(), entity_id=player),
            "the same step without": lambda player: world.signal(Coin(), entity_id=population + player),
        }
        entities = batches(shuffled(population))
        runs: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds + 1):
            for name, way in ways.items():
                began = time.perf_counter()
                for _ in range(pumps):
                    for player in next(entities):
                        way(player)
                    world.advance(0.001)
                runs[name].append(pumps * BATCH / (time.perf_counter() - began))
    for name, rates in runs.items():
        # In the first run rows are made, and each workflow takes its first step after the start.
        spread = Spread.of(rates[1:])
        section.add(name, spread.rate(), f"{1e6 / spread.median:.1f}")
        section.data[name] = spread.as_json()
    return section

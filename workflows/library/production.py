"""`production`: a workshop that makes a number of one product from what is delivered.

               Deliver: into the stock
                +------+
                v      |
    start --> gathering -- enough for a unit --> crafting -- time is up --> unit made --+-- all made --> ended
                ^  |                              |  ^                                  |
                |  | Pause / Resume      Pause    |  | Resume: the time that was left   |
                |  v                              v  |                                  |
                | paused                        paused                                  |
                +---------------------------- next unit --------------------------------+

`Deliver` is taken in every state, and `Produced` sent for each unit. `Resume` while it works, and `Pause` while it is
paused, change nothing.
"""

from __future__ import annotations

from typing import TypedDict

from ..context import Context
from ..definition import routine, workflow
from ..signal import Signal
from ..sources import Elapsed
from .arguments import DAY_S, require_number, require_text, require_whole
from .notices import notify

MAX_UNITS = 1_000_000_000
MAX_ITEMS = 64


class Deliver(Signal):
    """Bring an input. What the recipe does not use, or the store has no room for, goes back: see `refused`."""

    item: str
    amount: int = 1

    def __post_init__(self) -> None:
        """Check the fields."""
        require_text("item of Deliver", self.item, 255)
        require_whole("amount of Deliver", self.amount, 1, MAX_UNITS)


class Pause(Signal):
    """Stop working; what is left of the crafting time is kept."""


class Resume(Signal):
    """Go on working."""


class Produced(Signal):
    """A unit is made: sent to the workflows of the group that `production` reports to, with its count so far."""

    product: str
    made: int


class ProductionEnd(TypedDict):
    """What was made, what is left in the store, and what was brought in vain."""

    product: str
    made: int
    stock: dict[str, int]
    refused: int


@workflow
async def production(
    ctx: Context,
    product: str,
    inputs: dict[str, int],
    craft_time: float,
    *,
    quantity: int = 1,
    capacity: int = 100,
    report_to: str | None = None,
) -> ProductionEnd:
    """Make `quantity` units, each from its inputs and `craft_time` seconds of work.

    Args:
        ctx: the world.
        product: what it makes.
        inputs: the recipe: how many of each item a unit takes; empty where time alone is needed.
        craft_time: seconds of work for a unit, up to a day.
        quantity: units to make.
        capacity: how many of each item the store holds at most.
        report_to: a correlation id; the workflows of that group that await `Produced` get it for each unit.
    """
    require_text("product of production", product, 255)
    check_recipe(inputs, capacity)
    require_number("craft_time of production", craft_time, 0, DAY_S)
    require_whole("quantity of production", quantity, 1, MAX_UNITS)
    if report_to is not None:
        require_text("report_to of production", report_to, 255)
    stock = dict.fromkeys(inputs, 0)
    made = refused = 0
    while made < quantity:
        while not covers(stock, inputs):
            ctx.step("gathering")
            match await ctx.select(Deliver, Pause, Resume):
                case Deliver(item, amount):
                    refused += put(stock, item, amount, capacity)
                case Pause():
                    refused += await paused(ctx, stock, capacity)
                case Resume():
                    pass
        for item, need in inputs.items():
            stock[item] -= need
        finish, ends_at = ctx.timer(craft_time, name="craft"), ctx.now + craft_time
        crafting = True
        while crafting:
            ctx.step("crafting")
            match await ctx.select(finish, Deliver, Pause, Resume):
                case Elapsed():
                    crafting = False
                case Deliver(item, amount):
                    refused += put(stock, item, amount, capacity)
                case Pause():
                    work_left = ends_at - ctx.now
                    refused += await paused(ctx, stock, capacity)
                    finish, ends_at = ctx.timer(work_left, name="craft"), ctx.now + work_left
                case Resume():
                    pass
        made += 1
        if report_to is not None:
            notify(ctx, Produced(product, made), correlation_id=report_to)
    return {"product": product, "made": made, "stock": stock, "refused": refused}


@routine
async def paused(ctx: Context, stock: dict[str, int], capacity: int) -> int:
    """Stand still until `Resume`, taking deliveries into the stock; return how much had no place in it."""
    refused = 0
    while True:
        ctx.step("paused")
        match await ctx.select(Resume, Pause, Deliver):
            case Resume():
                return refused
            case Pause():
                pass
            case Deliver(item, amount):
                refused += put(stock, item, amount, capacity)


def covers(stock: dict[str, int], inputs: dict[str, int]) -> bool:
    """Say whether the stock has all that a unit takes."""
    return all(stock[item] >= need for item, need in inputs.items())


def put(stock: dict[str, int], item: str, amount: int, capacity: int) -> int:
    """Put as much as has room into the stock of an item that the recipe uses; return the rest."""
    if item not in stock:
        return amount
    kept = min(amount, capacity - stock[item])
    stock[item] += kept
    return amount - kept


def check_recipe(inputs: object, capacity: int) -> None:
    """Raise `ValueError` unless `inputs` tells how many of each item a unit takes, and the store can hold them."""
    if not isinstance(inputs, dict) or len(inputs) > MAX_ITEMS:
        raise ValueError(f"inputs of production is a table of at most {MAX_ITEMS} items, not {inputs!r}")
    require_whole("capacity of production", capacity, 1, MAX_UNITS)
    for item, need in inputs.items():
        require_text("an item of production's inputs", item, 255)
        require_whole(f"need of {item!r} in production", need, 1, capacity)

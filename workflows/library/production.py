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

`Deliver` is taken in every state. `Resume` while it works, and `Pause` while it is paused, change nothing.
"""

from __future__ import annotations

from typing import TypedDict

from ..context import Context
from ..definition import routine, workflow
from ..signal import Signal
from ..sources import Elapsed
from .arguments import DAY_S, require_number, require_text, require_whole

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
    store = Store({item: 0 for item in inputs}, capacity)
    made = 0
    while made < quantity:
        while not store.covers(inputs):
            ctx.step("gathering")
            match await ctx.select(Deliver, Pause, Resume):
                case Deliver(item, amount):
                    store.put(item, amount)
                case Pause():
                    await paused(ctx, store)
                case Resume():
                    pass
        store.take(inputs)
        work_left = craft_time
        while work_left > 0:
            ends_at = ctx.now + work_left
            ctx.step("crafting")
            match await ctx.select(ctx.timer(work_left, name="craft"), Deliver, Pause, Resume):
                case Elapsed():
                    work_left = 0
                case Deliver(item, amount):
                    store.put(item, amount)
                    work_left = ends_at - ctx.now
                case Pause():
                    work_left = ends_at - ctx.now
                    await paused(ctx, store)
                case Resume():
                    work_left = ends_at - ctx.now
        made += 1
        if report_to is not None:
            ctx.signal(Produced(product, made), correlation_id=report_to)
    return {"product": product, "made": made, "stock": store.items, "refused": store.refused}

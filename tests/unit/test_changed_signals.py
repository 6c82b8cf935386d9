"""A signal whose class has changed while it waited harms one workflow only, and is kept for a retry."""

import pytest

from deathless import Context, Signal, workflow

STRICT = [False]


class Order(Signal):
    amount: int = 0

    def __post_init__(self):
        if STRICT[0] and self.amount < 0:
            raise ValueError(f"amount {self.amount} is below zero")


class Go(Signal):
    pass


@workflow
async def shop(ctx: Context) -> list[int]:
    orders = []
    await ctx.receive(Go)
    while len(orders) < 2:
        orders.append((await ctx.receive(Order)).amount)
    return orders


def test_a_message_that_the_class_now_refuses_fails_its_workflow_and_is_kept(open_world):
    STRICT[0] = False
    world = open_world(shop)
    first, second = world.start(shop(), entity_id=1), world.start(shop(), entity_id=2)
    world.advance(0.1)
    world.signal(Order(-1), entity_id=1)
    world.signal(Order(1), entity_id=2)
    world.advance(0.1)
    STRICT[0] = True
    for entity in (1, 2):
        world.signal(Go(), entity_id=entity)
    world.advance(0.1)
    assert "amount -1 is below zero" in world.get(first.id).error_message
    assert world.get(second.id).locals["orders"] == [1]
    STRICT[0] = False
    world.retry(first.id)
    world.advance(0.1)
    assert world.get(first.id).locals["orders"] == [-1]
    world.signal(Order(-2), entity_id=2)
    STRICT[0] = True
    world.advance(0.1)
    assert second.status == "Failed"
    STRICT[0] = False
    world.retry(second.id)
    world.advance(0.1)
    assert second.result() == [1, -2]


TRADE = """
from deathless import Context, Signal, workflow

class Trade(Signal):
    gold: int
    wood: int

class Go(Signal):
    pass

@workflow
async def market(ctx: Context) -> tuple:
    await ctx.receive(Go)
    trade = await ctx.receive(Trade)
    return trade.gold, trade.wood
"""


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        ("gold: int\n    wood: int", "wood: int\n    gold: int", (1000, 5)),
        ("wood: int\n", "wood: int\n    fee: int = 3\n", (1000, 5)),
        ("    wood: int\n", "", "it was sent with a field 'wood'; keep that field"),
        ("wood: int\n", "wood: int\n    fee: int\n", "missing 1 required positional argument: 'fee'"),
    ],
    ids=["another order", "a new field with a default", "a lost field", "a new field without one"],
)
def test_fields_of_a_signal_that_waits_go_by_their_names(worlds, load_module, old, new, result):
    module = load_module(TRADE)
    world = worlds.open([module.market])
    handle = world.start(module.market(), entity_id=1)
    world.signal(module.Trade(gold=1000, wood=5), entity_id=1)
    world.pump()
    changed = load_module(TRADE.replace(old, new))
    world.reload([changed.market])
    world.signal(changed.Go(), entity_id=1)
    world.pump()
    world.pump()
    view = world.get(handle.id)
    if isinstance(result, tuple):
        assert view.result == result
    else:
        assert result in view.error_message
        module = load_module(TRADE)
        world.reload([module.market])
        world.retry(handle.id)
        world.pump()
        assert handle.result() == (1000, 5)

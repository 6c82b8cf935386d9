"""A signal whose class has changed while it waited harms one workflow only, and is kept for a retry."""

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

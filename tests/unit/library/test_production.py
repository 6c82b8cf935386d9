"""`production`: gathering, crafting, pausing, reporting."""

import pytest

from deathless import Context, workflow
from deathless.workflows.library import Deliver, Pause, Produced, Resume, production

SWORD = {"iron": 2, "wood": 1}


@workflow
async def storehouse(ctx: Context):
    counts = []
    while len(counts) < 2:
        report = await ctx.receive(Produced)
        counts.append((report.product, report.made))
    return counts


def test_a_unit_needs_its_inputs_and_then_its_time(world):
    smithy = world.start(production("sword", SWORD, 5.0), entity_id=9)
    world.after(1.0, Deliver("iron", 2), entity_id=9)
    assert world.get(smithy).current_step == "gathering"
    world.after(1.0, Deliver("wood"), entity_id=9)
    assert world.get(smithy).current_step == "crafting"
    world.advance(4.9)
    assert world.get(smithy).status == "Suspended"
    world.advance(0.1)
    assert world.result(smithy) == {
        "product": "sword",
        "made": 1,
        "stock": {"iron": 0, "wood": 0},
        "refused": 0,
    }


def test_it_stops_after_its_quantity_with_the_rest_in_stock(world):
    smithy = world.start(production("sword", SWORD, 1.0, quantity=2), entity_id=9)
    world.signal(Deliver("iron", 5), entity_id=9)
    world.after(0.0, Deliver("wood", 5), entity_id=9)
    world.advance(1.0)
    assert world.get(smithy).locals["made"] == 1
    world.advance(1.0)
    assert world.result(smithy) == {
        "product": "sword",
        "made": 2,
        "stock": {"iron": 1, "wood": 3},
        "refused": 0,
    }


def test_deliveries_while_it_crafts_neither_stop_nor_lengthen_the_work(world):
    smithy = world.start(production("rope", {"hemp": 1}, 5.0, quantity=2), entity_id=9)
    world.after(0.0, Deliver("hemp"), entity_id=9)
    for _ in range(4):
        world.after(1.0, Deliver("hemp"), entity_id=9)
    world.advance(1.0)
    assert world.get(smithy).locals["made"] == 1
    assert world.get(smithy).locals["stock"] == {"hemp": 3}


def test_a_pause_keeps_the_work_that_is_left(world):
    smithy = world.start(production("rope", {}, 5.0), entity_id=9)
    world.after(3.0, Pause(), entity_id=9)
    assert world.get(smithy).current_step == "paused"
    world.after(100.0, Resume(), entity_id=9)
    world.advance(1.9)
    assert world.get(smithy).status == "Suspended"
    world.advance(0.1)
    assert world.result(smithy)["made"] == 1


def test_while_paused_it_takes_deliveries_and_pausing_twice_is_pausing_once(world):
    smithy = world.start(production("rope", {"hemp": 2}, 5.0), entity_id=9)
    world.after(0.0, Pause(), entity_id=9)
    world.after(1.0, Pause(), entity_id=9)
    world.after(1.0, Deliver("hemp", 2), entity_id=9)
    assert world.get(smithy).current_step == "paused"
    world.after(1.0, Resume(), entity_id=9)
    assert world.get(smithy).current_step == "crafting"
    world.advance(5.0)
    assert world.result(smithy)["made"] == 1


def test_a_resume_while_it_works_is_spent(world):
    smithy = world.start(production("rope", {"hemp": 1}, 5.0), entity_id=9)
    world.after(1.0, Resume(), entity_id=9)
    world.after(1.0, Deliver("hemp"), entity_id=9)
    world.after(1.0, Resume(), entity_id=9)
    world.after(1.0, Pause(), entity_id=9)
    assert world.get(smithy).current_step == "paused"
    world.after(1.0, Resume(), entity_id=9)
    world.advance(3.0)
    assert world.result(smithy)["made"] == 1


def test_what_the_store_cannot_use_or_hold_is_counted_as_refused(world):
    smithy = world.start(production("rope", {"hemp": 2}, 5.0, capacity=3), entity_id=9)
    world.after(0.0, Deliver("gold", 7), entity_id=9)
    world.after(0.0, Pause(), entity_id=9)
    world.after(0.0, Deliver("hemp", 5), entity_id=9)
    world.after(0.0, Resume(), entity_id=9)
    world.advance(5.0)
    assert world.result(smithy) == {"product": "rope", "made": 1, "stock": {"hemp": 1}, "refused": 9}


def test_each_unit_is_reported_to_the_group(make_world):
    world = make_world(storehouse)
    store = world.start(storehouse(), correlation_id="market")
    world.start(production("salt", {}, 1.0, quantity=2, report_to="market"), entity_id=9)
    world.advance(1.0)
    world.advance(1.0)
    assert world.result(store) == [("salt", 1), ("salt", 2)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            production(1, {}, 1.0),
            "ValueError: product of production is a text of at most 255 characters, not 1",
        ),
        (
            production("x", ["iron"], 1.0),
            "ValueError: inputs of production is a table of at most 64 items, not ['iron']",
        ),
        (
            production("x", {"iron": 0}, 1.0),
            "ValueError: need of 'iron' in production is a whole number from 1 to 100, not 0",
        ),
        (
            production("x", {"iron": 101}, 1.0),
            "ValueError: need of 'iron' in production is a whole number from 1 to 100, not 101",
        ),
        (production("x", {}, -1), "ValueError: craft_time of production is a number from 0 to 86400, not -1"),
        (
            production("x", {}, 1.0, quantity=0),
            "ValueError: quantity of production is a whole number from 1 to 1000000000, not 0",
        ),
    ],
)
def test_bad_arguments_fail_it_with_their_name_and_range(world, call, message):
    assert world.error(world.start(call)) == message


def test_bad_deliveries_are_refused_where_they_are_made():
    with pytest.raises(ValueError, match="amount of Deliver is a whole number from 1 to 1000000000, not -5"):
        Deliver("iron", -5)
    with pytest.raises(ValueError, match="item of Deliver is a text of at most 255 characters, not None"):
        Deliver(None)

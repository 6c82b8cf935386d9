"""`respawn`: it cannot be interrupted, and it says when it is over."""

import pytest

from deathless import Context, workflow
from deathless.workflows.library import Respawned, respawn


@workflow
async def witness(ctx: Context):
    seen = await ctx.receive(Respawned)
    return (seen.entity_id, seen.x, seen.y)


def test_it_tells_where_and_when_the_entity_is_back(world):
    back = world.start(respawn(3.0, 4.0, delay=10.0), entity_id=42)
    world.advance(9.9)
    assert world.get(back).status == "Suspended"
    world.advance(0.2)
    assert world.result(back) == {"x": 3.0, "y": 4.0, "at": 10.1, "refused": 0}


def test_a_cancel_does_not_stop_it_and_does_not_lengthen_it(world):
    back = world.start(respawn(3.0, 4.0, delay=10.0), entity_id=42)
    for _ in range(3):
        world.advance(3.0)
        world.cancel(workflow_id=back, reason="impatient")
        world.advance(0.0)
        assert world.get(back).status == "Suspended"
    world.advance(1.0)
    assert world.result(back) == {"x": 3.0, "y": 4.0, "at": 10.0, "refused": 3}


def test_a_forced_cancel_ends_it(world):
    back = world.start(respawn(3.0, 4.0), entity_id=42)
    world.cancel(workflow_id=back, reason="the game is over", force=True)
    world.advance(0.0)
    assert world.get(back).status == "Cancelled"


def test_the_group_that_it_notifies_gets_respawned(make_world):
    world = make_world(witness)
    seen = world.start(witness(), correlation_id="village")
    world.start(respawn(3.0, 4.0, delay=1.0, notify="village"), entity_id=42)
    world.advance(1.0)
    assert world.result(seen) == (42, 3.0, 4.0)


def test_a_group_of_nobody_is_no_error(world):
    back = world.start(respawn(3.0, 4.0, delay=1.0, notify="village"), entity_id=42)
    world.advance(1.0)
    assert world.result(back)["at"] == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            respawn("a", 1.0),
            "ValueError: x of the place of respawn is a number from -1e+06 to 1e+06, not 'a'",
        ),
        (respawn(1, 2, delay=-1), "ValueError: delay of respawn is a number from 0 to 3.1536e+07, not -1"),
        (respawn(1, 2, notify=7), "ValueError: notify of respawn is a text of at most 255 characters, not 7"),
    ],
)
def test_bad_arguments_fail_it_with_their_name_and_range(world, call, message):
    assert world.error(world.start(call)) == message

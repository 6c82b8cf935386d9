"""Many workflows at once: started, cancelled, and deleted when they ended long ago."""

import pytest

from deathless import Context, GameClock, Runtime, UnknownWorkflowError, workflow


@workflow
async def nap(ctx: Context, seconds: float) -> None:
    await ctx.sleep(seconds)


def test_many_are_cancelled_in_one_turn(open_world):
    world = open_world(nap)
    ids = [handle.id for handle in world.start_many([nap(100.0) for _ in range(50)])]
    world.advance(0.0)
    turn = world.cancel_many(ids[:40], reason="the raid is over")
    world.advance(0.0)
    assert world.turn == turn
    assert [view.id for view in world.workflows(status="Cancelled")] == ids[:40]
    assert world.get(ids[0]).error_message == "the raid is over"
    assert world.count() == 10


def test_where_one_is_unknown_none_is_cancelled(open_world):
    world = open_world(nap)
    ids = [handle.id for handle in world.start_many([nap(100.0) for _ in range(3)])]
    world.advance(0.0)
    with pytest.raises(UnknownWorkflowError):
        world.cancel_many([*ids, 999])
    with pytest.raises(TypeError, match="the reason of a cancel is a text"):
        world.cancel_many(ids, reason=7)
    world.advance(0.0)
    assert world.count() == 3


def test_what_ended_long_ago_is_deleted_once_a_minute(open_world):
    world = open_world(nap, prune_after=100.0)
    handles = world.start_many(
        [(nap(float(number)), number) for number in (10, 50, 300)],
    )
    world.start(nap(1000.0), input_id="named")
    for _ in range(10):
        world.advance(20.0)
    assert [view.id for view in world.workflows()] == [handle.id for handle in handles[2:]] + [4]
    assert world.start(nap(1000.0), input_id="named").id != 4, "its name is forgotten, too"
    assert world.workflows(entity_id=10) == []
    assert world.count("Completed") == 0


def test_nothing_is_deleted_unasked(open_world):
    world = open_world(nap)
    world.start(nap(1.0))
    for _ in range(10):
        world.advance(86_400.0)
    assert world.count("Completed") == 1


def test_the_records_of_a_world_that_prunes_replay_without_the_option(tmp_path):
    records = []
    digests = []
    with Runtime(tmp_path / "a", [nap], clock=GameClock(), prune_after=60.0, on_turn=records.append) as world:
        world.start_many([nap(5.0 * number) for number in range(20)])
        for _ in range(30):
            world.advance(10.0)
        digests.append(world.digest())
        count = len(records)
    with Runtime(tmp_path / "b", [nap], clock=GameClock()) as twin:
        for record in records[:count]:
            twin.replay_turn(record)
        digests.append(twin.digest())
    assert digests[0] == digests[1]


@pytest.mark.parametrize("after", [-1.0, float("nan"), float("inf")])
def test_an_age_that_is_none_is_refused(tmp_path, after):
    with pytest.raises(ValueError, match="prune_after is a number of seconds"):
        Runtime(tmp_path / "world", [nap], prune_after=after)
    assert not (tmp_path / "world").exists()

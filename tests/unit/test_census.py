"""The census of a world: counts by type and status, and for whom nothing can go on."""

import pytest
from watched_flows import Poke, bad, listener, parent, sleeper

from deathless import Context, Signal, Status, WorldCorruptError, activity, workflow
from deathless.runtime.census import Censuses, take_census
from deathless.runtime.row_buffer import WORKFLOW_TABLE, row_key
from deathless.runtime.storage.world_reader import WorldReader
from deathless.workflows import rows


class Never(Signal):
    pass


@workflow
async def choosy(ctx: Context) -> None:
    if ctx.workflow_id < 0:
        await ctx.receive(Poke)
    await ctx.receive(Never)


@activity
def fetch(ctx) -> int:
    return 1


@workflow
async def asker(ctx: Context) -> int:
    return await ctx.run(fetch())


def census_of(world, **by):
    return take_census(world._engine.store, **by)


def replace_row(world, workflow_id, row):
    world._engine.store.commit({WORKFLOW_TABLE: {row_key(workflow_id): row}})


def test_workflows_are_counted_by_type_and_status(worlds):
    world = worlds.open([sleeper, listener, bad])
    world.start_many([sleeper(5.0), sleeper(5.0), sleeper(0.5), listener(), bad()])
    world.advance(0.0)
    world.advance(1.0)
    census = census_of(world)
    assert census.types["sleeper"].statuses[Status.SUSPENDED] == 2
    assert census.types["sleeper"].statuses[Status.COMPLETED] == 1
    assert census.statuses == {
        Status.SUSPENDED: 3,
        Status.COMPLETED: 1,
        Status.FAILED: 1,
        Status.CANCELLED: 0,
    }
    assert census.total == 5
    assert census.timers == 2
    assert census.named["failed"] == [5]
    assert census.types["listener"].state_bytes > 0
    assert (census.turn, census.now) == (2, 1.0)


def test_a_running_world_and_its_reader_from_outside_count_alike(worlds):
    world = worlds.open([sleeper, listener])
    world.start_many([sleeper(5.0), listener()])
    world.advance(0.0)
    inside = census_of(world)
    worlds.crash(world)
    with WorldReader(worlds.path) as reader:
        outside = take_census(reader)
    assert (inside.types, inside.timers) == (outside.types, outside.timers)


def test_stretches_of_rows_are_counted_once_each(worlds, monkeypatch):
    monkeypatch.setattr("deathless.runtime.census.STRETCH", 3)
    world = worlds.open([listener])
    world.start_many([listener() for _ in range(7)])
    world.advance(0.0)
    assert census_of(world).total == 7


def test_who_awaits_a_signal_or_a_child_that_does_is_not_stuck(worlds):
    world = worlds.open([parent, listener, sleeper])
    world.start_many([parent(), listener(), sleeper(5.0)])
    world.advance(0.0)
    assert world.workflows(type="parent", status="Suspended")
    assert census_of(world).stuck == 0


def test_a_parent_whose_child_is_gone_is_stuck(worlds):
    world = worlds.open([parent, listener])
    handle = world.start(parent())
    world.advance(0.0)
    (child,) = world.workflows(type="listener")
    replace_row(world, child.id, None)
    census = census_of(world)
    assert census.stuck == 1
    assert census.named["stuck"] == [handle.id]


def test_a_parent_whose_childs_result_is_on_its_way_is_not_stuck(worlds):
    world = worlds.open([parent, listener], max_steps_per_turn=2)
    world.start(parent())
    world.advance(0.0)
    (child,) = world.workflows(type="listener")
    world.advance(0.0)
    world.signal(Poke(), workflow_id=child.id)
    world.advance(0.0, budget=0.0)
    assert world.get(child.id).status is Status.COMPLETED
    assert world.get(child.parent_id).status is Status.SUSPENDED
    assert census_of(world).stuck == 0


def test_who_awaits_an_activity_that_nobody_runs_is_stuck(worlds):
    world = worlds.open([asker, fetch])
    world.start(asker())
    world._engine.activities.close()
    world.advance(0.0)
    assert census_of(world).stuck == 0
    ((key, _),) = world._engine.store.scan("activity")
    world._engine.store.commit({"activity": {key: None}})
    assert census_of(world).stuck == 1


def test_a_workflow_that_nothing_will_begin_is_stuck(worlds):
    world = worlds.open([listener], max_steps_per_turn=1)
    world.start_many([listener(), listener()])
    world.advance(0.0)
    assert census_of(world).stuck == 0
    world._engine.store.commit({"turn": {b"leftover": None}})
    assert census_of(world).named["stuck"] == [2]


def test_a_held_workflow_is_stuck_once_a_message_has_come(worlds):
    world = worlds.open([listener])
    handle = world.start(listener())
    world.advance(0.0)
    worlds.crash(world)
    world = worlds.open([sleeper, choosy])
    world.signal(Poke(), workflow_id=handle.id)
    world.advance(0.0)
    census = census_of(world)
    assert (census.stuck, census.held) == (1, 1)


def test_timers_that_should_have_fired_are_overdue(worlds):
    world = worlds.open([sleeper])
    world.start_many([sleeper(1.0), sleeper(1.0), sleeper(9.0)])
    world.advance(0.0)
    world.advance(3.0, budget=0.0)
    census = census_of(world, late_s=1.5)
    assert (census.timers, census.overdue) == (2, 1)
    assert census_of(world, late_s=2.5).overdue == 0


def test_active_workflows_without_a_change_are_untouched(worlds):
    world = worlds.open([listener, bad])
    world.start_many([listener(), listener(), bad()])
    world.advance(0.0)
    world.advance(100.0)
    world.signal(Poke(), workflow_id=1)
    world.start(listener())
    world.advance(0.0)
    census = census_of(world, untouched_s=50.0)
    assert (census.untouched, census.named["untouched"]) == (1, [2])


def test_unread_messages_are_counted(worlds):
    world = worlds.open([choosy])
    handle = world.start(choosy())
    world.advance(0.0)
    for _ in range(3):
        world.signal(Poke(), workflow_id=handle.id)
    world.advance(0.0)
    assert census_of(world).unread == 3


def test_a_damaged_row_names_its_workflow(worlds):
    world = worlds.open([listener])
    world.start(listener())
    world.advance(0.0)
    row = world._engine.rows.row(1)
    for damaged in (b"\xc1", row[:-3], b"\x90", rows.patch(row, wait=None)[:5]):
        replace_row(world, 1, damaged)
        with pytest.raises(WorldCorruptError, match="workflow 1"):
            census_of(world)


def test_an_open_world_gives_the_same_census_until_the_next_may_be_taken(worlds):
    world = worlds.open([listener])
    world.start(listener())
    world.advance(0.0)
    censuses = Censuses(lambda: census_of(world))
    first = censuses.latest()
    first.took_s = 1e9
    assert censuses.latest() is first
    first.took_s = 0.0
    assert censuses.latest() is not first
    assert world.census().total == 1

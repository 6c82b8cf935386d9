"""What a world says of itself: timers that never fired and children that nobody knows are found by themselves."""

import pytest

from deathless import Context, GameClock, Runtime, workflow
from deathless.runtime.row_buffer import WORKFLOW_TABLE, row_key
from deathless.runtime.storage.store import Store
from deathless.tools.loadtest.findings import look_at
from deathless.tools.loadtest.instruments import INSTRUMENTS
from deathless.workflows import rows

NOW_S = 5.0


@workflow
async def nap(ctx: Context, seconds: float) -> None:
    await ctx.sleep(seconds)


@workflow
async def guardian(ctx: Context, seconds: float) -> None:
    await ctx.spawn(nap(seconds))


@workflow
async def hasty(ctx: Context) -> None:
    beats = ctx.every(0.001, missed="catch_up")
    while True:
        await ctx.select(beats)


@pytest.fixture
def world(tmp_path):
    """Make a world at five seconds: a sleeper, a parent whose child sleeps, one whose child has ended."""
    with Runtime(tmp_path / "world", [*INSTRUMENTS, nap, guardian, hasty], clock=GameClock()) as opened:
        ids = {
            "sleeper": opened.start(nap(60.0), entity_id=1).id,
            "parent": opened.start(guardian(60.0), entity_id=2).id,
            "done": opened.start(guardian(1.0), entity_id=3).id,
            "hasty": opened.start(hasty(), entity_id=4).id,
        }
        opened.advance(1.0)
        (ids["child"],) = opened.get(ids["parent"]).children
        while opened.now < NOW_S:
            opened.advance(0.5)
    return tmp_path / "world", ids


def plant(path, workflow_id, **changes):
    """Change a row behind the world's back; without changes, delete it."""
    key = row_key(workflow_id)
    with Store.open(path) as store:
        row = store.get(WORKFLOW_TABLE, key)
        store.commit({WORKFLOW_TABLE: {key: rows.patch(row, **changes) if changes else None}})


def test_a_world_in_order_says_nothing_even_of_one_that_lags_behind_its_beats(world):
    path, _ = world
    found = look_at(path, virtual=True, settled_s=NOW_S)
    assert (found.lost, found.foreign) == ([], [])
    assert found.statuses == {"Suspended": 4, "Completed": 2}


def test_a_timer_that_was_due_and_never_fired_is_lost(world):
    path, ids = world
    plant(path, ids["sleeper"], due=3_000_000)
    assert look_at(path, virtual=True, settled_s=NOW_S).lost == [
        f"workflow {ids['sleeper']} (nap): its timer was due for 2.0 s and never fired"
    ]


def test_a_child_that_is_not_there_is_lost(world):
    path, ids = world
    plant(path, ids["child"])
    assert look_at(path, virtual=True, settled_s=NOW_S).lost == [
        f"workflow {ids['parent']}: its child {ids['child']} neither runs nor has told it of its end"
    ]


def test_a_child_that_its_parent_does_not_know_is_foreign(world):
    path, ids = world
    plant(path, ids["parent"], children=None)
    assert look_at(path, virtual=True, settled_s=NOW_S).foreign == [
        f"workflow {ids['child']}: its parent {ids['parent']} does not know it"
    ]


def test_nothing_is_said_of_timers_and_children_where_messages_are_left_over(world):
    path, ids = world
    plant(path, ids["sleeper"], due=3_000_000)
    plant(path, ids["child"])
    found = look_at(path, virtual=True)
    assert (found.lost, found.foreign) == ([], [])

"""A glimpse of a world, and the watch that takes it."""

import shutil

import pytest

from deathless import Context, GameClock, Runtime, Signal, Status, WorldCorruptError, WorldError, workflow
from deathless.runtime.row_buffer import WORKFLOW_TABLE, row_key
from deathless.tools.top import Order, Watch, lines
from deathless.tools.top.watch import Pace
from deathless.tools.transfer import restore_world


class Poke(Signal):
    pass


class Other(Signal):
    pass


@workflow
async def sleeper(ctx: Context, seconds: float, load: str = "") -> int:
    await ctx.sleep(seconds)
    return len(load)


@workflow
async def listener(ctx: Context) -> None:
    await ctx.receive(Poke)
    await ctx.receive(Other)


@workflow
async def bad(ctx: Context) -> None:
    raise ValueError("bad")


def write(path, *, more=None):
    with Runtime(path, [sleeper, listener, bad], clock=GameClock(), durability="process") as world:
        world.start(sleeper(50.0), entity_id=7)
        world.start(sleeper(20.0, "x" * 500), entity_id=77)
        world.start(listener(), entity_id=8)
        world.start(bad())
        world.advance(0.0)
        world.advance(1.0)
        for _ in range(2):
            world.signal(Other(), entity_id=8)
        world.start(sleeper(0.5))
        world.advance(0.0)
        world.advance(10.0)
        if more is not None:
            more(world)


@pytest.fixture
def watch(tmp_path):
    write(tmp_path / "world.deathless")
    made = Watch(tmp_path / "world.deathless")
    yield made
    made.close()


def ids(look):
    return [member.id for member in look.glimpse.members]


def test_types_are_counted_with_their_median_size(watch):
    types = watch.look().glimpse.types
    assert (types["sleeper"].total, types["sleeper"].active, types["sleeper"].failed) == (3, 2, 0)
    assert (types["bad"].total, types["bad"].active, types["bad"].failed) == (1, 0, 1)
    sizes = sorted(types["sleeper"].sizes.elements())
    assert types["sleeper"].median == sizes[1]
    assert sizes[-1] > 500


def test_statuses_and_timers_are_counted(watch):
    glimpse = watch.look().glimpse
    assert glimpse.statuses == {
        Status.SUSPENDED: 3,
        Status.COMPLETED: 1,
        Status.FAILED: 1,
        Status.CANCELLED: 0,
    }
    assert glimpse.timers == 2


@pytest.mark.parametrize(
    ("order", "listed"),
    [
        (Order.RECENT, [5, 1, 2, 3, 4]),
        (Order.UNTOUCHED, [1, 2, 3, 4, 5]),
        (Order.DUE, [2, 1, 3, 4, 5]),
        (Order.UNREAD, [3, 1, 2, 4, 5]),
        (Order.SIZE, [2, 4]),
    ],
)
def test_the_list_is_in_the_wanted_order(watch, order, listed):
    assert ids(watch.look(order))[: len(listed)] == listed


@pytest.mark.parametrize(
    ("wanted", "listed"),
    [
        ("sleep", [1, 2, 5]),
        ("7", [1, 2]),
        ("77", [2]),
        ("8", [3]),
        ("failed", [4]),
        ("SLEEPER Completed", [5]),
        ("no", []),
    ],
)
def test_the_filter_takes_types_ids_entities_and_statuses(watch, wanted, listed):
    look = watch.look(Order.UNTOUCHED, wanted)
    assert sorted(ids(look)) == listed
    assert look.glimpse.fitting == len(listed)
    assert look.glimpse.statuses[Status.SUSPENDED] == 3


def test_of_many_only_so_many_are_listed(watch):
    look = watch.look(limit=2)
    assert (len(look.glimpse.members), look.glimpse.fitting) == (2, 5)


def test_the_first_look_knows_no_pace_and_the_second_one_does(tmp_path, monkeypatch):
    monkeypatch.setattr("deathless.tools.top.watch.PACE_S", 0.0)
    path = tmp_path / "world.deathless"
    write(path)
    watch = Watch(path)
    assert watch.look().pace == Pace()
    before = watch.look().state.turn
    seen = iter([100.0, 102.0, 102.5, 103.0])
    watch._before = (98.0, watch._before[1])
    monkeypatch.setattr("deathless.tools.top.watch.time.perf_counter", lambda: next(seen))
    assert watch.look().pace.turns == 0.0
    watch._before = (
        100.0,
        watch._before[1]._replace(turn=before - 2, now_us=watch._before[1].now_us - 5_000_000),
    )
    pace = watch.look().pace
    watch.close()
    assert pace.turns == pytest.approx(2 / 2.5)
    assert pace.time == pytest.approx(5 / 2.5)
    assert pace.messages > 0


def test_looks_in_quick_succession_tell_the_pace_of_the_last(watch):
    watch.look()
    watch._last_pace = Pace(1.0, 2.0, 3.0)
    assert watch.look().pace == Pace(1.0, 2.0, 3.0)


def test_a_workflow_is_shown_whole(watch):
    look = watch.look()
    told = dict(lines.details(watch.view(2), look))
    assert told["type"] == "sleeper"
    assert told["  load"].startswith("'xxx")
    assert told["timer"].endswith("in 9.0s")
    assert "Other, Other" in dict(lines.details(watch.view(3), look))["unread"]
    assert dict(lines.details(watch.view(4), look))["error"] == "ValueError: bad"
    assert watch.view(99) is None


def test_a_damaged_row_is_told(watch, tmp_path):
    watch.close()
    path = tmp_path / "world.deathless"
    write(path, more=lambda world: world._engine.store.commit({WORKFLOW_TABLE: {row_key(1): b"\xc1"}}))
    broken = Watch(path)
    with pytest.raises(WorldCorruptError, match="workflow 1 "):
        broken.look()
    broken.close()


def test_a_backup_in_the_place_of_the_world_is_looked_at_from_then_on(watch, tmp_path):
    path, other = tmp_path / "world.deathless", tmp_path / "other.deathless"
    write(other, more=lambda world: world.start_many([listener()] * 3))
    assert watch.look().glimpse.types["listener"].total == 1
    restore_world(other, path, replace=True)
    look = watch.look()
    assert look.glimpse.types["listener"].total == 4
    assert look.pace == Pace()


def test_a_world_that_is_deleted_is_told_and_looked_at_again_once_it_is_back(watch, tmp_path):
    path, aside = tmp_path / "world.deathless", tmp_path / "aside"
    path.rename(aside)
    for _ in range(2):
        with pytest.raises(WorldError, match="No such file"):
            watch.look()
    shutil.copytree(aside, path)
    assert watch.look().glimpse.statuses[Status.SUSPENDED] == 3


def test_many_types_end_in_a_line_for_the_rest(watch):

    assert lines.type_rows(watch.look(), 1)[-1][:4] == ("2 more", "2", "1", "1")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1.0, "0.0s"), (0.04, "0.0s"), (59.0, "59.0s"), (90.0, "1.5m"), (7200.0, "2.0h"), (1e6, "11.6d")],
)
def test_spans_are_in_their_largest_unit(seconds, text):
    assert lines.span(seconds) == text

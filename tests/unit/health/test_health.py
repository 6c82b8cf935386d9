"""Whether a world is well: each condition with its threshold, from within and from outside."""

import os
import shutil
from collections import namedtuple

import pytest
from watched_flows import bad, listener, parent, sleeper

from deathless import GameClock, Runtime
from deathless.runtime.audit.tables import EVENT_TABLE
from deathless.runtime.row_buffer import WORKFLOW_TABLE, row_key
from deathless.runtime.storage.world_files import DATA_FILE
from deathless.runtime.storage.world_lock import WorldLock
from deathless.runtime.storage.world_reader import WorldReader
from deathless.tools.health import State, Thresholds, health_of

ALL = [sleeper, listener, bad, parent]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "world.deathless"


@pytest.fixture
def world(path):
    with Runtime(path, ALL, clock=GameClock(), durability="process") as opened:
        yield opened


def judged(health):
    return {condition.name: condition for condition in health.conditions}


def seen(world, path, name, **by):
    """Return a condition as it is seen from within, after it was seen to be the same from outside."""
    inside = judged(health_of(world, Thresholds(**by)))[name]
    world.commit()
    world.close()
    outside = judged(health_of(path, Thresholds(**by)))[name]
    assert (inside.state, inside.value, inside.workflows) == (outside.state, outside.value, outside.workflows)
    return inside


def test_a_quiet_world_is_well_from_within_and_from_outside(world, path):
    world.start_many([sleeper(5.0), listener(), parent()])
    world.advance(0.0)
    health = health_of(world)
    assert health.ok
    assert {condition.state for condition in health.conditions} == {State.OK}
    assert judged(health)["pump"].text.startswith("this process runs it")
    world.close()
    assert health_of(path).ok
    assert judged(health_of(path))["pump"].text == "nobody runs the world"


def test_an_empty_world_is_well(world):
    assert health_of(world).ok


def test_a_workflow_for_which_nothing_can_come_is_an_alert(world, path):
    world.start(parent())
    world.advance(0.0)
    (child,) = world.workflows(type="listener")
    world._engine.store.commit({WORKFLOW_TABLE: {row_key(child.id): None}})
    found = seen(world, path, "stuck")
    assert (found.state, found.value, found.workflows) == (State.ALERT, 1, (1,))
    assert judged(health_of(path, Thresholds(stuck=1)))["stuck"].state is State.OK


def test_a_held_workflow_is_stuck_from_within_before_its_row_says_so(world, path):
    world.start(sleeper(5.0))
    world.advance(0.0)
    world.reload([listener])
    world.advance(6.0)
    assert world.get(1).held_reason
    assert judged(health_of(world))["stuck"].value == 1


def test_code_finds_those_that_it_cannot_go_on_with(world, path):
    world.start_many([sleeper(5.0), sleeper(5.0), listener()])
    world.advance(0.0)
    world.close()
    assert judged(health_of(path))["stuck"].value == 0
    assert judged(health_of(path, types={"listener": listener}))["stuck"].value == 2
    assert health_of(path, types={"listener": listener, "sleeper": sleeper}).ok


def test_overdue_timers_are_an_alert_over_their_threshold(world, path):
    world.start_many([sleeper(1.0), sleeper(1.0), sleeper(1.0)])
    world.advance(0.0)
    world.advance(5.0, budget=0.0)
    found = judged(health_of(world))["timers"]
    assert (found.state, found.value) == (State.ALERT, 2)
    assert judged(health_of(world, Thresholds(overdue=2)))["timers"].state is State.OK
    assert judged(health_of(world, Thresholds(late_s=10.0)))["timers"].state is State.OK


def test_a_backlog_that_shrinks_is_a_warning_and_one_that_stands_an_alert(world, path):
    world.start_many([sleeper(1.0) for _ in range(4)])
    world.advance(0.0)
    world.advance(5.0, budget=0.0)
    fine = Thresholds(late_s=2.0)
    before = health_of(world, fine)
    assert judged(health_of(world, fine, before=before))["timers"].state is State.ALERT
    world.advance(0.0, budget=0.0)
    after = judged(health_of(world, fine, before=before))["timers"]
    assert (after.state, after.value) == (State.WARNING, 2)
    assert "3 of 3 before" in after.text


def test_more_than_one_failure_in_a_hundred_is_an_alert(world, path):
    world.start_many([bad(), *(sleeper(9.0) for _ in range(99))])
    world.advance(0.0)
    assert judged(health_of(world, Thresholds()))["failures"].state is State.OK
    world.start(bad())
    world.advance(0.0)
    found = seen(world, path, "failures", failure_rate=0.011)
    assert (found.state, found.workflows) == (State.ALERT, (1, 101))
    assert found.value == pytest.approx(2 / 101)


def test_untouched_workflows_are_a_warning_or_by_wish_an_alert_or_nothing(world, path):
    world.start(listener())
    world.advance(0.0)
    world.advance(3601.0)
    world.commit()
    health = health_of(world)
    assert health.ok
    assert judged(health)["untouched"].state is State.WARNING
    assert judged(health)["untouched"].workflows == (1,)
    assert not health_of(world, Thresholds(untouched_alerts=True)).ok
    assert "untouched" not in judged(health_of(world, Thresholds(untouched_s=None)))
    assert judged(health_of(world, Thresholds(untouched_s=7200.0)))["untouched"].state is State.OK


def test_a_world_that_is_owned_and_not_pumped_is_an_alert(world, path):
    world.advance(0.0)
    world.close()
    lock = WorldLock(path)
    assert judged(health_of(path))["pump"].state is State.OK
    os.utime(path / DATA_FILE, (1.0, 1.0))
    assert judged(health_of(path))["pump"].state is State.ALERT
    lock.release()
    assert judged(health_of(path))["pump"].state is State.OK
    assert judged(health_of(path, Thresholds(must_run=True)))["pump"].state is State.ALERT


def test_little_room_is_an_alert(world, path, monkeypatch):
    world.start(sleeper(1.0))
    world.advance(0.0)
    world.close()
    with WorldReader(path) as reader:
        space = reader.space()
    taken = space.used_bytes - space.free_bytes
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, taken))
    found = judged(health_of(path))["room"]
    share = taken / (2 * taken + space.free_bytes)
    assert (found.state, found.value) == (State.OK, round(share, 4))
    assert judged(health_of(path, Thresholds(room=share - 0.01)))["room"].state is State.ALERT


def test_the_map_of_an_open_world_is_room_too(tmp_path):
    with Runtime(
        tmp_path / "small", ALL, clock=GameClock(), durability="process", map_size=1 << 20, map_limit=1 << 20
    ) as small:
        found = judged(health_of(small))["room"]
    assert found.value > 0.01


def test_the_room_that_a_cleanup_makes_is_room_again(tmp_path):
    place = tmp_path / "small"
    limit = 1 << 20
    with Runtime(
        place, ALL, clock=GameClock(), durability="process", map_size=limit, map_limit=limit
    ) as small:
        small._engine.store.commit({EVENT_TABLE: {bytes([key]): bytes(20_000) for key in range(45)}})
        full = judged(health_of(small))["room"]
        assert full.state is State.ALERT
        before = small.metrics()
        small._engine.store.commit({EVENT_TABLE: {bytes([key]): None for key in range(45)}})
        after = small.metrics()
        assert after.map_bytes >= before.map_bytes, "LMDB gives nothing back"
        assert after.map_free - before.map_free > 600_000
        found = judged(health_of(small))["room"]
    assert found.state is State.OK
    assert found.value < full.value / 2


def test_a_reader_that_stays_open_is_a_warning(world, path):
    world.close()
    with WorldReader(path) as reader, reader.read_view():
        pass
    with Runtime(path, ALL, clock=GameClock(), durability="process") as opened:
        with opened._engine.store.read_view():
            for number in range(5):
                opened._engine.store.commit({"meta": {b"x": bytes([number])}})
            found = judged(health_of(opened, Thresholds(reader_lag=4)))["readers"]
        assert (found.state, found.value) == (State.WARNING, 5)
        assert judged(health_of(opened))["readers"].value == 0


def test_it_is_told_as_json(world):
    world.start_many([bad(), listener()])
    world.advance(0.0)
    told = health_of(world).as_json()
    assert told["healthy"] is False
    assert told["workflows"] == {"Suspended": 1, "Completed": 0, "Failed": 1, "Cancelled": 0}
    (failures,) = [condition for condition in told["conditions"] if condition["name"] == "failures"]
    assert failures == {
        "name": "failures",
        "state": "alert",
        "value": 0.5,
        "threshold": 0.01,
        "text": "1 of 2 workflows failed (50.0%)",
        "workflows": [1],
    }


def test_a_loop_that_stands_still_before_its_first_turn_is_seen(tmp_path):
    with Runtime(tmp_path / "w", ALL, clock=GameClock()) as world:
        (pump,) = [c for c in health_of(world, Thresholds(silent_s=0.0)).conditions if c.name == "pump"]
        assert pump.state is State.ALERT
        assert pump.value >= 0.0

"""`SavedWorld` gives steps and rows as they were, by number, by turn and by time."""

import pytest

from deathless import Retention
from deathless.runtime.history import step_index
from deathless.tools.replay.saved_world import SavedWorld
from deathless.workflows.errors import HistoryError, UnknownWorkflowError


@pytest.fixture(params=[1, 7, 4096], ids="segments of {}".format)
def segments(request, monkeypatch):
    """Index the steps in short segments, and in one that never gets full."""
    monkeypatch.setattr(step_index, "SEGMENT", request.param)


@pytest.fixture
def world(segments, saved):
    with SavedWorld(saved) as opened:
        yield opened


def test_a_step_is_the_same_by_its_number_by_its_turn_and_in_passing(world):
    last = world.state.turn
    for number in (1, 2, 3, 4, 68):
        steps = list(world.steps(number))
        assert steps == [world.step(number, step.number) for step in steps]
        for turn in range(last + 1):
            until = [step for step in steps if step.record.turn <= turn]
            step = world.last_step(number, turn)
            assert step == (until[-1] if until else None)
            assert world.row(number, turn) == (None if step is None else step.after)
        assert world.last_step(number) == steps[-1]


def test_counts_of_steps_are_those_of_the_steps(world):
    counts = world.history.step_counts()
    assert counts == {number: len(list(world.steps(number))) for number in world.rows_at()}


def test_a_time_is_that_of_the_last_turn_before_it(world):
    turns = {turn.record.turn: turn.record.now_us / 1e6 for turn in world.history.turns()}
    # By closing a world nothing happens in it.
    turns[world.state.turn] = world.state.now_us / 1e6
    for turn, time_s in turns.items():
        assert world.turn_at(time_s) == max(other for other, held in turns.items() if held <= time_s)
        assert world.time_at(turn) == time_s
    gap = next(turn for turn in turns if turn + 1 not in turns)
    assert world.time_at(gap + 1) == turns[gap]
    assert world.turn_at(1000.0) == world.state.turn


def test_what_is_not_kept_is_refused(world):
    with pytest.raises(HistoryError, match=r"no turn at or before 0.05 s is kept"):
        world.turn_at(0.05)
    with pytest.raises(HistoryError, match="turn 64 is not yet: the world's last turn is 63"):
        world.time_at(64)
    with pytest.raises(HistoryError, match="workflow 1 has no step 12: kept are 1 to 11"):
        world.step(1, 12)
    with pytest.raises(UnknownWorkflowError):
        world.step(999, 1)
    assert world.last_step(999) is None


def test_steps_before_a_gap_in_the_recording_are_left_out(place, load, open_world):
    for history, seconds in (("all", 2.0), ("off", 4.0), ("all", 6.0)):
        game = load()
        with open_world(place / "gaps", history=history) as running:
            if seconds == 2.0:
                running.start(game.guard(game.Gear(100), 0.5))
            running.run_until(seconds)
    with SavedWorld(place / "gaps") as world:
        steps = list(world.steps(1))
        known = world.history.known_from("guard")
        assert len(steps) == 4
        assert all(step.record.turn > known and step.record.now_us > 4_000_000 for step in steps)
        assert world.last_step(1, known) is None
        assert world.step(1, 1) == steps[0]


def test_without_a_recording_there_are_no_steps(place, load, open_world):
    game = load()
    with open_world(place / "plain", history="off") as running:
        running.start(game.guard(game.Gear(1)))
        running.advance(0.1)
    with SavedWorld(place / "plain") as world:
        assert list(world.steps(1)) == []
        assert world.last_step(1) is None
        with pytest.raises(HistoryError, match="the steps of type 'guard' are not recorded"):
            world.step(1, 1)


def test_a_deleted_workflow_has_its_steps(place, load, open_world):
    game = load()
    with open_world(place / "pruned", prune_after=1.0) as running:
        running.start(game.helper(1))
        running.run_until(130.0)
        assert running.find(1) is None
    with SavedWorld(place / "pruned") as world:
        steps = list(world.steps(1))
        assert [step.after is None for step in steps] == [False, False, False, True]
        assert steps[-1].record.deleted
        assert world.row(1) is None
        assert world.row(1, steps[-1].record.turn - 1) == steps[-2].after


def test_a_segment_of_the_index_outlives_steps_that_it_names(place, load, open_world, monkeypatch):
    monkeypatch.setattr(step_index, "SEGMENT", 30)
    game = load()
    with open_world(place / "short", retention=Retention(turns=20)) as running:
        running.start(game.guard(game.Gear(0), 0.1))
        for _ in range(100):
            running.advance(0.1)
    with SavedWorld(place / "short") as world:
        kept = {turn.turn for turn in world.history.turn_steps()}
        named = {place.turn for place in step_index.places_of(world.reader, 1, -1)}
        assert named - kept
        assert {record.turn for record in world.history.steps_of(1)} == kept
        assert {place.turn for place in world.history.places(1)} == kept
        assert world.history.step_counts() == {1: len(kept)}

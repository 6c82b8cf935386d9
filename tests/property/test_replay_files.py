"""A game of everything: each of its workflows, exported and imported and exported again, is the same."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter

import pytest
from determinism_flows import TYPES
from determinism_runs import MAX_STEPS, Player
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deathless import GameClock, Retention, Runtime
from deathless.runtime.registration import registry_of
from deathless.tools.replay.export import export
from deathless.tools.replay.replay_file import read_replay, write_replay
from deathless.tools.replay.retest import require_same
from deathless.tools.replay.saved_world import SavedWorld
from deathless.tools.replay.small_world import make_small_world

TURNS = 40
SEED = 30
OF_EACH_TYPE = 4
REGISTRY = registry_of(TYPES)


@pytest.fixture(scope="module")
def replays(tmp_path_factory):
    """Play a game, and export some workflows of each type, those with most steps."""
    path, player = tmp_path_factory.mktemp("game") / "world", Player(SEED)
    options = {"history": "all", "retention": Retention(size=None), "max_steps_per_turn": MAX_STEPS}
    with Runtime(path, TYPES, clock=GameClock(), durability="process", seed=SEED, **options) as world:
        player.populate(world)
        for _ in range(TURNS):
            player.play(world)
            world.advance(0.05)
        # What ended in the first half of the game is deleted; at last, for the player speaks to each that was.
        world.call("cleanup_old_workflows", world.now / 2 / 86_400)
        world.advance(0.05)
    records = defaultdict(list)
    found = defaultdict(list)
    with SavedWorld(path) as world:
        for steps in world.history.turn_steps():
            for record in steps.steps:
                records[record.workflow_id].append(record)
        for workflow_id in sorted(records, key=lambda number: -len(records[number])):
            replay = export(world, workflow_id)
            assert [step.record for step in replay.steps] == records[workflow_id]
            deleted = replay.steps[-1].after is None
            if len(found[replay.type, deleted]) < OF_EACH_TYPE:
                found[replay.type, deleted].append(replay)
    assert {name for name, _ in found} == set(REGISTRY.workflows)
    return [replay for some in found.values() for replay in some]


def test_each_kind_of_step_is_among_them(replays):
    steps = [step for replay in replays for step in replay.steps]
    kinds = {step.record.message and step.record.message[0] for step in steps}
    assert kinds >= {None, 0, 1, 2, 3, 4, 5, 6, 9}
    assert any(step.record.answers for step in steps)
    assert any(step.after is None for step in steps)
    assert any(b"Traceback" in (step.after or b"") for step in steps)


def test_the_steps_of_each_come_to_the_same_from_its_file(replays, tmp_path):
    for number, replay in enumerate(replays):
        path = tmp_path / f"{number}.replay"
        write_replay(replay, path)
        assert read_replay(path) == replay
        require_same(read_replay(path), REGISTRY)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_was_imported_is_exported_as_it_was(replays, tmp_path_factory, data):
    replay = data.draw(st.sampled_from(replays), label="replay")
    last = data.draw(st.integers(1, len(replay.steps)), label="last step")
    first = data.draw(st.integers(1, last), label="first step")
    place = tmp_path_factory.mktemp("import") / "world"
    assert make_small_world(replay, place, step=last) == replay.steps[last - 1]
    with SavedWorld(place) as world:
        again = export(world, replay.workflow_id)
        part = export(world, replay.workflow_id, steps=(first, last))
    assert again.steps == replay.steps[:last]
    common = attrgetter("workflow_id", "type", "seed", "limits", "next_id")
    assert common(again) == common(replay)
    assert again.codes.items() <= replay.codes.items()
    assert [step.record for step in part.steps] == [step.record for step in replay.steps[first - 1 : last]]
    require_same(part, REGISTRY)

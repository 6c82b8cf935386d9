"""A game of everything, recorded: how each workflow was at each turn, each step run again, and worlds forked from it."""

from __future__ import annotations

import random
import shutil
from typing import NamedTuple

import pytest
from determinism_flows import TYPES
from determinism_runs import MAX_STEPS, Player

from deathless import GameClock, Retention, Runtime
from deathless.runtime.history import step_index
from deathless.runtime.registration import registry_of
from deathless.tools.doctor import examine_world
from deathless.tools.replay.fork import fork
from deathless.tools.replay.rerun import rerun
from deathless.tools.replay.saved_world import SavedWorld
from deathless.tools.replay.verifier import Verifier

TURNS = 60
SEED = 20


class Game(NamedTuple):
    """A recorded game: its world, closed, and what all workflows were at some of its turns."""

    path: object
    rows: dict[int, dict[int, bytes]]
    digests: dict[int, str]


@pytest.fixture(scope="module")
def game(tmp_path_factory):
    """Play a game with budgets that run out, closings, and crashes before a commit and after one."""
    places = tmp_path_factory.mktemp("game")
    path, crashes = places / "0", 0
    player, choose = Player(SEED), random.Random(SEED)
    rows, digests = {}, {}
    options = {"history": "all", "retention": Retention(size=None), "max_steps_per_turn": MAX_STEPS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step_index, "SEGMENT", 500)
        world = Runtime(path, TYPES, clock=GameClock(), durability="process", seed=SEED, **options)
        player.populate(world)
        for turn in range(TURNS):
            player.play(world)
            world.advance(0.05, budget=0.0 if turn % 17 == 11 else None)
            rows[world.turn] = dict(world._engine.rows.all())
            digests[world.turn] = world.digest()
            if turn % 20 == 7:
                world.close()
                world = Runtime(path, TYPES, clock=GameClock(), durability="process", **options)
            elif turn % 20 == 15:
                # What lies on the disk is what a kill leaves.
                crashes += 1
                copy = places / str(crashes)
                shutil.copytree(path, copy)
                world.close()
                path, commit_every = copy, choose.choice((0.0, 3600.0))
                world = Runtime(
                    path, TYPES, clock=GameClock(), durability="process", commit_every=commit_every, **options
                )
        world.close()
    return Game(path, rows, digests)


@pytest.fixture
def world(game):
    with SavedWorld(game.path, registry_of(TYPES)) as opened:
        yield opened


def test_the_doctor_finds_nothing(game):
    assert examine_world(game.path, registry_of(TYPES).workflows) == []


def test_every_workflow_is_found_as_it_was_at_every_turn(game, world):
    for turn in sorted(game.rows)[::7]:
        assert world.rows_at(turn) == game.rows[turn], f"turn {turn}"


def test_a_workflow_is_found_through_the_index_as_through_all_steps(game, world):
    choose = random.Random(SEED)
    assert world.history.indexed() > 0
    for _ in range(300):
        turn = choose.choice(sorted(game.rows))
        workflow_id = choose.choice(sorted(game.rows[turn]))
        assert world.row(workflow_id, turn) == game.rows[turn][workflow_id]
    records = [record for steps in world.history.turn_steps() for record in steps.steps]
    for workflow_id in choose.sample(sorted(game.rows[max(game.rows)]), 60):
        found = [record for record in records if record.workflow_id == workflow_id]
        assert list(world.history.steps_of(workflow_id)) == found
        assert [step.record for step in world.steps(workflow_id)] == found


@pytest.mark.parametrize("cold", [False, True])
def test_each_step_comes_to_the_same_bytes_again(world, cold):
    verifier = Verifier(world, lambda *_: False, cold=cold)
    for steps in world.history.turn_steps():
        verifier.verify(steps.steps)
    verified = verifier.end(world.rows_at().get, world.state.turn)
    assert verified.unfit == []
    assert verified.divergences == []
    assert verified.steps > 5000


@pytest.mark.parametrize("part", [0.0, 0.1, 0.45, 0.8, 1.0])
def test_a_fork_that_runs_on_with_the_same_inputs_comes_to_the_same_world(game, world, tmp_path, part):
    turn = [0, *sorted(game.rows)][round(part * len(game.rows))]
    report = fork(world, turn, tmp_path / "fork")
    assert report.workflows == len(game.rows.get(turn, {}))
    turns = list(world.history.turns(turn))
    state = world.state
    for again in rerun(tmp_path / "fork", registry_of(TYPES), turns, clock="game"):
        assert again.same, f"turn {again.turn.record.turn}"
    with Runtime(tmp_path / "fork", TYPES, clock=GameClock(), durability="process") as forked:
        assert forked.digest() == game.digests[max(game.digests)]
        assert forked.now == state.now_us / 1e6

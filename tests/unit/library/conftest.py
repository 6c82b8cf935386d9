"""Every test of the library runs three times: as it is, resumed from bytes at each step, and crashed at each turn.

A crash is: go on with a copy of what the last commit left. What a workflow does must not depend on which; the tests
assert the same in all three.
"""

import pytest

from deathless import GameClock, Runtime
from deathless.workflows.library import (
    auction,
    buff,
    combat,
    conditional,
    countdown,
    day_night,
    npc_patrol,
    parent_child,
    production,
    quest,
    respawn,
    trade,
)

TYPES = [
    npc_patrol,
    combat,
    buff,
    respawn,
    production,
    auction,
    conditional,
    countdown,
    day_night,
    parent_child,
    quest,
    trade,
]


class GameWorld:
    """A world on a game clock that can be lost and recovered after each turn."""

    def __init__(self, directory, mode, types):
        self._directory = directory
        self._lives = 0
        self._mode = mode
        self._types = types
        self._path = directory / "world.deathless"
        self._open()

    def _crash(self):
        self._lives += 1
        self._path = self._directory / f"life{self._lives}.deathless"
        self.runtime.commit()  # A turn in which nothing happened is not committed by itself.
        self.runtime.backup(self._path)
        self.runtime.close()
        self._open()

    def _open(self):
        self.runtime = Runtime(
            self._path,
            self._types,
            clock=GameClock(),
            durability="process",
            paranoid=self._mode == "paranoid",
            seed=7,
        )

    def __getattr__(self, name):
        return getattr(self.runtime, name)

    def start(self, call, **address):
        """Start a workflow, run its first step and return its id."""
        workflow_id = self.runtime.start(call, **address).id
        self.advance(0.0)
        return workflow_id

    def advance(self, dt):
        report = self.runtime.advance(dt)
        assert report.carried_over == 0
        if self._mode == "crashed":
            self._crash()
            assert self.runtime.turn == report.turn
        return report

    def run_to_end(self, workflow_id, dt):
        """Let time pass until a workflow has ended; return its result."""
        for _ in range(200):
            if self.runtime.get(workflow_id).status != "Suspended":
                break
            self.advance(dt)
        return self.result(workflow_id)

    def after(self, dt, signal, **address):
        """Let time pass, then send a signal and run the turn that takes it."""
        self.advance(dt)
        self.runtime.signal(signal, **address)
        self.advance(0.0)

    def only(self, **what):
        """Return the one workflow that fits."""
        (view,) = self.runtime.workflows(**what)
        return view

    def result(self, workflow_id):
        view = self.runtime.get(workflow_id)
        assert view.status == "Completed", (view.status, view.error_message, view.traceback)
        return view.result

    def error(self, workflow_id):
        view = self.runtime.get(workflow_id)
        assert view.status == "Failed", view.status
        return view.error_message


@pytest.fixture(params=["resident", "paranoid", "crashed"])
def make_world(request, tmp_path):
    made = []

    def make(*more):
        world = GameWorld(tmp_path, request.param, [*TYPES, *more])
        made.append(world)
        return world

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world):
    return make_world()

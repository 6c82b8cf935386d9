"""What the tests of metrics share: a small world, open or saved."""

import pytest
from watched_flows import bad, listener, sleeper

from deathless import GameClock, Runtime


@pytest.fixture
def world(tmp_path):
    """A world of five workflows: two asleep, one awake by now, one that listens and one that failed."""
    with Runtime(
        tmp_path / "world.deathless", [sleeper, listener, bad], clock=GameClock(), durability="process"
    ) as opened:
        opened.start_many([sleeper(5.0), sleeper(5.0), sleeper(0.5), listener(), bad()])
        opened.advance(0.0)
        opened.advance(1.0)
        yield opened


@pytest.fixture
def saved(world, tmp_path):
    """The path of that world, closed."""
    world.close()
    return str(tmp_path / "world.deathless")

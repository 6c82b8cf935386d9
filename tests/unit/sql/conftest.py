"""A world of the game that is asked by SQL; the tests are let import the module beside them."""

import sys
from pathlib import Path

import pytest

from deathless import GameClock, Runtime

sys.path.insert(0, str(Path(__file__).parent))

from sql_game import ALL, populate  # noqa: E402 - found by the line before.


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "world.deathless"


@pytest.fixture
def world(place: Path):
    with Runtime(place, ALL, clock=GameClock(), durability="process", history="all") as world:
        populate(world)
        yield world

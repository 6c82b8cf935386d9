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


@pytest.fixture(params=["logged", "in_place"])
def world(request: pytest.FixtureRequest, place: Path):
    """A world whose rows are in the log of commits still, or all in their places."""
    options = {"clock": GameClock(), "durability": "process", "history": "all", "audit": True}
    with Runtime(place, ALL, **options) as world:
        populate(world)
        if request.param == "logged":
            yield world
    if request.param == "in_place":
        with Runtime(place, ALL, **options) as world:
            yield world

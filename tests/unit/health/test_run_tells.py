"""A world that `deathless run` serves tells its health and its metrics."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from deathless.runtime.storage.world_files import CONTROL_FILE
from deathless.tools.headless import run_world
from deathless.tools.metrics.endpoint import told_by_endpoint
from deathless.tools.modules import load_modules

GAME = """
from deathless import Context, workflow


@workflow
async def bad(ctx: Context) -> None:
    raise ValueError("bad")


@workflow
async def sleeper(ctx: Context) -> None:
    await ctx.sleep(1000.0)
"""


@pytest.fixture(scope="module")
def game(tmp_path_factory):
    path = tmp_path_factory.mktemp("code") / "told_game.py"
    path.write_text(GAME)
    return load_modules([str(path)])


def ask(world: Path, page: str):
    url = json.loads((world / CONTROL_FILE).read_text())["url"]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url + page, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_it_tells_its_metrics_and_its_health(game, tmp_path):
    world = tmp_path / "world.deathless"
    found = []

    def look():
        """Between two turns: nobody has to wait for one to tell."""
        found.append((ask(world, "/metrics"), ask(world, "/health"), told_by_endpoint(world)))
        return True

    run_world(world, game, stopped=look, clock="game")
    (((status, metrics), (well, health), told),) = found
    assert status == 200
    assert b"deathless_up 1.0" in metrics
    assert b"deathless_steps_total" in metrics
    assert b"deathless_up 1.0" in told
    assert well == 200
    assert json.loads(health)["healthy"] is True

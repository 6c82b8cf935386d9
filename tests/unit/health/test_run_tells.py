"""A world that `deathless run` serves tells its health and its metrics."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from deathless import GameClock, Runtime
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


def test_from_outside_the_bound_is_the_one_that_the_running_world_has(game, tmp_path):
    world = tmp_path / "world.deathless"
    limit = 1 << 20
    found = []

    def look():
        found.append(look_from_outside(world))
        return True

    run_world(world, game, stopped=look, clock="game", map_size=limit, map_limit=limit)
    (told,) = found
    assert told["map_limit"] == limit
    (room,) = [condition for condition in told["conditions"] if condition["name"] == "room"]
    assert room["value"] > 0.01, "the disk has more room than a MiB"
    assert "on its disk" not in room["text"]
    told = look_from_outside(world)
    assert told["map_limit"] is None, "nobody runs it"
    assert "left on its disk" in told["conditions"][5]["text"]


def test_the_bound_is_known_where_the_world_is_not_well(game, tmp_path):
    world = tmp_path / "world.deathless"
    found = []
    bad = game[0].bad

    def look():
        found.append((ask(world, "/health")[0], look_from_outside(world)["map_limit"]))
        return True

    with Runtime(world, [bad], clock=GameClock()) as opened:
        opened.start(bad())
        opened.advance(0.0)
    run_world(world, game, stopped=look, clock="game", map_size=1 << 20, map_limit=1 << 20)
    assert found == [(503, 1 << 20)]


def look_from_outside(world):
    """Return what another process sees: LMDB maps a file once for each."""
    asked = subprocess.run(
        [sys.executable, "-m", "deathless.tools", "health", str(world), "--json"],
        capture_output=True,
        check=False,
        timeout=60,
    )
    return json.loads(asked.stdout)

"""The example that people run first: its scenario's errors, a run, and a kill -9."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from deathless import GameClock, Runtime
from deathless.workflows.library import Threat

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))

import village  # noqa: E402 - it lies outside the package.
from village_game.life import VILLAGE, chronicle, villager  # noqa: E402
from village_game.scenario import load_scenario  # noqa: E402
from village_game.tables import ScenarioError  # noqa: E402

SCENARIO = EXAMPLES / "village.toml"
PEOPLE, WORKSHOPS = 188, 12


def command(world, *more):
    return [
        sys.executable,
        str(EXAMPLES / "village.py"),
        "--world",
        str(world),
        "--durability",
        "process",
        *more,
    ]


def run(world, *more):
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    return subprocess.run(
        command(world, *more), capture_output=True, text=True, timeout=120, env=environment, check=False
    )


def changed(tmp_path, old, new):
    text = SCENARIO.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


# -- the scenario ------------------------------------------------------------------------------------------


def test_the_village_of_the_repository_has_two_hundred_entities_on_its_map():
    scenario = load_scenario(SCENARIO)
    assert (len(scenario.npcs), len(scenario.workshops)) == (PEOPLE, WORKSHOPS)
    assert len({npc.entity for npc in scenario.npcs}) == PEOPLE
    assert all(len(row) == 72 for row in scenario.ground)


def test_the_same_file_makes_the_same_people():
    assert load_scenario(SCENARIO) == load_scenario(SCENARIO)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "seed = 20",
            "seed = -1",
            "changed.toml: seed: is a whole number from 0 to 9223372036854775807, not -1",
        ),
        ('name = "Thornbridge"\n', "", "changed.toml: name: is missing"),
        (
            "count = 40",
            "count = 40\ncuont = 3",
            "changed.toml: npc[0].cuont: is not a key that is known here",
        ),
        (
            "speed = [2.4, 3.4]",
            "speed = [3.4, 2.4]",
            "changed.toml: npc[0].speed: is a number, or a pair [least, most]",
        ),
        (
            "speed = [1.0, 1.8]",
            'speed = "fast"',
            "changed.toml: npc[1].speed: is a number, or a pair [least, most]",
        ),
        (
            'routes = ["mine_path"]',
            'routes = ["mine"]',
            "changed.toml: npc[4].routes[0]: is no route: 'mine'",
        ),
        (
            "wall = [[22, 7]",
            "wall = [[22, 99]",
            "changed.toml: routes.wall[0]: is a place [column, row] within",
        ),
        (
            "at = [66, 4]",
            "at = [66]",
            "changed.toml: workshop[0].at: is a place [column, row] within [0, 0] to [71, 25]",
        ),
        (
            "log = 1",
            "log = 0",
            "changed.toml: workshop[1].inputs.log: is a whole number from 1 to 100, not 0",
        ),
        ("entity = 102", "entity = 101", "changed.toml: entity: 101 is both the mine and the sawmill"),
        (
            "threats = 1.8",
            "threats = nan",
            "changed.toml: events.threats: is a number from 0 to 10000, not nan",
        ),
        ("\n.....TTT", "\n?....TTT", "changed.toml: map.ground: row 0 has the mark '?'"),
        ("\n.....TTT", "\n....TTT", "changed.toml: map.ground: row 1 has 72 columns, and row 0 has 71"),
        ("[respawn]", "[respawned]", "changed.toml: respawn: is missing"),
        (
            'style = "bold #7fd4ff"',
            'style = "shiny"',
            "changed.toml: npc[0].style: is a style such as 'bold #ffd75f'",
        ),
        ("seed = 20", "seed = ", "not a TOML file"),
    ],
)
def test_an_error_in_a_scenario_names_the_key_and_the_value(tmp_path, old, new, message):
    with pytest.raises(ScenarioError) as caught:
        load_scenario(changed(tmp_path, old, new))
    assert message in str(caught.value)


def test_a_bad_scenario_ends_the_program_with_2_before_it_makes_a_world(tmp_path):
    world = tmp_path / "w.deathless"
    done = run(world, "--scenario", str(changed(tmp_path, "hp = 34", "hp = 0")))
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == "bad scenario: changed.toml: npc[0].hp: is a whole number from 1 to 1000000, not 0\n"
    )
    assert not world.exists()


# -- its own workflows -------------------------------------------------------------------------------------


def test_a_villager_who_falls_comes_back_and_the_chronicle_counts_both(tmp_path):
    life = villager(
        "farmer",
        [(0.0, 0.0), (100.0, 0.0)],
        at=(50.0, 0.0),
        home=(9.0, 9.0),
        speed=1.0,
        pause=0.0,
        hp=1,
        strength=1,
        mend=0,
        action_timeout=1.0,
        respawn_delay=5.0,
    )
    with Runtime(tmp_path / "w", village.WORKFLOWS, clock=GameClock(), paranoid=True) as world:
        keeper = world.start(chronicle(), correlation_id=VILLAGE)
        world.start(life, entity_id=7)
        world.advance(0.0)
        world.advance(10.0)
        world.signal(Threat("dragon", hp=1_000_000, strength=1_000_000), entity_id=7)
        while not world.workflows(type="respawn"):
            world.advance(1.0)
        (farmer,) = world.workflows(type="villager")
        assert (farmer.current_step, farmer.locals["fell_at"]) == ("fallen", (39.0, 0.0))
        world.advance(5.0)
        (patrol,) = world.workflows(type="npc_patrol", status="Suspended")
        assert (patrol.locals["x"], patrol.locals["y"]) == (9.0, 9.0)
        assert world.get(keeper.id).locals == {"goods": {}, "fallen": {"farmer": 1}, "returned": 1}


# -- the game ----------------------------------------------------------------------------------------------


def test_without_a_terminal_it_runs_plain_ends_by_itself_and_says_how_to_go_on(tmp_path):
    picture = tmp_path / "village.svg"
    done = run(tmp_path / "w.deathless", "--fresh", "--seconds", "1.5", "--screenshot", str(picture))
    assert (done.returncode, done.stderr) == (0, "")
    first, status, *_, last = done.stdout.splitlines()
    assert first == f"a new world at {tmp_path / 'w.deathless'}; {PEOPLE + WORKSHOPS + 1} started"
    assert status.startswith("turn ")
    assert "workflows" in status
    assert last.startswith("stopped at turn ")
    assert last.endswith(f"--seconds 1.5 --screenshot {picture}")
    drawn = picture.read_text(encoding="utf-8")
    assert all(word in drawn for word in ("Thornbridge", "smithy", "guard", "fallen"))
    assert "@font-face" not in drawn


def test_killed_at_any_moment_it_goes_on_with_everybody_and_starts_nobody_twice(tmp_path):
    world = tmp_path / "w.deathless"
    with subprocess.Popen(command(world), stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline().startswith("a new world")
        assert first.stdout.readline().startswith("turn ")
        first.kill()
    before = look(world)
    done = run(world, "--seconds", "1.2")
    assert done.returncode == 0, done.stderr
    line = done.stdout.splitlines()[0]
    # Everything was there: the line has no "started" behind it.
    assert line.startswith(f"recovered {sum(before.values())} workflows at turn ")
    assert line.endswith(" timers came due meanwhile")
    after = look(world)
    lives = {key for key in before if key[0] in ("villager", "chronicle")}
    assert len(lives) == PEOPLE + 1
    assert lives == {key for key in after if key[0] in ("villager", "chronicle")}


def look(world):
    """Return the active workflows as (type, entity, id), and see that no entity lives twice."""
    with Runtime(world, village.WORKFLOWS) as runtime:
        views = runtime.workflows(status="Suspended")
        assert not runtime.workflows(status="Failed")
    several = Counter((view.type, view.entity_id) for view in views if view.type != "buff")
    assert max(several.values()) == 1
    return Counter((view.type, view.entity_id, view.id) for view in views)


def test_fresh_refuses_to_delete_what_is_not_a_world(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "diary.txt").write_text("dear diary")
    done = run(home, "--fresh", "--seconds", "1")
    assert done.returncode == 1
    assert "diary.txt" in done.stderr
    assert (home / "diary.txt").read_text() == "dear diary"


def test_fresh_refuses_to_delete_a_world_that_somebody_runs(tmp_path):
    with Runtime(tmp_path / "w.deathless", village.WORKFLOWS):
        done = run(tmp_path / "w.deathless", "--fresh", "--seconds", "1")
    assert done.returncode == 1
    assert "owned by process" in done.stderr


def test_a_key_that_is_misspelt_is_pointed_out(tmp_path):
    path = tmp_path / "typo.toml"
    path.write_text(SCENARIO.read_text(encoding="utf-8").replace("speed = ", "sped = ", 1), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"speed: is missing; is 'sped' meant for it\?"):
        load_scenario(path)

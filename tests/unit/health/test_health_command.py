"""`deathless health`."""

import json

import pytest

from deathless import GameClock, Runtime
from deathless.tools import modules
from deathless.tools.cli import main

GAME = """
from deathless import Context, Signal, workflow


class Poke(Signal):
    pass


@workflow
async def listener(ctx: Context) -> None:
    await ctx.receive(Poke)


@workflow
async def bad(ctx: Context) -> None:
    raise ValueError("bad")
"""


@pytest.fixture(scope="module")
def game(tmp_path_factory):
    path = tmp_path_factory.mktemp("code") / "health_game.py"
    path.write_text(GAME)
    return str(path)


@pytest.fixture
def make_world(tmp_path, game, capsys):
    registry = modules.load_registry([game])
    kinds = registry.workflows

    def make(*names, hours=0.0):
        path = tmp_path / "world.deathless"
        with Runtime(path, list(kinds.values()), clock=GameClock(), durability="process") as world:
            for name in names:
                world.start(name)
            world.advance(0.0)
            world.advance(3600.0 * hours)
        capsys.readouterr()
        return str(path)

    return make


def test_a_healthy_world_ends_with_0(make_world, capsys):
    assert main(["health", make_world("listener")]) == 0
    written = capsys.readouterr()
    assert "turn 3: 1 Suspended; healthy" in written.out
    assert written.err == ""


def test_an_alert_ends_with_1_and_names_the_workflows(make_world, capsys):
    world = make_world("listener", "bad")
    assert main(["health", world]) == 1
    assert "alert    failures   1 of 2 workflows failed (50.0%): 2\n" in capsys.readouterr().out
    assert main(["health", world, "--failure-rate", "0.5"]) == 0


def test_untouched_is_a_warning_until_it_is_asked_for(make_world, capsys):
    world = make_world("listener", hours=2)
    assert main(["health", world]) == 0
    assert "warning  untouched" in capsys.readouterr().out
    assert main(["health", world, "--untouched", "90m"]) == 1
    assert main(["health", world, "--untouched", "3h"]) == 0
    capsys.readouterr()
    assert main(["health", world, "--untouched", "off"]) == 0
    assert "untouched" not in capsys.readouterr().out


def test_a_world_that_must_run_and_does_not_is_an_alert(make_world, capsys):
    assert main(["health", make_world(), "--must-run"]) == 1
    assert "alert    pump       nobody runs the world" in capsys.readouterr().out


def test_two_looks_say_how_it_was_before(make_world, capsys):
    assert main(["health", make_world("listener"), "--interval", "1ms"]) == 0
    assert "; 0 of 0 before" in capsys.readouterr().out


def test_code_that_does_not_fit_is_found(make_world, game, tmp_path, capsys):
    world = make_world("listener", "listener")
    assert main(["health", world, "--app", game]) == 0
    other = tmp_path / "health_game_without_listener.py"
    other.write_text(GAME.replace("async def listener", "async def hearer"))
    assert main(["health", world, "--app", str(other)]) == 1
    assert "2 workflows for which nothing can go on, 2 of them held: 1, 2\n" in capsys.readouterr().out


def test_json_is_for_scripts(make_world, capsys):
    world = make_world("bad")
    assert main(["health", world, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["world"] == world
    assert [condition["name"] for condition in told["conditions"] if condition["state"] == "alert"] == [
        "failures"
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{world}/nowhere"], "no world here"),
        (["{world}", "--untouched", "soon"], "is not a duration"),
        (["{world}", "--interval", "10"], "is not a duration"),
        (["{world}", "--failure-rate", "2"], "0<=x<=1"),
        (["{world}", "--stuck", "-1"], "x>=0"),
        (["{world}", "--app", "no.such.module"], "no.such.module"),
    ],
)
def test_bad_input_cannot_be_looked_at(make_world, capsys, arguments, said):
    world = make_world()
    assert main(["health", *(argument.format(world=world) for argument in arguments)]) == 2
    written = capsys.readouterr()
    assert said in written.err
    assert written.out == ""


def test_a_damaged_world_cannot_be_looked_at(make_world, capsys):
    world = make_world("listener")
    with open(f"{world}/data.mdb", "r+b") as file:
        file.truncate(5000)
    assert main(["health", world]) == 2
    assert capsys.readouterr().err.startswith("Error: ")

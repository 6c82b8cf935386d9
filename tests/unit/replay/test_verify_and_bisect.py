"""Faults planted in a copy of a library workflow are found by running it again, and named."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fights import FIGHTS, PLANTED, write_module

FIGHTS_PY = Path(__file__).parent / "fights.py"


def run(*arguments, hash_seed="1", ok=(0,)):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode in ok, done.stderr
    return done


def replay(*arguments, **options):
    return run("-m", "deathless.tools", "replay", *arguments, **options)


def recorded(tmp_path, planted):
    module = write_module(tmp_path / "duel.py", planted)
    run(FIGHTS_PY, module, tmp_path / "world", hash_seed="1")
    return module, tmp_path / "world"


def line_of(module, text):
    lines = module.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_what_goes_by_the_world_alone_is_the_same_in_every_process(tmp_path):
    module, world = recorded(tmp_path, "nothing")
    for seed in ("2", "3"):
        assert "all as recorded" in replay("verify", world, "--code", module, hash_seed=seed).stdout
    assert "do not part" in replay("bisect", world, "--code", module, hash_seed="4").stdout


@pytest.mark.parametrize("planted", ["a set is gone through", "the computer's dice"])
def test_what_does_not_is_found(tmp_path, planted):
    module, world = recorded(tmp_path, planted)
    # A set of two has the recorded order in half of all processes.
    found = [
        json.loads(
            replay("verify", world, "--code", module, "--json", hash_seed=str(seed), ok=(0, 1)).stdout
        )["findings"]
        for seed in range(2, 8)
    ]
    first = next(findings for findings in found if findings)[0]
    path, _, _ = first["differences"][0]
    assert first["type"] == "combat"
    # Which of the two is the first to differ goes by the dice.
    variable = "side" if planted == "a set is gone through" else "health"
    paths = [path for path, _, _ in first["differences"]]
    assert any(variable in path for path in paths), paths
    assert Path(first["place"].rpartition(":")[0]) == module
    parting = [
        replay("bisect", world, "--code", module, "--json", hash_seed=str(seed), ok=(0, 1))
        for seed in range(2, 8)
    ]
    assert any(done.returncode == 1 for done in parting)


def test_a_changed_constant_is_found_by_verify_and_by_bisect(tmp_path):
    _, world = recorded(tmp_path, "nothing")
    module = write_module(tmp_path / "duel.py", "a changed constant")
    done = replay("verify", world, "--code", module, ok=(1,))
    assert re.search(r"workflow \d+ \(combat, entity \d+\) parts at step \d+, turn \d+", done.stdout)
    assert re.search(r"locals.health\['\w+'\] is \d+, and was \d+", done.stdout)
    line = line_of(module, "health[rival] -= min(")
    assert f"{module}:{line}: health[rival] -= min(" in done.stdout
    first = json.loads(replay("verify", world, "--code", module, "--json", ok=(1,)).stdout)["findings"][0]
    parting = json.loads(replay("bisect", world, "--code", module, "--json", ok=(1,)).stdout)["parting"]
    assert (parting["turn"], parting["workflow_id"]) == (first["turn"], first["workflow_id"])
    assert parting["differences"][0] == first["differences"][0]


def test_one_workflow_is_verified_by_itself(tmp_path):
    module, world = recorded(tmp_path, "nothing")
    done = json.loads(replay("verify", world, "1", "--code", module, "--json").stdout)
    whole = json.loads(replay("verify", world, "--code", module, "--processes", "1", "--json").stdout)
    assert done["workflows"] == 1
    assert whole["workflows"] == FIGHTS
    assert 0 < done["steps"] < whole["steps"]
    parts = json.loads(replay("verify", world, "--code", module, "--processes", "3", "--json").stdout)
    assert {**parts, "seconds": 0} == {**whole, "seconds": 0}


def test_a_fork_runs_on_as_the_world_did_or_with_another_value(tmp_path):
    module, world = recorded(tmp_path, "nothing")
    again = replay("fork", world, tmp_path / "again", "--turn", 20, "--rerun", "--code", module).stdout
    assert "each turn did what it did before" in again
    assert replay("compare", world, tmp_path / "again").returncode == 0
    weak = ("--turn", 20, "--set", "three.hp=1")
    assert replay("fork", world, tmp_path / "weak", *weak, ok=(2,)).stderr.count("\n") == 1
    assert not (tmp_path / "weak").exists()
    weak = ("--turn", 20, "--set", "1.max_rounds=1", "--rerun", "--code", module)
    assert "did something else" in replay("fork", world, tmp_path / "weak", *weak, ok=(1,)).stdout
    done = replay("compare", world, tmp_path / "weak", "--json", ok=(1,))
    compared = json.loads(done.stdout)
    assert compared["different"] == 1
    assert compared["parting"]["workflow_id"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify", "{none}", "--code", "{module}"), "there is no world here"),
        (("verify", "{world}", "999", "--code", "{module}"), "999"),
        (("verify", "{world}", "--code", "no_such_module"), "no_such_module"),
        (("verify", "{world}", "--code", "deathless.workflows.library.buff"), "not registered"),
        (("bisect", "{world}"), "--code"),
        (("bisect", "{world}", "--code", "deathless.workflows.library.buff"), "'combat'"),
        (
            (
                "fork",
                "{world}",
                "{none}",
                "--turn",
                "5",
                "--rerun",
                "--code",
                "deathless.workflows.library.buff",
            ),
            "'combat'",
        ),
        (("bisect", "{world}", "{none}"), "there is no world here"),
        (("fork", "{world}", "{none}", "--turn", "9999"), "turn 9999 is not yet"),
        (("fork", "{world}", "{none}", "--turn", "-1"), "-1 is not in the range"),
        (("fork", "{world}", "{world}", "--turn", "5"), "not empty"),
        (("fork", "{world}", "{none}", "--turn", "5", "--set", "1.nonsense=1"), "no variable 'nonsense'"),
        (("fork", "{world}", "{none}", "--turn", "5", "--set", "77.hp=1"), "no workflow 77"),
        (("fork", "{world}", "{none}", "--turn", "5", "--set", "1.hp=so"), "not JSON"),
        (("compare", "{world}", "{none}"), "there is no world here"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(one_world, arguments, said, tmp_path):
    module, world = one_world
    places = {"world": world, "module": module, "none": tmp_path / "none"}
    done = replay(*(argument.format(**places) for argument in arguments), ok=(2,))
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "none").exists()


@pytest.fixture(scope="module")
def one_world(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("one"), "nothing")


def test_every_planted_fault_is_tried():
    assert set(PLANTED) == {"nothing", "a set is gone through", "the computer's dice", "a changed constant"}

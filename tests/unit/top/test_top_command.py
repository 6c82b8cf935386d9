"""`deathless top` where there is no terminal."""

import json
import sys
from pathlib import Path

import pytest

from deathless.runtime.storage.world_lock import WorldLock
from deathless.tools.cli import main
from deathless.tools.top.watch import PACE_S

sys.path.insert(0, str(Path(__file__).parent))
from top_kit import build_town  # noqa: E402


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    path = tmp_path_factory.mktemp("town") / "town.deathless"
    build_town(path)
    return str(path)


def test_once_prints_the_screen_as_text(town, capsys):
    assert main(["top", town, "--once", "--limit", "3", "--sort", "size"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"nobody runs it   turn 182   180.5 s   {town}"
    assert lines[1].startswith("371 Suspended   39 Completed   2 Failed")
    assert lines[-1] == "3 of 412 workflows, by size"
    assert any(line.split()[:4] == ["npc_patrol", "300", "300", "0"] for line in lines)


def test_a_world_that_runs_is_looked_at_twice_to_say_how_fast_it_goes(town, capsys, monkeypatch):
    slept = []
    monkeypatch.setattr("deathless.tools.commands.top.time.sleep", slept.append)
    monkeypatch.setattr("deathless.tools.top.watch.PACE_S", 0.0)
    lock = WorldLock(Path(town))
    assert main(["top", town, "--once", "--interval", "600ms"]) == 0
    lock.release()
    assert slept == [PACE_S]
    assert PACE_S > 1.0, "an idle world commits once a second"
    assert "0.0 turns/s   0 messages/s   time x0.00" in capsys.readouterr().out


def test_json_is_for_scripts(town, capsys):
    assert main(["top", town, "--json", "--filter", "buff", "--limit", "2"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["types"]["buff"]["total"] == 60
    assert told["workflows"]["Failed"] == 2
    assert told["fitting"] == 60
    assert [one["type"] for one in told["listed"]] == ["buff", "buff"]
    assert told["pace"] == {"turns": None, "messages": None, "time": None}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{town}"], "needs a terminal"),
        (["{town}/nowhere", "--once"], "no world here"),
        (["{town}", "--once", "--sort", "luck"], "luck"),
        (["{town}", "--once", "--interval", "2"], "is not a duration"),
    ],
)
def test_bad_input_is_told(town, capsys, arguments, said):
    assert main(["top", *(argument.format(town=town) for argument in arguments)]) == 2
    written = capsys.readouterr()
    assert said in written.err
    assert written.out == ""

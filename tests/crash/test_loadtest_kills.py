"""The load test kills a real world, and everything that was acknowledged is there once; its own process dies with it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deathless.tools.cli import main
from deathless.tools.loadtest.driver import task_of
from deathless.tools.loadtest.inputs import Input, Kind
from deathless.tools.loadtest.scenario_file import read_scenario
from deathless.tools.loadtest.world_client import WorldClient, WorldProcessError
from deathless.tools.replay.saved_world import SavedWorld

pytestmark = pytest.mark.crash

SCENARIO = """\
title = "Kills"
seconds = 3
kill_every = 0.6
durability = "process"
frame_rate = 0

[[workflows]]
type = "buff"
count = 200
starts_per_second = 100
arguments = { duration = { from = 0.2, to = 2.0 } }

[[workflows]]
type = "npc_patrol"
count = 50
arguments = { route = [[0.0, 0.0], [{ from = 1.0, to = 3.0 }, 1.0]], pause = 0.1 }

[signals]
per_second = 2_000

[[signals.mix]]
to = "buff"
signal = "Stack"

[witnesses]
count = 10
signals_per_second = 2_000

[thresholds]
min_kills = 2
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "kills.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_every_acknowledged_input_outlives_the_kills_once(path, clock, request, capsys):
    seed = str(request.config.getoption("--seed"))
    # As much virtual time as takes some real seconds: kills fall by the clock on the wall.
    more = ["--frame-rate", "60", "--seconds", "12"] if clock == "virtual" else []
    code = main(["loadtest", path, "--seed", seed, "--clock", clock, "--json", *more])
    report = json.loads(capsys.readouterr().out)
    assert code == 0, report["ledger"]
    assert len(report["kills"]) >= 2
    assert report["ledger"]["acknowledged"] == report["ledger"]["inputs"]
    assert report["ledger"]["witnessed"] > 3_000
    assert report["workflows"].keys() == {"completed", "suspended"}
    assert all(kill["recovery_s"] >= kill["open_s"] > 0.0 for kill in report["kills"])


@pytest.fixture
def client(path, tmp_path):
    scenario = read_scenario(path, {"clock": "virtual", "frame_rate": 60.0})
    made = WorldClient(task_of(scenario, tmp_path / "world"), tmp_path / "log")
    yield made
    made.kill()


def test_what_is_sent_again_under_its_name_is_taken_once(client):
    client.open()
    start = Input(0, int(Kind.START), 0, 1, {"duration": 60.0}, 0.0)
    (first,) = client.step([start])
    client.kill()
    assert client.open().workflows == 1
    (again,) = client.step([start])
    assert again.acknowledged == first.acknowledged
    assert again.live == 1


def test_what_a_world_acknowledges_before_its_end_is_heard_after_it(client):
    client.open()
    client._sender.send([Input(0, int(Kind.START), 0, 1, {"duration": 60.0}, 0.0)])
    # The frame is over and was told of; nobody has asked for it.
    client._heard.put(client._heard.get(timeout=60))
    (frame,) = client.kill()
    assert [known.number for known in frame.acknowledged] == [0]
    assert client.kill() == []


LATE_COMMITS = """
from deathless.runtime.storage.store import Store
commit, close, kept = Store.commit, Store.close, []
def late(store, changes):
    kept.append({table: dict(rows) for table, rows in changes.items()})
    if len(kept) > 1:
        commit(store, kept.pop(0))
def last(store):
    while kept:
        commit(store, kept.pop(0))
    close(store)
Store.commit, Store.close = late, last
"""


def test_a_world_that_acknowledges_a_turn_before_it_is_durable_is_found_out(
    path, capsys, monkeypatch, tmp_path
):
    """Each commit is written when the next one comes, so that what is lost is one turn, known by its last word."""
    (tmp_path / "sitecustomize.py").write_text(LATE_COMMITS, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert main(["loadtest", path, "--frame-rate", "60", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ledger"]["lost"]["count"] > 0


FORGETFUL = """
from deathless.runtime.input_ids import InputIds
find = InputIds.find
InputIds.find = lambda ids, input_id, kind: None if kind == "start" else find(ids, input_id, kind)
"""


def test_a_world_that_forgets_the_names_of_old_starts_is_found_out(path, capsys, monkeypatch, tmp_path):
    """None of them is on its way when a kill falls: all were acknowledged before the load."""
    (tmp_path / "sitecustomize.py").write_text(FORGETFUL, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    Path(path).write_text(SCENARIO.replace("starts_per_second = 100\n", ""), encoding="utf-8")
    assert main(["loadtest", path, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ledger"]["doubled"]["count"] > 0


def test_a_process_that_ends_by_itself_is_reported_with_its_last_words(client, tmp_path):
    (tmp_path / "world").mkdir()
    (tmp_path / "world" / "something").write_text("", encoding="utf-8")
    with pytest.raises(WorldProcessError, match=r"exit code 1\): .*other content \(something\)"):
        client.open()


def test_a_process_that_cannot_even_begin_is_reported_with_its_last_words(client, monkeypatch, tmp_path):
    (tmp_path / "msgpack.py").write_text("raise RuntimeError('a broken installation')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(WorldProcessError, match=r"\(exit code 1\): RuntimeError: a broken installation$"):
        client.open()


ORPHAN = """
import os, signal, sys
from pathlib import Path
from deathless.tools.loadtest.driver import task_of
from deathless.tools.loadtest.scenario_file import read_scenario
from deathless.tools.loadtest.world_client import WorldClient
client = WorldClient(task_of(read_scenario(sys.argv[1], {}), Path(sys.argv[2])), Path(sys.argv[3]))
client.open()
print(client._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="waits for a process that is not its child by its pidfd"
)
def test_the_worlds_process_dies_with_the_one_that_began_it(path, tmp_path):
    command = [sys.executable, "-c", ORPHAN, path, str(tmp_path / "world"), str(tmp_path / "log")]
    # Standard output is not inherited by the world's process, so that this returns when the parent is dead.
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    wait_for_end(int(done.stdout))


def wait_for_end(pid):
    """Return when a process is gone; one that never ends is ended here, and fails the test."""
    import select

    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([descriptor], [], [], 30)
        if not ended:
            os.kill(pid, signal.SIGKILL)
        assert ended, "the world's process lived on"
    finally:
        os.close(descriptor)


def test_ctrl_c_in_a_run_with_kills_reports_what_ran(path, tmp_path):
    kept = tmp_path / "kept"
    command = [
        sys.executable,
        "-c",
        ANNOUNCED,
        "loadtest",
        path,
        "--seconds",
        "60",
        "--world",
        str(kept),
        "--json",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stderr.readline() == b"killed\n"
        # To the whole group, as a terminal does: the world's process must not mind.
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate()
    assert process.returncode == 130
    report = json.loads(out)
    assert report["interrupted"]
    assert report["ledger"]["holds"]
    assert len(report["kills"]) == 1


ANNOUNCED = """
import sys
from deathless.tools.cli import main
from deathless.tools.loadtest.measures import Measures
take_kill = Measures.take_kill
def announce(measures, kill):
    take_kill(measures, kill)
    print("killed", file=sys.stderr, flush=True)
Measures.take_kill = announce
sys.exit(main(sys.argv[1:]))
"""


def test_what_a_killed_world_has_recorded_is_whole_and_runs_again(tmp_path, capsys):
    """Each recorded step, those around the kills too, comes to what the next one began on."""
    scenario = tmp_path / "recorded.toml"
    scenario.write_text(SCENARIO.replace('durability = "process"', 'durability = "process"\nhistory = "all"'))
    assert main(["loadtest", str(scenario), "--world", str(tmp_path / "kept"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kills"]
    library = "deathless.workflows.library"
    code = ["--code", library, "--code", "deathless.tools.loadtest.instruments"]
    world = str(tmp_path / "kept/world")
    assert main(["replay", "verify", world, *code, "--processes", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["steps"] > 1000
    with SavedWorld(world) as saved:
        first, last = saved.history.known_from(None), saved.state.turn
    assert first < last - 20

    again = ["fork", world, str(tmp_path / "again"), "--turn", str(first), "--rerun"]
    assert main(["replay", *again, *code]) == 0
    assert "each turn did what it did before" in capsys.readouterr().out

"""`deathless run` as a process of its own: it is asked, killed, and told to end."""

import inspect
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from control_kit import eventually

from deathless import Runtime, WallClock
from deathless.tools.control.operations import OPERATIONS, reload_of
from deathless.tools.modules import load_registered

PAGE = Path(__file__).parents[3] / "docs/how-to/control-a-running-world.md"


@pytest.fixture
def launch(place):
    """Start `deathless run` on a world, and wait until it takes commands; what still runs at the end is killed."""
    begun = []

    def start(*options, world="w", app="game"):
        arguments = [sys.executable, "-m", "deathless.tools", "run", world, "--app", app, *options]
        log = (place / "run.log").open("ab")
        with log:
            process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=place)
        begun.append(process)
        file = place / world / "control.json"

        def listens():
            assert process.poll() is None, (place / "run.log").read_text()
            try:
                return json.loads(file.read_text())["pid"] == process.pid
            except FileNotFoundError:
                return False

        eventually(listens)
        return process

    yield start
    for process in begun:
        process.kill()
        process.wait()


def finished(*words):
    """Run a command as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "deathless.tools", *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_a_killed_server_leaves_a_world_that_commands_open_themselves(launch, command, place):
    process = launch()
    assert command("start", "w", "buff", 42, "null", 3600)[:2] == (0, "workflow 1 starts\n")
    assert command("signal", "w", 1, "stack", 4)[0] == 0
    process.kill()
    process.wait()
    assert (place / "w" / "control.json").exists()
    code, _, err = command("signal", "w", 1, "stack", 2)
    assert code == 2
    assert "no process runs this world" in err
    assert command("signal", "w", 1, "stack", 2, "--app", "game")[:2] == (
        0,
        "signal stack is sent when the world runs\n",
    )
    launch()
    code, out, _ = command("call", "w", "caller")
    assert (code, out) == (0, '"operator"\n')
    assert command("start", "w", "buff", "--args", 3600)[0] == 0
    assert command("publish", "w", "--app", "game")[:2] == (
        0,
        "w: 2 workflows go on with this code; the running world has loaded it\n",
    )
    assert command("cancel", "w", "--entity", 42, "--reason", "done")[0] == 0
    assert command("publish", "w", "--app", "game", "--clear-database", "--yes")[0] == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_end_closes_its_world(launch, command, place, number):
    process = launch("--clock", "game")
    assert command("start", "w", "buff", 42, "null", 3600)[0] == 0
    os.kill(process.pid, number)
    assert process.wait(60) == 0
    assert not (place / "w" / "control.json").exists()
    log = (place / "run.log").read_text()
    assert "control_listening" in log
    assert "world_closed" in log
    assert "Traceback" not in log


def test_the_code_of_a_running_server_is_edited_and_published(launch, command, place):
    launch()
    source = (place / "game.py").read_text()
    (place / "game.py").write_text(source.replace("return ctx.sender", 'return f"new {ctx.sender}"'))
    assert command("publish", "w", "--app", "game")[0] == 0
    assert command("call", "w", "caller")[:2] == (0, '"new operator"\n')


def test_a_token_of_the_environment_is_the_servers(launch, command, place, monkeypatch):
    monkeypatch.setenv("DEATHLESS_TOKEN", "of mine")
    launch()
    assert json.loads((place / "w" / "control.json").read_text())["token"] == "of mine"
    assert command("call", "w", "caller")[0] == 0


def test_the_commands_of_the_page_work_as_printed(launch, place):
    (place / "game").mkdir()
    (place / "game.py").rename(place / "game" / "npcs.py")
    launch(world="village.deathless", app="game.npcs")
    for _ in range(12):
        assert finished("start", "village.deathless", "buff", "--args", "3600")[0] == 0
    (block,) = re.findall(r"## Ask it\n\n```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    assert len(lines) == 9
    for program, *words in lines:
        assert program == "deathless"
        code, _, err = finished(*words)
        assert (code, err) == (0, ""), words


def test_the_page_names_every_operation_and_its_fields():
    text = PAGE.read_text(encoding="utf-8").partition("## By HTTP")[2]
    for name, operation in {**OPERATIONS, "reload": reload_of([], lambda _: None)}.items():
        row = next(
            line for line in text.splitlines() if line.startswith("| ") and f"`{name}`" in line.split("|")[1]
        )
        for field in list(inspect.signature(operation).parameters)[1:]:
            assert f"`{field}`" in row, (name, field)


def test_it_ends_by_itself_when_that_is_asked(place):
    code, out, err = finished(
        "run", "w", "--app", "game", "--for", "10ms", "--prune-after", "7d", "--history", "5"
    )
    assert (code, out) == (0, "")
    assert "world_closed" in err
    with Runtime(place / "w", load_registered(["game"]), clock=WallClock()) as world:
        world.start("buff", args=(3600,))
    assert finished("run", "w", "--app", "game", "--until-idle")[0] == 0
    with Runtime(place / "w", load_registered(["game"]), clock=WallClock()) as world:
        assert world.get(1).timers


def test_it_logs_into_the_world(place):
    code, out, err = finished("run", "w", "--app", "game", "--until-idle", "--log-format", "json")
    assert (code, out) == (0, "")
    shown = [json.loads(line)["event"] for line in err.splitlines()]
    assert shown[-1] == "world_closed"
    log = (place / "w" / "logs" / "deathless.jsonl").read_text()
    assert [json.loads(line)["event"] for line in log.splitlines()] == shown
    assert finished("run", "w", "--app", "game", "--until-idle", "--log-format", "off", "--no-log-file") == (
        0,
        "",
        "",
    )
    assert (place / "w" / "logs" / "deathless.jsonl").read_text() == log


def test_whoever_opens_a_world_goes_on_with_its_audit_log(launch, command, place):
    process = launch("--audit-log")
    assert command("start", "w", "buff", "--args", 3600)[0] == 0
    process.kill()
    process.wait()
    assert command("cancel", "w", 1, "--app", "game")[0] == 0
    assert command("call", "w", "caller", "--app", "game")[0] == 0
    with Runtime(place / "w", load_registered(["game"]), clock=WallClock()) as world:
        events = [event.event for event in world.audit(1)]
    assert (events[0], events[-1]) == ("started", "cancelled")


def test_a_data_directory_holds_worlds_by_name(place):
    (place / "data").mkdir()
    code, _, err = finished(
        "run", "village", "--data-dir", "data", "--app", "game", "--until-idle", "--clock", "game"
    )
    assert code == 0, err
    assert (place / "data" / "village" / "data.mdb").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["run", "w"], "a world runs its code: give --app MODULE"),
        (["run", "w", "--app", "game", "--listen-addr", "3000"], "an address to listen at is HOST:PORT"),
        (["run", "w", "--app", "game", "--history", "some"], "it is off, all or a number from 1"),
        (["run", "w", "--app", "game", "--hz", "0"], "0.0 is not in the range"),
        (["run", "w", "--app", "game", "--for", "soon"], "'soon' is not a duration"),
        (["run", "w", "--app", "game", "--hz", "nan"], "nan is not a number of turns"),
        (["run", "w", "--app", "game", "--hz", "inf"], "inf is not a number of turns"),
        (["run", "w", "--app", "game", "--token", "a b\n"], "a token is a text of ASCII characters"),
        (["run", "w", "--app", "game", "--listen-addr", "192.0.2.1:1"], "cannot listen at '192.0.2.1:1'"),
        (["run", "w", "--app", "game", "--listen-addr", "\udcff:1"], "an address to listen at is HOST:PORT"),
        (["run", "game.py", "--app", "game"], "where a world is a directory"),
        (["run", ".", "--app", "game"], "a directory with other content"),
    ],
)
def test_bad_input_ends_it_with_exit_code_2_and_leaves_no_endpoint(command, place, words, problem):
    code, _, err = command(*words)
    assert code == 2
    assert problem in err
    assert err.count("\n") == 1
    assert not (place / "w").exists()
    assert not (place / "logs").exists()


def test_an_address_that_is_taken_leaves_a_world_as_it_was(command, place):
    assert command("run", "w", "--app", "game", "--until-idle")[0] == 0
    before = (place / "w" / "data.mdb").read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        code, _, err = command("run", "w", "--app", "game", "--listen-addr", address)
    assert code == 2
    assert f"cannot listen at '{address}'" in err
    assert (place / "w" / "data.mdb").read_bytes() == before


def test_a_world_that_another_process_runs_is_refused(command, open_world):
    with open_world():
        code, _, err = command("run", "w", "--app", "game", "--until-idle")
    assert code == 2
    assert "owned by this process" in err or "open" in err

"""`deathless logs`: which lines it shows, and how."""

import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from deathless.tools.cli import deathless, main
from deathless.tools.logs import log_path

LINES = [
    {"event": "Initializing Deathless Workflow Engine", "level": "info", "timestamp": "2026-01-02T03:04:05Z"},
    {"event": "workflow_failed", "level": "warning", "workflow_id": 7, "error": "ValueError: odd"},
    {"event": "orc_seen", "level": "debug", "workflow_id": 12},
    {"event": "world_full", "level": "error"},
]


def write(directory, lines, name=""):
    path = log_path(directory)
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.with_name(path.name + name).write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


def logs(directory, *options):
    done = CliRunner().invoke(deathless, ["logs", str(directory), *options])
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def test_lines_are_shown_for_people(tmp_path):
    write(tmp_path, LINES)
    shown = logs(tmp_path)
    assert [line.split()[-1] for line in shown] == ["Engine", "workflow_id=7", "workflow_id=12", "world_full"]
    assert shown[0].split()[:3] == ["2026-01-02T03:04:05Z", "[info", "]"]
    assert "error='ValueError: odd'" in shown[1]


def test_json_lines_are_shown_as_they_are_stored(tmp_path):
    write(tmp_path, LINES)
    assert [json.loads(line) for line in logs(tmp_path, "--json")] == LINES


def test_the_newest_lines_are_found_over_the_files_that_were_put_aside(tmp_path):
    for at, name in enumerate([".10", ".2", ".1", ""]):
        write(tmp_path, [{"event": f"said_{3 * at + n}"} for n in range(3)], name)
    every = [f"said_{n}" for n in range(12)]
    assert [json.loads(line)["event"] for line in logs(tmp_path, "--json")] == every
    for count in (0, 1, 4, 100):
        found = logs(tmp_path, "--json", "--num-lines", str(count))
        assert [json.loads(line)["event"] for line in found] == every[12 - min(count, 12) :]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--level", "warning"], [1, 3]),
        (["--level", "debug"], [0, 1, 2, 3]),
        (["--workflow", "12"], [2]),
        (["--workflow", "12", "--level", "info"], []),
        (["--level", "info", "-n", "2"], [1, 3]),
    ],
)
def test_lines_are_chosen_by_level_and_workflow_and_then_counted(tmp_path, options, wanted):
    write(tmp_path, LINES)
    assert [json.loads(line) for line in logs(tmp_path, "--json", *options)] == [LINES[at] for at in wanted]


def test_what_is_no_json_object_is_shown_as_it_is(tmp_path):
    odd = ["Traceback (most recent call last):", "5", "[1]", '{"event"', "{}", '{"level": 3, "event": "a"}']
    write(tmp_path, odd)
    assert logs(tmp_path) == odd
    assert logs(tmp_path, "--json") == odd
    assert logs(tmp_path, "--level", "error") == odd
    assert logs(tmp_path, "--workflow", "1") == []


def test_a_file_that_is_not_utf_8_is_shown_all_the_same(tmp_path):
    write(tmp_path, ["before"])
    with log_path(tmp_path).open("ab") as file:
        file.write(b"\xff\xfe\nafter\n")
    assert [*logs(tmp_path)[::2]] == ["before", "after"]


def test_a_world_without_a_log_is_refused_with_the_remedy(tmp_path, capsys):
    assert main(["logs", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"Error: {log_path(tmp_path)}: there is no log; `deathless run` writes one")
    assert said.count("\n") == 1


@pytest.mark.parametrize("options", [[], ["--follow"]])
def test_a_path_that_is_no_directory_is_refused(tmp_path, capsys, options):
    assert main(["logs", str(tmp_path / "wrold"), *options]) == 2
    assert capsys.readouterr().err == (
        f"Error: {tmp_path / 'wrold'}: there is no such directory; give the path of a world\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="there a process is not sent an interrupt by itself")
def test_following_goes_on_until_it_is_interrupted(tmp_path):
    write(tmp_path, [{"event": f"said_{n}"} for n in range(20)])
    command = [sys.executable, "-m", "deathless.tools", "logs", str(tmp_path), "--follow", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        shown = [json.loads(process.stdout.readline())["event"] for _ in range(10)]
        assert shown == [f"said_{n}" for n in range(10, 20)]
        with log_path(tmp_path).open("a", encoding="utf-8") as file:
            file.write('{"event": "later"}\n')
        assert json.loads(process.stdout.readline()) == {"event": "later"}
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read().strip() == ""


def test_half_of_a_surrogate_pair_is_shown_as_it_is_stored(tmp_path):
    write(tmp_path, [{"event": "odd \ud800 name", "level": "info"}])
    (line,) = logs(tmp_path)
    assert "odd \\ud800 name" in line

"""`deathless sql`: tables for people, JSON and CSV for scripts, one line for what cannot be asked."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sql_game import ALL, guard

from deathless import GameClock, Runtime
from deathless.tools import output
from deathless.tools.cli import main
from deathless.tools.commands import sql

GUIDE = """
  SELECT status, COUNT(*) as count
  FROM workflow
  GROUP BY status
"""


@pytest.fixture
def saved(world, place):
    world.close()
    return str(place)


def test_a_table_for_people(saved, capsys):
    assert main(["sql", saved, GUIDE]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0] == ["status", "count"]
    assert ["Failed", "2"] in lines


def test_what_is_wider_than_the_terminal_is_written_row_by_row(saved, capsys, monkeypatch):
    monkeypatch.setattr(output, "width", lambda: 80)
    assert main(["sql", saved, "SELECT * FROM workflow WHERE entity_id = 1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("-- row 1 -")
    assert "workflow_type   guard" in lines
    assert len([line for line in lines if line.startswith("--")]) == 1
    assert main(["sql", saved, "SELECT id, status FROM workflow WHERE entity_id = 1"]) == 0
    assert "-- row" not in capsys.readouterr().out


def test_json_has_an_object_for_each_row(saved, capsys):
    assert (
        main(
            [
                "sql",
                saved,
                "SELECT id, entity_id, state FROM workflow WHERE entity_id IN (?, ?)",
                "--json",
                "-p",
                "42",
                "-p",
                "1",
            ]
        )
        == 0
    )
    rows = json.loads(capsys.readouterr().out)
    assert [row["entity_id"] for row in rows].count(42) == 4
    assert all(json.loads(row["state"]) for row in rows if row["state"])
    assert main(["sql", saved, "SELECT * FROM workflow WHERE id < 0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_csv_has_a_line_of_headings(saved, capsys):
    assert main(["sql", saved, "SELECT key_1, key_2, value, x'00ff' AS raw FROM price", "--csv"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [
        ["key_1", "key_2", "value", "raw"],
        ["axe", "1", "3.5", "00ff"],
        ["axe", "2", "7.0", "00ff"],
        ["bow", "1", "4.0", "00ff"],
    ]


def test_a_query_comes_from_standard_input(saved, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT COUNT(*) AS n FROM player"))
    assert main(["sql", saved, "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 5}]


def test_long_tables_are_cut_and_say_so(saved, capsys, monkeypatch):
    monkeypatch.setattr(sql, "MOST_SHOWN", 3)
    assert main(["sql", saved, "SELECT id FROM workflow"]) == 0
    out, err = capsys.readouterr()
    assert len([line for line in out.splitlines() if line.strip().isdigit()]) == 3
    assert "only 3 rows are shown" in err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["SELEC 1"], "syntax error"),
        (["SELECT nope FROM workflow"], "no such column: nope"),
        (["DROP TABLE workflow"], "SQL reads a world and never writes it"),
        (["SELECT 1", "--json", "--csv"], "give one of them"),
        (["SELECT 1", "--timeout", "soon"], "'soon' is not a duration"),
        (["SELECT 1", "--app", "no_such_module_here"], "cannot be imported"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(saved, capsys, arguments, problem):
    data = Path(saved, "data.mdb")
    before = data.read_bytes()
    assert main(["sql", saved, *arguments]) == 2
    out, err = capsys.readouterr()
    assert problem in err
    assert not out
    assert "Traceback" not in err
    assert data.read_bytes() == before


def test_a_world_that_is_not_there(tmp_path, capsys):
    assert main(["sql", str(tmp_path / "nowhere"), "SELECT 1"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_a_world_that_may_not_be_read(saved, capsys, as_nobody):
    assert main(["sql", saved, "SELECT 1"]) == 0
    os.chmod(saved, 0)
    try:
        with as_nobody():
            assert main(["sql", saved, "SELECT 1"]) == 2
    finally:
        os.chmod(saved, 0o755)
    said = capsys.readouterr().err
    assert "Permission denied" in said
    assert said.count("\n") == 1


def test_a_world_that_runs_in_another_process_is_asked(place):
    with Runtime(place, ALL, clock=GameClock(), durability="process") as world:
        for number in range(20):
            world.start(guard(), entity_id=number)
            world.advance(0.1)
            asked = (
                subprocess.run(
                    [
                        sys.executable,
                        "-m",
                        "deathless.tools",
                        "sql",
                        str(place),
                        "SELECT COUNT(*) AS n FROM workflow",
                        "--json",
                    ],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                if number in (0, 19)
                else None
            )
            if asked is not None:
                assert json.loads(asked.stdout) == [{"n": number + 1}]

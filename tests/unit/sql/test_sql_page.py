"""docs/reference/sql.md lists the tables and columns that there are, and its commands run."""

import re
import shlex
from pathlib import Path

import sql_game

from deathless.runtime.sql.context import SqlContext
from deathless.runtime.sql.world_tables import world_tables
from deathless.runtime.storage.pending_rows import FlatRows
from deathless.runtime.storage.read_view import ReadView
from deathless.tools.cli import main

PAGE = (Path(__file__).parents[3] / "docs/reference/sql.md").read_text(encoding="utf-8")


def test_the_page_lists_each_column_of_each_table():
    empty = SqlContext(ReadView(Path(), None, {}, FlatRows({}), 4096), None)
    for table in world_tables(empty, ""):
        (section,) = re.findall(rf"^## `{table.name}`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
        listed = [
            name
            for cells in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
            for name in re.findall(r"`(\w+)`", cells)
        ]
        assert sorted(listed) == sorted(table.columns), table.name


def test_the_pages_commands_run(world, place, monkeypatch, capsys):
    world.close()
    monkeypatch.chdir(place.parent)
    commands = re.findall(r"^\$ deathless (.*)", PAGE, re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        arguments = shlex.split(command.partition(" > ")[0])
        arguments = [sql_game.__file__ if word == "game.npcs" else word for word in arguments]
        assert main(arguments) == 0, capsys.readouterr().err
        assert capsys.readouterr().out

"""The how-to page about replay shows what the commands print, block for block."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from deathless.tools.cli import main
from deathless.tools.commands.replay import COMMANDS

PAGE = Path(__file__).parents[3] / "docs/how-to/replay.md"
TEXT = PAGE.read_text(encoding="utf-8")
PARTS = re.findall(r"```(python|console)\n(.*?)```", TEXT, re.S)


def test_each_block_of_the_page_does_what_it_says(place, capsys):
    assert len(PARTS) == 6
    for kind, text in PARTS:
        if kind == "console":
            run_console(text, capsys)
        elif text.startswith("# "):
            name, _, source = text.removeprefix("# ").partition("\n")
            (place / name).write_text(source, encoding="utf-8")
        else:
            exec(compile(text, str(PAGE), "exec"), {})


def run_console(text, capsys):
    """Run the commands of a block and compare what they print; `$ echo $?` shows the exit code of the one before."""
    code = None
    for command, wanted in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
        capsys.readouterr()
        if command == "echo $?":
            assert f"{code}\n" == wanted
            continue
        sys.modules.pop("npcs", None)
        code = main(shlex.split(command)[1:])
        assert lines(capsys.readouterr().out) == lines(wanted)


def lines(text):
    return [line.rstrip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("name", COMMANDS)
def test_it_names_every_command(name):
    assert f"`{name}`" in TEXT

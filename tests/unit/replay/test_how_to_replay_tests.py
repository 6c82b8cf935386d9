"""The how-to page about replay tests does what it says, block for block."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from recorded_games import load_game

from deathless.tools.cli import main

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[3] / "docs/how-to/replay-tests.md"
SHOWN_PLACE = "/home/ann/market"


@pytest.fixture
def place(pytester, monkeypatch):
    """A folder as the page has it."""
    for sign in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(sign, raising=False)
    monkeypatch.setattr(sys, "path", [str(pytester.path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (pytester.path / "tests").mkdir()
    yield pytester.path
    sys.modules.pop("npcs", None)


def test_each_block_of_the_page_does_what_it_says(place, capsys, pytester):
    blocks = re.findall(r"```(python|console|toml|text)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 13
    modules = [text for kind, text in blocks if text.startswith("# npcs.py\n")]
    for kind, text in blocks:
        if text in modules:
            load_game(place, text.partition("\n")[2], "npcs")
        elif kind == "toml":
            (place / "pyproject.toml").write_text(text)
        elif kind == "console":
            run_console(text, place, capsys, pytester)
        elif kind == "python":
            exec(compile(text, str(PAGE), "exec"), {})
        else:
            load_game(place, modules[0].partition("\n")[2], "npcs")
            assert text in shown(pytest_output(pytester), place)
            load_game(place, modules[1].partition("\n")[2], "npcs")


def run_console(text, place, capsys, pytester):
    """Run the commands of a block and compare what they print; `$ echo $?` shows the exit code of the one before."""
    code = None
    for command, wanted in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
        capsys.readouterr()
        if command == "echo $?":
            assert f"{code}\n" == wanted
        elif command == "pytest -q":
            assert shown(pytest_output(pytester), place) == shown(wanted, place)
        else:
            program, *arguments = shlex.split(command)
            assert program == "deathless"
            code = main(arguments)
            assert shown(capsys.readouterr().out, place) == shown(wanted, place)


def pytest_output(pytester):
    done = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider")
    return "\n".join(done.outlines) + "\n"


def shown(text, place):
    """Return output as the page has it, without what differs from run to run and from machine to machine."""
    text = text.replace(str(place), SHOWN_PLACE)
    return re.sub(r"in \d+\.\d+s|[\d,]+ bytes", "so much", text)

"""The how-to page about changing code does what it says, block for block."""

import importlib
import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from deathless import GameClock, Runtime
from deathless.tools.cli import main

PAGE = Path(__file__).parents[2] / "docs/how-to/change-code-under-a-running-world.md"
APPENDED = ", at its end"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in ("npcs", "fresh"):
        sys.modules.pop(name, None)


def test_each_block_of_the_page_does_what_it_says(place, capsys):
    names = {}
    for kind, text in blocks():
        if kind == "console":
            run_console(text, capsys)
        elif text.startswith("# "):
            write_file(place, text)
        else:
            exec(compile(text, str(PAGE), "exec"), names)


def test_its_helper_loads_what_was_saved_and_survives_mistakes(place, capsys):
    files = [text for kind, text in blocks() if kind == "python" and text.startswith("# ")]
    old, new = (text for text in files[:2])
    write_file(place, old)
    write_file(place, next(text for text in files if text.startswith("# fresh.py")))
    fresh, npcs = importlib.import_module("fresh"), importlib.import_module("npcs")
    with Runtime("world", [npcs.merchant], clock=GameClock()) as world:
        watch = fresh.Fresh(npcs)
        world.start(npcs.merchant("Ann"), entity_id=1)
        for text, coins in ((old, 10), (new, 18), ("# npcs.py\n1 +", 26), (old, 36)):
            write_file(place, text)
            saved = watch.seen[0] + 1_000_000
            os.utime("npcs.py", ns=(saved, saved))
            watch.look(world)
            world.signal(npcs.Coin(10), entity_id=1)
            world.advance(0.1)
            assert world.get(1).locals == {"coins": coins}
    assert "SyntaxError" in capsys.readouterr().err


def blocks():
    found = re.findall(r"```(python|console)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(found) == 13
    return found


def write_file(place, text):
    heading, _, body = text.removeprefix("# ").partition("\n")
    file = place / heading.removesuffix(APPENDED)
    kept = file.read_text(encoding="utf-8") if heading.endswith(APPENDED) else ""
    file.write_text(kept + body, encoding="utf-8")


def run_console(text, capsys):
    """Run the commands of a block and compare what they print; `$ echo $?` shows the exit code of the one before."""
    code = None
    for command, wanted in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
        capsys.readouterr()
        if command == "echo $?":
            assert f"{code}\n" == wanted
            continue
        # To a command, which is a process of its own, the file is as it is now.
        imported = sys.modules.pop("npcs", None)
        importlib.invalidate_caches()
        code = main(shlex.split(command)[1:])
        del sys.modules["npcs"]
        if imported is not None:
            sys.modules["npcs"] = imported
        assert lines(capsys.readouterr().out) == lines(wanted)


def lines(text):
    """Return the lines of a table; a fingerprint may be another one with each version of the compiler."""
    text = re.sub(r"\b[0-9a-f]{32}\b", "fingerprint", text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]

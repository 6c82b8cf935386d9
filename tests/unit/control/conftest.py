"""A small game, its world, and the command line on it: with a process that runs the world, with a thread, with neither.

The tests run with `--import-mode=importlib`, which leaves `sys.path` alone: here they are let import the modules beside
them.
"""

import sys
from pathlib import Path

import pytest

from deathless import GameClock, Runtime
from deathless.tools.cli import main
from deathless.tools.modules import load_registered

sys.path.insert(0, str(Path(__file__).parent))

from control_kit import GAME


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder with the game in it, from which commands are run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("DEATHLESS_APP", "DEATHLESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "game.py").write_text(GAME)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def game(place):
    """What the game gives to its Runtime."""
    return load_registered(["game"])


@pytest.fixture
def open_world(place, game):
    """Open the game's world."""

    def open_it(**options):
        options = {"clock": GameClock(), "durability": "process", **options}
        return Runtime(place / "w", game, **options)

    return open_it


@pytest.fixture
def command(capsys):
    """Run a command in this process: (exit code, standard output, standard error)."""

    def run(*arguments):
        # What worlds that the test opened itself have logged.
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run

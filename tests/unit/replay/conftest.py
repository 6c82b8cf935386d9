"""Let the tests of replay import the module beside them; `--import-mode=importlib` leaves `sys.path` alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def game(tmp_path, monkeypatch):
    """The game of `recorded_games`, as module `game` of the folder in which the test runs."""
    from recorded_games import load_game

    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    yield load_game(tmp_path)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]

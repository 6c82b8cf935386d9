"""What the unit tests share: worlds in a temporary folder, on a game clock, and the modules beside them.

With `--import-mode=importlib` pytest leaves `sys.path` alone.
"""

import contextlib
import importlib.util
import itertools
import os
import sys
from pathlib import Path

import pytest
import structlog

from deathless import GameClock, Runtime

sys.path.insert(0, str(Path(__file__).parent))


class Worlds:
    """Opens one world again and again, as a game that crashes and restarts would."""

    def __init__(self, path):
        self.path = path
        self.opened = []

    def open(self, workflows, **options):
        options.setdefault("clock", GameClock())
        options.setdefault("durability", "process")
        world = Runtime(self.path, workflows, **options)
        self.opened.append(world)
        return world

    def crash(self, world):
        """Drop everything since the last commit, as SIGKILL would."""
        world._engine.abandon("crashed by the test")

    def close_all(self):
        for world in self.opened:
            world.close()


@pytest.fixture(autouse=True)
def own_log():
    """Commands configure the log of the process that they are; here they all share one, and undo it."""
    yield
    structlog.reset_defaults()


@contextlib.contextmanager
def nobodys_rights():
    """Give up the rights of root, to whom nothing is forbidden, for a while."""
    if sys.platform == "win32" or os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def as_nobody():
    """A context in which permissions bind, whoever runs the tests."""
    return nobodys_rights


@pytest.fixture
def worlds(tmp_path):
    made = Worlds(tmp_path / "world.deathless")
    yield made
    made.close_all()


@pytest.fixture(params=[False, True], ids=["warm", "paranoid"])
def open_world(request, worlds):
    """Open the test's world, once with coroutines kept and once with each step resumed from its bytes."""

    def open_it(*workflows, **options):
        options.setdefault("paranoid", request.param)
        return worlds.open(workflows, **options)

    open_it.crash = worlds.crash
    return open_it


_numbers = itertools.count()


@pytest.fixture
def load_module(tmp_path, monkeypatch):
    """Load source text as the module `edited`, as a game that was edited and started again does."""

    def load_it(source):
        path = tmp_path / f"edited{next(_numbers)}.py"
        path.write_text(source)
        spec = importlib.util.spec_from_file_location("edited", path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "edited", module)
        spec.loader.exec_module(module)
        return module

    return load_it

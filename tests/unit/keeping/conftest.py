"""A world to keep, and the `deathless` command on it.

The tests run with `--import-mode=importlib`, which leaves `sys.path` alone: here they are let import the modules beside
them.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from deathless.runtime.storage.store import Store
from deathless.tools.cli import main

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def quiet_log():
    """Workflows fail here on purpose."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))


@pytest.fixture(scope="session")
def sown(tmp_path_factory):
    """A closed world, made once."""
    from garden import open_garden, plant

    path = tmp_path_factory.mktemp("garden") / "garden.deathless"
    with open_garden(path) as world:
        plant(world)
    return path


@pytest.fixture
def garden(sown, tmp_path):
    """A copy of it for one test."""
    path = tmp_path / "garden.deathless"
    path.mkdir()
    shutil.copy(sown / "data.mdb", path)
    return path


@pytest.fixture
def running(tmp_path):
    """The same world while a game runs it in another process: LMDB maps a file once in each."""
    path = tmp_path / "running.deathless"
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import structlog\n"
        "from garden import open_garden, plant\n"
        "structlog.configure(wrapper_class=structlog.make_filtering_bound_logger('critical'))\n"
        f"with open_garden({str(path)!r}) as world:\n"
        "    plant(world)\n"
        "    print('planted', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == "planted\n"
            yield path
        finally:
            process.stdin.close()


@pytest.fixture
def run(capsys):
    """Run a command line; return its exit code, what it wrote, and its errors."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def digest():
    """Return the hash of all rows of a closed world."""

    def of(path):
        with Store.open(path, create=False) as store:
            return store.digest()

    return of

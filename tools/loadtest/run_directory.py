"""Where a load test keeps its world, its ledger and what its processes say: a directory of its own."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..output import BadInput
from .machine import file_system

MARK = "loadtest.json"
"""By this file a directory of an earlier load test is known, whose world may be replaced."""
_OWN = (MARK, "world", "ledger", "log")
_IN_MEMORY = ("tmpfs", "ramfs")


class RunDirectory:
    """The directory of one run.

    Attributes:
        path: itself.
        world: the world.
        ledger: the ledger.
        log: what the world's process wrote to standard error.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.world = path / "world"
        self.ledger = path / "ledger"
        self.log = path / "log"


@contextlib.contextmanager
def run_directory(kept: str | None) -> Iterator[RunDirectory]:
    """Give an empty directory to run in.

    Args:
        kept: a directory that stays, or None for a temporary one that is removed whatever happens.

    Raises:
        BadInput: it holds something else, or cannot be written.
    """
    if kept is not None:
        try:
            place = _kept(Path(kept))
        except OSError as error:
            raise BadInput(f"--world {kept}: cannot be made or written ({error.strerror})") from None
        yield place
        return
    with tempfile.TemporaryDirectory(
        prefix="deathless-loadtest-", dir=_real_disk(), ignore_cleanup_errors=True
    ) as path:
        yield RunDirectory(Path(path))


def _kept(path: Path) -> RunDirectory:
    if path.exists() and not path.is_dir():
        raise BadInput(f"--world {path}: a file, where a directory is wanted")
    names = {entry.name for entry in path.iterdir()} if path.exists() else set()
    if names and MARK not in names:
        raise BadInput(
            f"--world {path}: not empty, and not of a load test ({min(names)}); give a new or an empty directory"
        )
    path.mkdir(parents=True, exist_ok=True)
    # Only what a load test made: whatever else was put beside it is not ours to delete.
    for name in _OWN:
        if (path / name).is_dir():
            shutil.rmtree(path / name)
        else:
            (path / name).unlink(missing_ok=True)
    (path / MARK).write_text(json.dumps({"made_by": "deathless loadtest"}) + "\n", encoding="utf-8")
    return RunDirectory(path)


def _real_disk() -> str | None:
    """Return a directory for temporary ones, in which commits reach a disk where there is one."""
    usual = Path(tempfile.gettempdir())
    candidates = (usual, Path("/var/tmp"), Path.cwd())  # noqa: S108 - for directories with names of their own.
    for place in candidates:
        if place.is_dir() and file_system(place) not in _IN_MEMORY:
            return str(place)
    return str(usual)

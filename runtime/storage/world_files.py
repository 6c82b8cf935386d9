"""How a world lies on disk, and how it comes to lie there.

A world is a directory: `data.mdb`, `lock.mdb` (LMDB's table of readers) and `owner.lock`. A new one, or a backup,
is made whole in a directory within it and moved into place by one rename, so that `data.mdb` is either absent or a
world, at whatever instant its making was cut short.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from ...workflows.errors import NotAWorldError, WorldCorruptError, WorldError
from .world_lock import OWNER_FILE, WorldLock

DATA_FILE = "data.mdb"
READERS_FILE = "lock.mdb"
LOG_DIRECTORY = "logs"
"""Where the commands keep what a world logs."""
CONTROL_FILE = "control.json"
"""Where the process that runs a world says how it takes commands; see `tools.control`."""
_UNFINISHED = ".new"
_BESIDE = frozenset({OWNER_FILE, CONTROL_FILE, LOG_DIRECTORY, _UNFINISHED})
"""What may lie in a world's directory before there is a world in it."""
_LEFT = frozenset({OWNER_FILE, _UNFINISHED})
"""What is left where a copy was being made by a process that was killed."""


def require_place(world: Path, *, create: bool) -> None:
    """Check that a world is here or could be, and make its directory.

    Raises:
        NotAWorldError: there is something else here; or nothing, and `create` is false.
        WorldCorruptError: there was a world here, and its data is gone.
        WorldError: the directory cannot be made or read.
    """
    with os_errors(world):
        if world.exists() and not world.is_dir():
            raise NotAWorldError(str(world), "a file, where a world is a directory; give another path")
        names = {entry.name for entry in world.iterdir()} if world.exists() else set()
        if DATA_FILE in names:
            return
        if READERS_FILE in names:
            raise WorldCorruptError(
                str(world),
                f"its {DATA_FILE} is gone; restore it from a backup, or remove the directory to begin anew",
            )
        if others := names - _BESIDE:
            raise NotAWorldError(
                str(world),
                f"a directory with other content ({min(others)}); give the path of a world or of a new one",
            )
        if not create:
            raise NotAWorldError(str(world), "there is no world here, and create is false")
        if not world.exists():
            world.mkdir()
            sync_directory(world.parent)


def has_data(world: Path) -> bool:
    """Say whether the world is there."""
    return (world / DATA_FILE).exists()


def build_in_place(world: Path, build: Callable[[Path], None]) -> None:
    """Let `build` make a `data.mdb` in a directory of its own, sync it and move it into `world`.

    The caller holds the world's lock. What an earlier attempt left behind is removed first.
    """
    unfinished = world / _UNFINISHED
    with os_errors(world):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            build(unfinished)
            sync_file(unfinished / DATA_FILE)
            (unfinished / DATA_FILE).rename(world / DATA_FILE)
        except WorldError as error:
            if error.path != str(unfinished):
                raise
            # By the name that the caller gave.
            raise type(error)(str(world), error.problem) from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        sync_directory(world)


def build_new(target: Path, build: Callable[[Path], None]) -> None:
    """Make a world, with a `build` as of `build_in_place`, where there is none: in a new directory, or an empty one.

    The target is locked meanwhile, so that two who make a world there do not take each other's half-written file. What
    one that was killed has left there is no obstacle. Where it fails, a directory that it made is gone again.

    Raises:
        WorldInUse: another process makes a world there.
        WorldError: the target is not empty, or cannot be made.
    """
    with os_errors(target):
        new = not target.exists()
        target.mkdir(parents=True, exist_ok=True)
    # Before the lock as well: in a directory of something else no file is made.
    _require_free(target)
    try:
        with _locked(target):
            _require_free(target)
            build_in_place(target, build)
    except BaseException:
        if new:
            # What else came to lie there meanwhile is not ours.
            with contextlib.suppress(OSError):
                target.rmdir()
        raise


def is_free(target: Path) -> bool:
    """Say whether a world can be made here: nothing is there, or only what a process that was killed has left.

    Raises:
        WorldError: the directory cannot be read.
    """
    with os_errors(target):
        return not target.is_dir() or _LEFT.issuperset(entry.name for entry in target.iterdir())


def _require_free(target: Path) -> None:
    if not is_free(target):
        raise WorldError(str(target), "not empty; give a new directory")


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    lock = WorldLock(target)
    try:
        yield
    finally:
        lock.discard()


@contextlib.contextmanager
def os_errors(path: Path) -> Iterator[None]:
    """Turn the system's refusals into `WorldError`."""
    try:
        yield
    except WorldError:  # Some are OSErrors as well.
        raise
    except OSError as error:
        raise WorldError(str(path), f"cannot be made or read ({error.strerror})") from error


def sync_file(path: Path) -> None:
    """Make what was written to a file last through power loss."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """Make a new name in a directory last through power loss; Windows has no such call, and needs none."""
    if os.name == "posix":
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

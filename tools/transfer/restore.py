"""Restores: a backup put back as the world that a game runs."""

from __future__ import annotations

import os
import shutil
import time
from itertools import count
from pathlib import Path
from typing import NamedTuple

from ...runtime.storage.world_files import (
    DATA_FILE,
    READERS_FILE,
    is_free,
    os_errors,
    sync_directory,
)
from ...runtime.storage.world_lock import OWNER_FILE, WorldLock
from ...runtime.storage.world_reader import WorldReader
from ...workflows.errors import NotAWorldError, WorldCorruptError, WorldError
from ..doctor import ERROR, examine
from ..output import Tell, silent
from .backup import copy_world

STAGED = ".restoring"
"""After the world's name: where the copy is made that takes its place."""
KEPT = ".before-restore-"
"""After the world's name, and before a number: where the world goes whose place is taken."""


class RestoreReport(NamedTuple):
    """A world that was put back.

    Attributes:
        path: its directory.
        turn: its last turn.
        bytes: the size of its file.
        seconds: how long it took.
        kept: where the world is now that was there before; None where there was none.
    """

    path: Path
    turn: int
    bytes: int
    seconds: float
    kept: Path | None


def restore_world(
    backup: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    replace: bool = False,
    tell: Tell = silent,
) -> RestoreReport:
    """Put a backup into a world's place. The backup is only read, and stays; any world will do as one.

    With `replace` the copy is made beside the world, and the two change places by their names at the end: the world
    that was there is kept whole, as `NAME.before-restore-1` or the next free number.

    Args:
        backup: a world's directory; it is checked first.
        path: where the world is to be: a new or empty directory, or with `replace` a world that nobody runs.
        replace: whether a world may be there.
        tell: is told how many bytes are copied, and of about how many.

    Raises:
        WorldInUse: the world that is to be replaced is running.
        WorldCorruptError: the backup is damaged.
        WorldError: the target is not empty, or one of the two cannot be read or written.
    """
    began, place, kept = time.perf_counter(), Path(path), None
    with WorldReader(backup) as world:
        _require_sound(world)
        if is_free(place):
            turn = copy_world(world, place, tell)
        elif replace:
            turn, kept = _replace(world, place, tell)
        else:
            raise WorldError(
                str(place), "there is something already; give --replace (replace=True), or another path"
            )
    return RestoreReport(place, turn, (place / DATA_FILE).stat().st_size, time.perf_counter() - began, kept)


def _require_sound(world: WorldReader) -> None:
    with world.read_view() as view:
        for finding in examine(view, quick=True):
            if finding.severity == ERROR:
                raise WorldCorruptError(
                    str(world.path), f"no backup to go back to: {finding.where}: {finding.what}; take another"
                )


def _replace(world: WorldReader, place: Path, tell: Tell) -> tuple[int, Path]:
    """Let a copy and the world that is there change places."""
    with os_errors(place):
        if not {DATA_FILE, READERS_FILE, OWNER_FILE}.intersection(entry.name for entry in place.iterdir()):
            raise NotAWorldError(str(place), "a directory of something else, which is not replaced")
        # Of a link the world itself changes places, with its neighbours there.
        place = place.resolve()
        if world.path.resolve() == place:
            raise WorldError(str(place), "the backup itself; give the world that it is to replace")
    lock = WorldLock(place)
    try:
        staged = place.with_name(place.name + STAGED)
        # What an interrupted restore has left behind.
        shutil.rmtree(staged, ignore_errors=True)
        turn = copy_world(world, staged, tell)
        if os.name == "nt":
            # Windows renames no directory with an open file in it.
            lock.release()
        with os_errors(place):
            kept = next(
                free
                for number in count(1)
                if not (free := place.with_name(f"{place.name}{KEPT}{number}")).exists()
            )
            place.rename(kept)
            staged.rename(place)
            sync_directory(place.parent)
    finally:
        lock.release()
    return turn, kept

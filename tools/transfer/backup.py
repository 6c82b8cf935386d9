"""Backups: a world copied as of one commit while its game goes on."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from typing import NamedTuple

from ...runtime.storage.world_files import DATA_FILE, build_new
from ...runtime.storage.world_reader import WorldReader
from ...runtime.world_state import load_state
from ..output import Tell, silent

LOOK_S = 0.1
"""Seconds between two looks at how far a copy is."""


class BackupReport(NamedTuple):
    """A backup that was made.

    Attributes:
        path: its directory.
        turn: the last turn in it; 0 of a world that never ran.
        bytes: the size of its file.
        seconds: how long it took, the check of the copy included.
    """

    path: Path
    turn: int
    bytes: int
    seconds: float


def backup_world(
    path: str | os.PathLike[str], target: str | os.PathLike[str], *, tell: Tell = silent
) -> BackupReport:
    """Copy a world, compacted and as of one commit, into a new directory; it may be running in another process.

    The copy appears under its name when it is whole, synced, and was opened and looked at as any world is when it is
    opened. The game goes on meanwhile; its file grows by what it commits until the copy is made.

    Args:
        path: the world's directory.
        target: a directory that is new or empty.
        tell: is told how many bytes are copied, and of about how many.

    Raises:
        WorldInUse: the world is open in this process: call `Runtime.backup`.
        WorldError: the world cannot be read, or the target is not empty or cannot be written.
    """
    began, place = time.perf_counter(), Path(target)
    with WorldReader(path) as world:
        turn = copy_world(world, place, tell)
    return BackupReport(place, turn, (place / DATA_FILE).stat().st_size, time.perf_counter() - began)


def copy_world(world: WorldReader, target: Path, tell: Tell) -> int:
    """Copy a world into a new directory; return the last turn of the copy."""
    turn = 0

    def build(unfinished: Path) -> None:
        nonlocal turn
        _copy(world, unfinished, tell)
        with WorldReader(unfinished) as copy:
            state = load_state(copy)
            turn = 0 if state is None else state.turn

    build_new(target, build)
    return turn


def _copy(world: WorldReader, place: Path, tell: Tell) -> None:
    """Copy the file on a thread of its own, which LMDB lets run by itself, and tell how far it is."""
    total, file = world.space().file_bytes, place / DATA_FILE
    # An interrupt waits for the copy at the end of this block: LMDB cannot be stopped in it.
    with ThreadPoolExecutor(1) as pool:
        copying = pool.submit(world.copy, place)
        while True:
            try:
                copying.result(LOOK_S)
            except NotYet:
                tell(file.stat().st_size if file.exists() else 0, total)
            else:
                return

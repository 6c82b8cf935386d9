"""A picture of a world for its metrics: from within, by its `Runtime`, or from outside, by its file."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...runtime import Census, Metrics, Runtime
from ...runtime.census import Censuses, take_census
from ...runtime.storage.world_files import DATA_FILE
from ...runtime.storage.world_lock import owner_of
from ...runtime.storage.world_reader import WorldReader
from ...runtime.world_state import load_state
from ...workflows.sources import US


@dataclass(frozen=True, slots=True)
class Picture:
    """A world at one moment.

    Attributes:
        turn, now: the last turn, and its world time in seconds.
        census: its workflows; it may be a little older.
        used_bytes, file_bytes: of its file.
        free_bytes: of those that are used, the ones that wait to be used again.
        table_bytes: bytes of pages by table.
        silent_s: real seconds since its last turn ended, or since it was opened; from outside, since its last commit.
        running: whether somebody runs it.
        metrics: what it counts of itself; None from outside.
    """

    turn: int
    now: float
    census: Census
    used_bytes: int
    free_bytes: int
    file_bytes: int
    table_bytes: dict[str, int]
    silent_s: float
    running: bool
    metrics: Metrics | None


class Subject(Protocol):
    """A world of which pictures can be taken, from any thread."""

    def picture(self) -> Picture:
        """Take one.

        Raises:
            DeathlessError: the world cannot be read.
        """
        ...


class OpenWorld:
    """A world that is open in this process."""

    def __init__(self, world: Runtime) -> None:
        """Take pictures of an open world."""
        self._world = world

    def picture(self) -> Picture:
        """Take one; it waits for no turn."""
        metrics = self._world.metrics()
        return Picture(
            metrics.turn,
            metrics.now,
            self._world.census(),
            metrics.map_bytes,
            metrics.map_free,
            metrics.file_bytes,
            dict(metrics.table_bytes),
            metrics.since_turn_s,
            running=True,
            metrics=metrics,
        )


class SavedWorld:
    """A world that another process runs, or nobody: what can be known from its file."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Take pictures of the world at a path; it is opened anew for each, since it may be replaced by a backup."""
        self._path = Path(path)
        self._lock = threading.Lock()
        self._reader: WorldReader | None = None
        self._censuses = Censuses(self._census)

    def picture(self) -> Picture:
        """Take one."""
        # One at a time: LMDB maps a file once for each process.
        with self._lock, WorldReader(self._path) as reader:
            self._reader = reader
            try:
                space = reader.space()
                with reader.read_view() as view:
                    state = load_state(view)
                    tables = {table: view.table_bytes(table) for table in view.tables()}
                return Picture(
                    0 if state is None else state.turn,
                    0.0 if state is None else state.now_us / US,
                    self._censuses.latest(),
                    space.used_bytes,
                    space.free_bytes,
                    space.file_bytes,
                    tables,
                    age_of(self._path),
                    owner_of(self._path) is not None,
                    metrics=None,
                )
            finally:
                self._reader = None

    def _census(self) -> Census:
        assert self._reader is not None, "a census is taken for a picture"
        return take_census(self._reader)


def age_of(path: Path) -> float:
    """Return how many real seconds ago a world's file was written; a loop that pumps commits once a second at least."""
    return max(0.0, time.time() - (path / DATA_FILE).stat().st_mtime)

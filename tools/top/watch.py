"""`Watch`: looks at a world again and again, and says how fast it goes."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgpack

from ...runtime import WorkflowView
from ...runtime.history.tables import TURN_TABLE
from ...runtime.history.turn_log import damaged_history
from ...runtime.row_buffer import WORKFLOW_TABLE
from ...runtime.row_facts import facts_of
from ...runtime.storage.pieces import number_key
from ...runtime.storage.world_files import DATA_FILE, os_errors
from ...runtime.storage.world_lock import owner_of
from ...runtime.world_state import WorldState
from ...workflows.errors import WorldCorruptError
from ...workflows.rows import RowError
from ...workflows.sources import US
from ..metrics.picture import age_of
from ..replay.saved_world import SavedWorld
from .glimpse import Glimpse, Order, glimpse_of

SHOWN = 200
"""Workflows in the list."""
PACE_S = 1.5
"""Seconds that two looks are apart at least that say how fast it goes: an idle world commits once a second."""


class Pace(NamedTuple):
    """How fast a world went between two looks, by the second of real time; None where that is not known.

    Attributes:
        messages: that turns took, of the turns whose log is kept.
        time: seconds of world time: 1.0 where it goes as fast as real time.
    """

    turns: float | None = None
    messages: float | None = None
    time: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """A world at one moment.

    Attributes:
        state: turn, time and clock.
        owner: who runs it; empty where nobody does.
        silent_s: real seconds since its last commit.
        file_bytes: of its file.
        took_s: real seconds that the look took.
    """

    state: WorldState
    owner: str
    silent_s: float
    file_bytes: int
    pace: Pace
    glimpse: Glimpse
    took_s: float


class Watch:
    """Looks at a world from outside; it may be running. From any thread, one look at a time.

    It reads the rows in batches, each as of one commit, so that no reader stays open while the world goes on: a
    workflow that ends meanwhile may be seen twice or not at all.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open a world.

        Raises:
            WorldError: it cannot be read.
        """
        self.path = Path(path)
        self._saved = SavedWorld(path)
        # None where the world that was there is closed, and no other is open.
        self._file: tuple[int, int] | None = self._identify()
        self._lock = threading.Lock()
        self._before: tuple[float, WorldState] | None = None
        self._last_pace = Pace()

    def close(self) -> None:
        """Close it, after a look that is under way."""
        with self._lock:
            self._saved.close()

    def look(self, order: Order = Order.RECENT, wanted: str = "", limit: int = SHOWN) -> Look:
        """Look at the world; see `glimpse_of`.

        Raises:
            WorldError: it cannot be read.
        """
        with self._lock:
            began_s = time.perf_counter()
            self._follow()
            reader = self._saved.reader
            state = self._saved.state
            pace = self._pace(began_s, state)
            try:
                glimpse = glimpse_of(facts_of(reader.scan(WORKFLOW_TABLE)), order, wanted, limit)
            except RowError as error:
                raise WorldCorruptError(str(self.path), str(error)) from error
            owner = owner_of(self.path)
            with os_errors(self.path):
                silent_s = age_of(self.path)
            return Look(
                state,
                "" if owner is None else str(owner),
                silent_s,
                reader.space().file_bytes,
                pace,
                glimpse,
                time.perf_counter() - began_s,
            )

    def view(self, workflow_id: int) -> WorkflowView | None:
        """Return a workflow as of the last commit, or None."""
        with self._lock:
            row = self._saved.row(workflow_id)
            return None if row is None else self._saved.view(workflow_id, row)

    def _identify(self) -> tuple[int, int]:
        with os_errors(self.path):
            found = (self.path / DATA_FILE).stat()
        return found.st_dev, found.st_ino

    def _follow(self) -> None:
        """Open what is at the path now: a backup may have been put into the place of the world."""
        found = self._identify()
        if found != self._file:
            self._file = None
            self._saved.close()
            self._saved = SavedWorld(self.path)
            self._file = found
            self._before, self._last_pace = None, Pace()

    def _pace(self, now_s: float, state: WorldState) -> Pace:
        before = self._before
        if before is not None and now_s - before[0] < PACE_S:
            return self._last_pace
        self._before = now_s, state
        if before is None:
            return self._last_pace
        seconds, earlier = now_s - before[0], before[1]
        self._last_pace = Pace(
            (state.turn - earlier.turn) / seconds,
            self._handled_after(earlier.turn) / seconds,
            (state.now_us - earlier.now_us) / US / seconds,
        )
        return self._last_pace

    def _handled_after(self, turn: int) -> int:
        """Count the messages of the logged turns after one; of each, only the beginning is read."""
        handled = 0
        for key, piece in self._saved.reader.scan(TURN_TABLE, number_key(turn + 1)):
            if any(key[8:]):
                # What follows of a long one.
                continue
            unpacker = msgpack.Unpacker()
            unpacker.feed(piece)
            try:
                unpacker.read_array_header()
                unpacker.skip()
                unpacker.skip()
                handled += unpacker.unpack()
            except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
                raise damaged_history(str(self.path), ValueError(str(error))) from error
        return handled

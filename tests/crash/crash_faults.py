"""Deaths at chosen places: the worker of a crash test kills itself there with SIGKILL.

Each place is a real one of the running program, reached through a wrapper that is put around it in the worker only.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

import lmdb

from deathless.actors.dormant_timers import DormantTimers
from deathless.runtime.storage import commit_log
from deathless.runtime.storage import store as store_module
from deathless.runtime.storage.commit_log import Writes
from deathless.runtime.storage.store import Store
from deathless.workflows import rows

COMMIT_PLACES = ("before the commit", "between rows", "before its end", "while it runs", "after the commit")
GROWTH_PLACES = ("on a full map", "without a map", "on the larger map")
RECOVERY_PLACES = ("before the map", "between heads", "at the timers", "before the first turn")


def die() -> None:
    """End this process as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


class Fault:
    """One place to die at, after `visits` harmless visits within it. Nothing happens before it is armed."""

    def __init__(self, place: str, visits: int) -> None:
        self.place = place
        self.visits = visits
        self.armed = False
        self._growing = False
        self._left = count()
        self._tables = 0
        self._heads = count(visits, -1)

    def install(self) -> None:
        """Put the wrappers in place."""
        if self.place in (*COMMIT_PLACES, *GROWTH_PLACES):
            # Each commit shall put rows into place, those of the one before.
            commit_log.CYCLE = 1
        self._wrap(Store, "_write", self._write)
        self._wrap(store_module, "_in_order", self._in_order)
        self._wrap(Store, "_grow", self._grow)
        self._wrap(Store, "_map", self._map)
        self._wrap(rows, "glance", self._glance)
        self._wrap(DormantTimers, "arm", self._arm)

    @staticmethod
    def _wrap(owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
        original = getattr(owner, name)
        setattr(owner, name, lambda *args, **options: wrapper(original, *args, **options))

    def at(self, place: str) -> None:
        """Die if this is the place."""
        if self.armed and self.place == place:
            die()

    def _write(self, original: Any, store: Store, writes: Writes) -> int:
        self.at("before the commit")
        if self.armed and self.place == "while it runs":
            threading.Thread(target=self._die_soon).start()
        self._left = count(self.visits, -1)
        self._tables = len(writes.puts)
        written: int = original(store, writes)
        self.at("after the commit")
        return written

    def _in_order(self, original: Any, rows: list[Any]) -> tuple[Iterable[Any], list[bytes]]:
        rows, doomed = original(rows)
        self._tables -= 1
        return self._rows(rows, self._left, not self._tables) if self.armed else rows, doomed

    def _rows(self, rows: list[Any], left: Iterator[int], is_last: bool) -> Iterable[Any]:
        """Hand out the rows of a commit, up to the place where it ends: after `visits` rows, or after the last."""
        for row in rows:
            if next(left) == 0:
                self._between_rows()
            yield row
        if is_last:
            self._between_rows()
            self.at("before its end")

    def _between_rows(self) -> None:
        self.at("between rows")
        if self.place in GROWTH_PLACES and not self._growing:
            raise lmdb.MapFullError("by the test")

    def _grow(self, original: Any, *args: Any) -> None:
        self._growing = True
        self.at("on a full map")
        original(*args)
        self.at("on the larger map")
        self._growing = False

    def _map(self, original: Any, *args: Any) -> None:
        self.at("before the map")
        if self._growing:
            self.at("without a map")
        original(*args)

    def _glance(self, original: Any, row: bytes) -> Any:
        if next(self._heads) == 0:
            self.at("between heads")
        return original(row)

    def _arm(self, original: Any, *args: Any) -> None:
        self.at("between heads")  # There were fewer.
        self.at("at the timers")
        original(*args)

    def _die_soon(self) -> None:
        for _ in range(self.visits * 20):
            pass  # Some way into the commit; a sleep would mostly hit the same place.
        die()

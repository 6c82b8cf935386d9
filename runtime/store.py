"""The store: one LMDB environment per world.

Rows wait in the caller's buffer, and one call writes them all: begin, puts in key order and commit, on one
thread. (A write transaction begun on one thread and committed on another reports success, and the next one
hangs.) A commit that fails changes nothing, so that the same call can be made again.

The store owns its world from `open` to `close` (see `world_lock`), looks at the file before LMDB maps it (see
`world_check`), and lets no error of LMDB out. Its own reads are short: an open reader keeps every page that it
could see from being used again, and ten seconds of one grow a busy world a hundredfold.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Self

import lmdb

from ..workflows.errors import RuntimeClosedError, WorldError, WorldFull
from .environment import DEFAULT_MAP_LIMIT, DEFAULT_MAP_SIZE, open_environment, translated
from .gil import short_switches
from .world_files import DATA_FILE, build_in_place, has_data, require_empty, require_place
from .world_format import FORMAT_KEY, MAGIC_KEY, META, check_format, check_world, make_world
from .world_lock import WorldLock

SCAN_BATCH = 4096

Changes = Mapping[str, Mapping[bytes, bytes | None]]
Durability = Literal["process", "power"]


@dataclass(frozen=True, slots=True)
class StoreStats:
    """How full a world is. `used_bytes` counts pages that hold rows or wait to be used again."""

    map_size: int
    used_bytes: int
    file_bytes: int
    entries: dict[str, int]


class Store:
    """Keep a world's tables, each a sorted map from bytes to bytes.

    All methods may be called from any thread; commits go one at a time.

    Attributes:
        path: the world's directory.
        created: whether this open made the world.
    """

    def __init__(
        self, path: Path, lock: WorldLock, *, durability: Durability, map_size: int, map_limit: int
    ) -> None:
        """Take over an owned and checked world; `Store.open` is for callers."""
        self.path = path
        self.created = False
        self._lock = lock
        self._sync = durability == "power"
        self._map_limit = map_limit
        self._writing = threading.Lock()
        # Unmapping waits until no read is inside: a read of unmapped memory ends the process.
        self._idle = threading.Condition()
        self._reads = 0
        self._unmapping = False
        self._gone = ""
        self._env: Any = None
        self._tables: dict[str, Any] = {}
        self._map(map_size)
        _stores.add(self)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        durability: Durability = "power",
        map_size: int = DEFAULT_MAP_SIZE,
        map_limit: int = DEFAULT_MAP_LIMIT,
        create: bool = True,
    ) -> Self:
        """Open a world, or make one where there is nothing.

        Args:
            path: the world's directory.
            durability: what an acknowledged commit survives: "process", kill -9; "power", power loss too.
            map_size: bytes of address space to reserve. A world that outgrows it is mapped anew, twice as large.
            map_limit: the size at which growing ends with `WorldFull`.
            create: whether an absent world is made; else it is `NotAWorldError`.

        Raises:
            WorldInUse: another process, or another open in this one, owns the world.
            NotAWorldError: the path holds something else.
            WorldCorruptError: the world is truncated or damaged.
            WorldVersionError: the world's format is one that this version does not read.
            WorldError: the directory or its files cannot be made, read or locked.
        """
        if durability not in ("process", "power"):
            raise ValueError(f"durability is {durability!r}; it is 'process' or 'power'")
        world = Path(path)
        require_place(world, create=create)
        lock = WorldLock(world)
        try:
            created = not has_data(world)
            if created:
                build_in_place(world, make_world)
            else:
                check_world(world / DATA_FILE)
            store = cls(
                world, lock, durability=durability, map_size=map_size, map_limit=max(map_size, map_limit)
            )
        except BaseException:
            lock.release()
            raise
        try:
            check_format(world, store.get(META, MAGIC_KEY), store.get(META, FORMAT_KEY))
            store.check_readers()
        except BaseException:
            store.close()
            raise
        store.created = created
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def commit(self, changes: Changes) -> None:
        """Write all changes in one transaction; when it returns, they are as durable as the store promises.

        Args:
            changes: for each table, key to value; None deletes. A table is made when it is first named.

        Raises:
            WorldFull: no room on the disk or under `map_limit`. Nothing is changed; make the same call again
                when there is room.
            WorldError: LMDB or the disk failed. Nothing is changed.
        """
        # Keys in order touch each page once.
        ordered = [(table, *_in_order(rows)) for table, rows in changes.items() if rows]
        with self._writing:
            self._require_open()
            while True:
                try:
                    self._write(ordered)
                except lmdb.MapFullError as error:
                    self._grow(error)
                except lmdb.Error as error:
                    raise translated(self.path, error) from error
                else:
                    return

    def get(self, table: str, key: bytes) -> bytes | None:
        """Read one value; None where there is none."""
        with self._reader() as (transaction, tables):
            handle = tables.get(table)
            return None if handle is None else transaction.get(key, db=handle)

    def get_many(self, table: str, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Read the values of those keys that exist, all as of one commit."""
        with self._reader() as (transaction, tables):
            handle = tables.get(table)
            if handle is None:
                return {}
            pairs = ((key, transaction.get(key, db=handle)) for key in keys)
            return {key: value for key, value in pairs if value is not None}

    def scan(self, table: str, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Go through a table in key order, from `start` on.

        It reads in batches, each as of one commit and none holding a reader open between items: a scan may be left
        standing at no cost, and sees commits made while it stands.
        """
        while True:
            with self._reader() as (transaction, tables):
                batch = _batch(transaction, tables.get(table), start)
            yield from batch
            if len(batch) < SCAN_BATCH:
                return
            start = batch[-1][0] + b"\0"

    def digest(self, tables: Iterable[str] | None = None) -> str:
        """Compute the SHA-256 of tables, keys and values in order, the same for the same rows in any file.

        Empty tables do not count. All is read as of one commit.

        Args:
            tables: which; None for all.
        """
        digest = hashlib.sha256()
        with self._reader() as (transaction, held):
            for table in sorted(held if tables is None else set(tables) & set(held)):
                handle = held[table]
                if count := transaction.stat(handle)["entries"]:
                    digest.update(_framed(table.encode()) + count.to_bytes(8, "big"))
                    with transaction.cursor(db=handle) as cursor:
                        for key, value in cursor:
                            digest.update(_framed(key) + _framed(value))
        return digest.hexdigest()

    def stats(self) -> StoreStats:
        """Say how full the world is."""
        with self._reader() as (transaction, held):
            info = self._env.info()
            entries = {table: transaction.stat(handle)["entries"] for table, handle in sorted(held.items())}
            used = (info["last_pgno"] + 1) * self._env.stat()["psize"]
        return StoreStats(info["map_size"], used, (self.path / DATA_FILE).stat().st_size, entries)

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Copy the world, compacted, to a new directory, while commits go on.

        The copy is the world as of one commit, is synced, and appears under its name when it is whole. It holds
        a reader for as long as it takes, so a large and busy world grows meanwhile.

        Raises:
            WorldError: the target exists and is not empty, or cannot be written.
        """
        target = Path(path)
        require_empty(target)
        with self._reader():
            build_in_place(target, lambda place: self._env.copy(str(place), compact=True))

    def check_readers(self) -> int:
        """Free the slots of readers that died; call it each minute. Returns how many there were."""
        with self._reader():
            return int(self._env.reader_check())

    def close(self) -> None:
        """Unmap the world and give it up, after running calls. A second call does nothing."""
        with self._writing, self._no_reads():
            if self._gone:
                return
            self._gone = "the world is closed"
            if not self._sync:
                # Not a promise, but a closed world should not stay at the mercy of a power cut.
                with contextlib.suppress(lmdb.Error):
                    self._env.sync(True)
            self._env.close()
            self._lock.release()

    # -- writing ---------------------------------------------------------------------------------------------

    def _write(self, ordered: list[tuple[str, list[tuple[bytes, bytes | None]], list[bytes]]]) -> None:
        handles = [self._table(table) for table, _, _ in ordered]
        with short_switches(), self._env.begin(write=True) as transaction:
            for handle, (_, rows, doomed) in zip(handles, ordered, strict=True):
                with transaction.cursor(db=handle) as cursor:
                    cursor.putmulti(rows)
                for key in doomed:
                    transaction.delete(key, db=handle)

    def _table(self, name: str) -> Any:
        handle = self._tables.get(name)
        if handle is None:
            # Its own transaction: a handle made in one that aborts would be invalid.
            handle = self._env.open_db(name.encode())
            self._tables = {**self._tables, name: handle}
        return handle

    def _grow(self, error: lmdb.Error) -> None:
        """Map the world at twice its size, by closing and opening: `set_mapsize` leaves no map if it fails."""
        size = int(self._env.info()["map_size"])
        if size >= self._map_limit:
            raise WorldFull(str(self.path), f"the map of {size} bytes is full; raise map_limit") from error
        with self._no_reads():
            self._env.close()
            try:
                self._map(min(2 * size, self._map_limit))
            except WorldError as failed:
                self._map(size)
                raise WorldFull(
                    str(self.path), f"the map of {size} bytes is full and cannot grow"
                ) from failed

    # -- reading ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _reader(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Hold a read transaction, and the map in its place; give it and the tables that it may read."""
        with self._idle:
            while self._unmapping:
                self._idle.wait()
            self._require_open()
            self._reads += 1
        try:
            # Before the transaction begins: to it a table that is made later has no valid handle.
            tables = self._tables
            with self._env.begin() as transaction:
                yield transaction, tables
        except lmdb.Error as error:
            raise translated(self.path, error) from error
        finally:
            with self._idle:
                self._reads -= 1
                self._idle.notify_all()

    @contextlib.contextmanager
    def _no_reads(self) -> Iterator[None]:
        """Wait until no read is inside, and keep new ones out: a stream of them would never be without one."""
        with self._idle:
            self._unmapping = True
            try:
                self._idle.wait_for(lambda: not self._reads)
                yield
            finally:
                self._unmapping = False
                self._idle.notify_all()

    # -- life ------------------------------------------------------------------------------------------------

    def _map(self, map_size: int) -> None:
        try:
            self._env = open_environment(self.path, map_size=map_size, sync=self._sync)
            self._tables = {name.decode(): self._env.open_db(name, create=False) for name in self._env.dbs()}
        except lmdb.Error as error:
            raise translated(self.path, error) from error

    def _require_open(self) -> None:
        if self._gone:
            raise RuntimeClosedError(f"{self.path}: {self._gone}; open it again")

    def _poison(self) -> None:
        """Make the store unusable in a forked child, and let go of the parent's lock."""
        if not self._gone:
            self._gone = "the world belongs to the process that forked this one"
            self._lock.release()
            # Not closed: the map and its mutexes are the parent's too.
            _inherited.append(self._env)
        # Other threads, which the child does not have, may have held these.
        self._writing = threading.Lock()
        self._idle = threading.Condition()
        self._reads = 0
        self._unmapping = False


def _in_order(rows: Mapping[bytes, bytes | None]) -> tuple[list[Any], list[bytes]]:
    """Return the rows to put, and the keys to delete, each in order."""
    doomed = sorted(key for key, value in rows.items() if value is None) if None in rows.values() else []
    return sorted((row for row in rows.items() if row[1] is not None) if doomed else rows.items()), doomed


def _batch(transaction: Any, handle: Any, start: bytes) -> list[tuple[bytes, bytes]]:
    if handle is None:
        return []
    with transaction.cursor(db=handle) as cursor:
        return list(islice(cursor, SCAN_BATCH)) if cursor.set_range(start) else []


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(8, "big") + part


# A forked child must neither keep its parent's world nor touch it.

_stores: weakref.WeakSet[Store] = weakref.WeakSet()
_inherited: list[Any] = []


def _poison_all() -> None:
    for store in list(_stores):
        store._poison()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_poison_all)

"""The store: one LMDB environment per world.

Rows wait in the caller's buffer, and one call writes them all: begin, puts in key order and commit, on one
thread. (A write transaction begun on one thread and committed on another reports success, and the next one
hangs.) A commit that fails changes nothing, so that the same call can be made again. What a commit writes where is
the commit log's to say (see `commit_log`); readers of the store see each key's newest value.

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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import lmdb

from ...workflows.errors import RuntimeClosedError, WorldError, WorldFull
from ...workflows.overlay import overlaid
from ..gil import short_switches
from .commit_log import LOG, Changes, CommitLog, Writes, damaged_log
from .environment import (
    DEFAULT_MAP_LIMIT,
    DEFAULT_MAP_SIZE,
    copy_environment,
    open_environment,
    readers_of,
    translated,
)
from .pieces import number_key
from .read_view import ReadView
from .table_rows import framed, hash_rows, pages_of, read_rows, rows_under
from .world_files import DATA_FILE, build_in_place, build_new, has_data, require_place
from .world_format import FORMAT_KEY, MAGIC_KEY, META, check_format, check_world, make_world
from .world_lock import WorldLock

FIRST_BATCH, SCAN_BATCH = 64, 4096
"""Rows that a scan reads at once: few at first, since many want no more."""

Durability = Literal["process", "power"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoreStats:
    """How full a world is. `used_bytes` counts pages that hold rows or wait to be used again."""

    map_size: int
    used_bytes: int
    file_bytes: int
    entries: dict[str, int]


@dataclass(frozen=True, slots=True)
class StoreSizes:
    """What a world takes, in bytes.

    Attributes:
        map_size, map_limit: of the map now, and up to which it may grow.
        used_bytes: pages that hold rows or wait to be used again.
        free_bytes: those of them that wait to be used again.
        file_bytes: of the file.
        tables: pages of each table.
        log_entries: commits whose rows are not all in their places yet.
    """

    map_size: int
    map_limit: int
    used_bytes: int
    free_bytes: int
    file_bytes: int
    tables: dict[str, int]
    log_entries: int


class Store:
    """Keep a world's tables, each a sorted map from bytes to bytes.

    All methods may be called from any thread; commits go one at a time.

    Attributes:
        path: the world's directory.
        created: whether this open made the world.
        map_limit: bytes up to which it may grow.
    """

    def __init__(
        self, path: Path, lock: WorldLock, *, durability: Durability, map_size: int, map_limit: int
    ) -> None:
        """Take over an owned and checked world; `Store.open` is for callers."""
        self.path = path
        self.created = False
        self._lock = lock
        self._sync = durability == "power"
        self.map_limit = map_limit
        self._writing = threading.Lock()
        # Unmapping waits until no read is inside: a read of unmapped memory ends the process.
        self._idle = threading.Condition()
        self._reads = 0
        self._unmapping = False
        self._gone = ""
        self._log = CommitLog()
        # The transaction up to which the log is known; none while it changes. In doubt it is from when a transaction
        # begins until it is noted: an interrupt may strike in between.
        self._noted = -1
        self._in_doubt = False
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
            store._load_log()
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
        changes = {table: rows for table, rows in changes.items() if rows}
        with self._writing:
            self._require_open()
            self._be_sure()
            if changes:
                self._check(changes)
                try:
                    self._commit(self._log.append(changes))
                except WorldFull as full:
                    self._give_back(full)
                    self._commit(self._log.append(changes))

    def get(self, table: str, key: bytes) -> bytes | None:
        """Read one value; None where there is none."""
        self._require_open()
        if self._in_doubt:
            self._resolve()
        # Before the table: what leaves the log is in its table then.
        value: bytes | None = self._log.find(table, key, _ABSENT)
        if value is not _ABSENT:
            return value
        with self._reader() as (transaction, tables):
            handle = tables.get(table)
            return None if handle is None else transaction.get(key, db=handle)

    def scan(
        self, table: str, start: bytes = b"", stop: bytes | None = None, *, batch: int = FIRST_BATCH
    ) -> Iterator[tuple[bytes, bytes]]:
        """Go through a table in key order, from `start` up to and without `stop`.

        It reads in batches, each as of one commit and none holding a reader open between items: a scan may be left
        standing at no cost, and sees commits made while it stands.

        Args:
            table: its name.
            start: the first key.
            stop: the first key that is not wanted any more; None for no end.
            batch: rows that are read at once at first; more and more later.
        """
        following: bytes | None = start
        size = min(batch, SCAN_BATCH)
        while following is not None:
            read = partial(self._read_some, table, following, stop, size)
            rows, following = self._as_of_one_commit(read)
            yield from rows
            size = min(4 * size, SCAN_BATCH)

    def _read_some(
        self,
        table: str,
        start: bytes,
        stop: bytes | None,
        size: int,
        transaction: Any,
        tables: dict[str, Any],
    ) -> tuple[list[tuple[bytes, bytes]], bytes | None]:
        batch, end, following = read_rows(transaction, tables.get(table), start, stop, size)
        newer = self._log.rows(table, start, end)
        # Where nothing is pending, most of it is as it was read.
        whole = not newer and (stop is None or following is not None)
        return batch if whole else list(overlaid(batch, newer, start, end)), following

    def first_keys(self, table: str, count: int) -> list[bytes]:
        """Return the lowest keys of a table that is not logged, at most so many."""
        with self._reader() as (transaction, tables):
            handle = tables.get(table)
            if handle is None:
                return []
            with transaction.cursor(db=handle) as cursor:
                return list(islice(cursor.iternext(values=False), count))

    def table_bytes(self, tables: Iterable[str]) -> int:
        """Return how many bytes of pages tables take."""
        pages = 0
        with self._reader() as (transaction, held):
            for table in tables:
                if table in held:
                    pages += pages_of(transaction.stat(held[table]))
        return pages * int(self._env.stat()["psize"])

    @contextlib.contextmanager
    def read_view(self) -> Iterator[ReadView]:
        """Hold a view of all tables as of the last commit; commits go on meanwhile, and are not seen in it."""
        with contextlib.ExitStack() as held:
            transaction, tables = held.enter_context(self._reader())
            # In this order: a commit that is noted from here on leaves alone what is frozen, as there is a reader.
            noted, newer = self._noted, self._log.frozen()
            if not noted == self._noted == transaction.id():
                # A commit is being noted: wait for it, and begin anew.
                held.close()
                with self._writing:
                    self._require_open()
                    self._be_sure()
                    transaction, tables = held.enter_context(self._reader())
                    newer = self._log.frozen()
            page_size = int(self._env.stat()["psize"])
            yield ReadView(self.path, transaction, tables, newer, page_size, lambda: self._unmapping)

    def stored(self, table: str, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """Return the rows whose keys have a prefix, of a table that is not logged; see `IN_PLACE`."""
        with self._reader() as (transaction, tables):
            return rows_under(transaction, tables.get(table), prefix)

    def digest(self, tables: Iterable[str] | None = None) -> str:
        """Compute the SHA-256 of tables, keys and values in order, the same for the same rows in any file.

        Empty tables do not count. All is read as of one commit.

        Args:
            tables: which; None for all.
        """
        wanted = None if tables is None else set(tables)
        digest = hashlib.sha256()
        with self.read_view() as view:
            for table in view.tables():
                if wanted is None or table in wanted:
                    count, rows = hash_rows(view.scan(table))
                    if count:
                        digest.update(framed(table.encode()) + count.to_bytes(8, "big") + rows)
        return digest.hexdigest()

    def stats(self) -> StoreStats:
        """Say how full the world is."""
        with self.read_view() as view:
            entries = {table: view.count(table) for table in view.tables()}
            info = self._env.info()
            used = (info["last_pgno"] + 1) * self._env.stat()["psize"]
            return StoreStats(info["map_size"], used, (self.path / DATA_FILE).stat().st_size, entries)

    def sizes(self) -> StoreSizes:
        """Say how many bytes the world takes; it reads no row."""
        with self._reader() as (transaction, held):
            stat, info = self._env.stat(), self._env.info()
            page = stat["psize"]
            tables = {name: pages_of(transaction.stat(handle)) * page for name, handle in held.items()}
            used, file = (info["last_pgno"] + 1) * page, (self.path / DATA_FILE).stat().st_size
            # The two meta pages and the table of tables hold something, too.
            free = max(0, used - sum(tables.values()) - (2 + pages_of(stat)) * page)
            return StoreSizes(info["map_size"], self.map_limit, used, free, file, tables, self._log.entries)

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Copy the world, compacted, to a new directory, while commits go on.

        The copy is the world as of one commit, is synced, and appears under its name when it is whole. It holds
        a reader for as long as it takes, so a large and busy world grows meanwhile.

        Raises:
            WorldFull: no room where the target is.
            WorldError: the target exists and is not empty, or cannot be written.
        """
        with self._reader():
            build_new(Path(path), lambda place: copy_environment(self._env, place))

    def check_readers(self) -> int:
        """Free the slots of readers that died; call it each minute. Returns how many there were."""
        with self._reader():
            return int(self._env.reader_check())

    def readers(self) -> tuple[list[tuple[int, str, int]], int]:
        """Return who reads, be it from another process, and the last transaction: ([(pid, thread, transaction)], last).

        A transaction is known by its number; the place of a reader that reads nothing now is not among them.
        """
        with self._reader():
            return readers_of(self._env)

    def close(self) -> None:
        """Unmap the world and give it up, after running calls. A second call does nothing."""
        with self._writing:
            if self._gone:
                return
            with contextlib.suppress(WorldError):
                # The log says the same, but a closed world is the easier to read without one.
                self._be_sure()
                self._settle()
            with self._no_reads():
                self._gone = "the world is closed"
                if not self._sync:
                    # Not a promise, but a closed world should not stay at the mercy of a power cut.
                    with contextlib.suppress(lmdb.Error):
                        self._env.sync(True)
                self._env.close()
                self._lock.release()

    # -- writing ---------------------------------------------------------------------------------------------

    def _check(self, changes: Changes) -> None:
        """Refuse what could be appended to the log, and then never be put into place."""
        longest = self._env.max_key_size()
        for table, rows in changes.items():
            if max(map(len, rows)) > longest or b"" in rows:
                raise WorldError(str(self.path), f"a key of table {table} has no byte or more than {longest}")

    def _commit(self, writes: Writes) -> None:
        """Write in one transaction, in a larger map if need be; the caller holds `_writing`."""
        self._in_doubt = True
        while True:
            try:
                written = self._write(writes)
            except lmdb.MapFullError as error:
                self._in_doubt = False
                self._grow(error)
                self._in_doubt = True
            except lmdb.Error as error:
                self._in_doubt = False
                raise translated(self.path, error) from error
            else:
                break
        self._noted = -1
        self._log.note(writes, shared=self._reads > 0)
        self._noted = written
        self._in_doubt = False

    def _write(self, writes: Writes) -> int:
        """Write in one transaction; return its number."""
        log = self._table(LOG)
        for table in writes.logged:
            self._table(table)
        # Keys in order touch each page once.
        tables = [(self._table(table), *_in_order(rows)) for table, rows in writes.puts]
        with short_switches(), self._env.begin(write=True) as transaction:
            for handle, rows, doomed in tables:
                with transaction.cursor(db=handle) as cursor:
                    cursor.putmulti(rows)
                for key in doomed:
                    transaction.delete(key, db=handle)
            with transaction.cursor(db=log) as cursor:
                first = number_key(writes.first)
                there = cursor.first()
                while there and cursor.key() < first:
                    there = cursor.delete()
                if cursor.putmulti(writes.entry, append=True)[1] < len(writes.entry):
                    raise lmdb.KeyExistsError("the log has a later entry than it should")
            return int(transaction.id())

    def _load_log(self) -> None:
        """Take over the log that a crash left, and put its rows into place if there is room."""
        with self._writing:
            self._read_log()
            with contextlib.suppress(WorldFull):
                self._settle()

    def _read_log(self) -> None:
        log = CommitLog()
        with self._reader() as (transaction, tables):
            handle = tables.get(LOG)
            with contextlib.nullcontext(()) if handle is None else transaction.cursor(db=handle) as entries:
                try:
                    log.load(entries)
                except ValueError as error:
                    raise damaged_log(self.path, error) from error
            self._log, self._noted = log, transaction.id()

    def _settle(self) -> None:
        """Put all that the log has into place; the caller holds `_writing`."""
        if not self._log.settled:
            self._commit(self._log.settle())

    def _give_back(self, full: WorldFull) -> None:
        """Make room of what has been deleted; the caller holds `_writing`, and what it raises is why there was none.

        Rows that the log deletes take room until they are out of their places, which only commits see to; and the pages
        that a commit frees are used again by the second commit after it. A commit that is too large would wait for both
        without end.
        """
        try:
            self._settle()
            self._commit(self._log.settle())
        except WorldFull:
            raise full from full.__cause__

    def _be_sure(self) -> None:
        """After an interrupt, see whether a commit was made; the caller holds `_writing`."""
        if self._in_doubt:
            self._read_log()
            self._in_doubt = False

    def _resolve(self) -> None:
        """Wait for a commit that is under way, and see what became of one that is not."""
        if not self._writing.locked():
            with self._writing:
                self._be_sure()

    def _table(self, name: str) -> Any:
        handle = self._tables.get(name)
        if handle is None:
            # Its own transaction: a handle made in one that aborts would be invalid.
            handle = self._env.open_db(name.encode())
            self._tables = {**self._tables, name: handle}
            self._noted = self._env.info()["last_txnid"]
        return handle

    def _grow(self, error: lmdb.Error) -> None:
        """Map the world at twice its size, by closing and opening: `set_mapsize` leaves no map if it fails."""
        size = int(self._env.info()["map_size"])
        if size >= self.map_limit:
            raise WorldFull(str(self.path), f"the map of {size} bytes is full; raise map_limit") from error
        with self._no_reads():
            self._env.close()
            try:
                self._map(min(2 * size, self.map_limit))
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

    def _as_of_one_commit(self, read: Callable[[Any, dict[str, Any]], T]) -> T:
        """Call `read` with a read transaction and the tables that it may read, while the log fits the transaction."""
        with self._reader() as (transaction, held):
            noted = self._noted
            if noted == transaction.id():
                found = read(transaction, held)
                if self._noted == noted:
                    return found
        # A commit is being noted: without one there is no such moment.
        with self._writing:
            self._require_open()
            self._be_sure()
            with self._reader() as (transaction, held):
                return read(transaction, held)

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


def _in_order(rows: list[tuple[bytes, bytes | None]]) -> tuple[list[Any], list[bytes]]:
    """Return the rows to put, and the keys to delete."""
    doomed = [key for key, value in rows if value is None]
    return [row for row in rows if row[1] is not None] if doomed else rows, doomed


_ABSENT: Any = object()


# A forked child must neither keep its parent's world nor touch it.

_stores: weakref.WeakSet[Store] = weakref.WeakSet()
_inherited: list[Any] = []


def _poison_all() -> None:
    for store in list(_stores):
        store._poison()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_poison_all)

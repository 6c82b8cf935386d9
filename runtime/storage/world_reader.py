"""`WorldReader`: read a world that may be another process's.

Tools look at worlds while the game runs. A reader takes no ownership and writes nothing. Its transactions are
short: an open reader keeps every page that it could see from being used again.

The file is checked as `Store.open` does (see `world_check`), but its owner may be writing meanwhile, and pages
that were read a moment ago become others. So the order is another: first the two meta pages, which is all that
LMDB touches to begin a transaction; then, with a transaction open, all the rest. What that transaction can see
stays as it is for as long as it lasts.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import lmdb

from ...workflows.errors import NotAWorldError, RuntimeClosedError, WorldCorruptError
from ...workflows.overlay import overlaid
from .commit_log import LOG, damaged_log
from .environment import DEFAULT_MAP_SIZE, copy_environment, open_environment, readers_of, translated
from .log_view import LogView
from .read_view import ReadView
from .store import SCAN_BATCH
from .table_rows import pages_of, read_rows
from .world_check import _Checker
from .world_files import DATA_FILE, os_errors, require_place
from .world_format import FORMAT_KEY, MAGIC_KEY, META, check_format, check_world

_ATTEMPTS = 5
"""How often the file is checked: a commit in the midst of a look at its length or meta pages makes it seem damaged."""


class Space(NamedTuple):
    """How a world's file is used.

    Attributes:
        map_size: bytes up to which it may grow as this process has mapped it.
        file_bytes: its size.
        pages: that it has, those that wait to be used again among them.
        free_pages: those that wait to be used again: deleted rows leave them behind.
        page_size: bytes of a page.
    """

    map_size: int
    file_bytes: int
    pages: int
    free_pages: int
    page_size: int

    @property
    def used_bytes(self) -> int:
        """Return the bytes of all pages, the free ones among them."""
        return self.pages * self.page_size

    @property
    def free_bytes(self) -> int:
        """Return the bytes of the free pages."""
        return self.free_pages * self.page_size


class WorldReader:
    """Reads a world's tables. One thread at a time.

    A world that is open in this process already is refused: LMDB maps a file once for each process.

    Attributes:
        path: the world's directory.
    """

    _env: Any
    _tables: dict[str, Any]

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open a world for reading.

        Raises:
            WorldInUse: it is open in this process.
            NotAWorldError: there is no world here.
            WorldCorruptError: the world is truncated or damaged.
            WorldVersionError: the world's format is one that this version does not read.
            WorldError: its files cannot be read.
        """
        self.path = Path(path)
        with os_errors(self.path):
            if not self.path.exists():
                raise NotAWorldError(str(self.path), "there is no world here; give the path of one")
            require_place(self.path, create=False)
        data = self.path / DATA_FILE
        _check_meta_pages(data)
        self._log = LogView()
        self._read_at = -1
        self._map()
        try:
            with self._env.begin():
                _check_all(data)
            check_format(self.path, self.get(META, MAGIC_KEY), self.get(META, FORMAT_KEY))
        except lmdb.Error as error:
            self.close()
            raise translated(self.path, error) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, table: str, key: bytes) -> bytes | None:
        """Read one value; None where there is none."""
        with self._transaction(table) as transaction:
            handle, newer = self._tables.get(table), self._log.rows.get(table, {})
            if key in newer:
                return newer[key]
            return None if handle is None else transaction.get(key, db=handle)

    def scan(
        self, table: str, start: bytes = b"", stop: bytes | None = None, *, batch: int = SCAN_BATCH
    ) -> Iterator[tuple[bytes, bytes]]:
        """Go through a table in key order, from `start` up to and without `stop`.

        It reads in batches that are each as of one commit: of `batch` rows at first, of more and more later.
        """
        following: bytes | None = start
        size = min(batch, SCAN_BATCH)
        while following is not None:
            start = following
            with self._transaction(table) as transaction:
                handle, newer = self._tables.get(table), self._log.rows.get(table, {})
                read, end, following = read_rows(transaction, handle, start, stop, size)
                whole = not newer and (stop is None or following is not None)
                rows = read if whole else list(overlaid(read, newer, start, end))
            yield from rows
            size = min(4 * size, SCAN_BATCH)

    @contextlib.contextmanager
    def read_view(self) -> Iterator[ReadView]:
        """Hold a view of all tables as of the last commit; the world's owner may go on meanwhile."""
        with self._transaction(*self.tables()) as transaction:
            page_size = int(self._env.stat()["psize"])
            yield ReadView(self.path, transaction, dict(self._tables), self._log.frozen(), page_size)

    def copy(self, place: Path) -> None:
        """Copy the world's file, compacted and as of one commit, into an existing directory.

        The world's owner may go on meanwhile. It holds a reader for as long as it takes, so a busy world
        grows.

        Raises:
            WorldError: the copy cannot be written.
        """
        # The transaction maps the world anew, if need be, and brings no error of LMDB out.
        with self._transaction():
            copy_environment(self._env, place)

    def space(self) -> Space:
        """Say how the world's file is used, as of now."""
        with self._transaction(*self.tables()) as transaction:
            info, stat = self._env.info(), self._env.stat()
            pages = int(info["last_pgno"]) + 1
            # The table of tables, each table, and the two meta pages.
            taken = 2 + sum(map(pages_of, (stat, *map(transaction.stat, self._tables.values()))))
            return Space(
                int(info["map_size"]),
                (self.path / DATA_FILE).stat().st_size,
                pages,
                # The owner may have written since the transaction began.
                max(0, pages - taken),
                int(stat["psize"]),
            )

    def tables(self) -> list[str]:
        """Return the names of the tables that there are, the log not among them."""
        with self._transaction(LOG):
            names = {name.decode() for name in self._env.dbs()}
        return sorted(names.union(self._log.rows) - {LOG})

    def readers(self) -> tuple[list[tuple[int, str, int]], int]:
        """Return who reads, be it from another process, and the last transaction; see `Store.readers`."""
        with self._transaction():
            return readers_of(self._env)

    def close(self) -> None:
        """Unmap the world. A second call does nothing."""
        if self._env is not None:
            self._env.close()
            self._env = None

    @contextlib.contextmanager
    def _transaction(self, *tables: str) -> Iterator[Any]:
        """Hold a read transaction; until it ends, `_tables` has the handles of these tables, and `_log` fits it."""
        if self._env is None:
            raise RuntimeClosedError(f"{self.path}: the world is closed; open it again")
        try:
            with self._begin(tables) as transaction:
                log = self._tables.get(LOG)
                if log is not None and transaction.id() != self._read_at:
                    self._refresh(transaction, log)
                    self._read_at = transaction.id()
                yield transaction
        except lmdb.Error as error:
            raise translated(self.path, error) from error

    def _refresh(self, transaction: Any, log: Any) -> None:
        try:
            with transaction.cursor(db=log) as cursor:
                self._log.refresh(cursor)
        except ValueError as error:
            raise damaged_log(self.path, error) from error

    def _begin(self, tables: Iterable[str]) -> Any:
        """Begin to read; where the owner has mapped the world larger since, map it anew, too."""
        while True:
            try:
                # Before the transaction begins: a handle that is opened in it ends with it.
                for table in (LOG, *tables):
                    self._find_table(table)
                return self._env.begin()
            except lmdb.MapResizedError:
                self.close()
                self._map()

    def _find_table(self, name: str) -> None:
        if name not in self._tables:
            with contextlib.suppress(lmdb.NotFoundError):
                self._tables[name] = self._env.open_db(name.encode(), create=False)

    def _map(self) -> None:
        self._tables = {}
        try:
            self._env = open_environment(self.path, map_size=DEFAULT_MAP_SIZE, sync=True, readonly=True)
        except lmdb.Error as error:
            raise translated(self.path, error) from error


def _check_meta_pages(data: Path) -> None:
    """Check that LMDB can map the file and begin a transaction."""
    with os_errors(data), data.open("rb", buffering=0) as file:
        checker = _Checker(data, file)
        first = checker._meta(0, offset=0)
        checker._meta(1, offset=first.page_size)


def _check_all(data: Path) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            check_world(data)
        except WorldCorruptError:
            if attempt == _ATTEMPTS:
                raise
        else:
            return

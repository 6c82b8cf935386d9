"""LMDB as this project uses it: how an environment is opened, and what its errors mean to a caller."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Any

import lmdb

from ...workflows.errors import NotAWorldError, WorldCorruptError, WorldError, WorldFull, WorldInUse

MAX_TABLES = 64
MAX_READERS = 1024
"""Of all processes together; LMDB's own 126 are few for threads that look, tools and monitors."""

_GIB = 1 << 30
_SMALL = sys.platform == "win32" or sys.maxsize < 1 << 32
# A map is address space, not disk, where the system has sparse maps. Windows gives the file the map's size.
DEFAULT_MAP_SIZE = _GIB // 4 if _SMALL else 64 * _GIB
DEFAULT_MAP_LIMIT = _GIB if sys.maxsize < 1 << 32 else 1024 * _GIB

# EIO among them: LMDB reports so a write that was cut short, which is how a disk fills up.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)})
_DAMAGE = (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.InvalidError)


def open_environment(world: Path, *, map_size: int, sync: bool, readonly: bool = False) -> Any:
    """Map a world's file.

    No WRITEMAP: a stray write to the map would be a write to the world, and a full disk a SIGBUS. The meta page
    is always synced with the rest (`metasync`): to leave it out saved nothing. LMDB 0.9 (`lib_version=0`) for
    its file format, which other tools read and `world_check` knows.
    """
    return lmdb.open(
        str(world),
        map_size=map_size,
        max_dbs=MAX_TABLES,
        max_readers=MAX_READERS,
        sync=sync,
        metasync=True,
        readonly=readonly,
        create=False,
        lib_version=0,
    )


def copy_environment(environment: Any, place: Path) -> None:
    """Copy the file, compacted and as of one commit, into an existing directory.

    Raises:
        WorldError: it cannot be written; the error names the place, which has another disk, maybe.
    """
    try:
        environment.copy(str(place), compact=True)
    except lmdb.Error as error:
        raise translated(place, error) from error


def readers_of(environment: Any) -> tuple[list[tuple[int, str, int]], int]:
    """Return who reads, be it from another process, and the last transaction: ([(pid, thread, transaction)], last).

    A transaction is known by its number; the place of a reader that reads nothing now is not among them.
    """
    # LMDB says it in lines of three columns, below a line of headings.
    lines = [line.split() for line in str(environment.readers()).splitlines()[1:]]
    last = int(environment.info()["last_txnid"])
    return [(int(pid), thread, int(number)) for pid, thread, number in lines if number.isdigit()], last


def translated(world: Path, error: lmdb.Error) -> WorldError:
    """Turn an error of LMDB into ours; the caller raises it."""
    path, code = str(world), getattr(error, "code", 0)
    if isinstance(error, lmdb.MapFullError):
        return WorldFull(path, "the map is full; open the world with a larger map_size")
    if isinstance(error, lmdb.DiskError) or code in _NO_ROOM:
        return WorldFull(path, f"no room on the disk ({error}); free some and make the same call again")
    if isinstance(error, lmdb.ReadersFullError):
        return WorldError(
            path,
            f"{MAX_READERS} readers look at it, and there is no room for more; end some and make the call again",
        )
    if isinstance(error, lmdb.PanicError):
        return WorldError(path, "writing a meta page failed; close the world and open it again")
    if isinstance(error, _DAMAGE):
        return WorldCorruptError(path, f"damaged ({error}); restore the world from a backup")
    if isinstance(error, lmdb.VersionMismatchError):
        return NotAWorldError(path, f"written by another version of LMDB ({error})")
    if "already open in this process" in str(error):
        return WorldInUse(path, "already open in this process; close it there first")
    if isinstance(error, lmdb.MemoryError) or code == errno.ENOMEM:
        return WorldError(path, f"cannot be mapped ({error}); open it with a smaller map_size")
    return WorldError(path, f"the store failed ({error})")

"""The format of a world: what is written into a new one, and what an old one must hold.

The table `meta` has two msgpack values of its own: `magic`, which tells a world from another program's LMDB file,
and `format`, a number that grows with each change that older versions would misread.
"""

from __future__ import annotations

from pathlib import Path

import lmdb
import msgpack

from ...workflows.errors import NotAWorldError, WorldVersionError
from .commit_log import LOG
from .environment import open_environment, translated
from .world_check import check_world_file

MAGIC = "deathless"
FORMAT_VERSION = 4

META = "meta"
MAGIC_KEY = b"magic"
FORMAT_KEY = b"format"


def make_world(place: Path) -> None:
    """Make an empty world in an existing directory."""
    try:
        with open_environment(place, map_size=1 << 20, sync=True) as environment:
            meta = environment.open_db(META.encode())
            environment.open_db(LOG.encode())
            with environment.begin(write=True, db=meta) as transaction:
                transaction.put(MAGIC_KEY, msgpack.packb(MAGIC))
                transaction.put(FORMAT_KEY, msgpack.packb(FORMAT_VERSION))
    except lmdb.Error as error:
        raise translated(place, error) from error


def check_world(data: Path) -> None:
    """Check, before it is mapped, that a data file is whole and may be a world's.

    Raises:
        NotAWorldError: it is another program's, or not LMDB's.
        WorldCorruptError: it is truncated or damaged.
    """
    if META not in check_world_file(data):
        raise NotAWorldError(str(data), "an LMDB file of another program; give the path of a world")


def check_format(world: Path, magic: bytes | None, version: bytes | None) -> None:
    """Check the two values of `meta`.

    Raises:
        NotAWorldError: the magic is absent or another program's.
        WorldVersionError: the world's format is not the one that this version reads.
    """
    try:
        found = msgpack.unpackb(magic or b"\xc0"), msgpack.unpackb(version or b"\xc0")
    except ValueError:
        found = (None, None)
    if found[0] != MAGIC or not isinstance(found[1], int):
        raise NotAWorldError(str(world), "an LMDB file of another program; give the path of a world")
    if found[1] != FORMAT_VERSION:
        raise WorldVersionError(
            str(world),
            f"its format is {found[1]}, this version of Deathless reads format {FORMAT_VERSION}; "
            f"use {'a newer' if found[1] > FORMAT_VERSION else 'an older'} Deathless",
        )

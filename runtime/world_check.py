"""A look at a world's file before LMDB maps it.

LMDB trusts its file. A page number beyond the end of a truncated file ends the interpreter with SIGBUS, where no
`except` helps. So this module reads the two meta pages and the roots of all tables with plain reads, and refuses
what LMDB could not survive. It costs a few page reads, however large the world.

What it does not see is damage below the roots. LMDB answers most of that with an error of its own (a page of the
wrong kind, a bad page number within the file), but a node offset changed inside a page can still crash it: who
must open a file from an unknown hand verifies it first with `python -m lmdb.verify`.

The layout is LMDB's 0.9 data format, version 1, in the machine's own word size and byte order, as LMDB writes it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..workflows.errors import NotAWorldError, WorldCorruptError, WorldError

MAGIC = 0xBEEFC0DE
DATA_VERSION = 1

# N is the machine's size_t, which is also the type of page numbers.
_PAGE = struct.Struct("@NHHHH")  # page number, pad, flags, lower, upper
_TREE = struct.Struct(
    "@IHHNNNNN"
)  # pad, flags, depth, branch pages, leaf pages, overflow pages, entries, root
_META_HEAD = struct.Struct("@IIPN")  # magic, version, address, map size
_META_TAIL = struct.Struct("@NN")  # last page, transaction
_SLOT = struct.Struct("@H")
_WORD = struct.Struct("@N")
_NODE = struct.Struct("@HHHH")  # data size (low, high), flags, key size

_META_SIZE = _PAGE.size + _META_HEAD.size + 2 * _TREE.size + _META_TAIL.size
_NO_ROOT = (1 << (8 * struct.calcsize("N"))) - 1
_P_BRANCH, _P_LEAF, _P_META = 0x01, 0x02, 0x08
_F_BIGDATA, _F_SUBDATA = 0x01, 0x02
_PAGE_SIZES = frozenset(1 << n for n in range(9, 16))

_MOST_MISSING_PAGES = (
    1 << 20
)  # What a sound file may lack at its end: far more than one transaction frees there.


@dataclass(frozen=True, slots=True)
class _Meta:
    """One meta page. `free` and `main` are root page numbers."""

    page_size: int
    free: int
    main: int
    last_page: int
    transaction: int


def check_world_file(path: Path) -> frozenset[str]:
    """Check the meta pages and roots of an LMDB data file, and give the names of its tables.

    The caller holds the world's lock, so that nobody writes meanwhile.

    Raises:
        NotAWorldError: the file is not LMDB's.
        WorldCorruptError: it is truncated or damaged.
        WorldError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return _Checker(path, file).check()
    except OSError as error:
        raise WorldError(str(path), f"cannot be read ({error.strerror})") from error


class _Checker:
    """The checks of one file, in the order in which each makes the next one safe."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._size = file.seek(0, 2)

    def check(self) -> frozenset[str]:
        first = self._meta(0, offset=0)
        second = self._meta(1, offset=first.page_size)
        if second.page_size != first.page_size:
            raise self._corrupt("its two meta pages disagree on the page size")
        # LMDB goes by the later transaction; after a commit cut short that is the older page, whole as ever.
        meta = second if second.transaction > first.transaction else first
        self._check_length(meta)
        return self._check_tables(meta)

    def _meta(self, number: int, *, offset: int) -> _Meta:
        page = self._read(offset, _META_SIZE)
        if len(page) < _META_SIZE:
            raise self._corrupt(f"truncated: {self._size} bytes, less than its two meta pages")
        page_number, _, flags, _, _ = _PAGE.unpack_from(page)
        at = _PAGE.size
        magic, version, _, _ = _META_HEAD.unpack_from(page, at)
        if magic != MAGIC:
            if number == 0:
                raise NotAWorldError(
                    str(self._path), "not an LMDB file; give the path of a world or of a new one"
                )
            raise self._corrupt("its second meta page is overwritten")
        if version != DATA_VERSION:
            raise NotAWorldError(
                str(self._path), f"LMDB data format {version}, where a world has format {DATA_VERSION}"
            )
        at += _META_HEAD.size
        page_size, *_, free = _TREE.unpack_from(page, at)
        *_, main = _TREE.unpack_from(page, at + _TREE.size)
        last_page, transaction = _META_TAIL.unpack_from(page, at + 2 * _TREE.size)
        if page_number != number or not flags & _P_META or page_size not in _PAGE_SIZES or last_page < 1:
            raise self._corrupt(f"meta page {number} is damaged")
        return _Meta(page_size, free, main, last_page, transaction)

    def _check_length(self, meta: _Meta) -> None:
        """Check that the file is as long as its meta page promises, or lacks free pages only.

        A page that one transaction takes and frees again is counted, but never written: a file that ends with such
        pages is short and sound. Their numbers are in the free list, a table from transaction to page numbers.
        """
        present = self._size // meta.page_size
        if meta.last_page - present < _MOST_MISSING_PAGES:
            missing = set(range(present, meta.last_page + 1))
            if missing:
                missing.difference_update(self._free_pages(meta))
            if not missing:
                return
        needed = (meta.last_page + 1) * meta.page_size
        raise self._corrupt(f"truncated: {self._size} bytes, where its meta page promises {needed}")

    def _free_pages(self, meta: _Meta) -> Iterator[int]:
        pages = [] if meta.free == _NO_ROOT else [meta.free]
        for number in pages:  # The list grows as branches are met.
            page = self._tree_page(meta, number, "free list")
            leaf = _PAGE.unpack_from(page)[2] == _P_LEAF
            for _, flags, size, data in self._nodes(meta, page):
                if not leaf:
                    pages.append(size | flags << 32)
                elif flags & _F_BIGDATA:
                    (first,) = _WORD.unpack_from(page, data)
                    yield from _words(self._read(first * meta.page_size + _PAGE.size, size))
                else:
                    yield from _words(page[data : data + size])
            if len(pages) > meta.last_page:
                raise self._corrupt("its free list goes in circles")

    def _check_tables(self, meta: _Meta) -> frozenset[str]:
        """Check the root of each named table, all of which stand on the one page of a world's main table."""
        if meta.free != _NO_ROOT:
            self._tree_page(meta, meta.free, "free list")
        if meta.main == _NO_ROOT:
            return frozenset()
        page = self._tree_page(meta, meta.main, "main table")
        if _PAGE.unpack_from(page)[2] != _P_LEAF:
            raise NotAWorldError(str(self._path), "an LMDB file of another program")
        names = set()
        for key, flags, _, data in self._nodes(meta, page):
            if flags == _F_SUBDATA and data + _TREE.size <= meta.page_size:
                name = key.decode(errors="replace")
                root = _TREE.unpack_from(page, data)[-1]
                if root != _NO_ROOT:
                    self._tree_page(meta, root, f"table {name!r}")
                names.add(name)
        return frozenset(names)

    def _tree_page(self, meta: _Meta, number: int, what: str) -> bytes:
        """Read a branch or leaf page."""
        page = self._read(number * meta.page_size, meta.page_size) if 2 <= number <= meta.last_page else b""
        if len(page) < meta.page_size:
            raise self._corrupt(f"the {what} goes on at page {number}, outside the file")
        page_number, _, flags, lower, upper = _PAGE.unpack_from(page)
        whole = _PAGE.size <= lower <= upper <= meta.page_size
        if page_number != number or flags not in (_P_BRANCH, _P_LEAF) or not whole:
            raise self._corrupt(f"page {number} of the {what} is damaged")
        return page

    def _nodes(self, meta: _Meta, page: bytes) -> Iterator[tuple[bytes, int, int, int]]:
        """Give each node of a page: key, flags, size of its data, where its data begins."""
        lower = _PAGE.unpack_from(page)[3]
        for slot in range(_PAGE.size, lower - 1, 2):
            (at,) = _SLOT.unpack_from(page, slot)
            if not lower <= at <= meta.page_size - _NODE.size:
                raise self._corrupt("a page of its roots is damaged")
            low, high, flags, key_size = _NODE.unpack_from(page, at)
            key = at + _NODE.size
            yield page[key : key + key_size], flags, low | high << 16, key + key_size

    def _read(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)

    def _corrupt(self, problem: str) -> WorldCorruptError:
        return WorldCorruptError(str(self._path), f"{problem}; restore the world from a backup")


def _words(data: bytes) -> tuple[int, ...]:
    """Unpack a list of page numbers, which its length precedes."""
    numbers = struct.unpack(f"@{len(data) // _WORD.size}N", data[: len(data) // _WORD.size * _WORD.size])
    return numbers[1:]

"""A look at a world's file before LMDB maps it.

LMDB trusts its file. A page number beyond the end of a truncated file ends the interpreter with SIGBUS, and a
page of zeros, which a power cut leaves where nothing was synced, with an assertion: no `except` helps. So this
module goes through the file with plain reads first, and refuses what LMDB could not survive: the meta pages, the
length, and every page of every table, as far as its place and its kind. Of the pages that hold rows it reads the
heads only: a million rows take 0.16 s.

What it does not see is damage among the rows of a page: an offset changed there can still crash LMDB. A file
from an unknown hand is verified first, with `lmdb.verify.verify(path)`, which reads everything.

The layout is LMDB's 0.9 data format, version 1, in the machine's own word size and byte order.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from ...workflows.errors import NotAWorldError, WorldCorruptError, WorldError

MAGIC = 0xBEEFC0DE
DATA_VERSION = 1

# N is the machine's size_t, which is also the type of page numbers.
_PAGE = struct.Struct("@NHHHH")  # page number, pad, flags, lower, upper
_TREE = struct.Struct("@IHHNNNNN")  # pad, flags, depth, branch, leaf and overflow pages, entries, root
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

_MOST_LEVELS = 32  # LMDB's own bound.
# What a sound file may lack at its end: far more than one transaction frees there.
_MOST_MISSING_PAGES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Tree:
    """Where a table begins, and how many levels of pages it has."""

    name: str
    root: int
    depth: int


@dataclass(frozen=True, slots=True)
class _Meta:
    """One meta page: the state of the file after a transaction."""

    page_size: int
    free: _Tree
    main: _Tree
    last_page: int
    transaction: int


def check_world_file(path: Path) -> frozenset[str]:
    """Check an LMDB data file and give the names of its tables.

    The caller holds the world's lock, so that nobody writes meanwhile.

    Raises:
        NotAWorldError: the file is not LMDB's.
        WorldCorruptError: it is truncated or damaged.
        WorldError: it cannot be read.
    """
    try:
        with path.open("rb", buffering=0) as file:
            return _Checker(path, file).check()
    except struct.error as error:
        raise _corrupt(path, "a field lies outside its page") from error
    except OSError as error:
        raise WorldError(str(path), f"cannot be read ({error.strerror})") from error


class _Checker:
    """The checks of one file, in the order in which each makes the next one safe."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self._path = path
        self._file = file
        self._size = file.seek(0, os.SEEK_END)

    def check(self) -> frozenset[str]:
        first = self._meta(0, offset=0)
        second = self._meta(1, offset=first.page_size)
        if second.page_size != first.page_size:
            raise self._corrupt("its two meta pages disagree on the page size")
        # LMDB goes by the later transaction; after a commit cut short that is the older page, whole as ever.
        meta = second if second.transaction > first.transaction else first
        self._check_length(meta)
        self._check_tree(meta, meta.free)
        tables = list(self._tables(meta, self._check_tree(meta, meta.main)))
        for table in tables:
            self._check_tree(meta, table)
        return frozenset(table.name for table in tables)

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
        page_size = _TREE.unpack_from(page, at)[0]
        free = _tree("free list", page, at)
        main = _tree("main table", page, at + _TREE.size)
        last_page, transaction = _META_TAIL.unpack_from(page, at + 2 * _TREE.size)
        if page_number != number or not flags & _P_META or page_size not in _PAGE_SIZES or last_page < 1:
            raise self._corrupt(f"meta page {number} is damaged")
        return _Meta(page_size, free, main, last_page, transaction)

    def _check_length(self, meta: _Meta) -> None:
        """Check that the file is as long as its meta page promises, or lacks free pages only.

        A page that one transaction takes and frees again is counted, but never written: a file that ends with
        such pages is short and sound. Their numbers are in the free list, a table from transaction to pages.
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
        for number in self._check_tree(meta, meta.free):
            page = self._page(meta, meta.free, number, _P_LEAF)
            for _, flags, size, data in self._nodes(meta, page):
                if flags & _F_BIGDATA:
                    (first,) = _WORD.unpack_from(page, data)
                    yield from _words(self._read(first * meta.page_size + _PAGE.size, size))
                else:
                    yield from _words(page[data : data + size])

    def _check_tree(self, meta: _Meta, tree: _Tree) -> list[int]:
        """Check that each page of a tree is where it should be and of the right kind; give the leaves' numbers.

        Of a leaf only the head is read: to go through all rows would cost as much as reading the world.
        """
        if tree.root == _NO_ROOT:
            return []
        level = [tree.root]
        for _ in range(1, min(tree.depth, _MOST_LEVELS)):
            below = []
            for number in level:
                page = self._page(meta, tree, number, _P_BRANCH)
                # A branch has no data: the three fields of 16 bits are the number of the page below.
                below += [size | flags << 32 for _, flags, size, _ in self._nodes(meta, page)]
            if len(below) > meta.last_page:
                raise self._corrupt(f"the {tree.name} goes in circles")
            level = below
        for number in level:
            self._page(meta, tree, number, _P_LEAF, size=_PAGE.size)
        return level

    def _tables(self, meta: _Meta, leaves: list[int]) -> Iterator[_Tree]:
        """Find the named tables: entries of the main table that describe a tree."""
        for number in leaves:
            page = self._page(meta, meta.main, number, _P_LEAF)
            for key, flags, size, data in self._nodes(meta, page):
                if flags == _F_SUBDATA and size == _TREE.size and data + size <= meta.page_size:
                    yield _tree(key.decode(errors="replace"), page, data)

    def _page(self, meta: _Meta, tree: _Tree, number: int, kind: int, *, size: int | None = None) -> bytes:
        """Read a page of a tree, or the first bytes of it."""
        size = size or meta.page_size
        page = self._read(number * meta.page_size, size) if 2 <= number <= meta.last_page else b""
        if len(page) < size:
            raise self._corrupt(f"{tree.name}: page {number} is outside the file")
        page_number, _, flags, lower, upper = _PAGE.unpack_from(page)
        # A branch with a single page below it is one that LMDB never leaves, and asserts against.
        least = _PAGE.size + (4 if kind == _P_BRANCH else 2)
        if page_number != number or flags != kind or not least <= lower <= upper <= meta.page_size:
            raise self._corrupt(f"{tree.name}: page {number} is damaged")
        return page

    def _nodes(self, meta: _Meta, page: bytes) -> Iterator[tuple[bytes, int, int, int]]:
        """Give each node of a page: key, flags, size of its data, where its data begins."""
        _, _, _, lower, upper = _PAGE.unpack_from(page)
        for slot in range(_PAGE.size, lower - 1, 2):
            (at,) = _SLOT.unpack_from(page, slot)
            if not upper <= at <= meta.page_size - _NODE.size:
                raise self._corrupt("a node is outside its page")
            low, high, flags, key_size = _NODE.unpack_from(page, at)
            key = at + _NODE.size
            yield page[key : key + key_size], flags, low | high << 16, key + key_size

    def _read(self, offset: int, size: int) -> bytes:
        if offset >= self._size:
            return b""
        self._file.seek(offset)
        return self._file.read(size)

    def _corrupt(self, problem: str) -> WorldCorruptError:
        return _corrupt(self._path, problem)


def _corrupt(path: Path, problem: str) -> WorldCorruptError:
    return WorldCorruptError(str(path), f"{problem}; restore the world from a backup")


def _tree(name: str, page: bytes, at: int) -> _Tree:
    _, _, depth, _, _, _, _, root = _TREE.unpack_from(page, at)
    return _Tree(name, root, depth)


def _words(data: bytes) -> tuple[int, ...]:
    """Unpack a list of page numbers, which its length precedes."""
    count = len(data) // _WORD.size
    return struct.unpack(f"@{count}N", data[: count * _WORD.size])[1:]

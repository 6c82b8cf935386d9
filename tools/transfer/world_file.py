"""World files: all rows of a world as lines of JSON, to look into, to keep, to carry elsewhere.

A head, a line for each row, and an end with a hash of what stands before it. Each few thousand rows a line has the hash
so far, so that a reader of a long file knows early, and about where, that it was changed.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import platform
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from ... import __version__
from ...runtime.storage.world_files import sync_directory, sync_file
from ...runtime.storage.world_format import FORMAT_VERSION
from ..output import BadInput, Tell
from .row_lines import TABLE, UNFIT, Row, dump, parse, read_row, write_line
from .table_shapes import Shape

KIND = "world"
FORMAT = 1
STANDARD = "-"
"""The name of standard input and output."""
CHECK_ROWS = 4096
"""Rows after which the hash so far is written."""
LONGEST_LINE = 1 << 28
"""Bytes; a row is a few megabytes at most."""
TELL_ROWS = 1024


class Head(NamedTuple):
    """What a file says first.

    Attributes:
        turn, now_us: the last turn of the world and its time; None where it never ran.
        tables: how many rows each table has.
    """

    turn: int | None
    now_us: int | None
    tables: dict[str, int]


class FileReport(NamedTuple):
    """A world that was written to a file, or made of one.

    Attributes:
        path: of the file, or of the world.
        turn: the last turn; 0 of a world that never ran.
        rows: how many, of all tables.
        bytes: of lines, before any compression.
        sha256: of the lines, as in the file's last one.
        seconds: how long it took.
    """

    path: str
    turn: int
    rows: int
    bytes: int
    sha256: str
    seconds: float


class Written(NamedTuple):
    """How much was written or read, and its hash."""

    rows: int
    bytes: int
    sha256: str


# -- writing -----------------------------------------------------------------------------------------------------


class LineWriter:
    """Writes the lines of a file, and hashes them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.rows = self.bytes = 0

    def head(self, head: Head) -> None:
        """Write the first line."""
        self._line(
            dump(
                {
                    "deathless": KIND,
                    "format": FORMAT,
                    "version": __version__,
                    "python": platform.python_version(),
                    "world_format": FORMAT_VERSION,
                    **head._asdict(),
                }
            )
        )

    def row(self, row: Row, shape: Shape) -> None:
        """Write the line of a row."""
        self._line(write_line(row, shape))
        self.rows += 1
        if self.rows % CHECK_ROWS == 0:
            self._line(dump({"sha256": self._digest.hexdigest()}))

    def end(self) -> Written:
        """Write the last line."""
        digest = self._digest.hexdigest()
        self._line(dump({"rows": self.rows, "sha256": digest}))
        return Written(self.rows, self.bytes, digest)

    def _line(self, line: bytes) -> None:
        line += b"\n"
        self._digest.update(line)
        self._file.write(line)
        self.bytes += len(line)


# -- reading -----------------------------------------------------------------------------------------------------


class LineReader:
    """Reads the lines of a file, and refuses with its number the first that is not as it was written."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        """Begin to read.

        Args:
            name: of the file, for messages.
            file: at its beginning.
        """
        self._name = name
        self._file = file
        self._digest = hashlib.sha256()
        self._number = 0
        # The last line whose hash was right, and the hash of all lines before the one that is read.
        self._proven = 0
        self._before = ""
        self._bytes = 0

    def head(self) -> Head:
        """Read the first line.

        Raises:
            BadInput: it is no world file, or of another format.
        """
        head = self._parsed(self._line())
        if head.get("deathless") != KIND:
            raise BadInput(f"{self._name} is no world file; `deathless export` makes one")
        for what, found, known in (
            ("format", head.get("format"), FORMAT),
            ("world_format", head.get("world_format"), FORMAT_VERSION),
        ):
            if found != known:
                raise BadInput(
                    f"{self._name} has {what} {found}, and this version of Deathless reads {known}; it was written by "
                    f"Deathless {head.get('version')}: use that"
                )
        tables = head.get("tables")
        if type(tables) is not dict or not all(type(count) is int for count in tables.values()):
            raise self._bad("the head does not count the rows of tables")
        return Head(head.get("turn"), head.get("now_us"), tables)

    def rows(self, shape_of: Callable[[str], Shape], tell: Tell, total: int) -> Iterator[Row]:
        """Go through the rows, up to the end and its hash; `written` then says how much there was.

        Raises:
            BadInput: the file was cut off, or a line was changed.
        """
        count, table, last, shape = 0, "", b"", shape_of("")
        while True:
            value = self._parsed(self._line())
            if TABLE not in value:
                if self._check(value, count):
                    return
                continue
            if value[TABLE] != table:
                table, last = value[TABLE], b""
                shape = shape_of(str(table))
            try:
                row = read_row(value, shape)
            except UNFIT as error:
                raise self._bad(f"no row of table {table!r} ({error})") from error
            if not row.key > last:
                raise self._bad(f"a row of table {table!r} that is out of order")
            last = row.key
            count += 1
            if count % TELL_ROWS == 0:
                tell(count, total)
            yield row

    def _check(self, value: Mapping[str, Any], count: int) -> bool:
        """Compare a hash; return whether it is the file's end."""
        if value.get("sha256") != self._before:
            raise BadInput(
                f"{self._name} was changed between lines {self._proven + 1} and {self._number} since it was written; "
                "export the world again"
            )
        self._proven = self._number
        if "rows" not in value:
            return False
        if value["rows"] != count:
            raise self._bad(f"{count} rows are before it, where it counts {value['rows']}")
        if self._file.readline(1):
            raise BadInput(
                f"{self._name} goes on after its end in line {self._number}; export the world again"
            )
        self.written = Written(count, self._bytes, self._before)
        return True

    def _line(self) -> bytes:
        try:
            line = self._file.readline(LONGEST_LINE)
        except (OSError, EOFError, zlib.error) as error:
            raise self._bad(f"it cannot be read ({error})", self._number + 1) from error
        self._number += 1
        if not line.endswith(b"\n"):
            what = "too long" if len(line) == LONGEST_LINE else "the file is cut off here"
            raise self._bad(what)
        # The way of Windows to end a line is none of the content: files travel.
        line = line.removesuffix(b"\n").removesuffix(b"\r")
        self._before = self._digest.hexdigest()
        self._digest.update(line + b"\n")
        self._bytes += len(line) + 1
        return line

    def _parsed(self, line: bytes) -> dict[str, Any]:
        try:
            value = parse(line)
        except UNFIT as error:
            raise self._bad(f"no line of a world file ({error})") from error
        if type(value) is not dict:
            raise self._bad("no line of a world file")
        return value

    def _bad(self, what: str, number: int | None = None) -> BadInput:
        return BadInput(f"{self._name}, line {number or self._number}: {what}; export the world again")


# -- files -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def writing(target: str) -> Iterator[IO[bytes]]:
    """Open a file for writing, compressed where its name ends in `.gz`; it gets its name when it is whole and on disk.

    Raises:
        BadInput: there is one, or it cannot be written.
    """
    if target == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    place = Path(target)
    # Its own: of two exports to one name neither writes into the other's file.
    part = Path(f"{target}.{os.getpid()}.part")
    try:
        if place.exists():
            raise BadInput(f"{place} is there already; give another name, or remove it")
        with part.open("wb") as raw, contextlib.ExitStack() as stack:
            # Without the time, so that the same world gives the same file.
            packed = stack.enter_context(gzip.GzipFile("", "wb", 6, raw, 0)) if _is_gzip(target) else raw
            # Many small writes: into a compressor each is slow.
            file = stack.enter_context(contextlib.closing(io.BufferedWriter(packed, 1 << 20)))
            yield file
        sync_file(part)
        part.rename(place)
        sync_directory(place.parent)
    except OSError as error:
        raise BadInput(f"{place} cannot be written: {error.strerror or error}") from error
    finally:
        # Where it could not be opened, it is none of ours: a directory, say.
        with contextlib.suppress(OSError):
            part.unlink()


@contextlib.contextmanager
def reading(source: str) -> Iterator[IO[bytes]]:
    """Open a file for reading, compressed where its name ends in `.gz`.

    Raises:
        BadInput: there is none, or it cannot be read.
    """
    if source == STANDARD:
        yield sys.stdin.buffer
        return
    try:
        raw = Path(source).open("rb")  # noqa: SIM115 - it is closed below.
    except OSError as error:
        raise BadInput(f"{source} cannot be read: {error.strerror}") from error
    with raw:
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if _is_gzip(source) else raw


def _is_gzip(name: str) -> bool:
    return name.endswith(".gz")

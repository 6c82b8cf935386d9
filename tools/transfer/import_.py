"""Imports: a world out of a file of JSON lines."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ...runtime.storage.store import Store
from ...runtime.storage.world_files import build_new
from ...runtime.storage.world_reader import WorldReader
from ...runtime.world_state import META
from ..output import BadInput, Tell, silent
from .row_lines import Row
from .table_shapes import shapes_of
from .world_file import FileReport, Head, LineReader, reading

BATCH_BYTES = 8 << 20
"""Bytes of rows that are written at once."""


def import_world(
    source: str | os.PathLike[str], target: str | os.PathLike[str], *, tell: Tell = silent
) -> FileReport:
    """Make a world of a file that `export_world` has written: the same rows in every table.

    The world appears under its name when all of the file is read, its hash is right, and the world is on disk.

    Args:
        source: the file, compressed where its name ends in `.gz`; "-" for standard input.
        target: a directory that is new or empty.
        tell: is told how many rows are read, and of how many.

    Raises:
        BadInput: the file is of something else, cut off or changed; the line is named.
        WorldError: the target is not empty, or cannot be written.
    """
    began, name, place = time.perf_counter(), os.fspath(source), Path(target)
    shown = "standard input" if name == "-" else name
    with reading(name) as file:
        lines = LineReader(shown, file)
        head = lines.head()
        build_new(place, lambda unfinished: _build(unfinished, lines, head, shown, tell))
    return FileReport(str(place), head.turn or 0, *lines.written, time.perf_counter() - began)


def _build(unfinished: Path, lines: LineReader, head: Head, shown: str, tell: Tell) -> None:
    counts: Counter[str] = Counter()
    meta: dict[bytes, bytes] = {}
    rows = lines.rows(shapes_of(meta), tell, sum(head.tables.values()))
    with Store.open(unfinished, durability="process") as store:
        for batch in _batches(rows, meta, counts):
            store.commit(batch)
    if counts != head.tables:
        table = min(name for name in {*counts, *head.tables} if counts[name] != head.tables.get(name, 0))
        raise BadInput(
            f"{shown} has {counts[table]} rows of table {table!r}, where its head counts {head.tables.get(table, 0)}"
        )
    # As whoever opens it will look at it.
    with WorldReader(unfinished):
        pass


def _batches(
    rows: Iterator[Row], meta: dict[bytes, bytes], counts: Counter[str]
) -> Iterator[dict[str, dict[bytes, bytes | None]]]:
    batch: dict[str, dict[bytes, bytes | None]] = {}
    size = 0
    for table, key, value in rows:
        if table == META:
            meta[key] = value
        batch.setdefault(table, {})[key] = value
        counts[table] += 1
        size += len(key) + len(value)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = {}, 0
    yield batch

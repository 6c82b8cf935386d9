"""Exports: a world into a file of JSON lines."""

from __future__ import annotations

import os
import time

from ...runtime.storage.read_view import ReadView
from ...runtime.storage.world_reader import WorldReader
from ...runtime.world_state import META, load_state
from ..output import Tell, silent
from .row_lines import Row
from .table_shapes import shapes_of
from .world_file import TELL_ROWS, FileReport, Head, LineWriter, Written, writing


def export_world(
    path: str | os.PathLike[str], target: str | os.PathLike[str], *, tell: Tell = silent
) -> FileReport:
    """Write a world, as of one commit, into a file that `import_world` makes the same world of.

    The world may be running in another process; its file grows by what it commits meanwhile. Of the commit log, rows
    have their newest values.

    Args:
        path: the world's directory.
        target: a new file, compressed where its name ends in `.gz`; "-" for standard output.
        tell: is told how many rows are written, and of how many.

    Raises:
        BadInput: the file is there already, or cannot be written.
        WorldError: the world cannot be read.
    """
    began, name = time.perf_counter(), os.fspath(target)
    with WorldReader(path) as world, world.read_view() as view, writing(name) as file:
        state = load_state(view)
        tables = {table: view.count(table) for table in view.tables()}
        tables = {table: count for table, count in tables.items() if count}
        writer = LineWriter(file)
        writer.head(
            Head(None if state is None else state.turn, None if state is None else state.now_us, tables)
        )
        written = _write_rows(view, writer, tables, tell)
    return FileReport(name, 0 if state is None else state.turn, *written, time.perf_counter() - began)


def _write_rows(view: ReadView, writer: LineWriter, tables: dict[str, int], tell: Tell) -> Written:
    shape_of, total = shapes_of(dict(view.scan(META))), sum(tables.values())
    # `meta` first: it says what the keys of a game's own tables are.
    for table in sorted(tables, key=lambda table: (table != META, table)):
        shape = shape_of(table)
        for key, value in view.scan(table):
            writer.row(Row(table, key, value), shape)
            if writer.rows % TELL_ROWS == 0:
                tell(writer.rows, total)
    return writer.end()

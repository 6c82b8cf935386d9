"""`deathless sql`: ask a world by SQL, whether it runs or not."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import click

from ...runtime.sql.json_values import SqlValue, plain
from ...runtime.sql.query import TIMEOUT_S, SqlRows, open_query
from ...runtime.storage.world_reader import WorldReader
from ...workflows.json_arguments import read_json
from ..control.errors import ControlError
from ..control.operator import find_operator
from ..durations import DURATION
from ..modules import load_registry
from ..output import records
from .asking import APP_VARIABLE, ending, server_option, token_option

MOST_SHOWN = 10_000
"""Rows of a table that people look at."""
_KEPT_IN_MEMORY = 16 << 20

EXAMPLES = """\b
Examples:
  deathless sql world.deathless "SELECT status, COUNT(*) FROM workflow GROUP BY status"
  deathless sql world.deathless "SELECT id, state->>'hp' FROM workflow WHERE entity_id = ?" -p 42
  deathless sql world.deathless "SELECT * FROM workflow" --json > workflows.json
  deathless sql world.deathless - < report.sql

\b
Tables: workflow, workflow_timer, workflow_event (the audit log), workflow_history, world, and the game's own by
their names. docs/reference/sql.md has their columns."""


@click.command(epilog=EXAMPLES)
@click.argument("world")
@click.argument("query")
@click.option(
    "-p", "--param", "params", multiple=True, help="A value for the next ? in the query: JSON, or a text."
)
@click.option("--json", "as_json", is_flag=True, help="Write an array of objects, one a line.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV with a line of headings.")
@click.option("--timeout", type=DURATION, default=TIMEOUT_S, help="How long it may take, 60s by default.")
@click.option(
    "--app",
    "modules",
    multiple=True,
    envvar=APP_VARIABLE,
    metavar="MODULE",
    help="Code to judge held_reason by: a module, or a .py file.",
)
@server_option
@token_option
def command(
    world: str,
    query: str,
    params: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
    timeout: float,
    modules: tuple[str, ...],
    server: str | None,
    token: str | None,
) -> int:
    """Run QUERY, one SELECT, over WORLD as of its last commit, and write what it gives.

    QUERY is "-" to read it from standard input. A world that runs is not disturbed; it grows a little while the query
    is under way. Nothing can be written.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv are two forms; give one of them")
    text = sys.stdin.read() if query == "-" else query
    values = [_value(param) for param in params]
    write = _write_json if as_json else _write_csv if as_csv else None
    columns: tuple[str, ...] = ()
    rows: list[tuple[SqlValue, ...]] = []
    # Into a file of their own, and then out: whoever reads slowly keeps no reader of the world open.
    with tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY, "w+", encoding="utf-8", newline="") as spool:
        asked = (
            _asked_here(world, text, values, modules, timeout)
            if server is None
            else _asked_there(world, text, values, server, token, timeout)
        )
        with asked as found:
            if write is not None:
                write(found, spool)
            else:
                columns, rows = found.columns, list(islice(found.rows, MOST_SHOWN + 1))
        spool.seek(0)
        shutil.copyfileobj(spool, sys.stdout)
    if write is None:
        records(columns, [[_cell(value) for value in row] for row in rows[:MOST_SHOWN]])
    if len(rows) > MOST_SHOWN:
        click.echo(f"... only {MOST_SHOWN:,} rows are shown; give --json or --csv for all of them", err=True)
    return 0


@contextlib.contextmanager
def _asked_here(
    world: str, query: str, values: list[Any], modules: tuple[str, ...], timeout: float
) -> Iterator[SqlRows]:
    registry = load_registry(modules) if modules else None
    with (
        WorldReader(world) as reader,
        reader.read_view() as view,
        open_query(view, query, values, registry=registry, timeout=timeout) as found,
    ):
        yield found


@contextlib.contextmanager
def _asked_there(
    world: str, query: str, values: list[Any], server: str, token: str | None, timeout: float
) -> Iterator[SqlRows]:
    try:
        operator = find_operator(world, server=server, token=token, timeout=timeout)
        answer = operator.do("sql", query=query, params=values)
    except ControlError as error:
        raise ending(error) from None
    yield SqlRows(tuple(answer["columns"]), map(tuple, answer["rows"]))


def _write_json(found: SqlRows, file: IO[str]) -> None:
    before = "["
    for row in found.rows:
        fields = {name: plain(value) for name, value in zip(found.columns, row, strict=True)}
        file.write(f"{before}\n{json.dumps(fields, ensure_ascii=False)}")
        before = ","
    file.write("[]\n" if before == "[" else "\n]\n")


def _write_csv(found: SqlRows, file: IO[str]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(found.columns)
    writer.writerows(
        [value.hex() if isinstance(value, bytes) else value for value in row] for row in found.rows
    )


def _value(text: str) -> Any:
    try:
        return read_json(text)
    except (ValueError, RecursionError):
        return text


def _cell(value: SqlValue) -> str:
    if value is None:
        return ""
    return value.hex() if isinstance(value, bytes) else str(value)

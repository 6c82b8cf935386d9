"""What commands print: tables for people, JSON for scripts, one line for bad input."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

_PLAIN_WIDTH = 1000
"""Most columns of a table that goes into a file or a pipe, where nothing should be folded."""
_GAP = 3
"""Columns between two of a table."""


Tell = Callable[[int, int], None]
"""(done, of): hears how far long work is."""


def silent(_done: int, _of: int) -> None:
    """Be told, and say nothing."""


class BadInput(click.ClickException):
    """Ends a command with one line on standard error and exit code 2."""

    exit_code = 2


class NotDone(click.ClickException):
    """Ends a command with one line on standard error and exit code 1: the input was right, and the answer is no."""

    exit_code = 1


def silence_log() -> None:
    """Keep what worlds log out of a command's output: workflows that run again have said it before."""
    # It takes long to import; see `runtime.log`.
    import structlog  # noqa: PLC0415

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def print_json(value: Any) -> None:
    """Write a value as JSON to standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def counted(count: int, what: str) -> str:
    """Return a count with its noun: `1 timer`, `2,000 timers`."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def short_path(file: str) -> str:
    """Return a path as it is seen from here, where it is below."""
    here = Path.cwd()
    return str(Path(file).relative_to(here)) if Path(file).is_relative_to(here) else file


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table to standard output. Cells may span lines; they are shown as they are, brackets included."""
    # Only where a table is drawn: rich takes longer to import than a command to run.
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(width=width())
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)


def width() -> int:
    """Return how many columns there are to write in."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _PLAIN_WIDTH


def records(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows as a table where all of it stands side by side; else each as lines of a heading and a cell."""
    widest = [max((len(cell) for cell in cells), default=0) for cells in zip(headings, *rows, strict=True)]
    if sum(widest) + _GAP * len(widest) <= width():
        table(headings, rows)
        return
    margin = max(map(len, headings))
    for number, row in enumerate(rows, 1):
        click.echo(f"-- row {number} " + "-" * max(0, margin - len(str(number))))
        for heading, cell in zip(headings, row, strict=True):
            click.echo(f"{heading:{margin}}  {cell}".rstrip())


@contextlib.contextmanager
def progress(what: str) -> Iterator[Tell]:
    """Show how far long work is, on standard error, where that is a terminal; give a function to tell it.

    Args:
        what: the work, in a word or two.
    """
    if not sys.stderr.isatty():
        yield silent
        return
    # Only where it is shown: rich takes longer to import than a command to run.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what)
        yield lambda done, of: shown.update(task, completed=done, total=max(1, of))

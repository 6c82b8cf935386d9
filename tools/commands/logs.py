"""`deathless logs`: what a world has logged, and goes on to log."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..logs.configuration import LEVELS
from ..logs.follow import follow_log
from ..logs.log_files import LogLine, log_files, log_path, read_log
from ..output import BadInput

FOLLOWED_LINES = 10

EXAMPLES = """\b
Examples:
  deathless logs my-world --num-lines 1000
  deathless logs my-world --follow
  deathless logs my-world --level warning
  deathless logs my-world --workflow 12 --json | jq .event
  deathless logs my-world | grep initialized
"""


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path(path_type=Path))
@click.option(
    "-n",
    "--num-lines",
    type=click.IntRange(min=0),
    help=f"The newest so many lines; by default all, and with --follow {FOLLOWED_LINES}.",
)
@click.option(
    "-f", "--follow", is_flag=True, help="Go on with what is written, until Ctrl-C (exit code 130)."
)
@click.option("--level", type=click.Choice(LEVELS), help="Only lines of this level and above.")
@click.option("--workflow", "workflow_id", type=int, metavar="ID", help="Only lines of this workflow.")
@click.option(
    "--json", "as_json", is_flag=True, help="Write the lines as they are stored, one JSON object each."
)
def command(
    world: Path,
    num_lines: int | None,
    follow: bool,
    level: str | None,
    workflow_id: int | None,
    as_json: bool,
) -> int:
    """Show the log of WORLD: WORLD/logs/deathless.jsonl and the files that were put aside, oldest line first.

    `deathless run` writes it, and a game that calls `configure_log` of deathless.tools.logs. A line that is no JSON
    object is shown as it is, unless a workflow is asked for.
    """
    _require_log(world, follow=follow)
    wanted = _filter(level, workflow_id)
    write = _writer(as_json=as_json)
    last = FOLLOWED_LINES if follow and num_lines is None else num_lines
    try:
        # Begun before the old lines are read: what is written meanwhile is rather shown twice than not at all.
        lines = follow_log(world) if follow else None
        for line in read_log(world, last=last, wanted=wanted):
            write(line)
        for line in lines or ():
            if wanted(line):
                write(line)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise BadInput(f"{error.filename or log_path(world)}: cannot be read ({error.strerror})") from error
    return 0


def _require_log(world: Path, *, follow: bool) -> None:
    if not world.is_dir():
        raise BadInput(f"{world}: there is no such directory; give the path of a world")
    path = log_path(world)
    if not follow and not log_files(path):
        raise BadInput(
            f"{path}: there is no log; `deathless run` writes one, and a game that calls "
            "configure_log(world) of deathless.tools.logs"
        )


def _filter(level: str | None, workflow_id: int | None) -> Callable[[LogLine], bool]:
    """Return what says whether a line is wanted; a line without a level may be part of any."""
    least = 0 if level is None else LEVELS.index(level)

    def wanted(line: LogLine) -> bool:
        fields = line.fields
        if fields is None:
            return workflow_id is None
        named = fields.get("level")
        high = named not in LEVELS or LEVELS.index(named) >= least
        return high and workflow_id in (None, fields.get("workflow_id"))

    return wanted


def _writer(*, as_json: bool) -> Callable[[LogLine], None]:
    if as_json:
        return lambda line: click.echo(line.text)
    # It takes long to import; see `runtime.log`.
    import structlog  # noqa: PLC0415

    render = structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())

    def write(line: LogLine) -> None:
        fields = line.fields
        if fields is None or not _is_renderable(fields):
            click.echo(line.text)
        else:
            # The renderer takes the fields apart that it is given.
            # A half of a surrogate pair, which JSON can name, has no form that could be written.
            click.echo(render(None, "", fields).encode("utf-8", "backslashreplace").decode("utf-8"))

    return write


def _is_renderable(fields: dict[str, Any]) -> bool:
    """Say whether an object is a line of a log: anybody may have written into the file."""
    return "event" in fields and all(isinstance(fields.get(name, ""), str) for name in _TEXTS)


_TEXTS = ("event", "level", "timestamp", "logger", "exception", "stack")

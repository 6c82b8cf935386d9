"""`deathless init`: a starter game that runs and tests at once."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import click

from ..output import BadInput, short_path
from ..starter import create_game

EXAMPLES = """\b
Examples:
  deathless init my_game
  deathless init my_game --into ~/games
"""


@click.command(epilog=EXAMPLES)
@click.argument("name")
@click.option(
    "--into", default=".", metavar="DIR", help="Make it in this directory, else in the current one."
)
def command(name: str, into: str) -> int:
    """Make a small game of the name NAME: workflows, a game loop, tests.

    NAME is that of its Python package, and of the folder that it is made in: letters, digits and _. A folder that
    exists must be empty.
    """
    try:
        place = create_game(name, Path(into).expanduser())
    except OSError as error:
        raise BadInput(f"{name} cannot be made in {into}: {error.strerror or error}") from error
    click.echo(f"{short_path(str(place.resolve()))} is a game. Now:")
    for line in next_commands(place, name):
        click.echo(f"  {line}")
    return 0


def next_commands(place: Path, name: str) -> list[str]:
    """Return what to type next: go there, play, test."""
    return [_line("cd", short_path(str(place.resolve()))), "python -m " + name, "python -m pytest"]


def _line(*words: str) -> str:
    """Return a command as one types it into the shell of this system."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)

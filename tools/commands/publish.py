"""`deathless publish`: code meets a world."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from ...runtime.registration import registry_of
from ...runtime.storage.world_files import has_data, os_errors
from ..control.errors import ControlError
from ..control.operator import find_operator
from ..fit import UnfitCodeError
from ..modules import load_modules, registered_in
from ..output import BadInput, NotDone, counted, print_json, silence_log
from ..publish import Published, clear, publish
from .asking import app_option, ending, json_option, server_option, timeout_option, token_option, world_path

EXAMPLES = """\b
Examples:
  deathless publish world.deathless --app game.npcs
  deathless publish world.deathless --app game.npcs --clear-database --yes
  deathless publish village --data-dir /var/lib/game --app game.npcs --clock game
  deathless publish village --server https://game.example

\b
Exit codes:
  0  the world has the code: it is made, or it fits, and a running one has loaded it
  1  workflows would be held, or the running world refused; nothing has changed
  2  bad input; nothing has changed
"""


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@app_option
@click.option("--data-dir", metavar="DIR", help="WORLD is a name in this directory.")
@click.option(
    "--clear-database", is_flag=True, help="Delete all that is in the world first. It must not be running."
)
@click.option("--yes", is_flag=True, help="Do not ask before --clear-database.")
@click.option("--force", is_flag=True, help="Go on where workflows would be held; nothing of those is lost.")
@click.option("--clock", type=click.Choice(["wall", "game"]), help="Of a new world; wall by default.")
@server_option
@token_option
@timeout_option
@json_option
def command(
    world: str,
    app: tuple[str, ...],
    data_dir: str | None,
    clear_database: bool,
    yes: bool,
    force: bool,
    clock: str | None,
    server: str | None,
    token: str | None,
    timeout: float,
    as_json: bool,
) -> int:
    """Give WORLD the code of the modules: make it where there is none, else check that the code fits what it holds.

    A process that runs the world loads its own modules from their files, between two turns; with --server it checks the
    fit too. Where the code would hold workflows, as `deathless check` lists them, nothing is changed.
    """
    silence_log()
    path = Path(world_path(world, data_dir))
    if server is not None and clear_database:
        raise BadInput(
            "--clear-database is done where the world is, while nobody runs it; leave --server out"
        )
    if server is None and not app:
        raise BadInput("a world is given code: give --app MODULE, or set DEATHLESS_APP")
    # What modules print in this process must not get between the lines of the answer.
    with contextlib.redirect_stdout(sys.stderr):
        modules = [] if server is not None else load_modules(app)
    # Before anything is deleted: two workflows of one name, say.
    registry_of(registered_in(modules))
    if clear_database and not _clear(path, yes=yes):
        return 1
    operator = None if server is None else find_operator(path, server=server, token=token, timeout=timeout)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            done = publish(path, modules, clock=clock, force=force, operator=operator, timeout=timeout)
    except UnfitCodeError as error:
        raise NotDone(str(error)) from None
    except ControlError as error:
        raise ending(error) from None
    if as_json:
        print_json({"world": server or str(path), **done._asdict(), "cleared": clear_database})
    else:
        click.echo(f"{server or path}: {_said(done)}")
    return 0


def _clear(path: Path, *, yes: bool) -> bool:
    """Empty a world, if there is one and that is wanted; return whether it is empty."""
    with os_errors(path):
        if not has_data(path):
            return True
    if not yes:
        if not sys.stdin.isatty():
            raise BadInput(f"{path}: nobody can be asked whether to delete all that is in it; give --yes")
        if not click.confirm(f"Delete all workflows, tables and history in {path}?", err=True):
            click.echo("Nothing was changed.", err=True)
            return False
    clear(path)
    return True


def _said(done: Published) -> str:
    if done.made:
        return "a new world"
    fits = ""
    if done.workflows is not None:
        go = "goes" if done.workflows == 1 else "go"
        fits = f"{counted(done.workflows, 'workflow')} {go} on with this code"
    if done.reloaded:
        return f"{fits}; the running world has loaded it" if fits else "the running world has loaded its code"
    return fits or "opened with this code"

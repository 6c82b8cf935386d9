"""`deathless run`: a world runs by itself and takes commands, until it is told to end."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ...runtime.storage.world_files import require_place
from ...runtime.storage.world_lock import owner_of
from ...workflows.definition import MOST_KEPT
from ...workflows.errors import WorldInUse
from ..control.server import ANY_PORT, listen, require_servable, split_address
from ..durations import DURATION
from ..headless import run_world
from ..interrupts import Interrupts
from ..logs.configuration import LEVELS, configure_log
from ..modules import load_modules
from ..output import BadInput
from .asking import app_option, token_option, world_path

EXAMPLES = """\b
Examples:
  deathless run world.deathless --app game.npcs
  deathless run world.deathless --app game.npcs --listen-addr 0.0.0.0:3000
  deathless run village --data-dir /var/lib/game --app game.npcs --prune-after 7d --history 100
  deathless run world.deathless --app game.npcs --audit-log --log-format json
  deathless run world.deathless --app game/npcs.py --until-idle

\b
Exit codes:
  0  it was told to end, by SIGINT, SIGTERM or --for, and the world is closed
  2  bad input, such as a world that another process runs
"""


def _finite(_: click.Context, __: click.Parameter, number: float) -> float:
    """Refuse what a range of click lets through."""
    if not math.isfinite(number):
        raise click.BadParameter(f"{number} is not a number of turns a second; write for example 60")
    return number


def _recorded(_: click.Context, __: click.Parameter, text: str) -> str | int:
    """Read what `history=` of `Runtime` takes."""
    if text in ("off", "all"):
        return text
    if not text.isdecimal() or not 1 <= int(text) <= MOST_KEPT:
        raise click.BadParameter(f"it is off, all or a number from 1 to {MOST_KEPT:,}, not {text!r}")
    return int(text)


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@app_option
@click.option("--data-dir", metavar="DIR", help="WORLD is a name in this directory.")
@click.option(
    "--listen-addr",
    metavar="HOST:PORT",
    default=ANY_PORT,
    help="Where it takes commands; a free port of this computer by default.",
)
@token_option
@click.option("--clock", type=click.Choice(["wall", "game"]), help="Of a new world; wall by default.")
@click.option(
    "--hz",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    callback=_finite,
    help="Turns a second; 60.",
)
@click.option(
    "--durability", type=click.Choice(["power", "process"]), default="power", help="What commits survive."
)
@click.option("--commit-every", type=DURATION, default=0.0, help="Between commits; 0s commits each turn.")
@click.option(
    "--history", default="off", callback=_recorded, metavar="off|all|N", help="Steps to record; off."
)
@click.option("--prune-after", type=DURATION, help="Delete what ended so long ago, looked at once a minute.")
@click.option("--audit-log", is_flag=True, help="Keep an audit log: what becomes of each workflow.")
@click.option(
    "--log-format",
    type=click.Choice(["console", "json", "off"]),
    default="console",
    help="Of standard error.",
)
@click.option(
    "--log-level", type=click.Choice(LEVELS), default="info", help="The least that is logged; info."
)
@click.option(
    "--log-file/--no-log-file",
    default=True,
    help="Whether to write WORLD/logs too, as by default; see `logs`.",
)
@click.option("--for", "seconds", type=DURATION, help="End after this time.")
@click.option(
    "--until-idle", is_flag=True, help="End as soon as no message waits, whatever timers there are."
)
def command(
    world: str,
    app: tuple[str, ...],
    data_dir: str | None,
    listen_addr: str,
    token: str | None,
    clock: str | None,
    hz: float,
    audit_log: bool,
    log_format: Any,
    log_level: str,
    log_file: bool,
    seconds: float | None,
    until_idle: bool,
    **options: Any,
) -> int:
    """Run WORLD, made where there is none, with the workflows of the modules, and take commands for it.

    It is the server of a world without a game around it; a game that has its own loop takes commands with
    `deathless.tools.control.serve`. Where it listens is in WORLD/control.json, for the eyes of this user only, and the
    other commands find it there.
    """
    if not app:
        raise BadInput("a world runs its code: give --app MODULE, or set DEATHLESS_APP")
    # All that can be refused, before the first file is written.
    split_address(listen_addr)
    require_servable(token)
    modules = load_modules(app)
    path = Path(world_path(world, data_dir))
    _require_free(path)
    with (
        listen(listen_addr) as listener,
        _log(path, log_format, log_level, file=log_file),
        Interrupts() as interrupts,
    ):
        run_world(
            path,
            modules,
            stopped=lambda: interrupts.asked,
            clock=clock,
            address=listener,
            token=token,
            hz=hz,
            seconds=seconds,
            until_idle=until_idle,
            audit=audit_log,
            **options,
        )
    return 0


def _require_free(path: Path) -> None:
    """Check that nobody runs the world: its port is taken then, and its log is written by another process.

    Raises:
        WorldInUse: a process runs it.
    """
    owner = owner_of(path) if path.is_dir() else None
    if owner is not None:
        raise WorldInUse(str(path), f"owned by {owner}; close it there first")


@contextlib.contextmanager
def _log(path: Path, shown: Any, level: str, *, file: bool) -> Iterator[None]:
    """Log as the options say; not into what is no world."""
    require_place(path, create=True)
    try:
        end = configure_log(path, format=None if shown == "off" else shown, file=file, level=level)
    except OSError as error:
        raise BadInput(f"{error.filename or path}: the log cannot be written ({error.strerror})") from None
    try:
        yield
    finally:
        end()

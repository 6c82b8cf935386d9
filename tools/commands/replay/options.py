"""What the commands of `deathless replay` take alike: the world, the code, and a moment in its past."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ...modules import load_registry
from ...output import BadInput
from ...replay.saved_world import SavedWorld
from ...replay.world_times import WorldTimes

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

ID = click.IntRange(1, 2**64 - 1)
TURN = click.IntRange(0, 2**64 - 2)

world_argument = click.argument("world", type=click.Path())
workflow_argument = click.argument("workflow_id", metavar="ID", type=ID)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
code_option = click.option(
    "--code",
    "modules",
    metavar="MODULE",
    multiple=True,
    help="A module with the world's code, dotted or a .py file; may be given again. It is imported.",
)
turn_option = click.option("--turn", metavar="T", type=TURN, help="At the end of this turn.")
at_option = click.option(
    "--at", metavar="TIME", help="At this time: seconds of world time, or a date (ISO 8601) on a wall clock."
)


def open_world(world: str, modules: tuple[str, ...] = ()) -> SavedWorld:
    """Open a world with the code of some modules.

    Raises:
        BadInput: a module that cannot be imported.
        WorldError: as `SavedWorld` raises.
    """
    return SavedWorld(world, load_registry(modules) if modules else None)


def turn_of(saved: SavedWorld, turn: int | None, at: str | None) -> tuple[int | None, float | None]:
    """Return the turn that was asked for by its number or a time, None for now, and the time if one was given.

    Raises:
        BadInput: both are given, or the time is none.
        HistoryError: no turn of that time is kept.
    """
    if at is None:
        return turn, None
    if turn is not None:
        raise BadInput("give --turn or --at, not both")
    try:
        seconds = WorldTimes(saved.state).parse(at)
    except ValueError as error:
        raise BadInput(f"--at {error}") from None
    return saved.turn_at(seconds), seconds

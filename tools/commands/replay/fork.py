"""`deathless replay fork`: a new world as one was at a turn."""

from __future__ import annotations

import click

from ...modules import load_registry
from ...output import BadInput, print_json, progress, silence_log
from ...replay.changes import parse_changes
from ...replay.fork import ForkReport, fork
from ...replay.rerun import require_types, rerun
from ...replay.saved_world import SavedWorld
from .options import at_option, turn_of, turn_option

EXAMPLES = """\b
Examples:
  deathless replay fork world.deathless --turn 3600 what-if.deathless
  deathless replay fork world.deathless --turn 3600 --set 42.hp=1 what-if.deathless
  deathless replay fork world.deathless --turn 3600 again.deathless --rerun --code game.npcs
  deathless replay compare world.deathless what-if.deathless

\b
Exit codes:
  0  done; with --rerun: each turn did what it did before
  1  with --rerun: one did not
  2  bad input, or a part of the history that is not kept
"""


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@click.argument("target", metavar="NEWDIR", type=click.Path())
@turn_option
@at_option
@click.option(
    "--set",
    "changes",
    metavar="ID.NAME=VALUE",
    multiple=True,
    help="Give a local variable of a workflow another value, in JSON; @F.NAME for that of its Fth routine.",
)
@click.option("--rerun", "again", is_flag=True, help="Run on with the inputs that WORLD was given.")
@click.option("--code", "modules", metavar="MODULE", multiple=True, help="What the game runs.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(
    world: str,
    target: str,
    turn: int | None,
    at: str | None,
    changes: tuple[str, ...],
    modules: tuple[str, ...],
    *,
    again: bool,
    as_json: bool,
) -> int:
    """Make NEWDIR a world as WORLD was at the end of a turn, to run on with other inputs.

    All of WORLD must have been recorded since then (Runtime(history="all")). WORLD is only read, and may be running
    meanwhile. Open the new world as any other; activities that had not ended are begun again.
    """
    if again and not modules:
        raise BadInput("--rerun runs code: give it with --code")
    registry = load_registry(modules) if modules else None
    silence_log()
    with SavedWorld(world, registry) as saved:
        chosen, _ = turn_of(saved, turn, at)
        if again:
            require_types(saved, saved.state.turn if chosen is None else chosen)
        report = fork(
            saved, saved.state.turn if chosen is None else chosen, target, changes=parse_changes(changes)
        )
        different = _run_on(saved, report) if again else None
    if as_json:
        print_json({**report._asdict(), "path": str(report.path), "first_different_turn": different})
    else:
        click.echo(
            f"{report.path}: {report.workflows:,} workflows, as of turn {report.turn}, {report.now:g} s"
        )
        if again:
            said = (
                "each turn did what it did before"
                if different is None
                else f"turn {different} did something else"
            )
            click.echo(f"ran on to turn {saved_turn(target)}: {said}")
    return 0 if different is None else 1


def saved_turn(path: str) -> int:
    """Return the last turn of a world."""
    with SavedWorld(path) as world:
        return world.state.turn


def _run_on(world: SavedWorld, report: ForkReport) -> int | None:
    """Run the fork on with the other inputs; return the first turn that differs, or None."""
    state = world.state
    turns = world.history.turns(report.turn)
    different = None
    with progress("running on") as tell:
        for again in rerun(
            report.path, world.registry, turns, clock=state.clock, limits=world.history.limits()
        ):
            turn = again.turn.record.turn
            tell(turn - report.turn, state.turn - report.turn)
            if different is None and not again.same:
                different = turn
    return different

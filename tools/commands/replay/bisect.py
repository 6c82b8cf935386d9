"""`deathless replay bisect`: the first turn, workflow and variable at which two recordings part."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from ....workflows.errors import HistoryError
from ...modules import load_registry
from ...output import BadInput, print_json, progress, silence_log
from ...replay.fork import fork
from ...replay.parting import Parting, find_parting
from ...replay.rerun import require_types, rerun
from ...replay.saved_world import SavedWorld

EXAMPLES = """\b
Examples:
  deathless replay bisect world.deathless other.deathless
  deathless replay bisect world.deathless --code game/npcs.py
  deathless replay bisect world.deathless --code game.npcs --from-turn 3600 --json

\b
Exit codes:
  0  they do not part
  1  they do
  2  bad input, or a part of the history that is not kept
"""
SHOWN = 5


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@click.argument("other", type=click.Path(), required=False)
@click.option(
    "--code",
    "modules",
    metavar="MODULE",
    multiple=True,
    help="Run WORLD's turns again with this code, and compare with that; in place of OTHER.",
)
@click.option("--from-turn", "from_turn", metavar="T", type=int, help="With --code: begin after this turn.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(
    world: str, other: str | None, modules: tuple[str, ...], from_turn: int | None, *, as_json: bool
) -> int:
    """Find the first turn of WORLD that differs from OTHER, or from a run of the same inputs with other code.

    OTHER is a world of the same past: a copy that ran on, a fork, the same game on another machine. A run again takes
    place in a temporary world; it begins where WORLD's history does, and all of WORLD must be recorded
    (Runtime(history="all")). Both are only read.
    """
    if (other is None) == (not modules):
        raise BadInput("give either another world or --code, the modules to run the same inputs with")
    registry = load_registry(modules) if modules else None
    silence_log()
    with SavedWorld(world, registry) as one:
        if other is not None:
            with SavedWorld(other) as two:
                parting = _compared(one, two)
        else:
            assert registry is not None
            with tempfile.TemporaryDirectory(prefix="deathless-bisect-") as scratch:
                place = Path(scratch) / "again"
                _run_again(one, from_turn, place)
                with SavedWorld(place, registry) as two:
                    parting = _compared(one, two)
    if as_json:
        print_json({"parting": None if parting is None else parting._asdict()})
    else:
        print_parting(parting, world, other or "the run with the given code")
    return 0 if parting is None else 1


def _run_again(world: SavedWorld, from_turn: int | None, place: Path) -> None:
    known = world.history.known_from(None)
    if known is None:
        raise HistoryError(
            f"{world.reader.path}: its steps are not all recorded; give history='all' to Runtime, and let it run"
        )
    begin = known if from_turn is None else from_turn
    state = world.state
    require_types(world, begin)
    fork(world, begin, place)
    turns = world.history.turns(begin)
    with progress("running again") as tell:
        for again in rerun(place, world.registry, turns, clock=state.clock, limits=world.history.limits()):
            tell(again.turn.record.turn - begin, state.turn - begin)


def _compared(one: SavedWorld, two: SavedWorld) -> Parting | None:
    last = min(one.state.turn, two.state.turn)
    with progress("comparing") as tell:
        return find_parting(one, two, lambda turn: tell(turn, last))


def print_parting(parting: Parting | None, world: str, other: str) -> None:
    """Say where two worlds part."""
    if parting is None:
        click.echo(f"{world} and {other} do not part")
        return
    click.echo(f"they part in turn {parting.turn}, at {parting.now:g} s")
    if parting.inputs:
        click.echo(f"  inputs: {parting.inputs}")
    if parting.workflow_id is not None:
        click.echo(f"  workflow {parting.workflow_id} ({parting.type})")
    for path, mine, yours in parting.differences[:SHOWN]:
        click.echo(f"    {path} is {mine} in {world}, and {yours} in {other}")
    if parting.workflow_id is None and not parting.inputs and not parting.differences:
        click.echo("  its hash differs; which workflow does, only recorded steps would say (history='all')")

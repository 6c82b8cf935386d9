"""`deathless replay verify`: run recorded steps again, and say where they come to something else."""

from __future__ import annotations

import os
import time

import click

from ....workflows.errors import HistoryError
from ...modules import load_registry
from ...output import print_json, progress
from ...replay.findings import described
from ...replay.saved_world import SavedWorld
from ...replay.verification import Verification, verify_in_parallel, verify_workflow, verify_world
from .options import ID

EXAMPLES = """\b
Examples:
  deathless replay verify world.deathless --code game.npcs
  deathless replay verify world.deathless 42 --code game/npcs.py
  deathless replay verify world.deathless --code game.npcs --json | jq '.findings[0]'

\b
Exit codes:
  0  every step comes to the state that was recorded
  1  one does not
  2  bad input, or code that cannot run a recorded step
"""
SHOWN = 5
"""Workflows that are listed; with --json, all are."""


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@click.argument("workflow_id", metavar="[ID]", type=ID, required=False)
@click.option(
    "--code",
    "modules",
    metavar="MODULE",
    multiple=True,
    required=True,
    help="Dotted name, or path of a .py file, of what the game runs. May be given several times.",
)
@click.option("--processes", type=click.IntRange(1, 256), help="How many; by default one for each core.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(
    world: str, workflow_id: int | None, modules: tuple[str, ...], processes: int | None, *, as_json: bool
) -> int:
    """Run each recorded step of WORLD again with the code of the modules, and compare what it comes to.

    Steps are recorded with Runtime(history="all") or @workflow(history="all"). A step is run by itself: from the state
    that it began on, with the message, the time and the answers that it had. Differences are the code's doing: it has
    changed, or what it does is not the same each time. The world is only read, and may be running meanwhile.
    """
    registry = load_registry(modules)
    began = time.perf_counter()
    with SavedWorld(world, registry) as saved:
        history = saved.history
        if next(history.turn_steps(), None) is None and next(history.all_last_steps(), None) is None:
            raise HistoryError(
                f"{world}: no steps are recorded; give history='all' to Runtime or to @workflow, and let it run"
            )
        if workflow_id is not None:
            if saved.row(workflow_id) is None:
                saved.row(workflow_id, saved.state.turn)
            found = verify_workflow(saved, workflow_id)
        elif (processes or os.cpu_count() or 1) == 1:
            with progress("verifying") as tell:
                found = verify_world(saved, tell)
        else:
            found = None
    if found is None:
        with progress("verifying") as tell:
            found = verify_in_parallel(world, modules, processes or os.cpu_count() or 1, tell)
    took_s = time.perf_counter() - began
    if as_json:
        print_json(
            {
                **found._asdict(),
                "findings": [finding._asdict() for finding in found.findings],
                "seconds": took_s,
            }
        )
    else:
        _print(found, took_s)
    return 1 if found.findings else 2 if found.unfit else 0


def _print(found: Verification, took_s: float) -> None:
    rate = found.steps / took_s if took_s else 0.0
    click.echo(
        f"{found.steps:,} steps of {found.workflows:,} workflows run again in {took_s:.1f} s, {rate:,.0f} a second"
    )
    if found.moved:
        click.echo(f"{found.moved:,} of them came to the same state in other code")
    for finding in found.findings[:SHOWN]:
        click.echo(f"\n{described(finding)}")
    if len(found.findings) > SHOWN:
        click.echo(f"\n... and {len(found.findings) - SHOWN:,} more workflows")
    for workflow_id, turn, reason in found.unfit[:SHOWN]:
        click.echo(f"Error: workflow {workflow_id} cannot run its step of turn {turn}: {reason}", err=True)
    if len(found.unfit) > SHOWN:
        click.echo(f"... and {len(found.unfit) - SHOWN:,} more workflows", err=True)
    if not found.findings and not found.unfit:
        click.echo("all as recorded")

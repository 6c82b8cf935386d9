"""`deathless doctor`: whether a world is what it should be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from ..doctor import Finding
from ..modules import load_types
from ..output import print_json, progress

EXAMPLES = """\b
Examples:
  deathless doctor world.deathless
  deathless doctor world.deathless --app game.npcs
  deathless doctor world.deathless --json | jq -r '.findings[].what'
  deathless doctor world.deathless --repair

\b
Exit codes:
  0  the world is sound
  1  there are findings; with --repair: there still are
  2  bad input: no world, or with --repair one that somebody runs
"""


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@click.option(
    "--repair", is_flag=True, help="Make the indexes again of the workflows' rows. Nobody may run WORLD."
)
@click.option(
    "--app",
    "modules",
    metavar="MODULE",
    multiple=True,
    envvar="DEATHLESS_APP",
    help="Say also which workflows this code would hold: a dotted name, or the path of a .py file.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(world: str, modules: tuple[str, ...], *, repair: bool, as_json: bool) -> int:
    """Examine all of WORLD: each row decodes, and what belongs together agrees.

    Timers are due when their workflows wait for it, parents have their children and children their parents, activities
    those who asked for them, indexes what the rows say, and the history is whole. WORLD is only read, as of its last
    commit, and may be running meanwhile; its file grows by what it commits until this is done.

    --repair makes again what follows from the rest: the four indexes, and that of the history when the world is next
    opened. It never touches a row of a workflow.
    """
    types = load_types(modules) if modules else None
    findings = _examine(world, types)
    repaired = None
    if repair:
        repaired = _repair(world, findings, quiet=as_json)
        if repaired is not None:
            findings = _examine(world, types)
    if as_json:
        print_json(
            {
                "sound": not findings,
                "findings": [finding.as_json() for finding in findings],
                "repaired": repaired,
            }
        )
    else:
        _print(world, findings)
    return 1 if findings else 0


def _examine(world: str, types: Any) -> list[Finding]:
    from ..doctor import examine_world  # noqa: PLC0415

    with progress("examining") as tell:
        return examine_world(world, types, tell=tell)


def _repair(world: str, findings: Iterable[Finding], *, quiet: bool) -> dict[str, Any] | None:
    """Make the indexes again, if there is a finding in one; return what was done."""
    from ..doctor import REPAIR, repair_world  # noqa: PLC0415

    tables = sorted({finding.table for finding in findings if finding.remedy == REPAIR})
    if not tables:
        return None
    if not quiet:
        _print(world, findings)
        click.echo(f"repairing: {', '.join(tables)} of {world}, by the rows of its workflows")
    with progress("repairing") as tell:
        done = repair_world(world, tell=tell)
    if not quiet:
        for table in tables:
            added, removed = done.added.get(table, 0), done.removed.get(table, 0)
            click.echo(f"  {table}: {added} added, {removed} removed")
    return done._asdict()


def _print(world: str, findings: Iterable[Finding]) -> None:
    count = 0
    for finding in findings:
        count += 1
        click.echo(str(finding))
    click.echo(f"{world}: {'sound' if not count else f'{count} findings' if count > 1 else '1 finding'}")

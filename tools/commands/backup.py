"""`deathless backup`: a copy of a world while its game goes on."""

from __future__ import annotations

import click

from ..output import print_json, progress

EXAMPLES = """\b
Examples:
  deathless backup world.deathless backups/monday
  deathless backup world.deathless "backups/$(date +%F)" --json | jq .turn

\b
Exit codes:
  0  done
  2  bad input: no world, or DEST is not empty
"""


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@click.argument("dest", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(world: str, dest: str, *, as_json: bool) -> int:
    """Copy WORLD into the new directory DEST, as of its last commit.

    The game may be running, and notices nothing but that its file grows until the copy is made. The copy is compact,
    and a world like any other: open it, look at it, put it back with `deathless restore`. DEST is a world as soon as
    there is one in it, and not before all of it was written, synced and opened once.
    """
    from ..transfer import backup_world  # noqa: PLC0415

    with progress("copying") as tell:
        report = backup_world(world, dest, tell=tell)
    if as_json:
        print_json({**report._asdict(), "path": str(report.path)})
    else:
        click.echo(f"{report.path}: turn {report.turn}, {report.bytes:,} bytes in {report.seconds:.2f} s")
    return 0

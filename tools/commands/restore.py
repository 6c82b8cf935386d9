"""`deathless restore`: a backup back in the place of a world."""

from __future__ import annotations

import click

from ..output import print_json, progress

EXAMPLES = """\b
Examples:
  deathless restore backups/monday world.deathless
  deathless restore backups/monday world.deathless --replace

\b
Exit codes:
  0  done
  2  bad input: no backup or a damaged one, or there is something where WORLD should be
"""


@click.command(epilog=EXAMPLES)
@click.argument("backup", type=click.Path())
@click.argument("world", type=click.Path())
@click.option(
    "--replace", is_flag=True, help="Take the place of WORLD, which is kept as WORLD.before-restore-N."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(backup: str, world: str, *, replace: bool, as_json: bool) -> int:
    """Make WORLD what BACKUP is. BACKUP stays as it is.

    BACKUP is checked first. Without --replace, WORLD must be new or empty. With it, nobody may be running WORLD; it is
    renamed, logs and all, when its successor is whole, and stays until you remove it.
    """
    from ..transfer import restore_world  # noqa: PLC0415

    with progress("copying") as tell:
        report = restore_world(backup, world, replace=replace, tell=tell)
    kept = None if report.kept is None else str(report.kept)
    if as_json:
        print_json({**report._asdict(), "path": str(report.path), "kept": kept})
    else:
        click.echo(f"{report.path}: turn {report.turn}, {report.bytes:,} bytes in {report.seconds:.2f} s")
        if kept is not None:
            click.echo(f"the world that was there is kept: {kept}")
    return 0

"""`deathless import`: a world out of lines of JSON."""

from __future__ import annotations

import click

from ..output import print_json, progress

EXAMPLES = """\b
Examples:
  deathless import world.jsonl.gz again.deathless
  zstdcat world.jsonl.zst | deathless import - again.deathless

\b
Exit codes:
  0  done
  2  bad input: FILE is none of these, cut off or changed, or WORLD is not empty
"""


@click.command(epilog=EXAMPLES)
@click.argument("file", type=click.Path())
@click.argument("world", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(file: str, world: str, *, as_json: bool) -> int:
    """Make the new WORLD of FILE, or of standard input where that is -, which `deathless export` has written.

    WORLD then has the same rows in every table, history included. It appears when all of FILE was read and found to be
    as it was written; else the first wrong line is named, and there is nothing.
    """
    from ..transfer import import_world  # noqa: PLC0415

    with progress("reading") as tell:
        report = import_world(file, world, tell=tell)
    if as_json:
        print_json(report._asdict())
    else:
        click.echo(f"{report.path}: turn {report.turn}, {report.rows:,} rows in {report.seconds:.2f} s")
    return 0

"""`deathless export`: a world as lines of JSON."""

from __future__ import annotations

import click

from ..output import BadInput, print_json, progress

EXAMPLES = """\b
Examples:
  deathless export world.deathless world.jsonl.gz
  deathless export world.deathless - | jq -c 'select(.table == "workflow") | .row | [.type, .entity]'
  deathless export world.deathless - | ssh elsewhere deathless import - world.deathless

\b
Exit codes:
  0  done
  2  bad input: no world, or FILE is there already
"""


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@click.argument("file", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Write JSON about it, for scripts.")
def command(world: str, file: str, *, as_json: bool) -> int:
    """Write all of WORLD into the new FILE, or to standard output where that is -, as of its last commit.

    A line for each row of every table, to read and to search; `deathless import` makes the same world of it.
    The game may be running. A FILE whose name ends in .gz is compressed. docs/FORMAT.md describes the lines.
    """
    from ..transfer import export_world  # noqa: PLC0415

    if as_json and file == "-":
        raise BadInput("--json would stand among the lines on standard output; give a FILE")
    with progress("writing") as tell:
        report = export_world(world, file, tell=tell)
    if as_json:
        print_json(report._asdict())
    elif file != "-":
        click.echo(
            f"{report.path}: turn {report.turn}, {report.rows:,} rows, {report.bytes:,} bytes of lines "
            f"in {report.seconds:.2f} s"
        )
    return 0

"""`deathless stats`: how large a world is, and what takes the room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..output import print_json, progress, table

if TYPE_CHECKING:
    from ..world_stats import StateStats, WorldStats

EXAMPLES = """\b
Examples:
  deathless stats world.deathless
  deathless stats world.deathless --json | jq .states.p99
  deathless stats world.deathless --json | jq -r '.largest[] | "\\(.workflow_id) \\(.type) \\(.size)"'
"""


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(world: str, *, as_json: bool) -> int:
    """Measure WORLD: its file and tables, its workflows by type and status, and the sizes of their states.

    A state under 1 KB is ideal, one of 1 to 10 KB acceptable; from 10 KB on consider to split it, and over 100 KB to
    keep what is in it elsewhere. WORLD is only read, as of its last commit, and may be running meanwhile.
    """
    from ..world_stats import world_stats  # noqa: PLC0415

    with progress("measuring") as tell:
        stats = world_stats(world, tell=tell)
    if as_json:
        print_json(stats.as_json())
    else:
        _print(stats)
    return 0


def _print(stats: WorldStats) -> None:
    from ..world_stats import CLASSES  # noqa: PLC0415

    when = (
        "never ran"
        if stats.turn is None
        else f"turn {stats.turn}, {stats.now:,.3f} s on a {stats.clock} clock"
    )
    click.echo(f"{when}; file {stats.file_bytes:,} bytes, {stats.free_bytes:,} of them free")
    table(
        ("table", "rows", "bytes"),
        [(name, f"{one.rows:,}", f"{one.bytes:,}") for name, one in sorted(stats.tables.items())],
    )
    statuses = list(stats.statuses)
    table(
        ("type", *statuses, "median", "p90", "p99", "max"),
        [
            (
                name,
                *(f"{counts.get(status, 0):,}" for status in statuses),
                *_sizes(stats.states_by_type[name]),
            )
            for name, counts in stats.types.items()
        ]
        + [("all", *(f"{stats.statuses[status]:,}" for status in statuses), *_sizes(stats.states))],
    )
    table(
        ("state", "bytes of a row", "workflows"),
        [(name, words, f"{stats.states.classes[name]:,}") for name, words, _ in CLASSES],
    )
    table(
        ("largest", "type", "bytes"),
        [(str(one.workflow_id), one.type, f"{one.size:,}") for one in stats.largest],
    )
    for what, one in (("longest mailbox", stats.longest_mailbox), ("most timers", stats.most_timers)):
        if one is not None:
            click.echo(f"{what}: {one.size:,}, of workflow {one.workflow_id} ({one.type})")


def _sizes(states: StateStats) -> tuple[str, ...]:
    return tuple(f"{size:,}" for size in (states.median, states.p90, states.p99, states.max))

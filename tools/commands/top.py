"""`deathless top`: a living world on a full screen."""

from __future__ import annotations

import importlib.util
import sys
import time

import click

from ..durations import DURATION
from ..output import BadInput, print_json, table
from ..top import Order, Watch, lines
from ..top.watch import PACE_S

EXAMPLES = """\b
Examples:
  deathless top world.deathless
  deathless top world.deathless --interval 5s --sort due
  deathless top world.deathless --once --filter npc_patrol --limit 20
  deathless top world.deathless --json | jq '.types'

\b
Keys:
  u, r, d, m, s  list the longest untouched, the last changed, the next due, the most unread messages, the largest
  /, escape      list what fits: a type, an id, an entity, a status; all again
  enter          the chosen workflow: its locals and what it awaits
  space          pause and go on
  q              quit

\b
Exit codes:
  0  quit, or printed
  2  bad input, the world cannot be read, or no terminal
"""


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@click.option("--interval", type=DURATION, default=2.0, help="Look again after so long; 2s.")
@click.option(
    "--sort",
    "order",
    type=click.Choice([str(order) for order in Order]),
    default=str(Order.RECENT),
    show_default=True,
    help="By what workflows are listed.",
)
@click.option("--filter", "wanted", default="", metavar="WORDS", help="List what fits these words only.")
@click.option("--limit", type=click.IntRange(0, 10_000), default=20, help="With --once: list so many; 20.")
@click.option(
    "--once",
    is_flag=True,
    help="Print it once as text: two looks, --interval and 1.5s at least apart, to say how fast it goes.",
)
@click.option("--json", "as_json", is_flag=True, help="As --once, in JSON, for scripts.")
def command(
    world: str, interval: float, order: str, wanted: str, limit: int, once: bool, as_json: bool
) -> int:
    """Watch WORLD: how fast it goes, its workflows by type and status, and those that lead by some order.

    The world is only read, from outside, and by readers that are open for milliseconds. A look goes through all rows,
    so that of a million workflows takes some seconds; the screen looks a fifth of the time at most.
    """
    watch = Watch(world)
    try:
        if once or as_json:
            _print(watch, interval, Order(order), wanted, limit, as_json=as_json)
        else:
            _show(watch, interval, Order(order), wanted)
    finally:
        watch.close()
    return 0


def _print(watch: Watch, interval: float, order: Order, wanted: str, limit: int, *, as_json: bool) -> None:
    look = watch.look(order, wanted, limit)
    if look.owner:
        time.sleep(max(interval, PACE_S))
        look = watch.look(order, wanted, limit)
    if as_json:
        print_json(lines.as_json(str(watch.path), look))
        return
    click.echo(lines.title(str(watch.path), look))
    click.echo(lines.counts(look))
    table(lines.TYPE_HEADINGS, lines.type_rows(look))
    members = [lines.member_row(member, look.state.now_us) for member in look.glimpse.members]
    if members:
        table(lines.MEMBER_HEADINGS, members)
    click.echo(f"{len(members):,} of {look.glimpse.fitting:,} workflows, by {order}")


def _show(watch: Watch, interval: float, order: Order, wanted: str) -> None:
    if importlib.util.find_spec("textual") is None:
        raise BadInput("top draws with textual; install it: pip install 'deathless[operate]'")
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise BadInput("top needs a terminal; in a script, use --once or --json")
    # Only when there is something to show: textual takes a while to import.
    from ..top.ui import TopApp  # noqa: PLC0415

    TopApp(watch, interval=interval, order=order, wanted=wanted).run()

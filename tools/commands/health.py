"""`deathless health`: whether a world is well, for a person or for monitoring."""

from __future__ import annotations

import time
from typing import Any

import click

from ...runtime.census import UNTOUCHED_S
from ..durations import DURATION
from ..health import Health, State, Thresholds, health_of
from ..modules import load_types
from ..output import print_json

EXAMPLES = """\b
Examples:
  deathless health world.deathless
  deathless health world.deathless --must-run --untouched off
  deathless health world.deathless --failure-rate 0.05 --untouched 6h
  deathless health world.deathless --interval 10s
  deathless health world.deathless --json | jq '.conditions[] | select(.state != "ok")'

\b
Conditions:
  stuck      active, and held or awaiting nothing that can come
  timers     overdue: they should have fired a second ago, by the world's own time
  failures   failed workflows, of all that the world keeps
  untouched  active, and no change for an hour: a warning, and an alert where --untouched is given
  pump       the time since the last commit of a world that somebody runs
  room       taken, of what the world and its disk have
  readers    an open reader that keeps pages from being used again: a warning

\b
Exit codes:
  0  healthy; there may be warnings
  1  an alert
  2  bad input, or the world cannot be looked at
"""


class _Span(click.ParamType[float]):
    """A duration, or `off`."""

    name = "duration|off"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds; -1.0 for `off`."""
        return OFF if value == "off" else DURATION.convert(value, param, ctx)


OFF = -1.0


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@click.option("--stuck", type=click.IntRange(0), default=0, metavar="N", help="So many may be stuck; 0.")
@click.option(
    "--backlog", type=click.IntRange(0), default=0, metavar="N", help="So many timers may be overdue; 0."
)
@click.option("--late", type=DURATION, default=1.0, help="A timer is overdue after so long; 1s.")
@click.option(
    "--failure-rate", type=click.FloatRange(0, 1), default=0.01, help="Such a share may have failed; 0.01."
)
@click.option(
    "--untouched", type=_Span(), help="Be alerted at active workflows without a change for so long, or off."
)
@click.option("--silent", type=DURATION, default=30.0, help="The last commit may be so long ago; 30s.")
@click.option(
    "--room", type=click.FloatRange(0, 1), default=0.8, help="Such a share of the room may be taken; 0.8."
)
@click.option("--must-run", is_flag=True, help="Be alerted where nobody runs the world.")
@click.option(
    "--interval", type=DURATION, help="Look twice, so long apart: a backlog that shrinks is a warning."
)
@click.option(
    "--app",
    metavar="MODULE",
    multiple=True,
    envvar="DEATHLESS_APP",
    help="The world's code, to find those that it cannot go on with; may be given again. Or DEATHLESS_APP.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(
    world: str,
    stuck: int,
    backlog: int,
    late: float,
    failure_rate: float,
    untouched: float | None,
    silent: float,
    room: float,
    must_run: bool,
    interval: float | None,
    app: tuple[str, ...],
    as_json: bool,
) -> int:
    """Say whether WORLD is well. It is only read, and may be running meanwhile.

    All ages of workflows and timers are in world time: while a world does not run, its time stands still.
    """
    thresholds = Thresholds(
        stuck=stuck,
        overdue=backlog,
        late_s=late,
        failure_rate=failure_rate,
        untouched_s=UNTOUCHED_S if untouched is None else None if untouched == OFF else untouched,
        untouched_alerts=untouched is not None,
        silent_s=silent,
        room=room,
        must_run=must_run,
    )
    types = load_types(app) if app else None
    health = health_of(world, thresholds, types=types)
    if interval is not None:
        time.sleep(interval)
        health = health_of(world, thresholds, types=types, before=health)
    if as_json:
        print_json(health.as_json())
    else:
        _print(health)
    return 0 if health.ok else 1


def _print(health: Health) -> None:
    census = health.sight.census
    for condition in health.conditions:
        named = ", ".join(map(str, condition.workflows)) if condition.state is not State.OK else ""
        click.echo(f"{condition.state:7}  {condition.name:9}  {condition.text}{named and f': {named}'}")
    counts = ", ".join(f"{count:,} {status}" for status, count in census.statuses.items() if count)
    click.echo(f"turn {census.turn}: {counts or 'no workflows'}; {'healthy' if health.ok else 'NOT HEALTHY'}")

"""`deathless loadtest`: a world under load, measured, killed, and checked against a ledger."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ...workflows.errors import DeathlessError
from ..interrupts import Interrupts
from ..loadtest.driver import Driver
from ..loadtest.live import watching
from ..loadtest.machine import describe
from ..loadtest.report import make_report
from ..loadtest.run_directory import run_directory
from ..loadtest.scenario_file import read_scenario
from ..loadtest.summary import print_summary
from ..output import BadInput, print_json, silence_log

EXAMPLES = """\b
Examples:
  deathless loadtest
  deathless loadtest village --seconds 60 --html report.html
  deathless loadtest --workflows 10000 --seconds 30 --kill-every 5
  deathless loadtest raid --clock virtual --seed 7 --json | jq -r .digest
  deathless loadtest my-game.toml --frame-rate 0 --durability process

\b
Ready-made scenarios:
  village  250 inhabitants, workshops and buffs at 60 frames a second
  raid     fights with many children, all started within seconds
  city     20,000 workflows of every kind
  million  1,000,000 workflows, 10,000 of them active, 50,000 in memory

\b
Exit codes:
  0    the ledger holds, and all thresholds are met
  1    an input was lost or doubled, or a threshold was missed
  2    bad input, or a world that could not be run
  130  interrupted; what ran until then is reported all the same
"""


@click.command(epilog=EXAMPLES)
@click.argument("scenario", required=False)
@click.option(
    "--workflows", type=int, metavar="N", help="Start so many at first, in the scenario's proportions."
)
@click.option("--seconds", type=float, metavar="S", help="How long the load lasts, once they are started.")
@click.option("--kill-every", type=float, metavar="S", help="Kill the world's process about every S seconds.")
@click.option("--seed", type=int, metavar="N", help="Of all that is drawn.")
@click.option("--clock", metavar="real|virtual", help="Run in real time, or as fast as it goes.")
@click.option("--frame-rate", type=float, metavar="HZ", help="Frames a second; 0 for one after the other.")
@click.option("--durability", metavar="power|process", help="What a commit survives.")
@click.option("--max-resident", type=int, metavar="N", help="Workflows in memory after a frame.")
@click.option("--world", metavar="DIR", help="Keep world and ledger there; else they are temporary.")
@click.option("--html", "page", metavar="FILE", help="Write a page with plots (needs deathless[loadtest]).")
@click.option(
    "--json", "as_json", is_flag=True, help="Write the report as JSON, and nothing else, to standard output."
)
@click.option("--plain", is_flag=True, help="A line a second instead of a live table.")
def command(
    scenario: str | None, world: str | None, page: str | None, as_json: bool, plain: bool, **flags: Any
) -> int:
    """Run a world under the load of SCENARIO, a TOML file or a ready-made one, and say how it fared.

    Everything that is sent is kept in a ledger outside the world. At the end the world is compared with it: every
    acknowledged input must have taken effect exactly once, however often the world's process was killed.
    """
    silence_log()
    # What modules and workflows print in this process must not get between the report's values.
    with contextlib.redirect_stdout(sys.stderr):
        plan = read_scenario(scenario, flags)
    _require_page(page)
    with run_directory(world) as place, Interrupts() as interrupts:
        try:
            with (
                contextlib.redirect_stdout(sys.stderr),
                watching(plan, plain=plain, quiet=as_json) as watch,
            ):
                outcome = Driver(plan, place, watch=watch, stopped=lambda: interrupts.asked).run()
        except DeathlessError:
            raise  # Some are OSErrors too, and say all that there is to say.
        except OSError as error:
            # The ledger's: a full disk, most likely.
            raise BadInput(f"{error.filename or place.path}: {error.strerror or error}") from None
        report = make_report(outcome, describe(place.path))
    if page is not None:
        _write_page(page, report)
    _write_report(report, print_json if as_json else print_summary)
    return 130 if outcome.interrupted else 0 if report["passed"] else 1


def _require_page(page: str | None) -> None:
    """Find out before a long run that its page could not be written."""
    if page is None:
        return
    from ..html_page import require_plotly  # noqa: PLC0415 - only where a page is asked for.

    require_plotly()
    place = Path(page)
    is_new = not place.exists()
    try:
        with place.open("a", encoding="utf-8"):
            pass
        if is_new:
            # A run that comes to nothing leaves nothing.
            place.unlink()
    except OSError as error:
        raise _unwritten(page, error) from None


def _write_page(page: str, report: dict[str, Any]) -> None:
    from ..loadtest.page import page_of  # noqa: PLC0415 - it imports plotly.

    try:
        Path(page).write_text(page_of(report), encoding="utf-8")
    except OSError as error:
        raise _unwritten(page, error) from None
    click.echo(f"Wrote {page}", err=True)


def _unwritten(page: str, error: OSError) -> BadInput:
    return BadInput(f"--html {page}: cannot be written ({error.strerror})")


def _write_report(report: dict[str, Any], write: Callable[[dict[str, Any]], None]) -> None:
    """Write to standard output. What its reader has no mind to read does not change the exit code."""
    try:
        write(report)
    except BrokenPipeError:
        # The interpreter flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise BadInput(f"standard output: cannot be written ({error.strerror})") from None

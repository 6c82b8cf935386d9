"""`deathless tick`: a turn by hand, which fires due timers."""

from __future__ import annotations

from typing import Any

import click

from ..output import counted
from .asking import ask, asking_options

EXAMPLES = """\b
Examples:
  deathless tick world.deathless --app game.npcs
  deathless tick world.deathless --all

\b
Exit codes:
  0  the turn is durable
  1  a running world did not run one in time: its loop stands still
  2  bad input; nothing is stored
"""


@click.command(epilog=EXAMPLES)
@asking_options
@click.option(
    "--all", "all_timers", is_flag=True, help="Fire each workflow's next timer, even before its time."
)
def command(all_timers: bool, **asked: Any) -> int:
    """Fire the due timers of WORLD now: run a turn, or wait for the next one of the process that runs it.

    Due timers fire by themselves in each turn, so that this is for looking into a world that seems to stand still. With
    --all it is the reducer manual_timer_tick.
    """
    return ask("tick", {"all": all_timers}, _said, **asked)


def _said(answer: dict[str, Any]) -> str:
    if "timers" in answer:
        return f"{counted(answer['timers'], 'timer')} fired"
    return f"turn {answer['turn']} has fired what was due"

"""`deathless cleanup`: what ended long ago is deleted."""

from __future__ import annotations

from typing import Any

import click

from ..durations import DURATION
from .asking import ask, asking_options

EXAMPLES = """\b
Examples:
  deathless cleanup world.deathless --older-than 7d
  deathless cleanup world.deathless --older-than 0s --app game.npcs
  deathless run world.deathless --app game.npcs --prune-after 7d   # the world itself, on a schedule

\b
Exit codes:
  0  they are deleted, and that is durable
  1  a running world did not commit it in time
  2  bad input; nothing is deleted
"""


@click.command(epilog=EXAMPLES)
@asking_options
@click.option(
    "--older-than",
    type=DURATION,
    required=True,
    metavar="DURATION",
    help="Since when they have ended: 7d, 12h.",
)
def command(older_than: float, **asked: Any) -> int:
    """Delete the workflows of WORLD that completed, failed or were cancelled so long ago, in its own time.

    The names of inputs that were accepted before are forgotten too. In a world that no process runs this takes a turn,
    with all that is due in it: its code runs.
    """
    return ask(
        "cleanup",
        {"older_than": older_than},
        lambda answer: f"{answer['deleted']} workflows deleted",
        **asked,
    )

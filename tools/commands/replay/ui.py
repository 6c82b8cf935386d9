"""`deathless replay ui`: a saved world on a full screen, from turn to turn."""

from __future__ import annotations

import gc
import importlib.util
import sys

import click

from ...output import BadInput
from .options import code_option, open_world, world_argument

EXAMPLES = """\b
Examples:
  deathless replay ui world.deathless
  deathless replay ui world.deathless --code game.npcs --code game/items.py

\b
Keys:
  left, right   the turn before or after in which the workflow moved
  [, ]          one turn of the world; home, end: the first and the last
  space, s      play and stop; at 1, 4 or 16 times the world's pace
  m, d          set a mark; what differs between it and here
  f             fork: a new world as this one was at this turn
  /, ?, q       filter, help, quit

\b
Exit codes:
  0  quit
  2  bad input, or no terminal
"""


@click.command(epilog=EXAMPLES)
@world_argument
@code_option
def command(world: str, modules: tuple[str, ...]) -> int:
    """Look at WORLD on a full screen, turn by turn: where each workflow stood, with which locals, and why.

    Without code, locals are shown all the same, and the number of the line instead of its source. A world that runs
    is shown up to the turn at which it was opened.
    """
    _require_textual()
    # It draws to standard error, and leaves standard output to what the game's modules may print.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise BadInput("replay ui needs a terminal; in a script, use `deathless replay show`")
    with open_world(world, modules) as saved:
        # Only when there is something to show: textual takes a while to import.
        from ...replay.scrubber import Scrubber  # noqa: PLC0415
        from ...replay.ui.app import ReplayApp  # noqa: PLC0415

        scrubber = Scrubber(saved)
        # What was read stays to the end. Looking through it for garbage would stop the picture for a tenth of a
        # second, in a world of ten thousand workflows at every tenth key.
        gc.freeze()
        ReplayApp(scrubber).run()
    return 0


def _require_textual() -> None:
    if importlib.util.find_spec("textual") is None:
        raise BadInput("replay ui draws with textual; install it: pip install 'deathless[replay]'")

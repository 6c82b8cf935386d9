"""`deathless replay ui`: a saved world on a full screen, from turn to turn."""

from __future__ import annotations

import sys

import click

from ..modules import load_registry
from ..output import BadInput

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
@click.argument("world", type=click.Path())
@click.option(
    "--code", "modules", metavar="MODULE", multiple=True, help="Code of the game, for source and classes; repeatable."
)
def command(world: str, modules: tuple[str, ...]) -> int:
    """Look at WORLD turn by turn: where each workflow stood, in which line, with which locals, and why.

    A MODULE is a dotted name, or the path of a .py file; it is imported, which runs what stands at its top. Without
    code, locals are shown all the same, but for values of the game's own classes. The world is only read, and may be
    running meanwhile: what is shown goes up to the turn in which it was opened.
    """
    _require_textual()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput("replay ui needs a terminal; for a pipe or a script there is `deathless replay show`")
    registry = load_registry(modules) if modules else None
    # What imports textual, and the rest with it, so that help is there at once.
    from ..replay.saved_world import SavedWorld  # noqa: PLC0415
    from ..replay.scrubber import Scrubber  # noqa: PLC0415
    from ..replay.ui.app import ReplayApp  # noqa: PLC0415

    with SavedWorld(world, registry) as saved:
        ReplayApp(Scrubber(saved)).run()
    return 0


def _require_textual() -> None:
    """Say in one line what is missing.

    Raises:
        BadInput: textual is not installed.
    """
    try:
        import textual  # noqa: F401, PLC0415 - only where it is asked for.
    except ImportError:
        raise BadInput("replay ui needs textual; install it with: pip install 'deathless[replay]'") from None

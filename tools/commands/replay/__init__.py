"""`deathless replay`: its subcommands, each a module beside this one that is imported when it is called."""

from __future__ import annotations

import click

from ...lazy_group import LazyGroup

COMMANDS = {
    "list": "List the workflows of a world, now or at a turn.",
    "show": "Show a workflow: where it stands, its locals, and what caused its last step.",
    "timeline": "List the steps of a workflow, each with its cause and what it changed.",
    "diff": "Compare two steps, two workflows or two worlds, by field path.",
    "ui": "Look at a world on a full screen, turn by turn.",
    "verify": "Run recorded steps again, and say where they come to something else.",
    "bisect": "Find the first turn, workflow and variable at which two recordings part.",
    "fork": "Make a new world as one was at a turn, to run on with other inputs.",
    "compare": "Say where two futures of one past part, and how they differ now.",
    "export": "Write the steps of one workflow into a file, to attach to a bug report.",
    "test": "Run the steps in such files again, and say where they come to something else.",
    "import": "Make a world of such a file, to look into it.",
}
"""Each command with its line of help, said here so that `--help` imports none of them."""

EXAMPLES = """\b
Examples:
  deathless replay list world.deathless --type guard
  deathless replay show world.deathless 7 --turn 120 --code game.npcs
  deathless replay timeline world.deathless 7 --html guard.html
  deathless replay diff world.deathless 7@12 7@13
  deathless replay ui world.deathless --code game.npcs

\b
Exit codes:
  0  done
  1  there are differences
  2  bad input
"""


@click.group(
    "replay", cls=LazyGroup, lines=COMMANDS, package=__package__, invoke_without_command=True, epilog=EXAMPLES
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Look at WORLD as it is, and as it was at each turn whose steps it recorded.

    A world records its turns always, and its steps where Runtime or @workflow has history="all". It is only read, and
    may be running meanwhile.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())

"""The `deathless` command: its subcommands, each a module of `commands` that is imported when it is called.

Exit codes: 0, done; 1, the answer is no (as each command says); 2, bad input, with one line on standard error;
130, interrupted.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from typing import Any

import click

from .. import __version__
from ..workflows.errors import DeathlessError
from .lazy_group import LazyGroup

COMMANDS = {
    "backup": "Copy a world while its game goes on.",
    "call": "Run a reducer in a world, and print its result.",
    "cancel": "Cancel workflows of a world.",
    "check": "Say what becomes of each await of a world with the code of these modules.",
    "cleanup": "Delete the workflows of a world that ended long ago.",
    "doctor": "Examine a world, and repair its indexes.",
    "export": "Write a world as lines of JSON.",
    "health": "Say whether a world is well, for a person or for monitoring.",
    "import": "Make a world of the lines that export wrote.",
    "init": "Make a small game that runs and tests at once.",
    "loadtest": "Run a world under load, kill it, and check it against a ledger.",
    "logs": "Show what a world has logged, and follow it.",
    "metrics": "Print or serve what a world counts of itself, for Prometheus.",
    "publish": "Give a world its code: make it, check it, or have it loaded anew.",
    "replay": "Look at a saved world as it was at each turn.",
    "restore": "Put a backup in the place of a world.",
    "retry": "Let failed workflows try again.",
    "run": "Run a world without a game around it, and take commands for it.",
    "signal": "Send a signal to workflows of a world.",
    "sql": "Ask a world by SQL, whether it runs or not.",
    "start": "Start a workflow in a world.",
    "stats": "Say how large a world is, and what takes the room.",
    "tick": "Fire the due timers of a world now.",
    "top": "Watch a living world on a full screen.",
    "types": "List the workflow types of a module.",
}
"""Each command with its line of help, said here so that `--help` imports none of them."""


@click.group(
    cls=LazyGroup,
    lines=COMMANDS,
    package=f"{__package__}.commands",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`deathless COMMAND --help` has the examples. The village demo runs with `make demo` from a checkout.",
)
@click.version_option(
    __version__,
    message=f"deathless %(version)s (Python {platform.python_version()}, {sys.platform})",
)
@click.pass_context
def deathless(ctx: click.Context) -> None:
    """Durable actors for game entities: what an NPC does outlives a crash."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        done: Any = deathless.main(arguments, prog_name="deathless", standalone_mode=False)
    except click.UsageError as error:
        # In one line, as all bad input is told; click itself would write four.
        command = "deathless" if error.ctx is None else error.ctx.command_path
        message = error.format_message().rstrip(".")
        click.echo(f"Error: {' '.join(message.split())}; see {command} --help", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except DeathlessError as error:
        click.echo(f"Error: {error}", err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        # Whoever read the output, `head` for one, has seen enough. The interpreter flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return done if isinstance(done, int) else 0


if __name__ == "__main__":
    sys.exit(main())

"""`deathless retry`: failed workflows try again."""

from __future__ import annotations

from typing import Any

import click

from .asking import WORKFLOW_ID, ask, asking_options

EXAMPLES = """\b
Examples:
  deathless retry world.deathless 12
  deathless retry world.deathless 12 15 18
  deathless retry world.deathless --all-failed
  deathless retry world.deathless --all-failed --type buff --json

\b
Exit codes:
  0  it is stored: each runs the message on which it failed again, in the world's next turn
  1  a running world did not commit it in time
  2  bad input, such as a workflow that has not failed; nothing is stored
"""


@click.command(epilog=EXAMPLES)
@asking_options
@click.argument("workflow_ids", metavar="WORKFLOW_ID...", type=WORKFLOW_ID, nargs=-1)
@click.option("--all-failed", is_flag=True, help="All that have failed.")
@click.option("--type", "type_name", metavar="NAME", help="With --all-failed: of this type only.")
def command(workflow_ids: tuple[int, ...], all_failed: bool, type_name: str | None, **asked: Any) -> int:
    """Run the message on which workflows of WORLD have failed again, with the code that is loaded now."""
    if bool(workflow_ids) == all_failed:
        raise click.UsageError("give workflow ids, or --all-failed")
    if type_name is not None and not all_failed:
        raise click.UsageError("--type goes with --all-failed")
    fields = {"workflow_ids": workflow_ids, "all_failed": all_failed, "type": type_name}
    return ask("retry", fields, lambda answer: f"{len(answer['workflow_ids'])} workflows try again", **asked)

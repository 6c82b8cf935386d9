"""`deathless cancel`: workflows of a world end early."""

from __future__ import annotations

from typing import Any

import click

from .asking import (
    WORKFLOW_ID,
    ask,
    asking_options,
    correlation_option,
    entity_option,
    input_id_option,
)

EXAMPLES = """\b
Examples:
  deathless cancel world.deathless 12 --reason "the shop is closed"
  deathless cancel world.deathless --entity 42
  deathless cancel world.deathless 12 --force

\b
Exit codes:
  0  it is stored, and happens in the world's next turn; of one that has ended, nothing is left to cancel
  1  a running world did not commit it in time
  2  bad input; nothing is stored
"""


@click.command(epilog=EXAMPLES)
@asking_options
@click.argument("workflow_id", metavar="[WORKFLOW_ID]", type=WORKFLOW_ID, required=False)
@entity_option
@correlation_option
@click.option("--reason", default="", help="For the workflow, and for whoever looks at it later.")
@click.option(
    "--force", is_flag=True, help="End it without running any of its code; dismisses a failed one too."
)
@input_id_option
def command(
    workflow_id: int | None,
    entity_id: int | None,
    correlation_id: str | None,
    reason: str,
    force: bool,
    input_id: str | None,
    **asked: Any,
) -> int:
    """Cancel a workflow of WORLD, or all active ones of an entity or a group.

    Its `finally` blocks run, and may take their time; --force does without.
    """
    if (workflow_id is None) + (entity_id is None) + (correlation_id is None) != 2:
        raise click.UsageError("give one of WORKFLOW_ID, --entity and --correlation")
    fields = {
        "workflow_id": workflow_id,
        "entity_id": entity_id,
        "correlation_id": correlation_id,
        "reason": reason,
        "force": force,
        "input_id": input_id,
    }
    what = f"workflow {workflow_id}" if workflow_id is not None else "they"

    def say(answer: dict[str, Any]) -> str:
        if answer["ended"] is not None:
            return f"{what} had ended before: it is {answer['ended']}"
        return f"{what} {'are' if workflow_id is None else 'is'} cancelled"

    return ask("cancel", fields, say, **asked)

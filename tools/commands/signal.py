"""`deathless signal`: a signal to workflows of a world."""

from __future__ import annotations

from typing import Any

import click

from .asking import (
    ask,
    asking_options,
    correlation_option,
    entity_option,
    input_id_option,
    json_value,
    read_id,
)

EXAMPLES = """\b
Examples:
  deathless signal world.deathless 12 dispel
  deathless signal world.deathless 12 Stack 2
  deathless signal world.deathless 12 Stack '{"amount": 2}'
  deathless signal world.deathless Dispel --entity 42
  deathless signal world.deathless Noise '{"zone": 3}' --publish

\b
Exit codes:
  0  it is stored, and sent in the world's next turn; by entity, group or --publish that may be to none
  1  a running world did not commit it in time
  2  bad input; nothing is stored
"""


@click.command(epilog=EXAMPLES)
@asking_options
@click.argument("words", metavar="[WORKFLOW_ID] NAME [JSON]", nargs=-1, required=True)
@entity_option
@correlation_option
@click.option("--publish", is_flag=True, help="To all who have subscribed.")
@input_id_option
def command(
    words: tuple[str, ...],
    entity_id: int | None,
    correlation_id: str | None,
    publish: bool,
    input_id: str | None,
    **asked: Any,
) -> int:
    """Send the signal NAME, with its fields as JSON, to a workflow of WORLD, or as --entity and the others say.

    The NAME is that of its class, Dispel, or dispel. By entity and by group it goes to all active workflows there that
    take it.
    """
    by_id = entity_id is None and correlation_id is None and not publish
    most = 3 if by_id else 2
    if not most - 1 <= len(words) <= most:
        form = (
            "WORKFLOW_ID NAME [JSON]"
            if by_id
            else "NAME [JSON] with --entity, --correlation or --publish, without a workflow id"
        )
        raise click.UsageError(f"give {form}")
    workflow_id = read_id("WORKFLOW_ID", words[0], least=1) if by_id else None
    name, *rest = words[1:] if by_id else words
    fields = {
        "signal": name,
        "fields": json_value("the fields", rest[0] if rest else None),
        "workflow_id": workflow_id,
        "entity_id": entity_id,
        "correlation_id": correlation_id,
        "publish": publish,
        "input_id": input_id,
    }
    return ask("signal", fields, lambda _: f"signal {name} is sent", **asked)

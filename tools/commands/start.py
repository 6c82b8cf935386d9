"""`deathless start`: a workflow begins, in a world that runs or in one that does not."""

from __future__ import annotations

from typing import Any

import click

from ..output import BadInput
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
  deathless start world.deathless buff 42 null 30
  deathless start world.deathless buff --entity 42 --args 30
  deathless start world.deathless buff --entity 42 --args '{"duration": 30, "effect": "haste"}'
  deathless start world.deathless npc_patrol --entity 7 --on-conflict existing --args '[["a", "b"]]'
  deathless start world.deathless buff --app game.npcs   # a world that no process runs
  deathless start village buff 42 --server https://game.example --json | jq .workflow_id

\b
Exit codes:
  0  it is stored, and begins in the world's next turn
  1  --on-conflict error met one; or a running world did not commit it in time
  2  bad input; nothing is stored
"""


@click.command(epilog=EXAMPLES)
@asking_options
@click.argument("type_name", metavar="TYPE")
@click.argument("entity", required=False)
@click.argument("correlation", required=False)
@click.argument("init", metavar="[JSON]", required=False)
@entity_option
@correlation_option
@click.option("--args", "arguments", metavar="JSON", help="Its arguments: null, one, an array or an object.")
@click.option(
    "--on-conflict",
    type=click.Choice(["parallel", "existing", "error", "replace"]),
    default="parallel",
    help="Where one of the type is active for that entity and group.",
)
@input_id_option
def command(
    type_name: str,
    entity: str | None,
    correlation: str | None,
    init: str | None,
    entity_id: int | None,
    correlation_id: str | None,
    arguments: str | None,
    on_conflict: str,
    input_id: str | None,
    **asked: Any,
) -> int:
    """Start a workflow of TYPE in WORLD, for ENTITY, in the group CORRELATION, with the arguments JSON.

    What is not wanted is written null. A world that no process runs is opened with the code that --app gives; the
    workflow is stored there and begins when the world is run.
    """
    fields = {
        "type": type_name,
        "arguments": json_value("--args", _one("JSON", init, "--args", arguments)),
        "entity_id": _one("ENTITY", _entity(entity), "--entity", entity_id),
        "correlation_id": _one("CORRELATION", _unless_null(correlation), "--correlation", correlation_id),
        "on_conflict": on_conflict,
        "input_id": input_id,
    }
    return ask("start", fields, lambda answer: f"workflow {answer['workflow_id']} starts", **asked)


def _entity(text: str | None) -> int | None:
    text = _unless_null(text)
    return None if text is None else read_id("ENTITY", text, least=0)


def _unless_null(text: str | None) -> str | None:
    return None if text == "null" else text


def _one(name: str, given: Any, option: str, other: Any) -> Any:
    if given is not None and other is not None:
        raise BadInput(f"give {name} or {option}, not both")
    return other if given is None else given

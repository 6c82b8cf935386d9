"""`deathless call`: a reducer runs in a world, and its result is printed."""

from __future__ import annotations

import json
from typing import Any

import click

from .asking import ask, asking_options, input_id_option, json_value

EXAMPLES = """\b
Examples:
  deathless call world.deathless cleanup_old_workflows '[7]'
  deathless call world.deathless workflow_start '["buff", 42, null, "30"]'
  deathless call world.deathless workflow_signal '[12, "dispel", "[]"]'
  deathless call world.deathless pay '{"player": 42, "gold": 10}'
  deathless call world.deathless manual_timer_tick --app game.npcs

\b
Exit codes:
  0  all that it did is durable; its result is printed as JSON
  1  it raised, and all that it did is undone; or a running world did not answer in time
  2  bad input; nothing is stored
"""


@click.command(epilog=EXAMPLES)
@asking_options
@click.argument("reducer")
@click.argument("arguments", metavar="[JSON]", required=False)
@input_id_option
def command(reducer: str, arguments: str | None, input_id: str | None, **asked: Any) -> int:
    """Run REDUCER, a registered or a built-in one, in WORLD, with the arguments JSON: null, one, an array or an object.

    In a world that no process runs this takes a turn, with all that is due in it: its code runs.
    """
    fields = {
        "reducer": reducer,
        "arguments": json_value("the arguments", arguments),
        "input_id": input_id,
    }
    return ask("call", fields, _result, **asked)


def _result(answer: dict[str, Any]) -> str:
    return json.dumps(answer["result"], indent=2, ensure_ascii=False)

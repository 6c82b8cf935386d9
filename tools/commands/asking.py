"""What commands that ask a world take alike: the world, who is asked, and how the answer is written."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeVar

import click

from ...workflows.json_arguments import read_json
from ..control.errors import ControlError
from ..control.operator import PATIENCE_S, find_operator
from ..durations import DURATION
from ..output import BadInput, NotDone, print_json, silence_log

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

WORKFLOW_ID = click.IntRange(1, 2**64 - 1)
ENTITY_ID = click.IntRange(0, 2**64 - 1)
TOKEN_VARIABLE = "DEATHLESS_TOKEN"  # noqa: S105 - a name, and no token.
APP_VARIABLE = "DEATHLESS_APP"

app_option = click.option(
    "--app",
    metavar="MODULE",
    multiple=True,
    envvar=APP_VARIABLE,
    help=f"A module with the world's code, dotted or a .py file; may be given again. Or {APP_VARIABLE}.",
)
server_option = click.option(
    "--server", metavar="URL", help="Ask the world that listens there, wherever it is."
)
token_option = click.option(
    "--token",
    envvar=TOKEN_VARIABLE,
    help=f"The token of that world; better in {TOKEN_VARIABLE}, since others see command lines.",
)
timeout_option = click.option(
    "--timeout", type=DURATION, default=PATIENCE_S, help="How long a running world may take, 10s by default."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
input_id_option = click.option(
    "--input-id", metavar="NAME", help="A name for this, with which it may be repeated: it is done once."
)
entity_option = click.option("--entity", "entity_id", type=ENTITY_ID, metavar="ID", help="An entity.")
correlation_option = click.option("--correlation", "correlation_id", metavar="TEXT", help="A group.")


def asking_options(function: FunctionT) -> FunctionT:
    """Give a command the argument WORLD, and the options with which `ask` is called."""
    options = (
        click.argument("world", type=click.Path()),
        json_option,
        timeout_option,
        token_option,
        server_option,
        app_option,
    )
    return reduce(lambda made, option: option(made), reversed(options), function)


def ask(
    operation: str,
    fields: dict[str, Any],
    say: Callable[[dict[str, Any]], str],
    *,
    world: str,
    app: Sequence[str],
    server: str | None,
    token: str | None,
    timeout: float,
    as_json: bool,
) -> int:
    """Ask a world for an operation, print the answer, and return the exit code.

    Args:
        operation: one of `OPERATIONS`.
        fields: its fields.
        say: makes a line for people of the answer.
        world: see `find_operator`, for this and the others.
        app: modules.
        server: a URL.
        token: of the server.
        timeout: seconds.
        as_json: whether to print JSON.
    """
    silence_log()
    # What modules and workflows print in this process must not get between the lines of the answer.
    with contextlib.redirect_stdout(sys.stderr):
        operator = find_operator(world, app=app, server=server, token=token, timeout=timeout)
        try:
            answer = operator.do(operation, **fields)
        except ControlError as error:
            raise ending(error) from None
    if as_json:
        print_json({**answer, "running": operator.running})
        return 0
    waits = operation in _WAIT_FOR_OWNER and not operator.running and not answer.get("ended")
    click.echo(say(answer) + (" when the world runs" if waits else ""))
    return 0


_WAIT_FOR_OWNER = frozenset({"start", "signal", "cancel", "retry"})
"""Operations that a world which nobody runs only stores."""


def ending(error: ControlError) -> click.ClickException:
    """Return what ends a command with the line and the exit code of an error."""
    return BadInput(str(error)) if error.exit_code == BadInput.exit_code else NotDone(str(error))


def read_id(what: str, text: str, *, least: int) -> int:
    """Read an id from a command line.

    Raises:
        BadInput: it is none.
    """
    if not text.isascii() or not text.isdecimal() or not least <= int(text) < 2**64:
        raise BadInput(f"{what} is a whole number from {least} to 2**64 - 1, not {text!r}")
    return int(text)


def json_value(what: str, text: str | None) -> Any:
    """Read a JSON value from a command line.

    Raises:
        BadInput: it is none.
    """
    if text is None:
        return None
    try:
        return read_json(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"{what} {text!r} is not JSON ({error}); write for example 30, '\"fire\"', '[30, \"fire\"]' or null"
        ) from None


def world_path(world: str, data_dir: str | None) -> str:
    """Return a world's directory: with a data directory, the world is a name in it."""
    return world if data_dir is None else os.path.join(data_dir, world)  # noqa: PTH118 - as `click.Path` gives it.

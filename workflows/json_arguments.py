"""Arguments and signals written as JSON, as the command line and the network give them.

null is no argument, a scalar is one positional argument, an array positional arguments, an object keyword arguments:
`30` starts a buff of 30 seconds, `[30, "haste"]` and `{"duration": 30}` too.
"""

from __future__ import annotations

import json
from typing import Any

from .errors import ArgumentsError


def json_arguments(text: str | bytes | None, what: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return (args, kwargs).

    Args:
        text: JSON, or None for no arguments.
        what: whose arguments they are, for the error.

    Raises:
        ArgumentsError: not JSON.
    """
    if text is None:
        return (), {}
    try:
        value = read_json(text)
    except (ValueError, TypeError) as error:
        raise ArgumentsError(
            what, f'not JSON: {error}; write for example 30, [30, "haste"] or null'
        ) from None
    return spread(value)


def read_json(text: str | bytes | bytearray) -> Any:
    """Return the value of a JSON text; what Python reads beyond JSON, NaN and Infinity, is refused.

    Raises:
        ValueError: not JSON.
        RecursionError: nested too deeply.
    """
    return json.loads(text, parse_constant=_refuse)


def _refuse(word: str) -> None:
    raise ValueError(f"JSON has no {word}")


def spread(value: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the (args, kwargs) that a value read from JSON stands for."""
    if value is None:
        return (), {}
    if isinstance(value, dict):
        return (), value
    return (tuple(value) if isinstance(value, list) else (value,)), {}

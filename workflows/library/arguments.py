"""Checks of what the ready-made workflows are given.

Arguments come from game code, but also from a command line or a network, where no type checker has seen them. A
workflow checks its own first thing: a bad one fails it with a message that names argument, value and range,
before it has done anything. Signals check their fields when they are made, so that the sender gets the error.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

DAY_S = 86_400.0
YEAR_S = 365 * DAY_S
"""The longest that anything here takes; longer is surely a mistake in the unit."""


def require_number(what: str, value: object, low: float, high: float) -> None:
    """Raise `ValueError` unless `value` is a number within `low` and `high`, both included; NaN is not."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{what} is a number from {low:g} to {high:g}, not {value!r}")


def require_whole(what: str, value: object, low: int, high: int) -> None:
    """Raise `ValueError` unless `value` is a whole number within `low` and `high`, both included."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{what} is a whole number from {low} to {high}, not {value!r}")


def require_text(what: str, value: object, longest: int) -> None:
    """Raise `ValueError` unless `value` is a text of at most `longest` characters."""
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"{what} is a text of at most {longest} characters, not {value!r}")


def require_one_of(what: str, value: object, choices: Collection[str]) -> None:
    """Raise `ValueError` unless `value` is one of these texts."""
    if value not in choices:
        raise ValueError(f"{what} is one of {', '.join(choices)}, not {value!r}")


def require_point(what: str, value: object, farthest: float) -> tuple[float, float]:
    """Return `value` as a point (x, y), each within `farthest` of 0.

    Raises:
        ValueError: it is not a pair of numbers, or too far out.
    """
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ValueError(f"{what} is a pair (x, y), not {value!r}")
    for axis, number in zip("xy", value, strict=True):
        require_number(f"{axis} of {what}", number, -farthest, farthest)
    return (value[0], value[1])


def require_names(what: str, value: object, most: int, longest: int) -> list[str]:
    """Return `value` as a list of texts.

    Raises:
        ValueError: it is no list, or has more than `most` texts, or one of more than `longest` characters.
    """
    if not isinstance(value, tuple | list) or len(value) > most:
        raise ValueError(f"{what} is a list of at most {most} texts, not {value!r}")
    for name in value:
        require_text(f"each of {what}", name, longest)
    return list(value)


def require_keys(
    what: str, value: object, needed: Collection[str], allowed: Collection[str]
) -> dict[str, Any]:
    """Return `value` as a table that has all needed keys, and beside them only allowed ones.

    Raises:
        ValueError: it is no table, or a key is missing or not known.
    """
    if not isinstance(value, dict):
        keys = ", ".join([*needed, *allowed])
        raise ValueError(f"{what} is a table with {keys}, not {value!r}")  # noqa: TRY004 - as all of these.
    for key in needed:
        if key not in value:
            raise ValueError(f"{what} has no {key!r}: add it")
    for key in value:
        if key not in needed and key not in allowed:
            raise ValueError(f"{what} has an unknown {key!r}; its keys are {', '.join([*needed, *allowed])}")
    return value


def require_amounts(what: str, value: object, most: int, highest: int) -> dict[str, int]:
    """Return a copy of `value`, a table of how many of each thing.

    Raises:
        ValueError: it is no table, or of more than `most` things, or a number is not within 1 to `highest`.
    """
    if not isinstance(value, dict) or len(value) > most:
        raise ValueError(f"{what} is a table of at most {most} amounts, not {value!r}")
    for name, amount in value.items():
        require_text(f"each name in {what}", name, 64)
        require_whole(f"{name!r} of {what}", amount, 1, highest)
    return dict(value)

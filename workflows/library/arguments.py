"""Checks of what the ready-made workflows are given.

Arguments come from game code, but also from a command line or a network, where no type checker has seen them. A
workflow checks its own first thing: a bad one fails it with a message that names argument, value and range,
before it has done anything. Signals check their fields when they are made, so that the sender gets the error.
"""

from __future__ import annotations

from collections.abc import Collection

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

"""Values of a scenario: as they are written, or drawn anew each time.

    { from = 1, to = 6 }         a whole number from 1 to 6; with a decimal point, any number between
    { one_of = ["axe", "bow"] }  one of these

They may stand anywhere within lists and tables.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

Draw: TypeAlias = Callable[[Random], Any]


def compiled(written: Any) -> Draw:
    """Return a function that gives the value, drawn where it says so.

    Raises:
        ValueError: a range that is none, nothing to choose from, or a value that no workflow takes.
    """
    if not varies(written):
        _require_plain(written)
        return lambda _random: written
    if isinstance(written, list):
        items = [compiled(item) for item in written]
        return lambda random: [item(random) for item in items]
    if written.keys() == {"from", "to"}:
        return _range(written["from"], written["to"])
    if written.keys() == {"one_of"}:
        return _choice(written["one_of"])
    parts = {key: compiled(value) for key, value in written.items()}
    return lambda random: {key: part(random) for key, part in parts.items()}


def varies(written: Any) -> bool:
    """Say whether anything of a value is drawn."""
    if isinstance(written, list):
        return any(map(varies, written))
    if isinstance(written, dict):
        return (
            written.keys() == {"from", "to"}
            or written.keys() == {"one_of"}
            or any(map(varies, written.values()))
        )
    return False


def _range(least: Any, most: Any) -> Draw:
    if type(least) is int and type(most) is int and least <= most:
        _require_plain([least, most])
        return lambda random: random.randint(least, most)
    numbers = all(type(value) in (int, float) for value in (least, most))
    if not numbers or not -1e300 < least <= most < 1e300:
        raise ValueError(
            f"a range goes from a number to one that is not less, not from {least!r} to {most!r}"
        )
    return lambda random: random.uniform(least, most)


def _choice(options: Any) -> Draw:
    if not isinstance(options, list) or not options:
        raise ValueError(f"one_of takes a list of at least one value, not {options!r}")
    choices = [compiled(option) for option in options]
    return lambda random: random.choice(choices)(random)


def _require_plain(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _require_plain(item)
    elif isinstance(value, dict):
        for item in value.values():
            _require_plain(item)
    elif type(value) not in (str, int, float, bool):
        raise ValueError(f"{value!r} is neither a text, a number, a truth value, a list nor a table of these")
    elif type(value) is int and not -(2**63) <= value < 2**63:
        raise ValueError(f"{value} does not fit in 64 bits")

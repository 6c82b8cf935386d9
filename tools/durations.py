"""Durations as people write them on a command line: `7d`, `1h`, `30m`, `10s`, `500ms`, `1h30m`."""

from __future__ import annotations

import re
from typing import Any

import click

UNITS_S = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
LONGEST_S = 36_500 * 86_400.0
"""A century: beyond it, times in microseconds would not fit into their fields for long."""
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[dhms])\s*", re.ASCII)
_REMEDY = "write a number with d, h, m, s or ms: 7d, 1h, 30m, 1h30m, 0.5s, 500ms"


def parse_duration(text: str) -> float:
    """Return how many seconds a duration has: `7d` is 604800.0.

    Parts are added up, the larger unit first: `1h30m`. A number without a unit is refused, but for 0: nobody remembers
    which unit it would be.

    Raises:
        ValueError: not a duration.
    """
    stripped = text.strip()
    if stripped == "0":
        return 0.0
    at, total_s, last_s = 0, 0.0, float("inf")
    while part := _PART.match(stripped, at):
        unit_s = UNITS_S[part[2]]
        if unit_s >= last_s:
            break
        total_s += float(part[1]) * unit_s
        at, last_s = part.end(), unit_s
    if not stripped or at != len(stripped):
        raise ValueError(f"{text!r} is not a duration; {_REMEDY}")
    if total_s > LONGEST_S:
        raise ValueError(f"{text!r} is longer than any world lasts; give at most {LONGEST_S / 86_400:.0f}d")
    return total_s


class DurationType(click.ParamType[float]):
    """An option's value in seconds, written as `parse_duration` reads it."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds; a default may be given as a number of them."""
        if isinstance(value, int | float):
            return float(value)
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = DurationType()

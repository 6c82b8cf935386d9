"""Reading a TOML file key by key.

Every error names the key and the value, as `village.toml: npc[2].speed: ...`, for somebody who has just edited it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from typing import Any

Point = tuple[float, float]
_STYLE = re.compile(r"((bold|dim|italic|underline) )*#[0-9a-f]{6}( on #[0-9a-f]{6})?")


class ScenarioError(ValueError):
    """A scenario that cannot be played; the message names file, key and value."""


class Table:
    """A table of the file that knows where it stands, and which of its keys were asked for."""

    def __init__(self, data: dict[str, Any], file: str, place: str) -> None:
        self._data = data
        self._file = file
        self._place = place
        self._asked: set[str] = set()

    def error(self, key: str, problem: str) -> ScenarioError:
        """Return an error about a key of this table."""
        place = f"{self._place}.{key}" if self._place and key else self._place or key
        return ScenarioError(f"{self._file}: {place}: {problem}")

    def _get(self, key: str) -> Any:
        self._asked.add(key)
        if key not in self._data:
            close = difflib.get_close_matches(key, self._data, n=1)
            raise self.error(key, f"is missing; is {close[0]!r} meant for it?" if close else "is missing")
        return self._data[key]

    def _take(self, key: str, what: str, fits: Callable[[Any], bool]) -> Any:
        value = self._get(key)
        if not fits(value):
            raise self.error(key, f"is {what}, not {value!r}")
        return value

    def text(self, key: str, longest: int = 40) -> str:
        """Return a text of one line."""
        what = "one character" if longest == 1 else f"a text of 1 to {longest} characters"
        value: str = self._take(key, what, lambda text: isinstance(text, str) and 1 <= len(text) <= longest)
        return value

    def whole(self, key: str, low: int, high: int) -> int:
        """Return a whole number."""
        value: int = self._take(
            key,
            f"a whole number from {low} to {high}",
            lambda number: type(number) is int and low <= number <= high,
        )
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """Return a number."""
        return float(
            self._take(key, f"a number from {low:g} to {high:g}", lambda value: _is_number(value, low, high))
        )

    def span(self, key: str, low: float, high: float) -> tuple[float, float]:
        """Return a pair [least, most]; a number alone is both."""
        value = self._get(key)
        pair = [value, value] if _is_number(value, low, high) else value
        if not (
            isinstance(pair, list) and len(pair) == 2 and all(_is_number(item, low, high) for item in pair)
        ) or (pair[0] > pair[1]):
            raise self.error(
                key, f"is a number, or a pair [least, most], within {low:g} to {high:g}, not {value!r}"
            )
        return (float(pair[0]), float(pair[1]))

    def point(self, key: str, bounds: tuple[int, int]) -> Point:
        """Return a place on the map."""
        return self.place(key, self._get(key), bounds)

    def place(self, key: str, value: Any, bounds: tuple[int, int]) -> Point:
        """Return `value` as a place on the map."""
        if not (
            isinstance(value, list)
            and len(value) == 2
            and all(_is_number(number, 0, most) for number, most in zip(value, bounds, strict=True))
        ):
            raise self.error(key, f"is a place [column, row] within [0, 0] to {list(bounds)}, not {value!r}")
        return (float(value[0]), float(value[1]))

    def style(self, key: str) -> str:
        """Return a style of rich: attributes and colours, `bold #ffd75f on #222222`."""
        what = "a style such as 'bold #ffd75f' or '#dddddd on #222222'"
        value: str = self._take(
            key, what, lambda text: isinstance(text, str) and bool(_STYLE.fullmatch(text))
        )
        return value

    def texts(self, key: str) -> list[str]:
        """Return a list of texts that is not empty."""
        what = "a list of names"
        value: list[str] = self._take(
            key,
            what,
            lambda items: (
                isinstance(items, list) and items != [] and all(isinstance(item, str) for item in items)
            ),
        )
        return value

    def table(self, key: str) -> Table:
        """Return a table within this one."""
        value = self._take(key, "a table", lambda table: isinstance(table, dict))
        return Table(value, self._file, f"{self._place}.{key}" if self._place else key)

    def tables(self, key: str) -> list[Table]:
        """Return the tables of a list that is not empty."""
        value = self._take(
            key,
            f"a list of tables, each begun by [[{key}]]",
            lambda items: (
                isinstance(items, list) and items != [] and all(isinstance(item, dict) for item in items)
            ),
        )
        return [Table(item, self._file, f"{key}[{number}]") for number, item in enumerate(value)]

    def keys(self) -> Iterator[str]:
        """Go through the keys, which thereby count as asked for."""
        for key in self._data:
            self._asked.add(key)
            yield key

    def raw(self, key: str) -> Any:
        """Return a value that the caller checks."""
        return self._get(key)

    def done(self) -> None:
        """Refuse keys that nobody asked for: a misspelt one would otherwise be ignored in silence."""
        for key in self._data:
            if key not in self._asked:
                raise self.error(
                    key, f"is not a key that is known here; known are {', '.join(sorted(self._asked))}"
                )


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high

"""A table of a scenario that is read key by key; every error names file, line, key and value."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from ..output import BadInput
from .toml_lines import KeyPath, line_of, shown


@dataclass(frozen=True, slots=True)
class Source:
    """Where values come from.

    Attributes:
        file: how the file is called in errors.
        text: what is in it.
        flags: the flag that gave a value instead of the file, by the value's path.
    """

    file: str
    text: str
    flags: dict[KeyPath, str]

    def error(self, path: KeyPath, problem: str) -> BadInput:
        """Return an error about the value at a path."""
        if path in self.flags:
            return BadInput(f"{self.flags[path]} {problem}")
        line = line_of(self.text, path)
        place = f"{self.file}:{line}" if line else self.file
        return BadInput(f"{place}: {shown(path)} {problem}" if path else f"{place}: {problem}")


class TomlTable:
    """A table that knows where it stands, and which keys may be in it.

    Attributes:
        path: where it stands.
    """

    def __init__(self, source: Source, data: dict[str, Any], path: KeyPath, known: Collection[str]) -> None:
        """Take a table.

        Raises:
            BadInput: a key that is not known.
        """
        self.path = path
        self._source = source
        self._data = data
        for key in data:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                hint = f"is {close[0]} meant?" if close else f"known are {', '.join(sorted(known))}"
                raise self.error(key, f"is not a key that is known here; {hint}")

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def error(self, key: str | None, problem: str) -> BadInput:
        """Return an error about a key, or about the table."""
        return self._source.error(self.path if key is None else (*self.path, key), problem)

    def raw(self, key: str, default: Any) -> Any:
        """Return a value that the caller checks."""
        return self._data.get(key, default)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty."""
        value = self._needed(key) if default is None else self._data.get(key, default)
        if not isinstance(value, str) or not value:
            raise self.error(key, f"is a text, not {value!r}")
        return value

    def choice(self, key: str, options: tuple[str, ...], default: str) -> Any:
        """Return one of some texts."""
        value = self._data.get(key, default)
        if value not in options:
            raise self.error(key, f"is {' or '.join(map(repr, options))}, not {value!r}")
        return value

    def whole(self, key: str, least: int, most: int, default: int) -> int:
        """Return a whole number within bounds."""
        value = self._data.get(key, default)
        if type(value) is not int or not least <= value <= most:
            raise self.error(key, f"is a whole number from {least:,} to {most:,}, not {value!r}")
        return value

    def number(self, key: str, least: float, most: float, default: float) -> float:
        """Return a number within bounds."""
        value = self._data.get(key, default)
        if type(value) not in (int, float) or not least <= value <= most:
            raise self.error(key, f"is a number from {least:,g} to {most:,g}, not {value!r}")
        return float(value)

    def table(self, key: str, known: Collection[str]) -> TomlTable:
        """Return a table within this one; an empty one where it is not there."""
        value = self._data.get(key, {})
        if not isinstance(value, dict):
            raise self.error(key, f"is a table, begun by [{key}], not {value!r}")
        return TomlTable(self._source, value, (*self.path, key), known)

    def tables(self, key: str, most: int, known: Collection[str]) -> Iterator[TomlTable]:
        """Give the tables of a list."""
        value = self._data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(key, f"is a list of tables, each begun by [[{shown((*self.path, key))}]]")
        if len(value) > most:
            raise self.error(key, f"has at most {most} tables, not {len(value)}")
        for number, item in enumerate(value):
            yield TomlTable(self._source, item, (*self.path, key, number), known)

    def _needed(self, key: str) -> Any:
        if key not in self._data:
            raise self.error(None, f"needs {key}")
        return self._data[key]

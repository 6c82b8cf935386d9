"""Where in a TOML file a key stands: `tomllib` gives values without their lines.

A small scan that knows headers, keys and multi-line strings, and nothing of values. A key within an inline table or a
list is found at the line on which its outermost key stands, which is where a reader looks for it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

KeyPath = tuple[str | int, ...]
"""Where a value stands: `("workflows", 1, "count")` for the count of the second `[[workflows]]`."""

_HEADER = re.compile(r"\s*(\[{1,2})([^\[\]]+)\]{1,2}\s*(#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=(.*)""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def line_of(text: str, path: KeyPath) -> int:
    """Return the line, from 1 up, of a key or of the nearest table around it; 0 where nothing of it is written."""
    lines: dict[KeyPath, int] = {}
    for place, number in _places(text):
        lines.setdefault(place, number)
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 0


def shown(path: KeyPath) -> str:
    """Write a path as in `workflows[1].count`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _places(text: str) -> Iterator[tuple[KeyPath, int]]:
    table: KeyPath = ()
    entries: Counter[KeyPath] = Counter()
    latest: dict[KeyPath, int] = {}
    string = ""
    for number, line in enumerate(text.splitlines(), 1):
        if string:
            string = "" if string in line else string
            continue
        if header := _HEADER.match(line):
            table = _within(_parts(header[2]), latest)
            if header[1] == "[[":
                latest[table] = entries[table]
                entries[table] += 1
                yield table, number
                table = (*table, latest[table])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_parts(key[1])), number
            for quotes in ('"""', "'''"):
                if key[2].count(quotes) == 1:
                    string = quotes


def _within(parts: KeyPath, latest: dict[KeyPath, int]) -> KeyPath:
    """Put in the number of each list of tables that a header passes through, but its own."""
    path: KeyPath = ()
    for at, part in enumerate(parts):
        path = (*path, part)
        if at < len(parts) - 1 and path in latest:
            path = (*path, latest[path])
    return path


def _parts(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))

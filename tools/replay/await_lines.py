"""Which lines of a function an await takes: it may be written over several."""

from __future__ import annotations

import ast
import textwrap
from functools import lru_cache

from .source_lines import FrameSource


def await_lines(frame: FrameSource) -> range:
    """Return the numbers, in its file, of the lines of the await at which a frame stands; none where it has none."""
    if not frame.line:
        return range(0)
    end = _ends(frame.lines).get(frame.line - frame.first_line, frame.line - frame.first_line)
    return range(frame.line, frame.first_line + end + 1)


@lru_cache(maxsize=64)
def _ends(lines: tuple[str, ...]) -> dict[int, int]:
    """Return the last line of each await by its first one, both counted from 0."""
    try:
        tree = ast.parse(textwrap.dedent("\n".join(lines)))
    except SyntaxError:
        # The file was changed after it was loaded.
        return {}
    ends: dict[int, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Await) and node.end_lineno is not None:
            ends[node.lineno - 1] = max(node.end_lineno - 1, ends.get(node.lineno - 1, 0))
    return ends

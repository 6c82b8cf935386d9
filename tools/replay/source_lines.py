"""Where a workflow stands in its source: the frames on its stack, each with the lines around its await."""

from __future__ import annotations

import contextlib
import inspect
import linecache
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...workflows import rows
from ...workflows.definition import ROUTINES
from ...workflows.messages import STATUSES
from ...workflows.versions import HeldError, Verdict
from ..survey import stack_of
from .saved_world import SavedWorld

_NIL = b"\xc0"


@dataclass(frozen=True, slots=True)
class FrameSource:
    """A frame, and its function's source where that is loaded.

    Attributes:
        name: of the function, as the world has it.
        key: of the await.
        line: of the await: in the loaded code where that fits, else when the snapshot was made.
        file: of the loaded code; None where it is not loaded or does not fit.
        first_line: of the function in that file.
        lines: the function's, decorators first.
        why_not: why there is no source; or, with source, in what it is another than the one that ran; else None.
    """

    name: str
    key: str
    line: int
    file: str | None = None
    first_line: int = 0
    lines: tuple[str, ...] = ()
    why_not: str | None = None

    def around(self, before: int, after: int) -> list[tuple[int, str]]:
        """Return numbered lines around the await."""
        numbered = list(enumerate(self.lines, self.first_line))
        at = self.line - self.first_line
        return numbered[max(0, at - before) : at + after + 1]


def place_of(saved: SavedWorld, row: bytes) -> str:
    """Return where a workflow stands, in a word or two: the innermost await with its line, or how it ended.

    Before the await comes the text given to `ctx.step`, if the last step gave one.

    Raises:
        RowError: the row does not decode.
    """
    split = rows.split(row)
    status = STATUSES[rows.read_field(split, rows.STATUS)]
    if not status.active:
        return str(status)
    if rows.arguments(split) is not None:
        return "not started"
    number, site = stack_of(split[rows.STACK])[-1]
    _, label, line = saved.codes.descriptor(number)["sites"][site - 1][:3]
    with contextlib.suppress(HeldError):
        line = saved.codes.fit(number, site).site.line
    given = rows.read_field(split, rows.LABEL)
    return f"{f'{given}, ' if given else ''}{label}:{line}"


def sources_of(saved: SavedWorld, row: bytes) -> list[FrameSource]:
    """Return the frames of a row, outermost first; none of a workflow that has not started, or has ended.

    Raises:
        RowError: the row does not decode.
    """
    split = rows.split(row)
    if split[rows.STACK] == _NIL or rows.arguments(split) is not None:
        return []
    return [_source(saved, number, site) for number, site in stack_of(split[rows.STACK])]


def _source(saved: SavedWorld, number: int, site: int) -> FrameSource:
    descriptor = saved.codes.descriptor(number)
    key, _, line = descriptor["sites"][site - 1][:3]
    name = descriptor["name"]
    try:
        fit = saved.codes.fit(number, site)
    except HeldError as error:
        return FrameSource(name, key, line, why_not=_why_not(saved, descriptor, error))
    lines = _lines(fit.program.filename, fit.program.first_line)
    if not lines:
        return FrameSource(name, key, fit.site.line, why_not=f"{fit.program.filename} cannot be read")
    edited = (
        None if fit.verdict is Verdict.KEPT else "the code was edited since; this is the same await of it now"
    )
    program = fit.program
    return FrameSource(name, key, fit.site.line, program.filename, program.first_line, lines, edited)


def _why_not(saved: SavedWorld, descriptor: dict[str, Any], error: HeldError) -> str:
    loaded = saved.registry.workflows if descriptor["kind"] == "workflow" else ROUTINES
    if descriptor["name"] in loaded:
        return f"the loaded code does not fit: {error}"
    return "source not loaded: give its module with --code"


@lru_cache(maxsize=256)
def _lines(filename: str, first_line: int) -> tuple[str, ...]:
    # To find the end of a function it is taken to pieces, which takes longer than all else that is shown of it.
    found = linecache.getlines(filename)[first_line - 1 :]
    return tuple(line.rstrip() for line in inspect.getblock(found)) if found else ()

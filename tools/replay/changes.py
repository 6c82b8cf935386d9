"""Changes of a fork's state: a local variable of a workflow is given another value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from ...workflows import rows
from ..output import BadInput
from .saved_world import SavedWorld

_FORM = re.compile(r"(\d+)(?:@(\d+))?\.([^\W\d]\w*)=(.*)", re.DOTALL)


class VariableChange(NamedTuple):
    """A variable and its new value.

    Attributes:
        workflow_id: whose.
        frame: 0 for the workflow function, then the routines below it.
        name: of the variable.
        value: a JSON value.
    """

    workflow_id: int
    frame: int
    name: str
    value: Any


class Changes:
    """Applies changes to the rows of a fork, each once."""

    def __init__(self, changes: Iterable[VariableChange]) -> None:
        self._left: dict[int, list[VariableChange]] = {}
        for change in changes:
            self._left.setdefault(change.workflow_id, []).append(change)

    def apply(self, world: SavedWorld, workflow_id: int, row: bytes) -> bytes:
        """Return the row that a workflow is to have.

        Raises:
            BadInput: it has no such variable now.
        """
        for change in self._left.pop(workflow_id, ()):
            row = _changed(world, row, change)
        return row

    def require_applied(self, turn: int) -> None:
        """Raise `BadInput` if a workflow that was to be changed was not there at the turn."""
        if self._left:
            raise BadInput(f"--set: there is no workflow {min(self._left)} at turn {turn}")


def parse_changes(texts: Iterable[str]) -> Changes | None:
    """Return what to do with the rows of a fork; None where nothing is to be changed.

    Args:
        texts: each `ID.NAME=VALUE` or `ID@FRAME.NAME=VALUE`, the value in JSON.

    Raises:
        BadInput: one of another form.
    """
    changes = []
    for text in texts:
        match = _FORM.fullmatch(text)
        if match is None:
            raise BadInput(f"--set takes ID.NAME=VALUE, such as 42.hp=1, not {text!r}")
        number, frame, name, value = match.groups()
        try:
            parsed = json.loads(value)
        except ValueError as error:
            raise BadInput(
                f'--set {text}: the value is not JSON ({error}); a text is written "so"'
            ) from error
        changes.append(VariableChange(int(number), int(frame or 0), name, parsed))
    return Changes(changes) if changes else None


def _changed(world: SavedWorld, row: bytes, change: VariableChange) -> bytes:
    codec, codes = world.codec, world.codes
    fields = codec.unpack(row)
    stack = fields[rows.STACK]
    where = f"workflow {change.workflow_id}"
    if type(stack) is not list:
        raise BadInput(f"--set: {where} has no variables then: it has not started, or has ended")
    if change.frame >= len(stack):
        raise BadInput(
            f"--set: {where} has {len(stack)} functions on its stack then, and none is @{change.frame}"
        )
    number, site, *_ = stack[change.frame]
    names = codes.names(number, site)
    if change.name not in names:
        known = ", ".join(name for name in names if not name.startswith(".")) or "none"
        raise BadInput(f"--set: {where} has no variable {change.name!r} then; it has {known}")
    stack[change.frame][2 + names.index(change.name)] = change.value
    return codec.pack(fields)

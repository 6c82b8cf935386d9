"""What a scenario comes to: what it returned and how its workflows stand, and how two of these differ."""

from __future__ import annotations

import difflib
import pprint
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from ..runtime import Runtime
from ..workflows.limits import Limits
from ..workflows.messages import Status
from ..workflows.tables import TableRows
from ..workflows.values import engine_codec

_SHORT = 72


class Fate(NamedTuple):
    """How a workflow stands at the end of a scenario."""

    type: str
    entity_id: int | None
    correlation_id: str | None
    parent_id: int | None
    status: Status
    current_step: str
    locals: dict[str, Any]
    result: Any
    error_message: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a scenario.

    Attributes:
        returned: what it returned.
        text: that as text. It may be an object that a later run changes, which the text survives.
        fates: its workflows by their ids.
        tables: the rows of its tables by key, by the tables' names.
    """

    returned: Any
    text: str
    fates: dict[int, Fate]
    tables: dict[str, dict[Any, Any]]

    @classmethod
    def of(cls, world: Runtime, returned: Any) -> Self:
        """Look at a world where a scenario has ended."""
        fates = {
            view.id: Fate(*(getattr(view, field) for field in Fate._fields)) for view in world.workflows()
        }
        engine, codec = world._engine, engine_codec()
        tables = {
            name: dict(TableRows(table, engine.tables, codec, Limits()))
            for name, table in engine.registry.tables.items()
        }
        return cls(returned, _text(returned), fates, tables)


def differences(first: Outcome, then: Outcome, one: str, other: str) -> list[str]:
    """Say what is different in two outcomes.

    Args:
        first: an outcome.
        then: the other one.
        one: what the first is called.
        other: what the other is called.

    Returns:
        A text of one or more lines for each difference; none where they are the same.
    """
    found = []
    if first.text != then.text and (first.returned is then.returned or first.returned != then.returned):
        found.append(difference("the scenario returned", first.text, then.text, one, other))
    for workflow_id in sorted(first.fates.keys() | then.fates.keys()):
        before, after = first.fates.get(workflow_id), then.fates.get(workflow_id)
        if before is None or after is None:
            there = before or after
            assert there is not None
            name = f"workflow {workflow_id} ({there.type})"
            absence = ("is there", "is not there") if after is None else ("is not there", "is there")
            found.append(difference(name, *absence, one, other))
            continue
        for field in Fate._fields:
            old, new = getattr(before, field), getattr(after, field)
            if not _same(old, new):
                name = f"workflow {workflow_id} ({before.type}), {field}"
                found.append(difference(name, _text(old), _text(new), one, other))
    for name, rows in first.tables.items():
        if not _same(rows, then.tables[name]):
            found.append(difference(f"table {name}", _text(rows), _text(then.tables[name]), one, other))
    return found


def _same(first: Any, then: Any) -> bool:
    """Compare two values; those that say they are different and look the same, as NaN does, are the same."""
    return bool(first == then) or repr(first) == repr(then)


def _text(value: Any) -> str:
    """Return a value as text, which is the same for equal tables and sets whatever their order."""
    return pprint.pformat(value, width=_SHORT)


def difference(what: str, first: str, then: str, one: str, other: str) -> str:
    """Return a text that shows two texts beneath what they are of: whole, or by the lines that differ."""
    if "\n" not in first + then:
        width = max(len(one), len(other)) + 1
        return f"  {what}\n    {one + ':':{width}} {first}\n    {other + ':':{width}} {then}"
    lines = difflib.unified_diff(first.splitlines(), then.splitlines(), one, other, lineterm="", n=2)
    return "\n".join([f"  {what}", *(f"    {line}" for line in lines)])

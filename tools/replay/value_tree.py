"""The locals of a workflow as a tree, and what of it changed with its last step."""

from __future__ import annotations

import reprlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from itertools import islice
from typing import Any, NamedTuple

from ...runtime import WorkflowView
from ...workflows.codec.named_tuples import is_named_tuple
from ...workflows.sources import Child, Every, Running, Timer
from .differences import ABSENT, Difference, _parts
from .due_times import due_text, span_text

MOST_CHILDREN = 200
"""Parts of one value that are shown."""


class Change(Enum):
    """What the last step did to a value."""

    NONE = "none"
    INSIDE = "inside"
    CHANGED = "changed"
    NEW = "new"
    GONE = "gone"


class Node(NamedTuple):
    """A variable, or a part of one.

    Attributes:
        name: as its parent calls it: `x`, `[3]`, `.hp`.
        path: as `differences` writes it.
        value: what it is, of one that is gone what it was.
        change: what the last step did to it.
        old: what it was, where it changed.
    """

    name: str
    path: str
    value: Any
    change: Change
    old: Any = ABSENT


class ValueTree:
    """The variables of a workflow, function by function, each with its parts."""

    def __init__(self, view: WorkflowView, changes: Iterable[Difference]) -> None:
        self._view = view
        self._changes = {change.path: change for change in changes}
        self._touched = {above for path in self._changes for above in _above(path)}

    def functions(self) -> list[tuple[str, list[Node]]]:
        """Return the variables of each function on the stack, by its name, the innermost first."""
        found = [(self._view.type, self._variables("locals", self._view.locals, Change.NONE))]
        for at, frame in enumerate(self._view.frames):
            entered = self._changes.get(f"frames[{at}]")
            inherited = Change.NEW if entered is not None and entered.old is ABSENT else Change.NONE
            found.append((frame.name, self._variables(f"frames[{at}].locals", frame.locals, inherited)))
        return found[::-1]

    def _variables(self, path: str, variables: Mapping[str, Any], inherited: Change) -> list[Node]:
        nodes = [self._node(name, f"{path}.{name}", value, inherited) for name, value in variables.items()]
        prefix = f"{path}."
        gone = [
            Node(change.path.removeprefix(prefix), change.path, change.old, Change.GONE)
            for change in self._changes.values()
            if change.new is ABSENT
            and change.path.startswith(prefix)
            and change.path.removeprefix(prefix).isidentifier()
        ]
        # In one order, so that they keep their places from turn to turn.
        return sorted(nodes + gone, key=lambda node: node.name) if gone else nodes

    def children(self, node: Node) -> list[Node]:
        """Return the parts of a value; those over `MOST_CHILDREN` are left out."""
        inherited = node.change if node.change in (Change.NEW, Change.GONE) else Change.NONE
        return [
            self._node(name, path, value, inherited)
            for name, path, value in islice(_items(node.path, node.value), MOST_CHILDREN)
        ]

    def _node(self, name: str, path: str, value: Any, inherited: Change) -> Node:
        change = self._changes.get(path)
        if change is not None and change.new is not ABSENT:
            kind = Change.NEW if change.old is ABSENT else Change.CHANGED
            return Node(name, path, value, kind, change.old)
        return Node(name, path, value, Change.INSIDE if path in self._touched else inherited)


def has_parts(value: Any) -> bool:
    """Say whether a value has parts that are worth a look of their own."""
    return next(_items("", value), None) is not None


def short_text(value: Any, now_us: int) -> str:
    """Return a value in one line, with the times of timers as they are from now."""
    if isinstance(value, Timer):
        named = "timer" if value.name is None else f"timer {value.name}"
        return f"{named}, {due_text(value.due_us, now_us)}"
    if isinstance(value, Every):
        return f"beat {value.n} of every {span_text(value.period_us)}, {due_text(value.due_us, now_us)}"
    if isinstance(value, Child):
        return f"child {value.workflow_id}"
    if isinstance(value, Running):
        return f"activity {value.workflow_id}"
    return _SHORT.repr(value)


def _items(path: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    """Go through the parts of a value: name, path and value of each, with paths as `differences` has them."""
    if isinstance(value, (list, deque)) or (isinstance(value, tuple) and not is_named_tuple(type(value))):
        yield from ((f"[{at}]", f"{path}[{at}]", item) for at, item in enumerate(value))
    elif isinstance(value, Mapping):
        yield from ((f"[{key!r}]", f"{path}[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, (set, frozenset)):
        yield from ((f"{item!r}", f"{path}[{item!r}]", item) for item in sorted(value, key=repr))
    elif not isinstance(value, (Timer, Every, Child, Running)):
        # Those are said whole, in a line.
        parts = _parts(value) or {}
        yield from ((f".{name}", f"{path}.{name}", item) for name, item in parts.items())


def _above(path: str) -> Iterator[str]:
    """Go through the paths of all that holds the value at a path."""
    return (path[:at] for at, character in enumerate(path) if character in ".[")


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = self.maxlong = 120
        self.maxlist = self.maxtuple = self.maxset = self.maxdict = self.maxdeque = 8

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        """Return a dict with its items in their order: as given, they are sorted."""
        if level <= 0 and x:
            return "{...}"
        items = [
            f"{self.repr1(key, level - 1)}: {self.repr1(value, level - 1)}"
            for key, value in islice(x.items(), self.maxdict)
        ]
        return "{" + ", ".join([*items, *["..."] * (len(x) > self.maxdict)]) + "}"


_SHORT = _Short()

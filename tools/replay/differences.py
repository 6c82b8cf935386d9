"""Differences between two values, or two views of workflows, by field path.

A path is what one would write in Python to get there: `locals.route[2].x`, `frames[1].locals.hp`, `timers[0].due`. An
item of a set is written as if the set were a dict of its items: `seen['gate']`; the order of a dict's keys, which a
snapshot keeps, as its `keys()`.

What a snapshot tells apart is different: 1 from 1.0, 0.0 from -0.0; a nan is the same as itself. Which objects are one
and the same is not looked at: two snapshots may differ in that alone.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

from ...runtime import WorkflowView
from ...workflows.codec.named_tuples import is_named_tuple
from ...workflows.errors import UnstorableError
from ...workflows.sources import Source
from ...workflows.unloaded import UnloadedMember, UnloadedValue
from ...workflows.values import engine_codec


class Absent(Enum):
    """Stands for a value where there is none."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return self.value


ABSENT: Final = Absent.ABSENT


class Difference(NamedTuple):
    """A place at which two values differ; `old` or `new` is `ABSENT` where there is nothing.

    In sequences of different length, indexes are those of the old one for what is gone and those of the new one for
    what is added.
    """

    path: str
    old: Any
    new: Any


_FIELDS = (
    "status",
    "current_step",
    "line",
    "locals",
    "frames",
    "timers",
    "awaiting",
    "unread",
    "children",
    "result",
    "error_message",
    "traceback",
    "retry_at",
    "type",
    "entity_id",
    "correlation_id",
    "parent_id",
    "created_at",
    "updated_at",
)
"""Of a view, in the order in which they are of interest. The rest depends on the loaded code, or is its id."""


def differences(before: WorkflowView, after: WorkflowView) -> list[Difference]:
    """Return where two views of workflows differ, of whichever times and ids; the most telling ones first."""
    compare = _Comparison()
    found: list[Difference] = []
    for name in _FIELDS:
        found += compare.between(name, _shown(before, name), _shown(after, name))
    return found


def value_differences(old: Any, new: Any, path: str = "") -> list[Difference]:
    """Return where two values differ; their own path is as given."""
    return list(_Comparison().between(path, old, new))


def _shown(view: WorkflowView, name: str) -> Any:
    """Return a field, with local variables as fields of their own."""
    value = getattr(view, name)
    if name == "status":
        return str(value)
    if name == "locals":
        return _Fields(value)
    if name == "frames":
        return [_Fields({**_slots(frame), "locals": _Fields(frame.locals)}) for frame in value]
    return value


class _Fields(dict[str, Any]):
    """Named parts of a value: `.name` in a path, and not `['name']`."""


class _Comparison:
    """Walks two values side by side."""

    def __init__(self) -> None:
        # A codec serves one thread, and differences are looked for in any.
        self._pack = engine_codec().pack

    def between(self, path: str, old: Any, new: Any) -> Iterator[Difference]:
        if type(old) is not type(new) or (isinstance(old, UnloadedValue) and old.name != new.name):
            yield Difference(path, old, new)
        elif isinstance(old, (list, deque)) or (isinstance(old, tuple) and not is_named_tuple(type(old))):
            yield from self._in_sequences(path, old, new)
            if isinstance(old, deque):
                yield from self.between(f"{path}.maxlen", old.maxlen, new.maxlen)
        elif isinstance(old, _Fields):
            yield from self._in_mappings(path, old, new, "{}.{}")
        elif isinstance(old, Mapping):
            yield from self._in_mappings(path, old, new, "{}[{!r}]")
            yield from self._in_order(path, old, new)
        elif isinstance(old, (set, frozenset)):
            yield from self._in_sets(path, old, new)
        elif (parts := _parts(old)) is not None:
            yield from self._in_mappings(path, parts, _parts(new) or {}, "{}.{}")
        elif not self._same(old, new):
            yield Difference(path, old, new)

    def _same(self, old: Any, new: Any) -> bool:
        if old is new:
            return True
        if type(old) is not type(new):
            return False
        try:
            return bool(self._pack(old) == self._pack(new))
        except UnstorableError:
            # What no snapshot holds: fields of a view, and what tests give.
            return not any(self.between("", old, new)) if _holds(old) else bool(old == new)

    def _in_sequences(self, path: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
        """Compare by place; where the lengths differ, between the items that are the same at both ends."""
        begin, tail, shorter = 0, 0, min(len(old), len(new))
        if len(old) != len(new):
            while begin < shorter and self._same(old[begin], new[begin]):
                begin += 1
            while tail < shorter - begin and self._same(old[-1 - tail], new[-1 - tail]):
                tail += 1
        for at in range(begin, max(len(old), len(new)) - tail):
            before = old[at] if at < len(old) - tail else ABSENT
            after = new[at] if at < len(new) - tail else ABSENT
            yield from self.between(f"{path}[{at}]", before, after)

    def _in_mappings(
        self, path: str, old: Mapping[Any, Any], new: Mapping[Any, Any], form: str
    ) -> Iterator[Difference]:
        before, after = self._keyed(old), self._keyed(new)
        for packed in before | after:
            key, was = before.get(packed, (None, ABSENT))
            key, now = after.get(packed, (key, ABSENT))
            yield from self.between(form.format(path, key).removeprefix("."), was, now)

    def _in_order(self, path: str, old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[Difference]:
        before, after = self._keyed(old), self._keyed(new)
        if [key for key in before if key in after] != [key for key in after if key in before]:
            yield Difference(f"{path}.keys()", list(old), list(new))

    def _in_sets(self, path: str, old: Any, new: Any) -> Iterator[Difference]:
        before, after = ({item: item for item in sorted(items, key=repr)} for items in (old, new))
        yield from self._in_mappings(path, before, after, "{}[{!r}]")

    def _keyed(self, mapping: Mapping[Any, Any]) -> dict[Any, tuple[Any, Any]]:
        """Return the items by their packed keys: 1 and True are two, and one object read twice is one."""
        return {self._packed(key): (key, value) for key, value in mapping.items()}

    def _packed(self, key: Any) -> Any:
        try:
            return self._pack(key)
        except UnstorableError:
            return key


def _holds(value: Any) -> bool:
    """Whether a value is made of others that are compared one by one."""
    return isinstance(value, (list, tuple, deque, Mapping, set, frozenset)) or _parts(value) is not None


def _parts(value: Any) -> dict[str, Any] | None:
    """Return the named parts of a value; None of one that has none."""
    if isinstance(value, (type, Enum, UnloadedMember)):
        return None
    if isinstance(value, UnloadedValue):
        return dict(zip(value.fields, value.values, strict=True))
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name, ABSENT) for field in dataclasses.fields(value)}
    if is_named_tuple(type(value)):
        return dict(zip(value._fields, value, strict=True))
    if isinstance(value, Source):
        return _slots(value)
    if isinstance(value, BaseException):
        return {
            "args": value.args,
            **vars(value),
            "__cause__": value.__cause__,
            "__context__": value.__context__,
        }
    return None


def _slots(value: Any) -> dict[str, Any]:
    return {
        name: getattr(value, name) for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ())
    }

"""Durable values as JSON, for reading: what a local holds, in a form that SQL's JSON functions take apart."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections import deque
from collections.abc import Collection, Mapping
from datetime import date, time, timedelta
from enum import Enum
from typing import Any

from ...workflows.codec.named_tuples import is_named_tuple
from ...workflows.compiler import UNBOUND
from ...workflows.sources import US, Child, Every, Running, Timer
from ...workflows.unloaded import UnloadedMember, UnloadedValue

_PLAIN = frozenset({int, str, bool, type(None)})
_LEAST, _MOST = -(2**63), 2**63 - 1
_LARGE = 10**640
"""Python may be set to write no number of more digits in decimal: that takes the square of their number."""
ELSEWHERE = "..."
"""Stands for a value inside itself, and for what is left out."""
MOST_PARTS = 1 << 20
"""Parts of a value that are shown: as many as a state of the usual bound may have."""
MOST_DEEP = 200
"""Values inside of one another that are shown."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

SqlValue = int | float | str | bytes | None


def json_text(value: Any) -> str:
    """Return a value as JSON.

    Objects are what has named fields, with those; enum members are their names, bytes `{"base64": ...}`, times
    ISO texts, sets arrays, handles of children `{"child": id}`. What JSON has no word for is its `repr`.
    """
    return _encode(plain(value))


def sql_value(value: Any) -> SqlValue:
    """Return a value as a cell: as it is where SQL has such values, a number over 64 bits as text, else as JSON."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return int(value) if _LEAST <= value <= _MOST else _digits(value)
    if value is None or isinstance(value, (str, bytes)):
        return value
    return float(value) if isinstance(value, float) else json_text(value)


def plain(value: Any) -> Any:
    """Return a value made of what JSON has; what lies too deep in it, or is too much, is `ELSEWHERE`."""
    return _Plain().of(value, frozenset())


class _Plain:
    """Makes one value plain. A part that is reachable twice comes twice: of the sum there is a bound."""

    def __init__(self) -> None:
        self._left = MOST_PARTS

    def of(self, value: Any, inside: frozenset[int]) -> Any:
        """Return a value made of what JSON has; `inside` are the identities of what it is a part of."""
        kind = type(value)
        if kind in _PLAIN:
            return value if kind is not int or -_LARGE < value < _LARGE else _digits(value)
        if isinstance(value, float):
            # JSON has no other numbers.
            return value if math.isfinite(value) else repr(value)
        if id(value) in inside or len(inside) > MOST_DEEP or self._left <= 0:
            return ELSEWHERE
        inner = inside | {id(value)}
        if kind is list or kind is tuple:
            # By far the most, and without a look at what else they might be.
            return self._list(value, inner)
        parts = _fields(value)
        if parts is not None:
            self._left -= len(parts)
            return {str(name): self.of(part, inner) for name, part in parts.items() if part is not UNBOUND}
        if isinstance(value, (list, tuple, deque)):
            return self._list(value, inner)
        if isinstance(value, (set, frozenset)):
            return self._list(sorted(value, key=repr), inner)
        return _leaf(value)

    def _list(self, parts: Collection[Any], inner: frozenset[int]) -> list[Any]:
        self._left -= len(parts)
        return [self.of(part, inner) for part in parts]


def _fields(value: Any) -> Mapping[Any, Any] | None:
    """Return what has named parts as a mapping; else None."""
    if isinstance(value, (dict, Mapping)):
        return {key if isinstance(key, str) else _key(key): part for key, part in value.items()}
    if isinstance(value, Timer):
        return {"timer": value.name, "due": value.due_us / US}
    if isinstance(value, Every):
        return {"every": value.period_us / US, "beat": value.n, "due": value.due_us / US}
    if isinstance(value, Child):
        return {"child": value.workflow_id}
    if isinstance(value, Running):
        return {"activity": value.workflow_id}
    if isinstance(value, (bytes, bytearray)):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, BaseException):
        return {"error": type(value).__name__, "args": value.args}
    return record_fields(value)


def record_fields(value: Any) -> dict[str, Any] | None:
    """Return the fields of a dataclass, a named tuple, or a stand-in for one, by name; None of any other value."""
    if isinstance(value, UnloadedValue):
        return dict(zip(value.fields, value.values, strict=True))
    if is_named_tuple(type(value)):
        found: dict[str, Any] = value._asdict()
        return found
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _digits(number: int) -> str:
    """Return a number as text, a very large one in hexadecimal."""
    return str(int(number)) if -_LARGE < number < _LARGE else hex(number)


def _key(key: Any) -> str:
    """Return a key of a dict as text: JSON's keys are texts."""
    return key.name if isinstance(key, Enum) else json_text(key)


def _leaf(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, UnloadedMember):
        return repr(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, str)):
        # Of a class of their own.
        return plain(int(value)) if isinstance(value, int) else str(value)
    return repr(value)

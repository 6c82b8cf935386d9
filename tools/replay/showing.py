"""Values as text that fits a line, and as JSON."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import Any

from ...workflows.codec.named_tuples import is_named_tuple
from ...workflows.unloaded import UnloadedMember, UnloadedValue

WIDTH = 60
"""Most characters of a value in a line with others."""


def short(value: Any, width: int = WIDTH) -> str:
    """Return a value's `repr` in one line, cut where it is longer than a width."""
    text = " ".join(repr(value).split("\n"))
    return text if len(text) <= width else f"{text[: width - 3]}..."


def plain(value: Any) -> Any:
    """Return a value as JSON has it; what JSON has not becomes its `repr`.

    Records become maps of their fields, keys that are no texts their `repr`.
    """
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else repr(key): plain(item) for key, item in value.items()}
    if is_named_tuple(type(value)):
        return {name: plain(getattr(value, name)) for name in value._fields}
    if isinstance(value, (list, tuple, deque)):
        return [plain(item) for item in value]
    if isinstance(value, UnloadedMember):
        return repr(value)
    if isinstance(value, UnloadedValue):
        return dict(zip(value.fields, map(plain, value.values), strict=True))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return repr(value)

"""The JSON form of a value that a world holds: for people and scripts to read, not to be read back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any


def json_form(value: Any) -> Any:
    """Return a value as JSON has it: an object by its fields, bytes as hexadecimal digits, a rarer one as its text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        # JSON has no word for these, and many readers refuse what Python writes for them.
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): json_form(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_form(item) for item in value]
    if isinstance(value, AbstractSet):
        return [json_form(item) for item in sorted(value, key=repr)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: json_form(getattr(value, field.name)) for field in fields}
    return str(value)

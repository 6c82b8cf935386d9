"""Named tuples into bytes and back: the name of the class, the names of its fields, then the fields."""

from __future__ import annotations

from typing import Any

from ..errors import UnknownTypeError, UnstorableError
from . import wire
from .names import class_name, type_name
from .wire import Build, Kind, check_stored, tag

_NAMED_TUPLE = tag(wire.NAMED_TUPLE)


def is_named_tuple(cls: type) -> bool:
    """Say whether a class is a named tuple."""
    fields = getattr(cls, "_fields", None)
    return (
        issubclass(cls, tuple) and isinstance(fields, tuple) and all(isinstance(name, str) for name in fields)
    )


def named_tuple_kind(cls: Any) -> Kind:
    """Say how the instances of a named tuple are written."""
    head = f"{class_name(cls)}({','.join(cls._fields)})"

    def encode(value: Any) -> list[Any]:
        if getattr(value, "__dict__", None):
            why = f"its attribute {next(iter(value.__dict__))!r} is not one of its fields"
            raise UnstorableError(type_name(cls), why=why)
        return [_NAMED_TUPLE, head, *value]

    return Kind(encode)


def named_tuple_build(cls: Any, name: str, stored: list[str]) -> Build:
    """Give what makes an instance of a named tuple from its stored fields."""
    if not is_named_tuple(cls):
        raise UnknownTypeError(name, "it is no longer a named tuple")
    check_stored(name, stored, cls._fields)
    defaults = getattr(cls, "_field_defaults", {})
    for field in cls._fields:
        if field not in stored and field not in defaults:
            raise UnknownTypeError(
                name, f"it was stored without the field {field!r}; give that field a default"
            )

    def build(items: list[Any]) -> Any:
        held = defaults | dict(zip(stored, items, strict=True))
        return tuple.__new__(cls, [held[field] for field in cls._fields])

    return build

"""Enum members: by name; flags by value."""

from __future__ import annotations

import enum

from msgpack import ExtType

from ..errors import UnknownTypeError
from . import wire
from .names import class_name, find_class
from .wire import Kind


def enum_kind(cls: type[enum.Enum]) -> Kind:
    """Say how the members of an enum are written."""
    name = class_name(cls)
    if issubclass(cls, enum.Flag):
        return Kind(lambda value: ExtType(wire.ENUM, f"{name}={int(value.value)}".encode()), atomic=True)
    leaves = {member.name: ExtType(wire.ENUM, f"{name}.{member.name}".encode()) for member in cls}
    return Kind(lambda value: leaves[value._name_], atomic=True)


def member(text: str) -> enum.Enum:
    """Find the member that a leaf names."""
    name, equals, number = text.partition("=")
    if not equals:
        name, _, number = text.rpartition(".")
    cls = find_class(name)
    if not issubclass(cls, enum.Enum) or issubclass(cls, enum.Flag) is not bool(equals):
        raise UnknownTypeError(name, "it is no longer an enum" + " of flags" * bool(equals))
    try:
        if equals:
            # Flag's own way to combine members; a user's `_missing_` does not run.
            combine = enum.Flag._missing_.__func__  # type: ignore[attr-defined]
            held = cls._value2member_map_.get(int(number))
            return combine(cls, int(number)) if held is None else held
        return cls._member_map_[number]
    except (KeyError, ValueError):
        raise UnknownTypeError(name, f"it no longer has {number}; keep that member") from None

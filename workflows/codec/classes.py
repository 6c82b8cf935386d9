"""Values of classes: dataclasses, named tuples, enum members, exceptions, and classes themselves.

A dataclass or named tuple is written as one string, its class and field names, and then the fields:
`"game.units:Unit(name,hp)", "orc", 10`. Another version of the class takes it by these names:

- fields may be put in another order;
- a field that the class has and the bytes have not takes its default (or default factory's value); a field
  without one is an error;
- a field that the bytes have and the class has not is an error: dropping it silently would lose what a player
  had. Keep the field, or give the workflow a migration, before it goes;
- a class that moves may be imported under its old name in its old module: it is found there and written anew.

No `__init__`, `__post_init__`, `__new__` or `__setattr__` of a user's class runs when a value is made from
bytes. Enum members go by name, flags by value. An exception keeps its class, args, attributes, cause and
context; its traceback is lost.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import partial
from typing import Any

from msgpack import ExtType

from ..errors import DecodeError, UnknownTypeError, UnstorableError
from . import wire
from .enums import enum_kind, member
from .exceptions import exception_build, exception_kind
from .named_tuples import is_named_tuple, named_tuple_build, named_tuple_kind
from .names import class_name, find_class, type_name
from .records import is_dataclass, record_build, record_kind
from .wire import Build, Kind

_BUILTIN_CLASSES = {
    f"builtins:{cls.__name__}": cls
    for cls in (
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        bytearray,
        list,
        tuple,
        dict,
        set,
        frozenset,
        range,
        slice,
        object,
    )
}
"""Classes of Python that may be values: a `defaultdict(list)` needs them, and calling them harms no one."""


def class_kind(cls: type) -> Kind | None:
    """Say how the instances of a class are written; None if they have no durable form.

    Raises:
        UnstorableError: a class of a storable sort that cannot be stored, with the reason.
    """
    if issubclass(cls, type):
        return Kind(_class, atomic=True)
    if issubclass(cls, enum.Enum):
        return enum_kind(cls)
    if issubclass(cls, BaseException):
        return exception_kind(cls)
    if is_named_tuple(cls):
        return named_tuple_kind(cls)
    if is_dataclass(cls):
        return record_kind(cls)
    return None


def _class(value: type) -> ExtType:
    name = f"builtins:{value.__qualname__}"
    if _BUILTIN_CLASSES.get(name) is not value:
        if not _is_storable(value):
            sorts = "dataclass, enum, named tuple or exception"
            why = f"{type_name(value)} is not a {sorts}; keep its name instead"
            raise UnstorableError("class", why=why)
        name = class_name(value)
    return ExtType(wire.CLASS, name.encode())


def _is_storable(cls: type) -> bool:
    return issubclass(cls, (enum.Enum, BaseException)) or is_named_tuple(cls) or is_dataclass(cls)


def to_class(name: str) -> type:
    """Find the class that a leaf names."""
    cls = _BUILTIN_CLASSES.get(name) or find_class(name)
    if name not in _BUILTIN_CLASSES and not _is_storable(cls):
        raise UnknownTypeError(name, "it is not a dataclass, enum, named tuple or exception")
    return cls


class ClassReader:
    """Makes values from the names of their classes, and remembers what it found.

    What a name stands for is looked up once, until `forget`.
    """

    def __init__(self) -> None:
        self._leaves: dict[tuple[int, bytes], Any] = {}
        self._builds: dict[tuple[int, str], Build] = {}
        self.tags: dict[int, Build] = {
            code: partial(self._read, code) for code in (wire.RECORD, wire.NAMED_TUPLE, wire.EXCEPTION)
        }
        self.leaves: dict[int, Callable[[bytes], Any]] = {
            wire.ENUM: partial(self._leaf, wire.ENUM),
            wire.CLASS: partial(self._leaf, wire.CLASS),
        }

    def _leaf(self, code: int, data: bytes) -> Any:
        found = self._leaves.get((code, data))
        if found is None:
            text = data.decode()
            found = self._leaves[code, data] = member(text) if code == wire.ENUM else to_class(text)
        return found

    def _read(self, code: int, items: list[Any]) -> Any:
        key = (code, items[0])
        build = self._builds.get(key)
        if build is None:
            build = self._builds[key] = _find_build(*key)
        return build(items[1:])

    def forget(self) -> None:
        """Look every name up anew: modules have been reloaded."""
        self._leaves.clear()
        self._builds.clear()


def _find_build(code: int, head: str) -> Build:
    if code == wire.EXCEPTION:
        return exception_build(find_class(head), head)
    name, bracket, fields = head.partition("(")
    if not bracket or not fields.endswith(")"):
        raise DecodeError(f"{head!r} does not name a class and its fields")
    stored = [field for field in fields[:-1].split(",") if field]
    make = record_build if code == wire.RECORD else named_tuple_build
    return make(find_class(name), name, stored)

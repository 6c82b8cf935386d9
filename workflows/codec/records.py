"""Dataclasses into bytes and back: the name of the class, the names of its fields, then the fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property, partial
from operator import attrgetter, itemgetter
from types import MemberDescriptorType
from typing import Any

from ..errors import UnknownTypeError, UnstorableError
from . import wire
from .names import class_name, type_name
from .wire import HEAP_TYPE, Build, Kind, check_stored, tag

_RECORD = tag(wire.RECORD)


def is_dataclass(cls: type) -> bool:
    """Say whether a class itself is decorated as a dataclass."""
    # An undecorated subclass inherits its parent's fields, but may hold more.
    return "__dataclass_params__" in vars(cls)


def record_kind(cls: type) -> Kind:
    """Say how the instances of a dataclass are written."""
    names = [field.name for field in dataclasses.fields(cls)]
    head = f"{class_name(cls)}({','.join(names)})"
    slots = _check_record(cls, set(names))
    # One that compares by identity must keep it, frozen or not: as a key it would not be found again.
    compare: object = cls.__eq__
    identity = not vars(cls)["__dataclass_params__"].frozen or compare is object.__eq__

    def slow(value: Any) -> list[Any]:
        extra = [
            name for name in getattr(value, "__dict__", ()) if name not in names and not _is_cached(cls, name)
        ]
        if extra == ["__orig_class__"]:
            raise UnstorableError(
                type_name(cls), why=f"write {cls.__name__}(...) without the [...] before it"
            )
        if extra:
            why = f"its attribute {extra[0]!r} is not one of its fields; declare it as a field"
            raise UnstorableError(type_name(cls), why=why)
        missing = [name for name in names if not hasattr(value, name)]
        if missing:
            raise UnstorableError(type_name(cls), why=f"its field {missing[0]!r} is not set")
        return [_RECORD, head, *(getattr(value, name) for name in names)]

    if cls.__dictoffset__ == 0:
        get = _tuple_getter(attrgetter, names)

        def encode(value: Any) -> list[Any]:
            try:
                return [_RECORD, head, *get(value)]
            except AttributeError:
                return slow(value)

    elif slots:
        encode = slow
    else:
        take = _tuple_getter(itemgetter, names)
        count = len(names)

        def encode(value: Any) -> list[Any]:
            held = value.__dict__
            if len(held) == count:
                try:
                    return [_RECORD, head, *take(held)]
                except KeyError:
                    pass
            return slow(value)

    return Kind(encode, identity=identity)


def _tuple_getter(make: Any, names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Give a getter that answers with a tuple for any number of names; operator's own do from two on."""
    if len(names) > 1:
        getter: Callable[[Any], tuple[Any, ...]] = make(*names)
        return getter
    if not names:
        return lambda _: ()
    single = make(names[0])
    return lambda value: (single(value),)


def _check_record(cls: type, names: set[str]) -> set[str]:
    """Refuse dataclasses whose fields are not all there is to an instance; give the names kept in slots."""
    slots: set[str] = set()
    for base in cls.__mro__[:-1]:
        if not base.__flags__ & HEAP_TYPE:
            raise UnstorableError(
                type_name(cls), why=f"it is also a {type_name(base)}; hold one in a field instead"
            )
        slots.update(name for name, held in vars(base).items() if isinstance(held, MemberDescriptorType))
    loose = sorted(slots - names)
    if loose:
        raise UnstorableError(
            type_name(cls), why=f"its slot {loose[0]!r} is not one of its fields; declare it as a field"
        )
    for name in names:
        held = getattr(cls, name, None)
        if isinstance(held, property):
            raise UnstorableError(type_name(cls), why=f"its field {name!r} is a property")
    return slots


def _is_cached(cls: type, name: str) -> bool:
    return isinstance(getattr(cls, name, None), cached_property)


def record_build(cls: Any, name: str, stored: list[str]) -> Build:
    """Give what makes an instance of a dataclass from its stored fields."""
    if not is_dataclass(cls):
        raise UnknownTypeError(name, "it is no longer a dataclass")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    _check_record(cls, set(fields))
    check_stored(name, stored, fields)
    fill: list[tuple[str, Callable[[], Any]]] = []
    for field in fields.values():
        if field.name in stored:
            continue
        if field.default_factory is not dataclasses.MISSING:
            fill.append((field.name, field.default_factory))
        elif field.default is not dataclasses.MISSING:
            fill.append((field.name, partial(_same, field.default)))
        else:
            raise UnknownTypeError(
                name, f"it was stored without the field {field.name!r}; give that field a default"
            )
    new, put = object.__new__, object.__setattr__

    def build(items: list[Any]) -> Any:
        value = new(cls)
        for key, item in zip(stored, items, strict=True):
            put(value, key, item)
        for key, make in fill:
            put(value, key, make())
        return value

    return build


def _same(value: Any) -> Any:
    return value

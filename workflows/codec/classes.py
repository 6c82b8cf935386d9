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

import dataclasses
import enum
from collections.abc import Callable
from functools import cached_property, partial
from operator import attrgetter, itemgetter
from types import MemberDescriptorType
from typing import Any

from msgpack import ExtType

from ..errors import DecodeError, UnknownTypeError, UnstorableError
from . import wire
from .names import class_name, find_class, type_name
from .wire import Kind, pairs, tag

_RECORD, _NAMED_TUPLE, _EXCEPTION = tag(wire.RECORD), tag(wire.NAMED_TUPLE), tag(wire.EXCEPTION)

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

_HEAP_TYPE = 1 << 9

# State that lives in C members, outside of args and `__dict__`. What is missing here follows from args.
_MEMBERS: dict[str, Any] = {
    f"{cls.__name__}.{name}": vars(cls)[name]
    for cls, names in ((ImportError, ("name", "path")), (NameError, ("name",)), (AttributeError, ("name",)))
    for name in names
}

Build = Callable[[list[Any]], Any]


def class_kind(cls: type) -> Kind | None:
    """Say how the instances of a class are written; None if they have no durable form.

    Raises:
        UnstorableError: a class of a storable sort that cannot be stored, with the reason.
    """
    if issubclass(cls, type):
        return Kind(_class, atomic=True)
    if issubclass(cls, enum.Enum):
        return _enum_kind(cls)
    if issubclass(cls, BaseException):
        return _exception_kind(cls)
    if _is_named_tuple(cls):
        return _named_tuple_kind(cls)
    if _is_dataclass(cls):
        return _record_kind(cls)
    return None


def _is_dataclass(cls: type) -> bool:
    # An undecorated subclass inherits its parent's fields, but may hold more.
    return "__dataclass_params__" in vars(cls)


def _is_named_tuple(cls: type) -> bool:
    fields = getattr(cls, "_fields", None)
    return (
        issubclass(cls, tuple) and isinstance(fields, tuple) and all(isinstance(name, str) for name in fields)
    )


# -- dataclasses -------------------------------------------------------------------------------------------


def _record_kind(cls: type) -> Kind:
    names = [field.name for field in dataclasses.fields(cls)]
    head = f"{class_name(cls)}({','.join(names)})"
    slots = _check_record(cls, set(names))
    identity = not vars(cls)["__dataclass_params__"].frozen

    def slow(value: Any) -> list[Any]:
        extra = [
            name for name in getattr(value, "__dict__", ()) if name not in names and not _is_cached(cls, name)
        ]
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
        if not base.__flags__ & _HEAP_TYPE:
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


def _record_build(cls: Any, name: str, stored: list[str]) -> Build:
    if not _is_dataclass(cls):
        raise UnknownTypeError(name, "it is no longer a dataclass")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    _check_record(cls, set(fields))
    _check_stored(name, stored, fields)
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


def _check_stored(name: str, stored: list[str], fields: Any) -> None:
    for field in stored:
        if field not in fields:
            raise UnknownTypeError(
                name, f"it was stored with a field {field!r} that it no longer has; keep that field"
            )


# -- named tuples ------------------------------------------------------------------------------------------


def _named_tuple_kind(cls: Any) -> Kind:
    head = f"{class_name(cls)}({','.join(cls._fields)})"

    def encode(value: Any) -> list[Any]:
        if getattr(value, "__dict__", None):
            why = f"its attribute {next(iter(value.__dict__))!r} is not one of its fields"
            raise UnstorableError(type_name(cls), why=why)
        return [_NAMED_TUPLE, head, *value]

    return Kind(encode)


def _named_tuple_build(cls: Any, name: str, stored: list[str]) -> Build:
    if not _is_named_tuple(cls):
        raise UnknownTypeError(name, "it is no longer a named tuple")
    _check_stored(name, stored, cls._fields)
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


# -- enum members and classes ------------------------------------------------------------------------------


def _enum_kind(cls: type[enum.Enum]) -> Kind:
    name = class_name(cls)
    if issubclass(cls, enum.Flag):
        return Kind(lambda value: ExtType(wire.ENUM, f"{name}={int(value.value)}".encode()), atomic=True)
    leaves = {member.name: ExtType(wire.ENUM, f"{name}.{member.name}".encode()) for member in cls}
    return Kind(lambda value: leaves[value._name_], atomic=True)


def _member(text: str) -> enum.Enum:
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
    return issubclass(cls, (enum.Enum, BaseException)) or _is_named_tuple(cls) or _is_dataclass(cls)


def _to_class(name: str) -> type:
    cls = _BUILTIN_CLASSES.get(name) or find_class(name)
    if name not in _BUILTIN_CLASSES and not _is_storable(cls):
        raise UnknownTypeError(name, "it is not a dataclass, enum, named tuple or exception")
    return cls


# -- exceptions --------------------------------------------------------------------------------------------


def _exception_kind(cls: type[BaseException]) -> Kind:
    name = class_name(cls)
    base = _builtin_base(cls)
    members = [(key, held) for key, held in _MEMBERS.items() if issubclass(cls, held.__objclass__)]

    def encode(value: Any) -> list[Any]:
        # OSError takes its file name out of args, and puts it back only here.
        args = base.__reduce__(value)[1]
        attributes: list[Any] = []
        for key, held in members:
            kept = held.__get__(value)
            if kept is not None:
                attributes += (key, kept)
        for item in value.__dict__.items():
            attributes += item
        suppress, cause, context = value.__suppress_context__, value.__cause__, value.__context__
        return [_EXCEPTION, name, suppress, cause, context, len(args), *args, *attributes]

    return Kind(encode, identity=True)


def _builtin_base(cls: type[BaseException]) -> Any:
    """Find the builtin exception below a class; its part of making an instance runs no code of a user."""
    for base in cls.__mro__:
        if not base.__flags__ & _HEAP_TYPE:
            return base
        loose = [name for name, held in vars(base).items() if isinstance(held, MemberDescriptorType)]
        if loose:
            why = f"its slot {loose[0]!r} would be lost; keep it as an ordinary attribute"
            raise UnstorableError(type_name(cls), why=why)
    raise AssertionError("every class has a builtin base")


def _exception_build(cls: type, name: str) -> Build:
    if not issubclass(cls, BaseException):
        raise UnknownTypeError(name, "it is not an exception")
    base = _builtin_base(cls)
    put = BaseException.__setattr__

    def build(items: list[Any]) -> BaseException:
        suppress, cause, context, count, *rest = items
        args, attributes = rest[:count], rest[count:]
        if len(args) != count:
            raise DecodeError(f"an exception has {len(args)} of {count} args")
        value: BaseException = base.__new__(cls, *args)
        base.__init__(value, *args)
        for key, held in pairs(attributes):
            if key in _MEMBERS:
                _MEMBERS[key].__set__(value, held)
            else:
                value.__dict__[key] = held
        put(value, "__cause__", cause)
        put(value, "__context__", context)
        put(value, "__suppress_context__", suppress)
        return value

    return build


# -- and back ----------------------------------------------------------------------------------------------


class ClassReader:
    """Makes values from the names of their classes, and remembers what it found.

    What a name stands for is looked up once: after a reload of modules a new reader is needed.
    """

    def __init__(self) -> None:
        self._leaves: dict[tuple[int, bytes], Any] = {}
        self.tags = {code: _reader(code) for code in (wire.RECORD, wire.NAMED_TUPLE, wire.EXCEPTION)}
        self.leaves: dict[int, Callable[[bytes], Any]] = {
            wire.ENUM: partial(self._leaf, wire.ENUM),
            wire.CLASS: partial(self._leaf, wire.CLASS),
        }

    def _leaf(self, code: int, data: bytes) -> Any:
        found = self._leaves.get((code, data))
        if found is None:
            text = data.decode()
            found = self._leaves[code, data] = _member(text) if code == wire.ENUM else _to_class(text)
        return found


def _reader(code: int) -> Build:
    builds: dict[str, Build] = {}

    def read(items: list[Any]) -> Any:
        head = items[0]
        build = builds.get(head)
        if build is None:
            build = builds[head] = _find_build(code, head)
        return build(items[1:])

    return read


def _find_build(code: int, head: str) -> Build:
    if code == wire.EXCEPTION:
        return _exception_build(find_class(head), head)
    name, bracket, fields = head.partition("(")
    if not bracket or not fields.endswith(")"):
        raise DecodeError(f"{head!r} does not name a class and its fields")
    stored = [field for field in fields[:-1].split(",") if field]
    make = _record_build if code == wire.RECORD else _named_tuple_build
    return make(find_class(name), name, stored)

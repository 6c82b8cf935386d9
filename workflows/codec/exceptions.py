"""Exceptions into bytes and back: class, args, attributes, cause and context; the traceback is lost."""

from __future__ import annotations

from types import MemberDescriptorType
from typing import Any

from ..errors import DecodeError, UnknownTypeError, UnstorableError
from . import wire
from .names import class_name, type_name
from .wire import HEAP_TYPE, Build, Kind, pairs, tag

_EXCEPTION = tag(wire.EXCEPTION)

# State that lives in C members, outside of args and `__dict__`. What is missing here follows from args.
_MEMBERS: dict[str, Any] = {
    f"{cls.__name__}.{name}": vars(cls)[name]
    for cls, names in ((ImportError, ("name", "path")), (NameError, ("name",)), (AttributeError, ("name",)))
    for name in names
}


def exception_kind(cls: type[BaseException]) -> Kind:
    """Say how the instances of an exception class are written."""
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
        if not base.__flags__ & HEAP_TYPE:
            return base
        loose = [name for name, held in vars(base).items() if isinstance(held, MemberDescriptorType)]
        if loose:
            why = f"its slot {loose[0]!r} would be lost; keep it as an ordinary attribute"
            raise UnstorableError(type_name(cls), why=why)
    raise AssertionError("every class has a builtin base")


def exception_build(cls: type, name: str) -> Build:
    """Give what makes an instance of an exception class, without running its `__init__`."""
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

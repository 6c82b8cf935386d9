"""Values whose classes are not loaded, or no longer fit: shown by what their bytes say of them.

A world is looked at without its game's code, too. Its codec would refuse such a value, and with it all the rest of
the row; the one made here puts a stand-in in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from .codec import Codec, wire
from .codec.classes import ClassReader
from .errors import UnknownTypeError, UnstorableError
from .values import engine_codec


@dataclass(frozen=True, slots=True)
class UnloadedValue:
    """Stands for a dataclass, a named tuple or an exception.

    Attributes:
        name: its class, `module:qualname`.
        fields: the names of its fields, or of an exception's args and attributes.
        values: theirs.
    """

    name: str
    fields: tuple[str, ...]
    values: tuple[Any, ...]

    def __hash__(self) -> int:
        # It may be the key of a dict by its identity, and hold what cannot be hashed.
        return hash(self.name)

    def __repr__(self) -> str:
        inner = ", ".join(f"{key}={value!r}" for key, value in zip(self.fields, self.values, strict=True))
        return f"{self.name.rpartition(':')[2]}({inner})"


@dataclass(frozen=True, slots=True)
class UnloadedMember:
    """Stands for a member of an enum, `module:qualname.member`, or a flag, `module:qualname=number`."""

    text: str

    def __repr__(self) -> str:
        name, flags, number = self.text.rpartition(":")[2].partition("=")
        return f"{name}({number})" if flags else name


@cache
def _unloaded_class(name: str) -> type:
    module, _, qualname = name.partition(":")
    return type(qualname.rpartition(".")[2], (), {"__module__": module, "__qualname__": qualname})


def tolerant_codec() -> Codec:
    """Return a codec that reads values of any class; for looking only: what it gives is not what was stored."""
    return engine_codec(_TolerantReader())


class _TolerantReader(ClassReader):
    """Puts stand-ins where a class does not fit, and remembers that it does not."""

    def _leaf(self, code: int, data: bytes) -> Any:
        try:
            return super()._leaf(code, data)
        except (UnknownTypeError, UnstorableError):
            text = data.decode()
            found = UnloadedMember(text) if code == wire.ENUM else _unloaded_class(text)
            self._leaves[code, data] = found
            return found

    def _read(self, code: int, items: list[Any]) -> Any:
        try:
            return super()._read(code, items)
        except (UnknownTypeError, UnstorableError):
            make = _unloaded_error if code == wire.EXCEPTION else _unloaded_record
            build = self._builds[code, items[0]] = partial(make, items[0])
            return build(items[1:])


def _unloaded_record(head: str, items: list[Any]) -> UnloadedValue:
    name, _, fields = head.rstrip(")").partition("(")
    return UnloadedValue(name, tuple(field for field in fields.split(",") if field), tuple(items))


def _unloaded_error(name: str, items: list[Any]) -> UnloadedValue:
    _, cause, context, count, *rest = items
    names, values = ["args"], [tuple(rest[:count])]
    names += [str(key) for key in rest[count::2]]
    values += rest[count + 1 :: 2]
    for key, value in (("__cause__", cause), ("__context__", context)):
        if value is not None:
            names.append(key)
            values.append(value)
    return UnloadedValue(name, tuple(names), tuple(values))

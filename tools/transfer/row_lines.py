"""A row of a world as a line of JSON, and back to the same bytes.

A row is said in the most readable of some ways that reads back as just what it was: so whatever a value holds, the
line is exact, and no way has to be right about all values. A value is msgpack, said as JSON; for what JSON has not,
an object of one name stands:

| object                  | meaning                                                            |
|-------------------------|--------------------------------------------------------------------|
| `{"base64": text}`      | bytes                                                              |
| `{"msgpack": value}`    | bytes too: those of a packed value                                 |
| `{"ext": code}`         | an ext value without bytes                                         |
| `{"ext": [code, data]}` | an ext value: data is a text, for its UTF-8, or an object for bytes |
| `{"map": [[key, value], ...]}` | a map whose keys are not all texts, or which would look like one of these |
| `{"float": text}`       | `nan`, `inf` or `-inf`                                             |
| `{"number": number}`    | in place of a whole value that is not msgpack: the eight bytes of a signed integer |
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import msgpack

from .table_shapes import Shape

TABLE, KEY, ROW = "table", "key", "row"
_MARKS = frozenset({"base64", "msgpack", "ext", "map", "float", "number"})
_NUMBER = 8
_PACKED = frozenset({*range(0x80, 0xC1), 0xC2, 0xC3, 0xCB, *range(0xD9, 0xE0)})
"""First bytes of packed values that no text in ASCII begins with: of arrays, maps, texts, floats, nil and truth."""

UNFIT = (
    *(ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError),
    msgpack.exceptions.UnpackException,
)
"""What a row raises that cannot be said in some way, and a line that is none."""


class Row(NamedTuple):
    """A row of a table."""

    table: str
    key: bytes
    value: bytes


class _Ext:
    """An ext value; msgpack's own is a tuple, which JSON would take for an array."""

    __slots__ = ("code", "data")

    def __init__(self, code: int, data: bytes) -> None:
        self.code = code
        self.data = data


def write_line(row: Row, shape: Shape) -> bytes:
    """Return the line of a row, without its line feed."""
    for say_value in (_natural, _careful, _raw):
        try:
            value = shape.name_fields(say_value(row.value)) if row.value else None
            line = _dump(row, shape.say_key(row.key), value)
            if read_line(line, shape) == row:
                return line
        except UNFIT:
            continue
    return _dump(row, _as_base64(row.key), _as_base64(row.value))


def read_line(line: bytes, shape: Shape) -> Row:
    """Return the row of a line.

    Raises:
        One of `UNFIT`: it is none.
    """
    return read_row(parse(line), shape)


def read_row(value: dict[str, Any], shape: Shape) -> Row:
    """Return the row of a line that was parsed; raises what `read_line` does."""
    table, key = value[TABLE], value[KEY]
    if type(key) is not bytes:
        key = shape.read_key(key)
    if type(table) is not str or type(key) is not bytes or not key:
        raise ValueError("no table, or no key")
    if ROW not in value:
        return Row(table, key, b"")
    row = shape.order_fields(value[ROW])
    return Row(table, key, row if type(row) is bytes else _pack(row))


def parse(line: bytes) -> Any:
    """Return a line's value.

    Raises:
        One of `UNFIT`: it is none of a world file.
    """
    return json.loads(line, object_hook=_read_mark, parse_constant=_refuse)


def dump(value: dict[str, Any]) -> bytes:
    """Return the line of an object."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_mark).encode()


def _dump(row: Row, key: Any, value: Any) -> bytes:
    line = {TABLE: row.table, KEY: key}
    if row.value:
        line[ROW] = value
    return dump(line)


# -- to JSON -----------------------------------------------------------------------------------------------------


def _natural(packed: bytes) -> Any:
    """Return what was packed: nearly all of it is JSON's already."""
    return msgpack.unpackb(packed, ext_hook=_Ext, strict_map_key=False)


def _careful(packed: bytes) -> Any:
    """Return the same with marks in the place of all that JSON would change."""
    return _marked(_natural(packed))


def _marked(value: Any) -> Any:
    if type(value) is list:
        return [_marked(item) for item in value]
    if type(value) is dict:
        if all(type(key) is str for key in value) and not (len(value) == 1 and value.keys() <= _MARKS):
            return {key: _marked(item) for key, item in value.items()}
        return {"map": [[_marked(key), _marked(item)] for key, item in value.items()]}
    if type(value) is float and not math.isfinite(value):
        return {"float": repr(value)}
    return _marked_bytes(value) if type(value) is bytes else value


def _marked_bytes(value: bytes) -> dict[str, Any]:
    inner = _mark(value)
    return {"msgpack": _marked(inner["msgpack"])} if "msgpack" in inner else inner


def _raw(packed: bytes) -> Any:
    """Return the bytes of a value as they are; eight of them are a number mostly, an id or a time."""
    return (
        {"number": int.from_bytes(packed, "big", signed=True)}
        if len(packed) == _NUMBER
        else _as_base64(packed)
    )


def _as_base64(value: bytes) -> dict[str, Any]:
    return {"base64": base64.b64encode(value).decode()}


def _mark(value: Any) -> dict[str, Any]:
    """Return what stands for a value that JSON has not."""
    if type(value) is bytes:
        if value and value[0] in _PACKED:
            try:
                inner = _natural(value)
                if _pack(inner) == value:
                    return {"msgpack": inner}
            except (ValueError, TypeError, msgpack.exceptions.UnpackException):
                pass
        return _as_base64(value)
    if type(value) is not _Ext:
        raise TypeError(f"a row has no {type(value).__name__}")
    if not value.data:
        return {"ext": value.code}
    try:
        return {"ext": [value.code, value.data.decode()]}
    except UnicodeDecodeError:
        return {"ext": [value.code, value.data]}


# -- and back ----------------------------------------------------------------------------------------------------


def _read_mark(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        (name,) = value
        if name in _MARKS:
            return _READ[name](value[name])
    return value


def _read_ext(value: Any) -> msgpack.ExtType:
    if type(value) is int:
        return msgpack.ExtType(value, b"")
    code, data = value
    return msgpack.ExtType(code, data.encode() if type(data) is str else data)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _pack(value: Any) -> bytes:
    packed: Any = msgpack.packb(value, default=_as_ext)
    return bytes(packed)


def _as_ext(value: Any) -> Any:
    if type(value) is not _Ext:
        raise TypeError(f"a row has no {type(value).__name__}")
    return msgpack.ExtType(value.code, value.data)


_READ: dict[str, Callable[[Any], Any]] = {
    "base64": lambda text: base64.b64decode(text, validate=True),
    "msgpack": _pack,
    "ext": _read_ext,
    "map": lambda pairs: {key: item for key, item in pairs},  # noqa: C416 - `dict` would take pairs of any length.
    "float": float,
    "number": lambda number: number.to_bytes(_NUMBER, "big", signed=True),
}

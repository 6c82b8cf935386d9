"""Keys of tables: whole numbers, texts, bytes and tuples of them, in bytes that sort as the keys do.

A whole number is a sign byte (1, or 0 below zero) and eight bytes, big end first. A text (in UTF-8) or bytes end with
two zero bytes; a zero byte inside is followed by 255. The parts of a tuple follow one another.
"""

from __future__ import annotations

from typing import Any, Final

import msgpack

from .errors import TableError

PARTS: Final = (int, str, bytes)
MAX_KEY: Final = 500
"""Bytes of a packed key; LMDB takes 511."""
_END: Final = b"\0\0"
_ZERO: Final = b"\0\xff"


def key_form(declared: Any) -> tuple[type, ...]:
    """Return the types of a key's parts.

    Raises:
        TableError: not a type of key, or a tuple of such.
    """
    parts = declared if isinstance(declared, tuple) else (declared,)
    if not parts or any(part not in PARTS for part in parts):
        raise TableError(
            f"the key of a table is int, str, bytes or a tuple of these such as (int, str), not {declared!r}"
        )
    return parts


def stored_form(form: bytes) -> tuple[tuple[type, ...], bool]:
    """Return the types of a key's parts, and whether it is a single one, of the form that a world has stored.

    Raises:
        ValueError, KeyError: it is no such form.
    """
    declared = msgpack.unpackb(form)
    single = isinstance(declared, str)
    kinds = {kind.__name__: kind for kind in PARTS}
    return tuple(kinds[name] for name in ([declared] if single else declared)), single


def pack_key(table: str, key: Any, form: tuple[type, ...], *, single: bool) -> bytes:
    """Pack a key.

    Raises:
        TableError: it is not of the table's form, or too large.
    """
    parts = (key,) if single else key
    if type(parts) is not tuple or len(parts) != len(form):
        raise TableError(f"a key of table {table!r} is {_shown(form, single=single)}, not {key!r}")
    packed = b""
    for part, kind in zip(parts, form, strict=True):
        if type(part) is not kind:
            raise TableError(f"a key of table {table!r} is {_shown(form, single=single)}, not {key!r}")
        packed += _pack_part(table, part)
    if len(packed) > MAX_KEY:
        raise TableError(
            f"a key of table {table!r} is {len(packed)} bytes, over the limit of {MAX_KEY}; shorten it"
        )
    return packed


def unpack_key(data: bytes, form: tuple[type, ...], *, single: bool) -> Any:
    """Return the key that these bytes were packed from."""
    parts: list[Any] = []
    at = 0
    for kind in form:
        if kind is int:
            number = int.from_bytes(data[at + 1 : at + 9], "big")
            parts.append(number if data[at] else number - 2**64)
            at += 9
            continue
        end = at
        while data[end : end + 2] != _END:
            end += 2 if data[end] == 0 else 1
        raw = data[at:end].replace(_ZERO, b"\0")
        parts.append(raw.decode() if kind is str else raw)
        at = end + 2
    return parts[0] if single else tuple(parts)


def _pack_part(table: str, part: Any) -> bytes:
    if isinstance(part, int):
        if not -(2**64) <= part < 2**64:
            raise TableError(f"a number in a key of table {table!r} is within 64 bits, not {part!r}")
        return (b"\1" + part.to_bytes(8, "big")) if part >= 0 else b"\0" + (part + 2**64).to_bytes(8, "big")
    if isinstance(part, str):
        try:
            part = part.encode()
        except UnicodeEncodeError:
            raise TableError(f"a text in a key of table {table!r} holds half a character: {part!r}") from None
    return bytes(part).replace(b"\0", _ZERO) + _END


def _shown(form: tuple[type, ...], *, single: bool) -> str:
    names = ", ".join(kind.__name__ for kind in form)
    return names if single else f"a tuple ({names})"

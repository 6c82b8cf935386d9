"""The shapes of a world's tables: what a person calls the parts of their keys and the fields of their rows.

The same as in docs/FORMAT.md. A table that is not known here is exact all the same, with less to read in it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ...actors import ENDED_INDEX, ENTITY_INDEX, GROUP_INDEX, TYPE_INDEX
from ...actors.address_index import id_key, prefix_of
from ...runtime.audit.tables import RECORDING_TABLES
from ...runtime.history.tables import LAST_TABLE
from ...runtime.row_buffer import WORKFLOW_TABLE
from ...runtime.world_state import CODE, META, TABLE_KEY, TURN
from ...workflows.outbox import ACTIVITY_TABLE, INPUT_TABLE
from ...workflows.table_keys import pack_key, stored_form, unpack_key

WORKFLOW_FIELDS = (
    *("due", "status", "topics", "type", "entity", "group", "parent", "created", "updated"),
    *("draws", "label", "stack", "wait", "unread", "children", "asks", "outcome"),
)
ACTIVITY_FIELDS = ("workflow", "entity", "name", "arguments", "retry", "timeout")
INPUT_FIELDS = ("time", "kind", "ref", "turn", "answer")


class Shape(NamedTuple):
    """How the rows of a table are said.

    Attributes:
        say_key, read_key: a key as JSON, and back.
        fields: the names of the fields of its rows, where these are arrays.
    """

    say_key: Callable[[bytes], Any]
    read_key: Callable[[Any], bytes]
    fields: tuple[str, ...] = ()

    def name_fields(self, value: Any) -> Any:
        """Return an array as an object of its named fields; what is none, as it is."""
        return dict(zip(self.fields, value, strict=True)) if self.fields and type(value) is list else value

    def order_fields(self, value: Any) -> Any:
        """Return the array again."""
        if not self.fields or type(value) is not dict:
            return value
        if len(value) != len(self.fields):
            raise ValueError(f"a row has the fields {', '.join(self.fields)}")
        return [value[name] for name in self.fields]


def shapes_of(meta: Mapping[bytes, bytes]) -> Callable[[str], Shape]:
    """Return a function that finds the shape of a table by its name.

    Args:
        meta: table `meta`, which says what the keys of a game's own tables are; it may grow meanwhile.
    """

    def find(table: str) -> Shape:
        known = _SHAPES.get(table)
        if known is not None:
            return known
        prefix = TABLE_KEY.decode()
        form = meta.get(table.encode()) if table.startswith(prefix) else None
        try:
            return _UNKNOWN if form is None else _own_table(table.removeprefix(prefix), form)
        except (ValueError, LookupError, TypeError):
            # A form that is damaged: the rows are exact without it, too.
            return _UNKNOWN

    return find


def _own_table(name: str, form: bytes) -> Shape:
    kinds, single = stored_form(form)

    def read(key: Any) -> bytes:
        parts = key if single else tuple(key)
        return pack_key(name, parts, kinds, single=single)

    return Shape(lambda key: unpack_key(key, kinds, single=single), read)


def _numbers(size: int) -> Shape:
    return Shape(lambda key: int.from_bytes(key, "big"), lambda number: number.to_bytes(size, "big"))


def _say_address(key: bytes) -> list[Any]:
    return [int.from_bytes(key[:8], "big"), key[8], int.from_bytes(key[9:], "big")]


def _read_address(key: list[Any]) -> bytes:
    address, ended, number = key
    return prefix_of(address) + bytes([ended]) + id_key(number)


def _say_group(key: bytes) -> list[Any]:
    return [key[2:-9].decode(), key[-9], int.from_bytes(key[-8:], "big")]


def _say_type(key: bytes) -> list[Any]:
    return [key[2:-8].decode(), int.from_bytes(key[-8:], "big")]


def _read_type(key: list[Any]) -> bytes:
    name, number = key
    return prefix_of(name) + id_key(number)


def _say_ended(key: bytes) -> list[int]:
    return [key[0], int.from_bytes(key[1:], "big")]


def _read_ended(key: list[int]) -> bytes:
    status, number = key
    return bytes([status]) + id_key(number)


def _say_piece(key: bytes) -> list[Any]:
    """Split the key of a piece; that of a place of the index has more after its number."""
    rest = key[8:]
    last = int.from_bytes(rest, "big") if len(rest) == _OFFSET else base64.b64encode(rest).decode()
    return [int.from_bytes(key[:8], "big"), last]


def _read_piece(key: list[Any]) -> bytes:
    number, last = key
    rest = last.to_bytes(_OFFSET, "big") if type(last) is int else base64.b64decode(last, validate=True)
    return bytes(number.to_bytes(8, "big") + rest)


def _say_last(key: bytes) -> list[int]:
    return [int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big")]


def _read_last(key: list[int]) -> bytes:
    return b"".join(number.to_bytes(8, "big") for number in key)


_OFFSET = 4
_TEXTS = Shape(lambda key: key.decode(), lambda text: text.encode())
_UNKNOWN = Shape(lambda key: key, lambda key: key)
_PIECES = Shape(_say_piece, _read_piece)
_SHAPES = {
    META: _TEXTS,
    TURN: _TEXTS,
    INPUT_TABLE: _TEXTS._replace(fields=INPUT_FIELDS),
    CODE: _numbers(4),
    WORKFLOW_TABLE: _numbers(8)._replace(fields=WORKFLOW_FIELDS),
    ACTIVITY_TABLE: _numbers(8)._replace(fields=ACTIVITY_FIELDS),
    ENTITY_INDEX: Shape(_say_address, _read_address),
    GROUP_INDEX: Shape(_say_group, _read_address),
    TYPE_INDEX: Shape(_say_type, _read_type),
    ENDED_INDEX: Shape(_say_ended, _read_ended),
    **dict.fromkeys(RECORDING_TABLES, _PIECES),
    LAST_TABLE: Shape(_say_last, _read_last),
}

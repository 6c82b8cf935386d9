"""A game's own tables: the parts of the key, then the fields of the values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgpack

from ...workflows.errors import DecodeError, TableError, WorldCorruptError
from ...workflows.table_keys import PARTS, pack_key, unpack_key
from ...workflows.tables import PREFIX
from ..world_state import META, TABLE_KEY
from .context import SqlContext
from .json_values import SqlValue, record_fields, sql_value
from .virtual_table import Search, VirtualTable, as_number, as_text

_KINDS = {kind.__name__: kind for kind in PARTS}
_TYPES = {int: "INTEGER", str: "TEXT", bytes: "BLOB"}
_LOOKED_AT = 100
"""Rows at the beginning by which the fields are known: a table's values are of one class, in some version."""
VALUE = "value"
_PACKED_KEY = "packed key"


class _UserRecord:
    """A row: an attribute for each column; a field that its value has not is None."""

    def __init__(self, packed_key: bytes, cells: Mapping[str, SqlValue]) -> None:
        self.__dict__.update(cells)
        # As no field is named.
        self.__dict__[_PACKED_KEY] = packed_key

    def __getattr__(self, name: str) -> None:
        return None


class UserTable(VirtualTable):
    """The rows of one table, by ascending key.

    A key of one part is column `key`, or `key_1`, `key_2` where it has several. Of a value with fields each is a
    column, what has parts as JSON; any other value is column `value`.
    """

    def __init__(self, context: SqlContext, name: str, shown: str) -> None:
        """Look at a table.

        Args:
            context: of the query.
            name: as it was declared.
            shown: as queries name it.
        """
        self.name = shown
        self._context = context
        self._table = PREFIX + name
        form = msgpack.unpackb(context.view.get(META, TABLE_KEY + name.encode()) or b"\xa5bytes")
        self._single = isinstance(form, str)
        self._form = tuple(_KINDS[part] for part in ([form] if self._single else form))
        fields: dict[str, None] = {}
        for _, stored in islice(context.view.scan(self._table), _LOOKED_AT):
            # A damaged row is an error for those who ask for it, not for those who ask for another table.
            with contextlib.suppress(WorldCorruptError):
                fields.update(dict.fromkeys(record_fields(self._unpack(stored)) or (VALUE,)))
        parts = ["key"] if self._single else [f"key_{number + 1}" for number in range(len(self._form))]
        # SQL tells no large letters from small ones.
        taken = {field.lower() for field in fields}
        self._parts = [part if part not in taken else f"_{part}" for part in parts]
        self.columns = {part: _TYPES[kind] for part, kind in zip(self._parts, self._form, strict=True)}
        names = {name.lower(): name for name in reversed(fields or {VALUE: None})}
        self.columns.update(dict.fromkeys(reversed(names.values()), ""))

    def identity(self, record: _UserRecord, place: int) -> bytes:  # noqa: ARG002
        """Return its key."""
        packed: bytes = record.__dict__[_PACKED_KEY]
        return packed

    def size(self) -> float:
        """Estimate how many rows there are."""
        return float(self._context.view.estimate(self._table))

    def expected(self, column: str) -> float | None:
        """Estimate how many have one value in a key's first part."""
        if column != self._parts[0]:
            return None
        return 1.0 if self._single else 1.0 + self.size() / 10

    def rows(self, search: Search) -> Iterator[_UserRecord]:
        """Go through the rows that a search wants."""
        for key, stored in self._found(search):
            unpacked = unpack_key(key, self._form, single=self._single)
            parts = (unpacked,) if self._single else unpacked
            cells = dict(zip(self._parts, map(sql_value, parts), strict=True))
            value = self._unpack(stored)
            fields = record_fields(value)
            if fields is None:
                cells[VALUE] = sql_value(value)
            else:
                cells.update((name, sql_value(part)) for name, part in fields.items())
            yield _UserRecord(key, cells)

    def _found(self, search: Search) -> Iterator[tuple[bytes, bytes]]:
        if search.column is None:
            return self._context.view.scan(self._table)
        prefix = self._prefix(search.value)
        if prefix is None:
            return iter(())
        return self._context.view.scan(self._table, prefix, prefix + b"\xff" * 500)

    def _prefix(self, value: SqlValue) -> bytes | None:
        """Return how the keys begin whose first part is a value; None where no key can."""
        kind = self._form[0]
        part: Any = value
        if kind is int:
            part = as_number(value)
        elif kind is str:
            part = as_text(value)
        try:
            return pack_key(self.name, part, (kind,), single=True)
        except TableError:
            return None

    def _unpack(self, stored: bytes) -> Any:
        try:
            return self._context.codec.unpack(stored)
        except DecodeError as error:
            path = str(self._context.view.path)
            raise WorldCorruptError(path, f"a row of table {self.name!r} is damaged: {error}") from error

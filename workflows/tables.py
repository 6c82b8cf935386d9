"""Tables: a game's own durable rows, by key, written in the same commit as the step that wrote them.

    @dataclass
    class Player:
        name: str
        gold: int = 0

    players = Table("player", key=int, value=Player)

    @reducer
    def pay(ctx: ReducerContext, payer: int, payee: int, amount: int) -> None:
        rows = ctx.table(players)
        source, target = rows[payer], rows[payee]
        if source.gold < amount:
            raise ValueError(f"player {payer} has {source.gold} gold, not {amount}")
        source.gold -= amount
        target.gold += amount
        rows[payer], rows[payee] = source, target

Only reducers see tables. What is read is a copy: a change is kept by writing it back.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Generic, Protocol, TypeVar, overload

import msgpack

from .checks import check_size
from .codec import Codec
from .errors import DefinitionError, TableError, UnstorableError
from .limits import Limits
from .table_keys import key_form, pack_key, unpack_key

K = TypeVar("K")
V = TypeVar("V")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")

PREFIX = "table:"
"""What the store puts before a table's name."""


class Table(Generic[K, V]):
    """A declared table; give it to `Runtime(path, [...])` and read it with `ReducerContext.table`.

    Attributes:
        name: its name in the world.
        value: the class of its values.
        form: the types of its key's parts.
        single: whether the key is one part, and not a tuple of them.
    """

    __slots__ = ("form", "name", "single", "value")

    @overload
    def __init__(self: Table[A, C], name: str, *, key: type[A], value: type[C]) -> None: ...
    @overload
    def __init__(
        self: Table[tuple[A, B], C], name: str, *, key: tuple[type[A], type[B]], value: type[C]
    ) -> None: ...
    @overload
    def __init__(
        self: Table[tuple[Any, ...], C], name: str, *, key: tuple[type, ...], value: type[C]
    ) -> None: ...
    def __init__(self, name: str, *, key: Any, value: Any) -> None:
        """Declare a table.

        Args:
            name: 1 to 100 letters, digits and underscores, not beginning with a digit.
            key: int (64 bits), str or bytes, or a tuple of these such as `(int, str)`.
            value: the class of its values: a dataclass, dict, int, str, anything that a local may hold.

        Raises:
            DefinitionError: a bad name.
            TableError: a bad key.
        """
        if not isinstance(name, str) or not name.isidentifier() or not name.isascii() or len(name) > 100:
            raise DefinitionError(f"a table's name is 1 to 100 letters, digits and underscores, not {name!r}")
        if not isinstance(value, type):
            raise DefinitionError(f"table {name!r}: value is a class, not {value!r}")
        self.name = name
        self.value: type[V] = value
        self.form = key_form(key)
        self.single = not isinstance(key, tuple)

    def __repr__(self) -> str:
        return f"<table {self.name}>"

    def pack_key(self, key: Any) -> bytes:
        """Pack a key; raises `TableError` for one that is not of this table's form."""
        return pack_key(self.name, key, self.form, single=self.single)

    def pack_form(self) -> bytes:
        """Return the stored description of its keys: msgpack of a type's name, or of a list of them."""
        names = [part.__name__ for part in self.form]
        packed: Any = msgpack.packb(names[0] if self.single else names)
        return bytes(packed)

    def unpack_key(self, data: bytes) -> K:
        """Return the key that these bytes were packed from."""
        key: K = unpack_key(data, self.form, single=self.single)
        return key


def unpack_form(stored: bytes) -> str:
    """Return a stored description of keys as text: `int`, `(int, str)`."""
    form = msgpack.unpackb(stored)
    return form if isinstance(form, str) else f"({', '.join(form)})"


class TableSpace(Protocol):
    """Rows of tables in packed form, by the store's names of tables."""

    def read(self, table: str, key: bytes) -> bytes | None:
        """Return a value, or None."""
        ...

    def write(self, table: str, key: bytes, value: bytes | None) -> None:
        """Set a value; None deletes it."""
        ...

    def scan(self, table: str, start: bytes, stop: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over rows in key order."""
        ...


class TableRows(MutableMapping[K, V]):
    """The rows of a table, as a mapping in the order of the keys. Values go in and come out as copies."""

    def __init__(self, table: Table[K, V], space: TableSpace, codec: Codec, limits: Limits) -> None:
        self._table = table
        self._name = PREFIX + table.name
        self._space = space
        self._codec = codec
        self._limits = limits

    def __getitem__(self, key: K) -> V:
        """Return a copy of a row's value; raises `KeyError`."""
        packed = self._space.read(self._name, self._table.pack_key(key))
        if packed is None:
            raise KeyError(key)
        return self._value(key, packed)

    def _value(self, key: K, packed: bytes) -> V:
        value = self._codec.unpack(packed)
        if not isinstance(value, self._table.value):
            name = self._table.value.__name__
            raise TableError(f"row {key!r} of table {self._table.name!r} holds {value!r}, and no {name}")
        return value

    def __setitem__(self, key: K, value: V) -> None:
        """Write a row.

        Raises:
            TableError: the key is not of the table's form, or the value not of its class, or has no durable form.
            LimitError: it is too large.
        """
        table = self._table
        if not isinstance(value, table.value):
            raise TableError(f"a value of table {table.name!r} is a {table.value.__name__}, not {value!r}")
        packed_key = table.pack_key(key)
        try:
            packed = self._codec.pack(value)
        except UnstorableError as error:
            raise TableError(f"row {key!r} of table {table.name!r}: {error}") from error
        check_size(f"the size of row {key!r} of table {table.name!r}", packed, self._limits)
        self._space.write(self._name, packed_key, packed)

    def __delitem__(self, key: K) -> None:
        """Delete a row; raises `KeyError`."""
        packed = self._table.pack_key(key)
        if self._space.read(self._name, packed) is None:
            raise KeyError(key)
        self._space.write(self._name, packed, None)

    def __contains__(self, key: object) -> bool:
        """Say whether there is a row, without reading it whole."""
        return self._space.read(self._name, self._table.pack_key(key)) is not None

    def __iter__(self) -> Iterator[K]:
        """Iterate over the keys in order."""
        return (key for key, _ in self.between())

    def clear(self) -> None:
        """Delete all rows."""
        for packed, _ in list(self._space.scan(self._name, b"", None)):
            self._space.write(self._name, packed, None)

    def __len__(self) -> int:
        """Count the rows, by going through them."""
        return sum(1 for _ in self._space.scan(self._name, b"", None))

    def between(self, start: K | None = None, stop: K | None = None) -> Iterator[tuple[K, V]]:
        """Iterate over (key, value) in key order, from `start` up to and without `stop`."""
        first = b"" if start is None else self._table.pack_key(start)
        last = None if stop is None else self._table.pack_key(stop)
        for key, packed in self._space.scan(self._name, first, last):
            name = self._table.unpack_key(key)
            yield name, self._value(name, packed)

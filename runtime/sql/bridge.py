"""The bridge between SQLite and virtual tables, by the interface that apsw gives of SQLite's."""

from __future__ import annotations

import contextlib
import math
import operator
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import apsw

from .virtual_table import Record, Search, VirtualTable

_SIDES = {
    apsw.SQLITE_INDEX_CONSTRAINT_GT: ">",
    apsw.SQLITE_INDEX_CONSTRAINT_GE: ">",
    apsw.SQLITE_INDEX_CONSTRAINT_LT: "<",
    apsw.SQLITE_INDEX_CONSTRAINT_LE: "<",
}


def declare(connection: apsw.Connection, tables: list[VirtualTable], check: Callable[[], None]) -> None:
    """Make virtual tables known to a connection, by their names.

    Args:
        connection: the connection.
        tables: they.
        check: called for each row; it raises where the query is to end.
    """
    for number, table in enumerate(tables):
        module = f"deathless{number}"
        maker: Any = _Module(table, check)
        connection.create_module(module, maker, use_bestindex_object=True)
        connection.execute(f'CREATE VIRTUAL TABLE "{table.name}" USING {module}')


class _Module:
    """Makes one table; the names of all methods below are those that apsw calls."""

    def __init__(self, table: VirtualTable, check: Callable[[], None]) -> None:
        self._table = table
        self._check = check

    def Create(self, *_: Any) -> tuple[str, _Table]:  # noqa: N802
        declared = ", ".join(f'"{name}" {kind}' for name, kind in self._table.columns.items())
        return f"CREATE TABLE x({declared})", _Table(self._table, self._check)

    Connect = Create


class _Table:
    """Says by which index SQLite best reads a table."""

    def __init__(self, table: VirtualTable, check: Callable[[], None]) -> None:
        self._table = table
        self._check = check
        self._columns = list(table.columns)
        self._numbers: dict[Hashable, int] = {}

    def BestIndexObject(self, index: apsw.IndexInfo) -> bool:  # noqa: N802
        size = max(1.0, self._table.size())
        best, cost = None, size
        for at in range(index.nConstraint):
            expected = self._expected(index, at)
            if expected is not None and expected < cost:
                best, cost = at, expected
        descending, column, bounds = False, 0, ""
        if best is None:
            descending = self._orders(index)
            bounds = self._bound(index)
            cost /= 4 ** len(bounds)
        else:
            index.set_aConstraintUsage_argvIndex(best, 1)
            column = index.get_aConstraint_iColumn(best) + 1
        # SQLite gives these back to the cursor that it opens: columns are counted from 1, 0 is for all rows.
        index.idxNum = column
        index.idxStr = " ".join(map(str, (bounds or "-", int(descending), *self._used(index))))
        index.estimatedCost = cost
        index.estimatedRows = round(cost)
        return True

    def _used(self, index: apsw.IndexInfo) -> list[int]:
        return sorted(column for column in index.colUsed if column < len(self._columns))

    def _expected(self, index: apsw.IndexInfo, at: int) -> float | None:
        """Estimate how many rows fit a condition; None for one that no index serves."""
        equal = index.get_aConstraint_op(at) == apsw.SQLITE_INDEX_CONSTRAINT_EQ
        if not equal or not index.get_aConstraint_usable(at):
            return None
        column = index.get_aConstraint_iColumn(at)
        # An index has texts as they are: to it, "a" and "A" are two.
        if column < 0 or index.get_aConstraint_collation(at) != "BINARY":
            return None
        return self._table.expected(self._columns[column])

    def _bound(self, index: apsw.IndexInfo) -> str:
        """Take the bounds of the column that may have some; return which sides the values are for."""
        sides = ""
        if self._table.bounded is None:
            return sides
        bounded = self._columns.index(self._table.bounded)
        for at in range(index.nConstraint):
            side = _SIDES.get(index.get_aConstraint_op(at))
            if (
                side is not None
                and index.get_aConstraint_iColumn(at) == bounded
                and index.get_aConstraint_usable(at)
            ):
                sides += side
                index.set_aConstraintUsage_argvIndex(at, len(sides))
        return sides

    def _orders(self, index: apsw.IndexInfo) -> bool:
        """Take over the order that is wanted, if all rows come so anyway; say whether it is descending."""
        if index.nOrderBy != 1:
            return False
        column, descending = index.get_aOrderBy_iColumn(0), index.get_aOrderBy_desc(0)
        if column < 0:
            return False
        name = self._columns[column]
        covered = self._table.covers(frozenset(self._columns[at] for at in self._used(index)))
        if covered is not None:
            # Grouped is enough for GROUP BY.
            index.orderByConsumed = covered == name and index.distinct == 1
            return False
        if name in self._table.orders and (self._table.backwards or not descending):
            index.orderByConsumed = True
            return bool(descending)
        return False

    def Open(self) -> _Cursor:  # noqa: N802
        return _Cursor(self._table, self._columns, self._numbers, self._check)

    def Disconnect(self) -> None:  # noqa: N802
        """Do nothing: the table is the caller's."""

    Destroy = Disconnect


class _Cursor:
    """Goes through the rows of one search."""

    def __init__(
        self,
        table: VirtualTable,
        columns: list[str],
        numbers: dict[Hashable, int],
        check: Callable[[], None],
    ) -> None:
        self._table = table
        self._check = check
        self._columns = columns
        self._numbers = numbers
        self._getters: list[Callable[[Record], Any]] = [operator.attrgetter(name) for name in columns]
        self._rows: Iterator[Record] = iter(())
        self._row: Record = None
        self._place = 0

    def Filter(self, index: int, text: str, values: tuple[Any, ...]) -> None:  # noqa: N802
        sides, descending, *used = text.split()
        equal = bool(index)
        low, high = (None, None) if equal else _bounds(sides, values)
        self._rows = self._table.rows(
            Search(
                self._columns[index - 1] if equal else None,
                values[0] if equal else None,
                frozenset(self._columns[int(column)] for column in used),
                low,
                high,
                descending == "1",
            )
        )
        self._row, self._place = next(self._rows, None), 0

    def Eof(self) -> bool:  # noqa: N802
        return self._row is None

    def Next(self) -> None:  # noqa: N802
        self._check()
        self._row = next(self._rows, None)
        self._place += 1

    def Column(self, number: int) -> Any:  # noqa: N802
        return self.Rowid() if number < 0 else self._getters[number](self._row)

    def Rowid(self) -> int:  # noqa: N802
        # By it SQLite knows a row again that OR finds by two indexes.
        identity = self._table.identity(self._row, self._place)
        return self._numbers.setdefault(identity, len(self._numbers))

    def Close(self) -> None:  # noqa: N802
        self._rows = iter(())
        self._row = None


def _bounds(sides: str, values: tuple[Any, ...]) -> tuple[int | None, int | None]:
    """Return the least and the greatest whole number that conditions leave, or more: SQLite looks at each row again."""
    low: int | None = None
    high: int | None = None
    for side, value in zip(sides, values, strict=False):
        if isinstance(value, str):
            # A text that is a number is one to a column of numbers; any other one bounds nothing here.
            with contextlib.suppress(ValueError):
                value = float(value)  # noqa: PLW2901
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            continue
        if side == ">":
            low = math.floor(value) if low is None else max(low, math.floor(value))
        else:
            high = math.ceil(value) if high is None else min(high, math.ceil(value))
    return low, high

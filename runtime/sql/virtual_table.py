"""`VirtualTable`: what SQLite asks of a table, without SQLite."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

from ...workflows.limits import MAX_ID
from ..row_buffer import row_key
from .json_values import SqlValue

Record = Any
"""A row: an object with an attribute for each column, which may compute it when it is asked for."""


class Search(NamedTuple):
    """What a query wants of a table.

    Attributes:
        column: whose value is given; None for all rows.
        value: it.
        used: the columns that will be asked for; others may be missing in the records.
        low: the least value that is wanted of the column `bounded` of the table, or None.
        high: the greatest one, or None.
        descending: whether the rows are wanted from the last one down.
    """

    column: str | None
    value: SqlValue
    used: frozenset[str]
    low: int | None = None
    high: int | None = None
    descending: bool = False


class OutOfTimeError(Exception):
    """A query has taken too long, or holds up the world. Never leaves the package.

    Attributes:
        wanted_back: whether the world waits for its reader to end.
    """

    def __init__(self, *, wanted_back: bool) -> None:
        super().__init__()
        self.wanted_back = wanted_back


class VirtualTable(ABC):
    """A table as of one commit.

    Attributes:
        name: as queries name it.
        columns: the columns with their SQL types, in order.
        orders: the columns in whose order all rows come.
        bounded: one of them, of whole numbers, of which a search may want a stretch only; or None.
        backwards: whether they can come in the other order, too.
    """

    name: str
    columns: Mapping[str, str]
    orders: ClassVar[tuple[str, ...]] = ()
    bounded: ClassVar[str | None] = None
    backwards: ClassVar[bool] = False

    @abstractmethod
    def identity(self, record: Record, place: int) -> Hashable:
        """Return what is a row's in each search, and no other row's: of a row that two of them find, one is taken.

        Args:
            record: the row.
            place: how many rows came before it in its search.
        """

    @abstractmethod
    def size(self) -> float:
        """Estimate how many rows there are."""

    @abstractmethod
    def expected(self, column: str) -> float | None:
        """Estimate how many rows have one value in a column; None where only a look at all rows would tell."""

    @abstractmethod
    def rows(self, search: Search) -> Iterator[Record]:
        """Go through the rows that a search wants; more may come, of which SQLite sorts out the rest."""

    def covers(self, used: frozenset[str]) -> str | None:  # noqa: ARG002 - for those that have indexes.
        """Return the column by which rows come in groups where only these columns are used, or None."""
        return None


def as_number(value: SqlValue) -> int | None:
    """Return what a column of whole numbers would have to hold to equal a value; None where it cannot."""
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            try:
                # To SQLite '1.0' and '1e0' are 1, too.
                return as_number(float(value))
            except ValueError:
                return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def as_id(value: SqlValue) -> int | None:
    """Return the id of 64 bits that a value is; None where it is none."""
    number = as_number(value)
    return number if number is not None and 0 <= number < 1 << 64 else None


def as_text(value: SqlValue) -> str | None:
    """Return what a column of texts would have to hold to equal a value; None where it cannot."""
    return None if value is None or isinstance(value, bytes) else str(value)


def key_range(search: Search) -> tuple[bytes, bytes | None]:
    """Return the first key of the ids that a search wants, and the first that it does not want any more, or None."""
    low = row_key(min(max(0, search.low or 0), MAX_ID))
    high = None if search.high is None or search.high >= MAX_ID else row_key(max(0, search.high + 1))
    return low, high

"""Run a query over a world as of one commit."""

from __future__ import annotations

import contextlib
import difflib
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...workflows.errors import SqlError
from ...workflows.registry import Registry
from ..storage.read_view import ReadView
from ..storage.store import Store
from .context import SqlContext
from .json_values import SqlValue, sql_value
from .virtual_table import OutOfTimeError, VirtualTable
from .world_tables import table_names, world_tables

if TYPE_CHECKING:
    import apsw

Params = Sequence[Any] | Mapping[str, Any]
TIMEOUT_S = 60.0
"""Seconds that a query may take: a reader that stays open keeps a busy world from using its free pages."""
_TRIES = 3
_CHECKED_EVERY = 20_000
"""Steps of SQLite's machine between two looks at the clock."""


class SqlResult(NamedTuple):
    """What a query gave.

    Attributes:
        columns: their names.
        rows: a tuple for each, of int, float, str, bytes or None.
    """

    columns: tuple[str, ...]
    rows: list[tuple[SqlValue, ...]]

    def dicts(self) -> list[dict[str, SqlValue]]:
        """Return each row by the names of its columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class SqlRows(NamedTuple):
    """The rows of a query that is under way, as they are read."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[SqlValue, ...]]


def run_query(
    view: ReadView,
    query: str,
    params: Params = (),
    *,
    registry: Registry | None = None,
    timeout: float | None,
) -> SqlResult:
    """Run a query and return all its rows; raises what `open_query` does."""
    with open_query(view, query, params, registry=registry, timeout=timeout) as found:
        return SqlResult(found.columns, list(found.rows))


def ask_store(
    store: Store, query: str, params: Params = (), *, registry: Registry, timeout: float | None
) -> SqlResult:
    """Run a query over the last commit of an open world; raises what `open_query` does.

    Where the world has to be mapped larger meanwhile, it does not wait: the query begins anew.
    """
    for _ in range(_TRIES - 1):
        with contextlib.suppress(_ViewLostError), store.read_view() as view:
            return run_query(view, query, params, registry=registry, timeout=timeout)
    with store.read_view() as view:
        return run_query(view, query, params, registry=registry, timeout=timeout)


@contextlib.contextmanager
def open_query(
    view: ReadView,
    query: str,
    params: Params = (),
    *,
    registry: Registry | None = None,
    timeout: float | None = TIMEOUT_S,
) -> Iterator[SqlRows]:
    """Run a query; its rows are read as they are taken.

    Args:
        view: the world as of one commit; nothing else is read, and nothing written.
        query: one statement of SQLite's SQL that reads.
        params: values of its parameters `?` or `:name`.
        registry: the code that is loaded, by which `held_reason` is judged; None where there is none.
        timeout: seconds after which it ends with an error; None for never.

    Raises:
        SqlError: it cannot be run: the text says why, and what there is.
        WorldCorruptError: a value does not decode.
    """
    import apsw  # noqa: PLC0415 - a world that is asked nothing needs no SQL engine.

    from .bridge import declare  # noqa: PLC0415

    if "\0" in query:
        raise SqlError("the query cannot be run: it has a zero byte in it; give char(0) for one")
    tables = world_tables(SqlContext(view, registry), query)
    connection = apsw.Connection(":memory:")
    try:
        check = _limit(connection, view, timeout)
        declare(connection, tables, check)
        connection.authorizer = _authorize
        statement = _Statement()
        cursor = connection.cursor()
        cursor.exec_trace = statement.begin
        with _explaining(view, tables, timeout):
            cursor.execute(query, _bindings(params))
        if not statement.columns:
            raise SqlError("there is no statement to run; give one, such as SELECT * FROM workflow LIMIT 10")
        yield SqlRows(statement.columns, _explained(cursor, view, tables, timeout))
    finally:
        connection.close(True)


class _Statement:
    """Takes note of the statement that runs, and refuses a second one."""

    def __init__(self) -> None:
        self.columns: tuple[str, ...] | None = None

    def begin(self, cursor: Any, _sql: str, _bindings: Any) -> bool:
        names = [column[0] for column in cursor.get_description()]
        if self.columns and names:
            raise SqlError("one statement at a time: what stands after the first semicolon is another one")
        # A comment after the statement is one, too, and has no columns.
        self.columns = self.columns or tuple(_each_once(names))
        return True


def _each_once(names: list[str]) -> Iterator[str]:
    """Go through names, with a number behind one that was there before: rows are read by them."""
    taken = set(names)
    seen = set()
    for name in names:
        free, number = name, 1
        while free in seen or (number > 1 and free in taken):
            number += 1
            free = f"{name}_{number}"
        seen.add(free)
        yield free


class _Named(dict[str, SqlValue]):
    """Values of named parameters."""

    def __missing__(self, name: str) -> SqlValue:
        raise SqlError(f"the query has a parameter :{name}, for which no value is given")


def _bindings(params: Params) -> Any:
    """Return the values of parameters as SQLite takes them."""
    if isinstance(params, Mapping):
        return _Named({name: sql_value(value) for name, value in params.items()})
    return tuple(sql_value(value) for value in params)


def _authorize(action: int, *_: Any) -> int:
    import apsw  # noqa: PLC0415

    allowed = (apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION, apsw.SQLITE_RECURSIVE)
    return apsw.SQLITE_OK if action in allowed else apsw.SQLITE_DENY


def _limit(connection: apsw.Connection, view: ReadView, timeout: float | None) -> Callable[[], None]:
    """Have a query end when its time is over, or when the world waits for it; return what to call for each row."""
    end_s = math.inf if timeout is None else time.monotonic() + timeout

    def check() -> None:
        if view.wanted_back():
            raise OutOfTimeError(wanted_back=True)
        if time.monotonic() > end_s:
            raise OutOfTimeError(wanted_back=False)

    def interrupt() -> bool:
        return view.wanted_back() or time.monotonic() > end_s

    # SQLite may be busy without asking for rows.
    connection.set_progress_handler(interrupt, _CHECKED_EVERY)
    return check


def _explained(
    cursor: Any, view: ReadView, tables: list[VirtualTable], timeout: float | None
) -> Iterator[tuple[SqlValue, ...]]:
    with _explaining(view, tables, timeout):
        yield from cursor


@contextlib.contextmanager
def _explaining(view: ReadView, tables: list[VirtualTable], timeout: float | None) -> Iterator[None]:
    """Turn what SQLite and apsw raise into ours."""
    import apsw  # noqa: PLC0415

    try:
        yield
    except apsw.AuthError as error:
        raise SqlError(
            "SQL reads a world and never writes it: only SELECT is possible; send signals or call reducers to "
            "change something"
        ) from error
    except (apsw.InterruptError, OutOfTimeError) as error:
        lost = error.wanted_back if isinstance(error, OutOfTimeError) else view.wanted_back()
        raise (_ViewLostError() if lost else _too_long(timeout)) from error
    except apsw.BindingsError as error:
        raise SqlError(
            "the query has other parameters than were given: one value for each ? or :name"
        ) from error
    except UnicodeError as error:
        raise SqlError(
            f"the query cannot be run: a text in it, or one that it gives, is not UTF-8 ({error})"
        ) from error
    except apsw.Error as error:
        raise SqlError(f"the query cannot be run: {error}{_remedy(str(error), view, tables)}") from error


class _ViewLostError(SqlError):
    """The world had to be mapped larger, or closed, and did not wait for the query."""

    def __init__(self) -> None:
        super().__init__("the world grows or closes, and does not wait for a query; ask again")


def _too_long(timeout: float | None) -> SqlError:
    return SqlError(
        f"the query took longer than {timeout:g} s; narrow it by an index (id, entity_id, correlation_id, "
        "workflow_type, status), or give more time"
    )


def _remedy(problem: str, view: ReadView, tables: list[VirtualTable]) -> str:
    """Return what there is in place of what there is not."""
    if problem.startswith("no such table"):
        return f"; tables are {', '.join(table_names(view))}"
    missing = re.fullmatch(r"no such column: (?:\w+\.)?(\w+)", problem)
    if missing is None:
        return ""
    name = missing[1]
    near = {
        f"{table.name}.{close}"
        for table in tables
        for close in difflib.get_close_matches(name.lower(), table.columns, n=2)
    }
    if near:
        return f"; did you mean {' or '.join(sorted(near))}?"
    return f"; of table workflow there are {', '.join(tables[0].columns)}"

"""Table `world`: what a world says of itself, in one row."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import NamedTuple

from ...workflows.sources import US
from ..world_state import load_state
from .context import SqlContext
from .json_values import SqlValue, sql_value
from .virtual_table import Search, VirtualTable


class WorldRecord(NamedTuple):
    """The row of table `world`: its last turn, the time of that in seconds of world time, its clock and seed."""

    turn: int
    now: float
    clock: str
    seed: SqlValue


_COLUMNS = {"turn": "INTEGER", "now": "REAL", "clock": "TEXT", "seed": "INTEGER"}


class WorldTable(VirtualTable):
    """One row, or none of a world that was never opened by a runtime."""

    name = "world"
    columns = _COLUMNS

    def __init__(self, context: SqlContext) -> None:
        """Look at a world."""
        self._context = context

    def identity(self, record: WorldRecord, place: int) -> Hashable:  # noqa: ARG002
        """Return the row: it is the only one."""
        return record

    def size(self) -> float:
        """Return 1."""
        return 1.0

    def expected(self, column: str) -> float | None:  # noqa: ARG002 - there is nothing to find.
        """Return None: there is nothing to find."""
        return None

    def rows(self, search: Search) -> Iterator[WorldRecord]:  # noqa: ARG002
        """Give the row."""
        state = load_state(self._context.view)
        if state is not None:
            yield WorldRecord(state.turn, state.now_us / US, state.clock, sql_value(state.seed))

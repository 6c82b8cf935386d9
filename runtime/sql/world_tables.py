"""Which tables SQL finds in a world."""

from __future__ import annotations

from ...workflows.tables import PREFIX
from ..storage.read_view import ReadView
from .context import SqlContext
from .event_table import EventTable
from .history_table import HistoryTable
from .timer_table import TimerTable
from .user_table import UserTable
from .virtual_table import VirtualTable
from .workflow_table import WorkflowTable
from .world_table import WorldTable

_OWN = (WorkflowTable, TimerTable, EventTable, HistoryTable, WorldTable)
_TAKEN = ("json_each", "json_tree", "jsonb_each", "jsonb_tree")
"""Names by which SQLite has tables, beside those that begin so:"""
_TAKEN_BEGINNINGS = ("sqlite_", "pragma_")


def world_tables(context: SqlContext, query: str) -> list[VirtualTable]:
    """Return the tables that a query may mean: the engine's, and those of a game whose names stand in it."""
    text = query.lower()
    found: list[VirtualTable] = [table(context) for table in _OWN]
    found += [
        UserTable(context, name, shown)
        for shown, name in _users(context.view).items()
        if shown.lower() in text
    ]
    return found


def table_names(view: ReadView) -> list[str]:
    """Return the names of all tables that there are."""
    return [*(table.name for table in _OWN), *_users(view)]


def _users(view: ReadView) -> dict[str, str]:
    """Return a game's own tables by the names that they have in queries: `table_<name>` where another has theirs."""
    taken = {*(table.name for table in _OWN), *_TAKEN}
    found = {}
    for stored in view.tables():
        if stored.startswith(PREFIX):
            name = stored.removeprefix(PREFIX)
            shown = f"table_{name}" if name.lower().startswith(_TAKEN_BEGINNINGS) else name
            while shown.lower() in taken:
                shown = f"table_{shown}"
            taken.add(shown.lower())
            found[shown] = name
    return found

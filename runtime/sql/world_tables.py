"""Which tables SQL finds in a world."""

from __future__ import annotations

from ...workflows.tables import PREFIX
from .context import SqlContext
from .event_table import EventTable
from .history_table import HistoryTable
from .timer_table import TimerTable
from .user_table import UserTable
from .virtual_table import VirtualTable
from .workflow_table import WorkflowTable
from .world_table import WorldTable


def world_tables(context: SqlContext) -> list[VirtualTable]:
    """Return the engine's tables, then a game's own; one of these that has a name of those is `table_<name>`."""
    found: list[VirtualTable] = [
        WorkflowTable(context),
        TimerTable(context),
        EventTable(context),
        HistoryTable(context),
        WorldTable(context),
    ]
    taken = {table.name for table in found}
    for stored in context.view.tables():
        if stored.startswith(PREFIX):
            name = stored.removeprefix(PREFIX)
            shown = f"table_{name}" if name.lower().startswith("sqlite_") else name
            while shown.lower() in taken:
                shown = f"table_{shown}"
            taken.add(shown.lower())
            found.append(UserTable(context, name, shown))
    return found

"""The table of the audit log. Key: the turn, and the offset of the piece, as in the history; value: see `events`."""

from __future__ import annotations

from ..history.tables import HISTORY_TABLES

EVENT_TABLE = "event"
RECORDING_TABLES = (*HISTORY_TABLES, EVENT_TABLE)
"""Tables that say what was, and nothing of what is: a world is the same without them."""

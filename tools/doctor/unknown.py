"""What Deathless has not written: tables, and keys of `meta` and `turn`, that no part of it reads."""

from __future__ import annotations

from collections.abc import Iterator

from ...actors import ENDED_INDEX, ENTITY_INDEX, GROUP_INDEX, TYPE_INDEX
from ...runtime.audit.tables import RECORDING_TABLES
from ...runtime.history.tables import INDEXED_KEY, LIMITS_KEY, SCOPES_KEY
from ...runtime.row_buffer import WORKFLOW_TABLE
from ...runtime.storage.read_view import ReadView
from ...runtime.storage.world_format import FORMAT_KEY, MAGIC_KEY
from ...runtime.world_state import CODE, IDS_KEY, LEFTOVER_KEY, META, STATE_KEY, TABLE_KEY, TURN
from ...workflows.outbox import ACTIVITY_TABLE, INPUT_TABLE
from .finding import WARNING, Finding

REMEDY = "find out what wrote it: another program, or another version of Deathless"
_TABLES = frozenset(
    {
        *(META, CODE, TURN, WORKFLOW_TABLE, ACTIVITY_TABLE, INPUT_TABLE, *RECORDING_TABLES),
        *(ENTITY_INDEX, GROUP_INDEX, TYPE_INDEX, ENDED_INDEX),
    }
)
_KEYS = {
    META: frozenset({MAGIC_KEY, FORMAT_KEY, STATE_KEY, IDS_KEY, SCOPES_KEY, INDEXED_KEY, LIMITS_KEY}),
    TURN: frozenset({LEFTOVER_KEY}),
}


def check_unknown(view: ReadView) -> Iterator[Finding]:
    """Look for tables and keys that there are none of."""
    for table in view.tables():
        # What the game's own tables are, `meta` says.
        if table not in _TABLES and not table.startswith(TABLE_KEY.decode()):
            yield Finding("unknown", table, None, None, "no table of Deathless", REMEDY, WARNING)
    for table, known in _KEYS.items():
        for key in view.keys(table):
            if key not in known and not (table == META and key.startswith(TABLE_KEY)):
                yield Finding("unknown", table, key, None, "no key of Deathless", REMEDY, WARNING)

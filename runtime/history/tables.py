"""The tables of a world's history.

| table           | key                                              | value                                       |
|-----------------|--------------------------------------------------|---------------------------------------------|
| `history_turn`  | turn, offset of the piece                        | what the turn was given, see `turn_log`     |
| `history_step`  | turn, offset of the piece                        | its steps, see `steps`                      |
| `history_last`  | workflow, number of its step                     | one of its last steps, see `last_steps`     |
| `history_index` | last turn of the segment, last place             | places of steps, see `step_index`           |

In `meta` is, under `history`, what has been recorded since when: a packed array of [turn, scope, last], where a scope
is true for all or the names of workflow types, and `last` names those of which the last steps are kept; under `indexed`
the last turn that the index has, eight bytes; and under `limits` a map of the bounds that the world runs with, by which
steps go that are run again.
"""

from __future__ import annotations

TURN_TABLE = "history_turn"
STEP_TABLE = "history_step"
INDEX_TABLE = "history_index"
LAST_TABLE = "history_last"
GROWING_TABLES = (TURN_TABLE, STEP_TABLE, INDEX_TABLE)
"""Those that only grow at one end, and shrink at the other."""
HISTORY_TABLES = (*GROWING_TABLES, LAST_TABLE)

SCOPES_KEY = b"history"
INDEXED_KEY = b"indexed"
LIMITS_KEY = b"limits"

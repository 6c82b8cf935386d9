"""The tables of a world's history.

| table           | key                                              | value                                       |
|-----------------|--------------------------------------------------|---------------------------------------------|
| `history_turn`  | turn, offset of the piece                        | what the turn was given, see `turn_log`     |
| `history_step`  | turn, offset of the piece                        | its steps, see `steps`                      |
| `history_index` | last turn of the segment, last workflow and turn | places of steps, see `step_index`           |

In `meta` is, under `history`, what has been recorded since when: a packed array of [turn, scope], where a scope is true
for all or the names of workflow types; under `indexed` the last turn that the index has, eight bytes; and under
`limits` a map of the bounds that the world runs with, by which steps go that are run again.
"""

from __future__ import annotations

TURN_TABLE = "history_turn"
STEP_TABLE = "history_step"
INDEX_TABLE = "history_index"
HISTORY_TABLES = (TURN_TABLE, STEP_TABLE, INDEX_TABLE)

SCOPES_KEY = b"history"
INDEXED_KEY = b"indexed"
LIMITS_KEY = b"limits"

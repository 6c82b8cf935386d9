"""Forks: a new world as another one was at the end of a turn, to run on with other inputs, or with the same.

The other world may be running. What it holds now is copied, but for what has changed since that turn, which the
history has as it was; what changes while the copy is made is in the history, too, and is put right at the end.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ...runtime.audit.tables import RECORDING_TABLES
from ...runtime.history.tables import INDEXED_KEY, SCOPES_KEY
from ...runtime.history.turn_log import LoggedTurn
from ...runtime.row_buffer import WORKFLOW_TABLE, row_key
from ...runtime.storage.store import Store
from ...runtime.storage.world_files import build_new
from ...runtime.storage.world_format import FORMAT_KEY, MAGIC_KEY
from ...runtime.world_state import META, STATE_KEY, WorldState
from .changes import Changes
from .saved_world import SavedWorld

BATCH = 4096
"""Rows that are written at once."""
_OWN_KEYS = frozenset({STATE_KEY, SCOPES_KEY, INDEXED_KEY, MAGIC_KEY, FORMAT_KEY})
"""Of table `meta`, what a fork does not take over."""

Rows = dict[bytes, bytes | None]


class ForkReport(NamedTuple):
    """A fork that was made.

    Attributes:
        path: its directory.
        turn: the turn at whose end it stands.
        now: its time in seconds.
        workflows: how many it has, those that have ended among them.
    """

    path: Path
    turn: int
    now: float
    workflows: int


def fork(
    world: SavedWorld,
    turn: int,
    target: str | os.PathLike[str],
    *,
    changes: Changes | None = None,
) -> ForkReport:
    """Make a world as another one was at the end of a turn. When it returns, the new world is on disk.

    Args:
        world: the other world; it is only read, and may be running in another process.
        turn: any that its history reaches back to; all of the world must have been recorded since.
        target: a new directory.
        changes: what its workflows are to have otherwise.

    Raises:
        BadInput: a change names a workflow or a variable that there was not.
        HistoryError: how the world was then is not known.
        WorldError: one of the two cannot be read or written, or the target is not empty.
    """
    place = Path(target)
    world.require_known(turn, None)
    state = _state_at(world, turn)
    workflows = 0

    def build(unfinished: Path) -> None:
        nonlocal workflows
        with Store.open(unfinished, durability="process") as store:
            store.commit({META: {STATE_KEY: state.pack()}})
            workflows = _copy(world, turn, store, changes)
        # A world that runs may have deleted meanwhile what was asked for.
        world.require_known(turn, None)

    build_new(place, build)
    return ForkReport(place, turn, state.now_us / 1e6, workflows)


def _state_at(world: SavedWorld, turn: int) -> WorldState:
    state = world.state
    if turn == state.turn:
        return state
    last: LoggedTurn | None = None
    for logged in world.history.turns():
        # Of the oldest turn that can be had, the log is gone: it ended when the next one began.
        last = last or logged
        if logged.record.turn > turn:
            break
        last = logged
    return state._replace(turn=turn, now_us=0 if last is None else last.record.now_us)


def _copy(
    world: SavedWorld,
    turn: int,
    store: Store,
    changes: Changes | None,
) -> int:
    earlier: dict[str, Rows] = {}
    seen = _collect(world, turn, earlier)
    for table in world.reader.tables():
        if table not in RECORDING_TABLES:
            before = earlier.get(table, {})
            kept = ((key, value) for key, value in world.reader.scan(table) if key not in before)
            _write(store, table, _without_own(table, kept))
    # What has changed in the meantime, and what had changed before.
    _collect(world, seen, earlier)
    for table, rows in earlier.items():
        _write(store, table, rows.items())
    count = 0
    for key, row in store.scan(WORKFLOW_TABLE):
        count += 1
        changed = row if changes is None else changes.apply(world, int.from_bytes(key, "big"), row)
        if changed != row:
            store.commit({WORKFLOW_TABLE: {key: changed}})
    if changes is not None:
        changes.require_applied(turn)
    return count


def _collect(world: SavedWorld, after: int, earlier: dict[str, Rows]) -> int:
    """Add how rows were before the turns after one changed them first; return the last of these turns."""
    last = after
    rows = earlier.setdefault(WORKFLOW_TABLE, {})
    for steps in world.history.turn_steps(after):
        last = steps.turn
        for record in steps.steps:
            rows.setdefault(row_key(record.workflow_id), record.before)
        for table, key, value in steps.tables:
            earlier.setdefault(table, {}).setdefault(key, value)
    return last


def _without_own(table: str, rows: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    return (row for row in rows if row[0] not in _OWN_KEYS) if table == META else rows


def _write(store: Store, table: str, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
    iterator = iter(rows)
    while batch := dict(islice(iterator, BATCH)):
        store.commit({table: batch})

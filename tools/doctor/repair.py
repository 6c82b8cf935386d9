"""Repairs: the four indexes made again of the rows of workflows, and a wrong index of the history taken away.

What follows from the rest can be made of it. The rows of workflows themselves are never touched.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from ...runtime.history.tables import INDEX_TABLE, INDEXED_KEY
from ...runtime.row_buffer import WORKFLOW_TABLE
from ...runtime.storage.store import Store
from ...runtime.world_state import META
from ...workflows.errors import WorldCorruptError
from ..output import Tell, silent
from .facts import NOT_DECODED, read_facts
from .history_tables import check_index
from .indexes import INDEXES, entries_of, superfluous

BATCH = 4096
"""Keys that are written at once."""


Put = tuple[str, bytes, bytes | None]
"""(index, key, value); None takes the key out."""


class Repaired(NamedTuple):
    """What a repair did.

    Attributes:
        added: how many keys were put into each index, or got another time.
        removed: how many were taken out.
    """

    added: dict[str, int]
    removed: dict[str, int]


def repair_world(path: str | os.PathLike[str], *, tell: Tell = silent) -> Repaired:
    """Make the indexes of a world agree with its workflows. A second call finds nothing to do.

    Args:
        path: a world that nobody runs.
        tell: is told how many workflows were looked at, and of how many.

    Raises:
        WorldInUse: somebody runs it.
        WorldCorruptError: a workflow's row does not decode, so that nobody knows what stands in the indexes; nothing
            is changed.
        WorldError: the world cannot be read or written.
    """
    with Store.open(path, create=False) as store:
        for _ in _missing(store, silent):
            # To the end: nothing is written before all rows have decoded.
            pass
        added = _write(store, _missing(store, tell))
        removed = _write(
            store, ((table, key, None) for table in INDEXES for key in superfluous(store, table))
        )
        return Repaired(added, {**removed, **_drop_history_index(store)})


def _drop_history_index(store: Store) -> dict[str, int]:
    """Take away the index of the history, if it is wrong: a world that is opened makes it of its steps."""
    with store.read_view() as view:
        if next(check_index(view, read_facts(view)), None) is None:
            return {}
        keys = [*view.keys(INDEX_TABLE)]
    store.commit({INDEX_TABLE: dict.fromkeys(keys), META: {INDEXED_KEY: None}})
    return {INDEX_TABLE: len(keys)}


def _missing(store: Store, tell: Tell) -> Iterator[Put]:
    """Go through what should be in the indexes, and is not."""
    total = store.stats().entries.get(WORKFLOW_TABLE, 0)
    for done, (key, row) in enumerate(store.scan(WORKFLOW_TABLE)):
        if done % BATCH == 0:
            tell(done, total)
        number = int.from_bytes(key, "big")
        try:
            entries = list(entries_of(number, row))
        except NOT_DECODED as error:
            problem = f"the row of workflow {number} is damaged: {error}; restore the world from a backup"
            raise WorldCorruptError(str(store.path), problem) from error
        for entry in entries:
            if not entry.fits(store.get(entry.table, entry.key)):
                yield entry.table, entry.key, entry.value


def _write(store: Store, entries: Iterable[Put]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    iterator = iter(entries)
    while batch := list(islice(iterator, BATCH)):
        changes: dict[str, dict[bytes, bytes | None]] = {}
        for table, key, value in batch:
            changes.setdefault(table, {})[key] = value
            counts[table] += 1
        store.commit(changes)
    return dict(counts)

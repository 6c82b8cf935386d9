"""The four indexes: what a workflow's row says that stands in them.

Each row has its own keys there. So if those of all rows are there, and an index has as many keys as these, it has no
others; only where it has more is it gone through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from ...actors import ENDED_INDEX, ENTITY_INDEX, GROUP_INDEX, TYPE_INDEX
from ...actors.address_index import id_key, id_of, prefix_of
from ...runtime.row_buffer import WORKFLOW_TABLE, row_key
from ...runtime.storage.read_view import ReadView
from ...runtime.storage.readable import Readable
from ...workflows import rows
from ...workflows.messages import STATUSES, Status
from .facts import NOT_DECODED
from .finding import REPAIR, Finding

_FAILED = STATUSES.index(Status.FAILED)
INDEXES = (ENTITY_INDEX, GROUP_INDEX, TYPE_INDEX, ENDED_INDEX)


class Entry(NamedTuple):
    """A row of an index.

    Attributes:
        table, key, value: what it is.
        least: the least value that it may have as well. One that failed, was retried and failed again is listed with
            the time of its first failure.
    """

    table: str
    key: bytes
    value: bytes = b""
    least: bytes = b""

    def fits(self, stored: bytes | None) -> bool:
        """Say whether this is what stands there."""
        return stored is not None and len(stored) == len(self.value) and self.least <= stored <= self.value


def entries_of(number: int, row: bytes) -> Iterator[Entry]:
    """Give the rows of the indexes that a workflow has.

    Raises:
        RowError: the bytes are not a row.
    """
    head = rows.read_head(row)
    ended = not STATUSES[head.status].active
    tail = bytes([ended]) + id_key(number)
    if head.entity_id is not None:
        yield Entry(ENTITY_INDEX, prefix_of(head.entity_id) + tail)
    if head.correlation_id is not None:
        yield Entry(GROUP_INDEX, prefix_of(head.correlation_id) + tail)
    yield Entry(TYPE_INDEX, prefix_of(head.type_name) + id_key(number))
    if ended:
        least_us = head.created_us if head.status == _FAILED else head.updated_us
        least, when = (time_us.to_bytes(8, "big", signed=True) for time_us in (least_us, head.updated_us))
        yield Entry(ENDED_INDEX, bytes([head.status]) + id_key(number), when, least)


def superfluous(source: Readable, table: str) -> Iterator[bytes]:
    """Go through the keys of an index that no workflow has."""
    for key, _ in source.scan(table):
        row = source.get(WORKFLOW_TABLE, row_key(id_of(key)))
        try:
            if row is None or not any(
                one.table == table and one.key == key for one in entries_of(id_of(key), row)
            ):
                yield key
        except NOT_DECODED:
            # What a damaged row has there, nobody knows.
            continue


class IndexChecks:
    """Compares the indexes with the rows of workflows."""

    def __init__(self, view: ReadView) -> None:
        self._view = view
        self._found: Counter[str] = Counter()

    def check(self, number: int, row: bytes) -> Iterator[Finding]:
        """Look for the keys of one workflow."""
        try:
            entries = list(entries_of(number, row))
        except NOT_DECODED:
            # Said of the row itself.
            return
        for entry in entries:
            stored = self._view.get(entry.table, entry.key)
            if stored is not None:
                self._found[entry.table] += 1
            if not entry.fits(stored):
                what = "is not there" if stored is None else "has another time than its row"
                yield _finding(entry.table, entry.key, number, f"the key of workflow {number} {what}")

    def rest(self) -> Iterator[Finding]:
        """Look for keys that no workflow has, after all workflows."""
        for table in INDEXES:
            if self._view.count(table) == self._found[table]:
                continue
            for key in superfluous(self._view, table):
                number = id_of(key)
                yield _finding(
                    table,
                    key,
                    number,
                    f"a key of workflow {number}, whose row says otherwise or is not there",
                )


def _finding(table: str, key: bytes, number: int, what: str) -> Finding:
    return Finding("index", table, key, number, what, REPAIR)

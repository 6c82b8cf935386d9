"""The address index: which workflows an entity means, or a correlation id.

It is a table of the world, with a row for each workflow, so that a start of the world does not go through a million
of them to know who is where. In memory are the active ones of those addresses that were asked for, and of those where
workflows began since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from typing import Generic, Protocol, TypeVar

ENTITY_INDEX = "entity"
GROUP_INDEX = "group"
K = TypeVar("K", int, str)
# Most addresses have one workflow, so that one id stands as itself; more are the keys of a dict.
Ids = int | dict[int, None]
_ID_BYTES = 8
# After every suffix.
_AFTER = b"\xff" * (_ID_BYTES + 1)
_ACTIVE, _ENDED = b"\0", b"\1"


class Scanned(Protocol):
    """Where an index can be read."""

    def scan(self, table: str, start: bytes, stop: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over rows in key order."""
        ...


class IndexTables(Scanned, Protocol):
    """Where the index is kept."""

    def write(self, table: str, key: bytes, value: bytes | None) -> None:
        """Set a value; None deletes it."""
        ...

    def stored(self, table: str, prefix: bytes) -> Iterable[tuple[bytes, bytes]]:
        """Return the committed rows of an index whose keys have a prefix."""
        ...


class AddressIndex(Generic[K]):
    """Finds active workflows by one kind of address.

    Attributes:
        known: of each address that was asked for, the ids of its active workflows. Read it on the pump thread only.
    """

    def __init__(self, table: str, tables: IndexTables, is_active: Callable[[int], bool]) -> None:
        """Create it over a table.

        Args:
            table: `ENTITY_INDEX` or `GROUP_INDEX`.
            tables: the tables of the world.
            is_active: tells by a workflow's row whether it is active.
        """
        self.known: dict[K, Ids] = {}
        # Those that began since the world was opened, by addresses that nobody has asked for: the last turns are not
        # committed yet.
        self._begun: dict[K, Ids] = {}
        self._table = table
        self._tables = tables
        self._is_active = is_active

    def enter(self, address: K, workflow_id: int, *, again: bool) -> None:
        """Add an active workflow, a new one, or again one that had ended."""
        self._tables.write(self._table, prefix_of(address) + _ACTIVE + id_key(workflow_id), b"")
        if again:
            self._tables.write(self._table, prefix_of(address) + _ENDED + id_key(workflow_id), None)
        _enter(self.known if address in self.known else self._begun, address, workflow_id)

    def leave(self, address: K, workflow_id: int) -> None:
        """Note that a workflow is not active any more."""
        self._tables.write(self._table, prefix_of(address) + _ACTIVE + id_key(workflow_id), None)
        self._tables.write(self._table, prefix_of(address) + _ENDED + id_key(workflow_id), b"")
        _leave(self.known, address, workflow_id)
        _leave(self._begun, address, workflow_id)

    def forget(self, address: K, workflow_id: int) -> None:
        """Take out a workflow that has ended and is deleted."""
        self._tables.write(self._table, prefix_of(address) + _ENDED + id_key(workflow_id), None)

    def all(self, address: K) -> Iterator[int]:
        """Iterate over the ids of an address, ascending, those of ended workflows among them."""
        tables, table, prefix = self._tables, self._table, prefix_of(address)
        return merge(ids_under(tables, table, prefix + _ACTIVE), ids_under(tables, table, prefix + _ENDED))

    def find(self, address: K) -> tuple[int, ...]:
        """Return the ids of active workflows, ascending, and know them from now on; on the pump thread."""
        if address not in self.known:
            ids = self.look(address)
            if ids:
                # At once: other threads look, too.
                self.known[address] = ids[0] if len(ids) == 1 else dict.fromkeys(ids)
            self._begun.pop(address, None)
            return ids
        return _listed(self.known[address])

    def look(self, address: K) -> tuple[int, ...]:
        """Return the ids of active workflows, ascending; from any thread."""
        known = self.known.get(address)
        if known is not None:
            return _listed(known)
        # What has begun since may not stand there yet, and what has ended may stand there as active still.
        found = set(_listed(self._begun.get(address)))
        for key, _ in self._tables.stored(self._table, prefix_of(address) + _ACTIVE):
            workflow_id = id_of(key)
            if self._is_active(workflow_id):
                found.add(workflow_id)
        return tuple(sorted(found))


def ids_under(tables: Scanned, table: str, prefix: bytes) -> Iterator[int]:
    """Iterate over the workflow ids that stand after a prefix in the keys of an index, ascending."""
    return (id_of(key) for key, _ in tables.scan(table, prefix, prefix + _AFTER))


def prefix_of(address: int | str) -> bytes:
    """Return the beginning of the keys of an entity, or of a text."""
    if isinstance(address, int):
        return address.to_bytes(8, "big")
    text = address.encode()
    # With its length before it, no text is the beginning of another.
    return len(text).to_bytes(2, "big") + text


def id_of(key: bytes) -> int:
    """Return the workflow id at the end of a key."""
    return int.from_bytes(key[-_ID_BYTES:], "big")


def id_key(workflow_id: int) -> bytes:
    """Return the end of the keys of a workflow, which sort as ids do."""
    return workflow_id.to_bytes(_ID_BYTES, "big")


def _listed(ids: Ids | None) -> tuple[int, ...]:
    if ids is None:
        return ()
    return tuple(sorted(ids.copy())) if isinstance(ids, dict) else (ids,)


def _enter(index: dict[K, Ids], key: K, workflow_id: int) -> None:
    known = index.get(key)
    if known is None:
        index[key] = workflow_id
    elif isinstance(known, dict):
        known[workflow_id] = None
    elif known != workflow_id:
        index[key] = {known: None, workflow_id: None}


def _leave(index: dict[K, Ids], key: K, workflow_id: int) -> None:
    known = index.get(key)
    if isinstance(known, dict):
        known.pop(workflow_id, None)
        if len(known) == 1:
            index[key] = next(iter(known))
    elif known == workflow_id:
        del index[key]

"""The address index: which active workflows an entity means, or a correlation id.

It is a table of the world, with a row for each active workflow, so that a start of the world does not go through a
million rows to know them. In memory are those addresses that were asked for, and those of workflows that began since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

ENTITY_INDEX = "entity"
GROUP_INDEX = "group"
K = TypeVar("K", int, str)
# Most addresses have one workflow, so that one id stands as itself; more are the keys of a dict.
Ids = int | dict[int, None]
_ID_BYTES = 8


class IndexTables(Protocol):
    """Where the index is kept."""

    def write(self, table: str, key: bytes, value: bytes | None) -> None:
        """Set a value; None deletes it."""
        ...

    def stored_keys(self, table: str, prefix: bytes) -> Iterable[bytes]:
        """Return the keys with a prefix: all of when the world was opened that are there still, and maybe others."""
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
        # Those that began since the world was opened, by addresses that nobody has asked for.
        self._begun: dict[K, Ids] = {}
        self._table = table
        self._tables = tables
        self._is_active = is_active

    def enter(self, address: K, workflow_id: int) -> None:
        """Add an active workflow."""
        self._tables.write(self._table, _prefix(address) + _suffix(workflow_id), b"")
        _enter(self.known if address in self.known else self._begun, address, workflow_id)

    def leave(self, address: K, workflow_id: int) -> None:
        """Take out a workflow that is not active any more."""
        self._tables.write(self._table, _prefix(address) + _suffix(workflow_id), None)
        _leave(self.known, address, workflow_id)
        _leave(self._begun, address, workflow_id)

    def find(self, address: K) -> tuple[int, ...]:
        """Return the ids of an address, ascending, and know them from now on; on the pump thread."""
        if address not in self.known:
            ids = self.look(address)
            self._begun.pop(address, None)
            for workflow_id in ids:
                _enter(self.known, address, workflow_id)
            return ids
        return _listed(self.known[address])

    def look(self, address: K) -> tuple[int, ...]:
        """Return the ids of an address, ascending; from any thread."""
        known = self.known.get(address)
        if known is not None:
            return _listed(known)
        prefix = _prefix(address)
        # What has begun since may not stand there yet, and what has ended may stand there still.
        found = set(_listed(self._begun.get(address)))
        for key in self._tables.stored_keys(self._table, prefix):
            workflow_id = int.from_bytes(key[-_ID_BYTES:], "big")
            if self._is_active(workflow_id):
                found.add(workflow_id)
        return tuple(sorted(found))


def _prefix(address: int | str) -> bytes:
    if isinstance(address, int):
        return address.to_bytes(8, "big")
    text = address.encode()
    # With its length before it, no text is the beginning of another.
    return len(text).to_bytes(2, "big") + text


def _suffix(workflow_id: int) -> bytes:
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

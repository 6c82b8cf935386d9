"""Subscriptions: who gets a published signal, found at the cost of those found.

A topic says which class, and which values some fields must have. All topics with the same class and the same field
names share a table from values to subscribers, so that a publish looks once into each such table (there are as many as
there are ways in which workflows filter, mostly one or two) and then has its receivers.
"""

from __future__ import annotations

from collections.abc import Callable

from ..workflows.topics import Topic

_Names = tuple[str, ...]
_Values = tuple[bytes, ...]


class Subscriptions:
    """The topics of all active workflows."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[_Names, dict[_Values, set[int]]]] = {}

    def add(self, workflow_id: int, topic: Topic) -> None:
        """Enter a subscriber."""
        names, values = _split(topic)
        table = self._tables.setdefault(topic.signal, {}).setdefault(names, {})
        table.setdefault(values, set()).add(workflow_id)

    def remove(self, workflow_id: int, topic: Topic) -> None:
        """Take a subscriber out, if it is there."""
        names, values = _split(topic)
        tables = self._tables.get(topic.signal, {})
        table = tables.get(names, {})
        subscribers = table.get(values)
        if subscribers is None:
            return
        subscribers.discard(workflow_id)
        if not subscribers:
            del table[values]
        if not table:
            del tables[names]
        if not tables:
            del self._tables[topic.signal]

    def receivers(self, signal: str, values_of: Callable[[], dict[str, bytes]]) -> list[int]:
        """Return the subscribers that a signal reaches, ascending.

        Args:
            signal: name of its class.
            values_of: gives its packed values by field; called only where somebody filters.
        """
        tables = self._tables.get(signal)
        if tables is None:
            return []
        found: set[int] = set()
        values: dict[str, bytes] | None = None
        # A copy: other threads may ask while a turn changes it.
        for names, table in list(tables.items()):
            if names and values is None:
                values = values_of()
            found |= table.get(tuple([(values or {}).get(name, b"") for name in names]), set())
        return sorted(found)


def _split(topic: Topic) -> tuple[_Names, _Values]:
    return tuple(name for name, _ in topic.fields), tuple(value for _, value in topic.fields)

"""Reading an audit log, in either direction, from a live world or a copy."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ...workflows.errors import WorldCorruptError
from ..storage.pieces import from_a_beginning, joined, joined_backwards, number_key
from ..storage.read_view import ReadView
from ..storage.store import Store
from ..storage.world_reader import WorldReader
from .events import PLACES, AuditEvent, unpack_events
from .tables import EVENT_TABLE

_TURNS = 16
"""Turns that are read backwards at once at first; more and more later."""
_MOST_TURNS = 1024
_LAST_TURN = 2**64 - 2


class AuditReader:
    """A world's audit log.

    From a `ReadView` all is as of one commit. From a store or a `WorldReader` it is read a few turns at a time, and no
    reader stays open in between: what is committed meanwhile may be seen, and what is deleted missed.
    """

    def __init__(self, source: Store | WorldReader | ReadView) -> None:
        self._source = source

    def events(self, start: int | None = None, *, backwards: bool = False) -> Iterator[AuditEvent]:
        """Go through the events in the order of time, or against it: the last hundred cost no more in a long log.

        Args:
            start: the id of the first, or of one that is not kept: then the next follows. None for the very first.
            backwards: the newest first.

        Raises:
            WorldCorruptError: a turn's events do not decode.
        """
        first = None if start is None else min(start // PLACES, _LAST_TURN)
        for turn, stored in self._backwards(first) if backwards else self._forwards(first or 0):
            events = self._unpacked(turn, stored)
            for event in reversed(events) if backwards else events:
                if start is None or turn != first or (event.id <= start if backwards else event.id >= start):
                    yield event

    def _forwards(self, first: int) -> Iterator[tuple[int, bytes]]:
        return joined(from_a_beginning(self._source.scan(EVENT_TABLE, number_key(max(0, first)))))

    def _backwards(self, last: int | None) -> Iterator[tuple[int, bytes]]:
        if last is not None and last < 0:
            return
        below = None if last is None else number_key(last + 1)
        source, size = self._source, _TURNS
        if isinstance(source, ReadView):
            yield from joined_backwards(source.backwards(EVENT_TABLE, below))
            return
        while True:
            with source.read_view() as view:
                turns = list(islice(joined_backwards(view.backwards(EVENT_TABLE, below)), size))
            yield from turns
            if len(turns) < size:
                return
            below = number_key(turns[-1][0])
            size = min(4 * size, _MOST_TURNS)

    def _unpacked(self, turn: int, stored: bytes) -> list[AuditEvent]:
        try:
            return list(unpack_events(turn, stored))
        except ValueError as error:
            raise WorldCorruptError(
                str(self._source.path), f"its audit log is damaged ({error}); the world itself may be whole"
            ) from error

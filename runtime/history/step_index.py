"""The index of recorded steps: in which turns a workflow has made its steps.

Steps lie in the order of time. To find those of one workflow, each few thousand of them have a segment of index: their
places, sorted by workflow and turn, in rows of a page each. A lookup asks each segment, with one descent of the tree;
the steps after the last segment are few and are gone through.

Key of such a row: the last turn of its segment, eight bytes, then its last place.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..storage.pieces import PIECE, key_number, number_key
from ..storage.readable import Readable
from .tables import INDEX_TABLE

SEGMENT = 4096
"""Steps from which on a segment is written."""
_PLACE = struct.Struct(">QQL")
_AT_MOST = PIECE // _PLACE.size


class Place(NamedTuple):
    """Where a step lies: the bytes of its offset count from the beginning of its turn's value."""

    workflow_id: int
    turn: int
    offset: int


class IndexWriter:
    """Collects places, and makes segments of them."""

    def __init__(self, places: Iterable[Place] = ()) -> None:
        """Go on after a crash: `places` are those after the last segment."""
        self._packed = [_PLACE.pack(*place) for place in places]

    def add(self, workflow_ids: Iterable[int], turn: int, offsets: Iterable[int]) -> None:
        """Note the places of a turn's steps."""
        pack = _PLACE.pack
        self._packed += [
            pack(number, turn, offset) for number, offset in zip(workflow_ids, offsets, strict=True)
        ]

    def segment(self, turn: int) -> dict[bytes, bytes | None]:
        """Return the rows of a segment that ends with a turn, if there are places enough for one; else none."""
        if len(self._packed) < SEGMENT:
            return {}
        packed, self._packed = sorted(self._packed), []
        rows: dict[bytes, bytes | None] = {}
        for at in range(0, len(packed), _AT_MOST):
            places = packed[at : at + _AT_MOST]
            rows[number_key(turn) + places[-1]] = b"".join(places)
        return rows


def places_of(rows: Readable, workflow_id: int, after: int) -> Iterator[Place]:
    """Go through the places of a workflow in the segments, those in turns after one, by ascending turn."""
    first = _PLACE.pack(workflow_id, after + 1, 0)
    segment = after + 1
    while (row := next(rows.scan(INDEX_TABLE, number_key(segment), batch=1), None)) is not None:
        segment = key_number(row[0])
        wanted = max(row[0], number_key(segment) + first[:16])
        for key, packed in rows.scan(INDEX_TABLE, wanted, batch=1):
            if key_number(key) != segment:
                break
            yield from _places_from(packed, first, workflow_id)
            if packed[-_PLACE.size :][:8] != first[:8]:
                # It does not go on in the next row.
                break
        segment += 1


def count_places(rows: Readable, first_turn: int) -> Counter[int]:
    """Count the places of each workflow in the segments, those in turns from one on."""
    size, first = _PLACE.size, number_key(first_turn)
    counted: Counter[bytes] = Counter()
    for _, packed in rows.scan(INDEX_TABLE, first):
        counted.update(
            packed[at : at + 8] for at in range(0, len(packed), size) if packed[at + 8 : at + 16] >= first
        )
    return Counter({int.from_bytes(packed, "big"): count for packed, count in counted.items()})


def _places_from(packed: bytes, first: bytes, workflow_id: int) -> Iterator[Place]:
    """Give the places of one workflow in a row of the index, from `first` on."""
    size = _PLACE.size
    begin = bisect_left(range(len(packed) // size), first, key=lambda at: packed[at * size : (at + 1) * size])
    for at in range(begin * size, len(packed), size):
        place = Place(*_PLACE.unpack_from(packed, at))
        if place.workflow_id != workflow_id:
            return
        yield place

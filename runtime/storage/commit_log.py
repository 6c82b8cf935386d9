"""The commit log: a commit is appended to one table of the world, and its rows reach their own tables a little later.

Rows that a turn changes lie all over a world. To write 1,024 of 10,000 in their places takes some 400 pages of a
B-tree; to append them takes 40, side by side. So a commit appends what it changes as one entry, and puts into place
only a part of what earlier ones have left pending, neighbouring keys, each with its newest value. A row
that changes often is put into place once in many changes.

Prior art: the write-ahead log, and the merges of log-structured trees. This log is a table of the same environment as
all others, so that a commit stays one transaction and there is no second file to keep in step.

Invariants: what the log says of a key, its last entry first, is never older than what the key's table says; entries
leave the log oldest first, and only when their keys' tables say what they said, or newer. Entries are numbered one
after the other, and no number is ever used again. Where all is put into place, a number is left out, and an empty entry
left standing: readers see by it that what they read before may be old. So a number is left out only before the first
entry that is kept: a gap after it is damage, and a log with one is refused, since rows of two commits would be mixed.
That the oldest or the newest entries are gone cannot be told from the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgpack

from ...actors import ENDED_INDEX, ENTITY_INDEX, GROUP_INDEX, TYPE_INDEX
from ...workflows.errors import WorldCorruptError
from ..audit.tables import EVENT_TABLE
from ..history.tables import GROWING_TABLES
from .pending_rows import PendingRows
from .pieces import cut, number_of, piece_keys

LOG = "log"
CYCLE = 64
"""In how many commits, at most, all that is pending is put into place. The log has at most two rounds of entries."""
DENSE_CYCLE = 16
"""In how many it is where neighbours are pending together: to wait longer for more of them would save few pages."""
DENSE = 64
"""Rows of a stretch, on average, from which on they are neighbours."""
ROUND_BYTES = 16 << 20
"""Bytes of entries in which all is put into place at the latest."""
LARGEST_ENTRY = 1 << 20
"""Bytes. What is larger touches so many pages that it is put into place at once, with all that is pending."""

MOST_NUMBER = 1 << 63
"""No entry has this number or a higher one: at a thousand commits a second that takes 290 million years."""

IN_PLACE = frozenset({ENTITY_INDEX, GROUP_INDEX, TYPE_INDEX, ENDED_INDEX, *GROWING_TABLES, EVENT_TABLE})
"""Tables that are not logged: indexes, whose rows change when a workflow begins or ends, not with its steps; and
history and audit log, which only grow at one end and shrink at the other."""

Rows: TypeAlias = Mapping[bytes, bytes | None]
Changes: TypeAlias = Mapping[str, Rows]
_Stretch: TypeAlias = tuple[str, bytes]


class Writes(NamedTuple):
    """What one transaction does, and what the log is after it.

    Attributes:
        entry: keys and values to append to the log, the pieces of one entry.
        puts: (table, ascending keys and values), for each table once; None deletes.
        logged: what the entry says.
        placed: the stretches whose pending rows are among the puts.
        cycle: the round of placing that goes on.
        first, following: the number of the log's first entry, those before it being deleted, and of the next one.
    """

    entry: list[tuple[bytes, bytes]]
    puts: list[tuple[str, list[tuple[bytes, bytes | None]]]]
    logged: Changes
    placed: list[_Stretch]
    cycle: _Cycle
    first: int
    following: int


class _Cycle(NamedTuple):
    """A round of placing.

    Attributes:
        stretches: what was pending at its beginning.
        placed: how many of them are in place.
        commits: in how many it is to be over.
        share: how much of it is over, from 0 to 1.
        following: the number of the first entry after its beginning.
    """

    stretches: list[_Stretch]
    placed: int
    commits: int
    share: float
    following: int


class CommitLog(PendingRows):
    """Plans what each transaction writes, and knows what is not in its place yet.

    Planning changes nothing; `note` takes a plan over once its transaction has committed. Rows are placed by stretches.
    """

    def __init__(self) -> None:
        super().__init__({})
        self._first = 0
        self._next = 0
        self._cycle = _Cycle([], 0, CYCLE, 1.0, 0)

    @property
    def entries(self) -> int:
        """How many entries it holds: commits whose rows are not all in their places yet."""
        return self._next - self._first

    @property
    def settled(self) -> bool:
        """Whether all is in place, and no entry left but an empty one."""
        return self._next - self._first <= 1 and not any(self._pending.values())

    def frozen(self) -> PendingRows:
        """Return what is pending as it stays, as long as `note` is told that somebody has it."""
        return PendingRows({table: stretches.copy() for table, stretches in self._pending.copy().items()})

    def load(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """Take over the entries of a stored world, oldest first.

        Raises:
            ValueError: one of them does not decode, or is not there.
        """
        found: dict[str, dict[bytes, bytes | None]] = {}
        numbers = []
        for number, entry in whole_entries(entries):
            merge_entry(entry, found)
            numbers.append(number)
        self._add(found)
        if numbers:
            self._first, self._next = numbers[0], numbers[-1] + 1

    def append(self, changes: Changes) -> Writes:
        """Plan a commit."""
        logged = {table: rows for table, rows in changes.items() if table not in IN_PLACE}
        entry = _pack_entry(logged)
        if len(entry) > LARGEST_ENTRY:
            return self.settle(changes)
        cycle, first = self._cycle, self._first
        if cycle.share >= 1.0:
            first = cycle.following
            pending = self._pending
            stretches = [(table, stretch) for table in sorted(pending) for stretch in sorted(pending[table])]
            rows = sum(len(rows) for table in pending.values() for rows in table.values())
            commits = min(CYCLE, DENSE_CYCLE) if rows >= DENSE * len(stretches) else CYCLE
            cycle = _Cycle(stretches, 0, commits, 0.0, self._next)
        # A little more than its part, so that all parts are the whole.
        share = min(1.0, cycle.share + 1 / min(cycle.commits, max(1, ROUND_BYTES // len(entry))) + 1e-9)
        end = int(len(cycle.stretches) * share)
        placed = cycle.stretches[cycle.placed : end]
        return Writes(
            cut(self._next, entry),
            [
                *self._puts(placed),
                *((table, sorted(rows.items())) for table, rows in changes.items() if table in IN_PLACE),
            ],
            logged,
            placed,
            cycle._replace(placed=end, share=share),
            first,
            self._next + 1,
        )

    def settle(self, changes: Changes | None = None) -> Writes:
        """Plan a commit that puts everything into place, changes too, and leaves an empty entry."""
        merged = {table: self.rows(table) for table in self._pending}
        for table, rows in (changes or {}).items():
            merged.setdefault(table, {}).update(rows)
        # A number is left out.
        number = self._next + 1
        return Writes(
            cut(number, _pack_entry({})),
            [(table, sorted(rows.items())) for table, rows in merged.items() if rows],
            {},
            [(table, stretch) for table, stretches in self._pending.items() for stretch in stretches],
            _Cycle([], 0, CYCLE, 1.0, number),
            number,
            number + 1,
        )

    def note(self, writes: Writes, *, shared: bool) -> None:
        """Take over what a committed transaction did.

        Args:
            writes: its plan.
            shared: whether somebody reads what `frozen` gave.
        """
        if shared:
            for table, rows in writes.logged.items():
                stretches = self._pending.get(table, {})
                for stretch in stretches.keys() & {key[:-1] for key in rows}:
                    stretches[stretch] = stretches[stretch].copy()
        for table, stretch in writes.placed:
            del self._pending[table][stretch]
        self._add(writes.logged)
        self._first, self._next, self._cycle = writes.first, writes.following, writes.cycle

    def _add(self, changes: Changes) -> None:
        for table, rows in changes.items():
            stretches = self._pending.setdefault(table, {})
            for key, value in rows.items():
                name = key[:-1]
                if name in stretches:
                    stretches[name][key] = value
                else:
                    stretches[name] = {key: value}

    def _puts(self, placed: list[_Stretch]) -> list[tuple[str, list[tuple[bytes, bytes | None]]]]:
        # What changes in this very commit is in the log, and stays pending.
        return [
            (
                table,
                [row for _, stretch in stretches for row in sorted(self._pending[table][stretch].items())],
            )
            for table, stretches in groupby(placed, itemgetter(0))
        ]


def whole_entries(
    pieces: Iterable[tuple[bytes, bytes]], first: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """Put the entries of a log together, oldest first, and see that none is left out; give their numbers, too.

    Args:
        pieces: keys and values of the log's table.
        first: the number that the first of them must have; None for any.

    Raises:
        ValueError: an entry is not there, or not all of it, or none can have its key.
    """
    following = first
    for number, some in groupby(pieces, number_of):
        keys, values = zip(*some, strict=True)
        if number >= MOST_NUMBER or list(keys) != piece_keys(number, len(keys)):
            raise ValueError(f"entry {number} lacks a piece, or is none")
        if following is not None and number != following:
            raise ValueError(f"entry {following} is not there, and entry {number} is")
        yield number, b"".join(values)
        following = number + 1


def merge_entry(entry: bytes, into: dict[str, dict[bytes, bytes | None]]) -> None:
    """Add what an entry says.

    Raises:
        ValueError: it does not decode.
    """
    try:
        for table, keys, values in msgpack.unpackb(entry):
            into.setdefault(table, {}).update(zip(keys, values, strict=True))
    except (TypeError, msgpack.exceptions.UnpackException) as error:
        raise ValueError(f"not an entry: {error}") from None


def damaged_log(world: Path, error: ValueError) -> WorldCorruptError:
    """Return the error for a log that does not decode; the caller raises it."""
    return WorldCorruptError(
        str(world), f"its table {LOG} is damaged ({error}); restore the world from a backup"
    )


def _pack_entry(changes: Changes) -> bytes:
    packed: Any = msgpack.packb([[table, list(rows), list(rows.values())] for table, rows in changes.items()])
    return bytes(packed)

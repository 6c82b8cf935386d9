"""Input ids: a call that is repeated after a crash takes effect once.

The caller names an input, and repeats it with that name until it sees it acknowledged. A world remembers the names of
all inputs that it took, in the commit that took them, with what their callers were told; the repeat is told the same.
"""

from __future__ import annotations

from ..workflows.checks import size_of_text
from ..workflows.errors import InputIdError
from ..workflows.outbox import INPUT_TABLE, InputRecord
from ..workflows.tables import TableSpace


class InputIds:
    """The names that were used, from acceptance on. The caller holds the lock of the intake."""

    def __init__(self, tables: TableSpace, limit: int) -> None:
        self._tables = tables
        self._limit = limit
        self._accepted: dict[str, InputRecord] = {}
        self._in_turn: dict[str, InputRecord] = {}

    def find(self, input_id: str, kind: str) -> InputRecord | None:
        """Return what is known of an input, or None if it is new.

        Raises:
            TypeError, ValueError: not a text of 1 to 255 bytes.
            InputIdError: the name was used for a call of another kind.
        """
        if not isinstance(input_id, str):
            raise TypeError(f"input_id is a text, not {input_id!r}")
        size = size_of_text("an input_id", input_id)
        if not 0 < size <= self._limit:
            raise ValueError(f"input_id is a text of 1 to {self._limit} bytes, not of {size}")
        # The tables first: the turn that took it may have put an answer there.
        stored = self._tables.read(INPUT_TABLE, input_id.encode())
        if stored is not None:
            found: InputRecord | None = InputRecord.unpack(stored)
        else:
            found = self._accepted.get(input_id) or self._in_turn.get(input_id)
        if found is not None and found.kind != kind:
            raise InputIdError(input_id, kind, found.kind)
        return found

    def note(self, input_id: str, record: InputRecord) -> None:
        """Remember a new one."""
        self._accepted[input_id] = record

    def take(self) -> None:
        """A turn begins: what it takes is in the tables from its end on."""
        self._in_turn, self._accepted = self._accepted, {}

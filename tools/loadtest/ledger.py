"""The ledger: what was sent to a world, what it acknowledged, and when it was killed.

A file that is only appended to, by the process that is never killed, one line an event:

    sent NUMBER KIND ENTRY ENTITY [WITNESS SEQUENCE]   before it is sent; once, however often it is sent again
    known NUMBER WORKFLOW_ID                           acknowledged: it is durable
    refused NUMBER                                     the world did not take it
    killed SECONDS

What must be in the world follows from these lines alone; see `verification`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from .inputs import Input, Kind, Known


class Ledger:
    """Writes the file."""

    def __init__(self, path: Path) -> None:
        """Begin a new ledger."""
        self._file = path.open("w", encoding="ascii", newline="\n")

    def sent(self, inputs: Iterable[Input]) -> None:
        """Enter inputs that are about to be sent."""
        lines = []
        for item in inputs:
            tail = f" {item.values[0]} {item.values[1]}" if item.kind == Kind.NOTE else ""
            lines.append(f"sent {item.number} {item.kind} {item.entry} {item.entity}{tail}\n")
        self._file.write("".join(lines))

    def known(self, known: Iterable[Known]) -> None:
        """Enter what was acknowledged."""
        self._file.write("".join(f"known {item.number} {item.workflow_id}\n" for item in known))

    def refused(self, numbers: Iterable[int]) -> None:
        """Enter what the world did not take."""
        self._file.write("".join(f"refused {number}\n" for number in numbers))

    def killed(self, at_s: float) -> None:
        """Enter a kill."""
        self._file.write(f"killed {at_s:.3f}\n")

    def close(self) -> None:
        """Write all that is left to the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(slots=True)
class Entry:
    """An input in the ledger.

    Attributes:
        number, kind, entry, entity: as `Input` has them.
        witness, sequence: of a note; else 0.
        state: "sent", "known" or "refused".
        workflow_id: of a start that is known; else 0.
        other_id: of a start that was acknowledged once more under another id; else 0.
    """

    number: int
    kind: int
    entry: int
    entity: int
    witness: int = 0
    sequence: int = 0
    state: str = "sent"
    workflow_id: int = 0
    other_id: int = 0


def read_ledger(path: Path) -> list[Entry]:
    """Return the inputs of a ledger by their numbers.

    Raises:
        ValueError: the file is not one.
    """
    entries: list[Entry] = []
    for what, fields in _lines(path):
        if what == "sent":
            if fields[0] != len(entries):
                raise ValueError(f"{path}: input {fields[0]} follows {len(entries) - 1}")
            number, kind, which, entity, *note = fields
            witness, sequence = note or (0, 0)
            entries.append(Entry(number, kind, which, entity, witness, sequence))
        elif what == "known":
            entry = entries[fields[0]]
            if entry.workflow_id not in (0, fields[1]):
                entry.other_id = fields[1]
            else:
                entry.state, entry.workflow_id = "known", fields[1]
        elif what == "refused" and entries[fields[0]].state == "sent":
            # Refused when it came again, it would still be what was acknowledged before.
            entries[fields[0]].state = "refused"
    return entries


def _lines(path: Path) -> Iterator[tuple[str, list[int]]]:
    with path.open(encoding="ascii") as file:
        for line in file:
            what, *fields = line.split()
            if what != "killed":
                yield what, [int(field) for field in fields]

"""Findings: what is not as it should be, where, and what to do."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning"]
ERROR: Severity = "error"
"""The world does not mean what it should: something is lost, or will go wrong."""
WARNING: Severity = "warning"
"""The world is whole; something in it wants looking at."""

RESTORE = "restore the world from a backup"
REPAIR = "close the world, then: deathless doctor WORLD --repair"


class Finding(NamedTuple):
    """Something that is not as it should be.

    Attributes:
        check: which check found it: `file`, `meta`, `code`, `row`, `due`, `family`, `activity`, `index`, `leftover`,
            `input`, `table`, `history`, `unknown` or `held`.
        table: where it is; empty for the file as a whole.
        key: of the row; None where it is not one row.
        workflow_id: of the workflow that it concerns; None where it is not one.
        what: that it is.
        remedy: what to do.
        severity: how bad it is.
    """

    check: str
    table: str
    key: bytes | None
    workflow_id: int | None
    what: str
    remedy: str = RESTORE
    severity: Severity = ERROR

    @property
    def where(self) -> str:
        """The place, in words."""
        if self.workflow_id is not None and self.table in ("", "workflow"):
            return f"workflow {self.workflow_id}"
        if not self.table:
            return "the file"
        if self.key is None:
            return f"table {self.table}"
        return f"table {self.table}, key {shown_key(self.key)}"

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.what}; {self.remedy}"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it: the key as hexadecimal digits."""
        return {**self._asdict(), "key": None if self.key is None else self.key.hex()}


def shown_key(key: bytes) -> str:
    """Return a key as text where it is one, else as hexadecimal digits."""
    text = key.decode("ascii", errors="replace")
    return text if text.isprintable() and "\ufffd" not in text else f"0x{key.hex()}"

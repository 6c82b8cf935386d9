"""What `Runtime.history` gives: the recorded steps of one workflow, each with the state that it left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ...workflows.messages import ASK, CANCEL, CHILD_DONE, FIRE, NEXT, RETRY, SIGNAL, START, TICK
from ...workflows.sources import US
from ..view import WorkflowView
from .steps import StepRecord

_CAUSES = {
    START: "start",
    SIGNAL: "signal",
    TICK: "timer",
    FIRE: "timer",
    CHILD_DONE: "child",
    CANCEL: "cancel",
    RETRY: "retry",
    NEXT: "unread",
    ASK: "ask",
}


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A recorded step of a workflow.

    Attributes:
        turn: in which it was; now: the world's time of that turn, in seconds.
        cause: "made", "start", "signal", "ask", "timer", "child", "unread" for a message that had waited, "cancel",
            "retry" or "deleted".
        detail: the name of the signal; of a child, its id; the reason of a cancel; else an empty text.
        state: the workflow after it; None where it was deleted.
    """

    turn: int
    now: float
    cause: str
    detail: str
    state: WorkflowView | None


def entries(
    records: Iterable[StepRecord], row_now: bytes | None, view: Callable[[bytes], WorkflowView]
) -> Iterator[HistoryEntry]:
    """Put steps of a workflow, in their order, into words.

    Args:
        records: all steps from some turn on.
        row_now: its row as of the last of them.
        view: reads a row.
    """
    last: StepRecord | None = None
    for record in records:
        if last is not None:
            yield _entry(last, record.before, view)
        last = record
    if last is not None:
        yield _entry(last, None if last.deleted else row_now, view)


def _entry(record: StepRecord, after: bytes | None, view: Callable[[bytes], WorkflowView]) -> HistoryEntry:
    message = record.message
    if message is None:
        cause, detail = "made" if record.made else "deleted", ""
    else:
        cause = _CAUSES[message[0]]
        detail = str(message[2]) if message[0] in (SIGNAL, ASK, CHILD_DONE, CANCEL) else ""
    return HistoryEntry(
        record.turn, record.now_us / US, cause, detail, None if after is None else view(after)
    )

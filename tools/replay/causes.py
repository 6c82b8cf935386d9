"""Causes: what made a workflow take a step, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...workflows import rows
from ...workflows.codec import Codec
from ...workflows.errors import DeathlessError
from ...workflows.messages import (
    ACTIVITY_FAILED,
    ASK,
    CANCEL,
    CHILD_DONE,
    FIRE,
    NEXT,
    RETRY,
    SIGNAL,
    START,
    STATUSES,
    TICK,
    Message,
    Status,
)
from .saved_world import SavedWorld, Step
from .showing import short
from .world_times import WorldTimes

_ACTIVITY = 2
"""Among the policies of children: it is an activity."""


class Cause(NamedTuple):
    """What caused a step.

    Attributes:
        kind: made, start, signal, ask, timer, child, activity, cancel, retry or deleted.
        text: the same with particulars.
        answers: what the world told the step, in the order in which it asked.
    """

    kind: str
    text: str
    answers: tuple[str, ...]


class Causes:
    """Says what caused steps of one world."""

    def __init__(self, saved: SavedWorld) -> None:
        self._saved = saved
        self._codec: Codec = saved.looking
        self._times = WorldTimes(saved.state)
        self._say: dict[int, Callable[[Message, bytes], tuple[str, str]]] = {
            START: lambda *_: ("start", "started"),
            SIGNAL: self._signal,
            ASK: self._signal,
            TICK: self._timer,
            FIRE: self._timer,
            CHILD_DONE: self._child,
            CANCEL: self._cancel,
            RETRY: self._retry,
            NEXT: self._next,
        }

    def of(self, step: Step) -> Cause:
        """Return what caused a step.

        Raises:
            WorldCorruptError: its row does not decode.
        """
        message, before, after = step.record.message, step.record.before, step.after
        answers = tuple(map(self._answer, step.record.answers or ()))
        try:
            if before is None:
                return Cause("made", self._made(after), answers)
            if message is None:
                return Cause("deleted", "deleted, long after its end", answers)
            kind, text = self.message(message, before)
        except rows.RowError as error:
            raise self._saved.damaged(step.record.workflow_id, error) from error
        return Cause(kind, text, answers)

    def unread(self, row: bytes) -> list[str]:
        """Return the messages that no await has taken yet, oldest first.

        Raises:
            RowError: the row does not decode.
        """
        return [
            self.message(tuple(one), row)[1] for one in rows.read_field(rows.split(row), rows.UNREAD) or ()
        ]

    def message(self, message: Message, row: bytes) -> tuple[str, str]:
        """Return the kind of a message, and what it says in words, to a workflow with such a row."""
        return self._say[message[0]](message, row)

    # -- messages --------------------------------------------------------------------------------------------

    def _made(self, row: bytes | None) -> str:
        parent = None if row is None else rows.read_head(row).parent_id
        return "made from outside" if parent is None else f"made by workflow {parent}"

    def _signal(self, message: Message, _row: bytes) -> tuple[str, str]:
        kind, time_us, name, payload, fields = message[:5]
        values = self._decoded(payload)
        if isinstance(values, list):
            names = fields.split(",") if fields else []
            shown = ", ".join(f"{key}={short(value)}" for key, value in zip(names, values, strict=False))
        else:
            shown = "..."
        what, done = ("ask", "asked") if kind == ASK else ("signal", "sent")
        return what, f"{what} {name}({shown}) {done} at {self._times.show_us(time_us)}"

    def _timer(self, message: Message, row: bytes) -> tuple[str, str]:
        split = rows.split(row)
        if rows.failures(split):
            return self._retry(message, row)
        view = self._saved.view(0, row)
        due_s = (
            message[1] / 1e6 if message[0] == TICK else min((timer.due for timer in view.timers), default=0.0)
        )
        name = next((timer.name for timer in view.timers if timer.due == due_s and timer.name), None)
        early = f", fired by hand at {self._times.show_us(message[1])}" if message[0] == FIRE else ""
        return "timer", f"timer {f'{name} ' if name else ''}due {self._times.show(due_s)}{early}"

    def _child(self, message: Message, row: bytes) -> tuple[str, str]:
        _, _, child_id, status, outcome = message
        listed = rows.read_field(rows.split(row), rows.CHILDREN) or []
        policies = dict(zip(listed[::2], listed[1::2], strict=False))
        kind = (
            "activity" if _ACTIVITY in (policies.get(child_id), 2 * (status == ACTIVITY_FAILED)) else "child"
        )
        if status == ACTIVITY_FAILED or STATUSES[status] is Status.FAILED:
            return kind, f"{kind} {child_id} failed: {outcome}"
        if STATUSES[status] is Status.CANCELLED:
            return kind, f"{kind} {child_id} was cancelled: {outcome or 'no reason given'}"
        return kind, f"{kind} {child_id} completed: {short(self._decoded(outcome))}"

    def _cancel(self, message: Message, _row: bytes) -> tuple[str, str]:
        _, _, reason, force = message
        return "cancel", f"cancel{' by force' if force else ''}: {reason or 'no reason given'}"

    def _retry(self, _message: Message, row: bytes) -> tuple[str, str]:
        outcome = rows.read_field(rows.split(row), rows.OUTCOME)
        failed = outcome[2] if isinstance(outcome, list) else None
        what = self.message(tuple(failed), row)[1] if failed else "the step that failed"
        return "retry", f"tried again: {what}"

    def _next(self, _message: Message, row: bytes) -> tuple[str, str]:
        """Say which unread message is taken: the first that is awaited."""
        awaited = self._saved.view(0, row).awaiting
        for unread in rows.read_field(rows.split(row), rows.UNREAD) or ():
            names = (unread[2], f"child {unread[2]}", f"activity {unread[2]}")
            if any(name in awaited for name in names):
                kind, text = self.message(tuple(unread), row)
                return kind, f"{text}, unread until now"
        return "signal", "an unread message"

    # -- answers ---------------------------------------------------------------------------------------------

    def _answer(self, answer: Any) -> str:
        match answer:
            case None:
                return "accepted"
            case int():
                return f"new id {answer}"
            case str():
                return f"refused: {answer}"
            case bytes():
                return f"reducer gave {short(self._decoded(answer))}"
            case ["", what, value, limit, _]:
                return f"refused: {what} is {value}, over the limit of {limit}"
            case [module, name, args]:
                shown = "..." if args is None else ", ".join(map(short, args))
                return f"raised {name if module == 'builtins' else f'{module}.{name}'}({shown})"
        return short(answer)

    def _decoded(self, packed: bytes) -> Any:
        try:
            return self._codec.unpack(packed)
        except DeathlessError as error:
            return error

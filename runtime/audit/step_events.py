"""What happens in a turn, in the words of the audit log: it stands between the actors and the stepper, and listens.

A message that is handled gives one event for what caused it, and one more for each thing that came of it: an end, a
failure, a workflow that is held. Nothing is said of a message that changed nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...actors import ActorSystem
from ...workflows import rows as row_format
from ...workflows.errors import ActivityFailed, Cancelled, ChildCancelled, ChildFailed
from ...workflows.instance import Instance
from ...workflows.messages import (
    ASK,
    CANCEL,
    CHILD_DONE,
    FIRE,
    NEXT,
    RETRY,
    SIGNAL,
    START,
    STATUS_CODE,
    STATUSES,
    TICK,
    Message,
    Status,
)
from ...workflows.outbox import REPLY
from ...workflows.sources import ActivityDone, Beat, ChildDone, Elapsed, Join
from ...workflows.versions import CodeBook
from ..row_buffer import RowBuffer
from . import events as names
from .events import NotedEvent

_Said = tuple[str, str]
"""(event, detail)."""
_SUSPENDED = STATUS_CODE[Status.SUSPENDED]
_ENDINGS = {
    Status.COMPLETED: names.COMPLETED,
    Status.FAILED: names.FAILED,
    Status.CANCELLED: names.CANCELLED,
}
_OUTCOMES: dict[type[BaseException], Status] = {
    ChildFailed: Status.FAILED,
    ChildCancelled: Status.CANCELLED,
    ActivityFailed: Status.FAILED,
}


class StepEvents:
    """Lets steps and reducers run, and notes what becomes of them.

    Attributes:
        events: of the turn, in order.
    """

    def __init__(self, system: ActorSystem, rows: RowBuffer, codes: CodeBook) -> None:
        self.events: list[NotedEvent] = []
        self._rows = rows
        self._codes = codes
        self._keys: dict[tuple[int, int], str] = {}
        self._effects = system.outbox
        # What the code of the step that is handled now was run with: nothing, as long as none has run.
        self._cause: _Said | None = None
        self._by_timer = False
        self._handle, self._run, self._call = system.handle, system.stepper.run, system.call
        system.handle, system.stepper.run, system.call = self.handle, self.run, self.call
        system.recorders.append(self)

    # -- in the place of others ------------------------------------------------------------------------------

    def handle(self, instance: Instance, message: Message) -> bytes | None:
        """Let a step run, as `Stepper.handle` does, and note it if it changed its workflow."""
        status, failures, cold = instance.status, instance.failures, instance.coroutine is None
        self._cause, self._by_timer = None, False
        row = self._handle(instance, message)
        if row is None:
            return None
        step = self._step(instance, row)
        cause = self._cause
        if (
            cause is not None
            and instance.unread is None
            and not (cold or failures or instance.failures)
            and instance.status is status is Status.SUSPENDED
        ):
            # The common case, written out: a warm workflow went on, and waits again.
            who = instance.workflow_id, instance.type_name, instance.entity_id
            self.events.append((cause[0], *who, cause[1], _SUSPENDED, step))
            return row
        for event, detail in self._said(instance, message, row, status, failures, cold=cold):
            self._add(event, instance, detail, step)
        return row

    def run(self, instance: Instance, message: Message, event: Any, error: BaseException | None) -> bytes:
        """Let code run, as `Stepper.run` does, and note what it is given: the wait is the next one afterwards."""
        kind = message[0]
        if kind == SIGNAL:
            self._cause = names.SIGNALLED, message[2]
        elif kind in (TICK, FIRE):
            self._cause, self._by_timer = (names.TIMER_FIRED, _timer(event)), True
        elif kind == NEXT and not isinstance(error, Cancelled):
            self._cause = self._taken(instance, event, error)
        return self._run(instance, message, event, error)

    def call(self, message: Message) -> None:
        """Let a reducer run that was called from outside, and note it."""
        name, sender = message[2], message[4]
        self.events.append((names.REDUCER_CALLED, None, name, None, sender, None, None))
        self._call(message)
        effect = self._effects.effects[-1]
        assert effect[0] == REPLY, "a call is answered last"
        if effect[2].problem:
            self.events.append((names.REDUCER_FAILED, None, name, None, effect[2].problem, None, None))

    # -- what the world says itself ----------------------------------------------------------------------------

    def note_made(self, instance: Instance) -> None:
        """Note that a workflow was made."""
        parent = instance.parent_id
        self._add(names.STARTED, instance, "" if parent is None else f"child of {parent}", "start")

    def note_deleted(self, workflow_id: int, type_name: str, row: bytes) -> None:
        """Note that a workflow is deleted, whose row is as given."""
        head = row_format.read_head(row)
        self.events.append((names.DELETED, workflow_id, type_name, head.entity_id, "", head.status, None))

    # -- words ---------------------------------------------------------------------------------------------------

    def _add(self, event: str, instance: Instance, detail: str, step: str) -> None:
        status = STATUS_CODE[instance.status]
        self.events.append(
            (event, instance.workflow_id, instance.type_name, instance.entity_id, detail, status, step)
        )

    def _said(
        self, instance: Instance, message: Message, row: bytes, before: Status, failures: int, *, cold: bool
    ) -> Iterator[_Said]:
        """Put into words what a message has done to a workflow, that had this status and so many failures before."""
        kind = message[0]
        if cold and kind != START and instance.held is None and self._was_held(instance.workflow_id):
            yield names.RESUMED, ""
        again = bool(instance.failures) and (instance.failures != failures or kind == CANCEL)
        after = instance.status
        ended = after is not Status.SUSPENDED and (after is not before or kind == RETRY)
        if kind == RETRY or (failures and kind in (TICK, FIRE)):
            yield names.RETRIED, ""
        elif kind == CANCEL:
            yield names.CANCEL_REQUESTED, message[2]
        else:
            if instance.unread is not None and self._waits(instance, message, failed=ended or again):
                yield names.BUFFERED, self._name(message)
            if self._cause is not None:
                yield self._cause
        if ended:
            yield _ENDINGS[after], _outcome(row)
        elif again:
            yield names.STEP_FAILED, _outcome(row)
        elif instance.held is not None and not self._was_held(instance.workflow_id):
            yield names.HELD, instance.held

    def _taken(self, instance: Instance, event: Any, error: BaseException | None) -> _Said:
        """Put into words what a workflow goes on with that had waited for it, be it for a moment."""
        if type(instance.wait[0]) is Join:
            child_id, problem = instance.wait[0].workflow_id, error
        elif type(event) is ChildDone:
            child_id, problem = event.child.workflow_id, event.error
        elif type(event) is ActivityDone:
            child_id, problem = event.activity.workflow_id, event.error
        else:
            return names.SIGNALLED, type(event).__name__
        status = Status.COMPLETED if problem is None else _OUTCOMES[type(problem)]
        ended = names.ACTIVITY_ENDED if self._is_activity(child_id) else names.CHILD_ENDED
        return ended, f"{child_id} {status}"

    def _waits(self, instance: Instance, message: Message, *, failed: bool) -> bool:
        """Say whether a message that has come is among the unread ones now, and not for having failed."""
        kind = message[0]
        if kind not in (SIGNAL, ASK, CHILD_DONE) or (
            failed and self._cause is not None and not self._by_timer
        ):
            return False
        unread: list[Any] = instance.unread or []
        return bool(unread) and unread[-1] == [SIGNAL if kind == ASK else kind, *message[1:5]]

    def _name(self, message: Message) -> str:
        if message[0] != CHILD_DONE:
            name: str = message[2]
            return name
        # An activity that failed has a status that no workflow has.
        status = STATUSES[message[3]] if message[3] < len(STATUSES) else Status.FAILED
        return f"{'activity' if self._is_activity(message[2]) else 'child'} {message[2]} {status}"

    def _is_activity(self, number: int) -> bool:
        """Say whether it is the number of an activity: a workflow has a row."""
        return self._rows.row(number) is None

    def _was_held(self, workflow_id: int) -> bool:
        """Say whether a workflow was held before this step; its row from then is what the buffer has yet."""
        row = self._rows.row(workflow_id)
        return row is not None and row_format.is_held(row)

    def _step(self, instance: Instance, row: bytes) -> str:
        """Return where a workflow stands, as `WorkflowView.current_step` says it."""
        if instance.label is not None:
            return instance.label
        if instance.status in (Status.COMPLETED, Status.CANCELLED):
            return str(instance.status)
        place = row_format.place(row)
        if place is None:
            return "start"
        key = self._keys.get(place)
        if key is None:
            number, site = place
            key = self._keys[place] = self._codes.descriptor(number)["sites"][site - 1][0]
        return key


def _timer(event: Any) -> str:
    """Return the name of the timer that gave an event; a beat has a number, a sleep nothing."""
    if type(event) is Elapsed:
        return event.name or ""
    return f"beat {event.n}" if type(event) is Beat else ""


def _outcome(row: bytes) -> str:
    """Return the error of a row that has failed, or the reason of one that is cancelled."""
    fields = row_format.split(row)
    if row_format.read_field(fields, row_format.STATUS) == STATUS_CODE[Status.COMPLETED]:
        return ""
    outcome = row_format.read_field(fields, row_format.OUTCOME)
    text: str = outcome if isinstance(outcome, str) else outcome[0]
    return text

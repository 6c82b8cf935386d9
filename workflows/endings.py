"""How a step ends that does not reach another await: the workflow completes, is cancelled, fails, or is tried again.

This is the half of the `Stepper` that nobody hopes to see at work. After a failed step the instance is what its last
row says, as if the step had never begun.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import Any

from . import rows
from .checks import check_size
from .codec import Codec
from .definition import WorkflowType
from .errors import LimitError, UnstorableError, plain_text, text_of
from .instance import Instance
from .limits import Limits
from .messages import CANCEL, CHILD_DONE, NEXT, SIGNAL, STATUS_CODE, Message, Status
from .outbox import ABANDON, REPLY, Answer, Neighbours
from .port import ACTIVITY_POLICY, Port
from .snapshots import Snapshots
from .sources import LONGEST_S, to_us


class Endings:
    """What a `Stepper` does when a step has ended for good or for ill; its attributes are the stepper's."""

    limits: Limits
    outbox: Port
    types: Mapping[str, WorkflowType[Any, Any]]
    report: Callable[[str, Instance, str], None]
    _codec: Codec
    _neighbours: Neighbours
    _snapshots: Snapshots
    _base: bytes | None
    _failures: int
    faults: int
    held: set[int]

    @property
    def now_us(self) -> int:
        """Time of the current turn."""
        return self.outbox.now_us

    def _complete(self, instance: Instance, message: Message, result: Any) -> bytes:
        what = f"the result of workflow {instance.type_name!r}"
        try:
            outcome = self._codec.pack(result)
            check_size(f"the size of {what}", outcome, self.limits)
        except UnstorableError as error:
            return self._fail(instance, message, UnstorableError(error.found, where=what, why=error.why))
        except LimitError as error:
            return self._fail(instance, message, error)
        return self._end(instance, Status.COMPLETED, outcome)

    def _end(self, instance: Instance, status: Status, outcome: Any) -> bytes:
        """Complete or cancel: tell the children by their policy, and the parent."""
        told = instance.status is Status.FAILED
        self.held.discard(instance.workflow_id)
        instance.status = status
        instance.failures = 0
        instance.due_us = None
        instance.updated_us = self.now_us
        for child_id, policy in (instance.children or {}).items():
            if policy == ACTIVITY_POLICY:
                self.outbox.effects.append((ABANDON, child_id))
            elif policy:
                reason = f"its parent, workflow {instance.workflow_id}, ended"
                self.outbox.tell(child_id, (CANCEL, self.now_us, reason, False))
        instance.children = instance.unread = None
        self._refuse_asks(instance, instance.asks, f"has ended ({status}) without an answer")
        instance.asks = None
        if not told:
            self._tell_parent(instance, outcome)
        instance.chill()
        return self._snapshots.pack_ended(instance, outcome)

    def _fail(self, instance: Instance, message: Message, error: BaseException) -> bytes:
        """Fail: undo the step, keep snapshot and message for the next try; after the last, tell the parent."""
        self.outbox.take()
        self.faults += 1
        if message[0] == SIGNAL:
            # The common case of `handle`. Leave the row that the long way leaves, where the signal went through
            # the unread ones: a row must not tell whether the workflow was warm.
            self._base = rows.patch(self._last_row(instance), unread=[list(message)])
            message = (NEXT, message[1])
        limit = self.limits.error_message
        text = text_of(error)[:limit]
        trace = plain_text("".join(traceback.format_exception(error)))[-8 * limit :]
        base = self._last_row(instance)
        outcome: list[Any] = [text, trace, list(message)]
        due_us = self._next_try(instance)
        if due_us is not None:
            outcome.append(self._failures + 1)
            row = rows.patch(base, due=due_us, updated=self.now_us, outcome=outcome)
            instance.load(row)
            self.report("step_failed", instance, text)
            return row
        failed = STATUS_CODE[Status.FAILED]
        row = rows.patch(base, due=None, status=failed, updated=self.now_us, asks=None, outcome=outcome)
        asks = rows.read_field(rows.split(base), rows.ASKS)
        instance.load(row)
        self._refuse_asks(instance, asks, f"failed: {text}")
        self._tell_parent(instance, text)
        self.report("workflow_failed", instance, text)
        return row

    def _next_try(self, instance: Instance) -> int | None:
        """Return when a step that has failed is tried again, by the policy of its type; None for never."""
        kind = self.types.get(instance.type_name)
        if kind is None or kind.retry is None:
            return None
        pause_s = kind.retry.pause_s(self._failures + 1)
        return None if pause_s is None else self.now_us + to_us(min(pause_s, LONGEST_S), "a pause")

    def _tell_parent(self, instance: Instance, outcome: Any) -> None:
        if instance.parent_id is not None:
            status = STATUS_CODE[instance.status]
            done = (CHILD_DONE, self.now_us, instance.workflow_id, status, outcome)
            self.outbox.tell(instance.parent_id, done)

    def _refuse_asks(self, instance: Instance, asks: list[list[Any]] | None, why: str) -> None:
        for ticket, _, _, input_id in asks or ():
            answer = Answer(None, f"workflow {instance.workflow_id} {why}")
            self.outbox.effects.append((REPLY, ticket, answer, input_id))

    def _last_row(self, instance: Instance) -> bytes:
        """Return the row to fall back to: what this call of `handle` has made so far, else the stored one."""
        if self._base is not None:
            return self._base
        return self._neighbours.last_row(instance.workflow_id)

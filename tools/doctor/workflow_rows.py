"""Rows of workflows: each decodes, stands in code that there is, is due when its wait says, and has its family.

A row is judged by itself and by the few others that it names, so that a world of any size is gone through in little
memory.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from ...runtime.row_buffer import WORKFLOW_TABLE, row_key
from ...runtime.storage.read_view import ReadView
from ...workflows import rows, waits
from ...workflows.errors import DeathlessError
from ...workflows.instance import unflatten
from ...workflows.messages import CANCEL, CHILD_DONE, SIGNAL, STATUSES, Status
from ...workflows.outbox import ACTIVITY_TABLE, ActivityRecord
from ...workflows.port import ACTIVITY_POLICY
from ...workflows.topics import load_topics
from ...workflows.unloaded import tolerant_codec
from .facts import NOT_DECODED, Facts, said
from .finding import Finding

_ACTIVE = Status.SUSPENDED
_COMPLETED = STATUSES.index(Status.COMPLETED)
_FAILED_PARTS, _TRIED_PARTS = 3, 4


class RowChecks:
    """Checks one workflow after the other."""

    def __init__(self, view: ReadView, facts: Facts, results: Container[tuple[int, int]]) -> None:
        """Begin.

        Args:
            view: the world.
            facts: what it says of itself.
            results: of children and activities, on their way: (parent, child).
        """
        self._view = view
        self._facts = facts
        self._results = results
        self._codec = tolerant_codec()
        self._number = 0

    def check(self, number: int, row: bytes) -> Iterator[Finding]:
        """Go through what is wrong with a workflow."""
        self._number = number
        try:
            head = rows.read_head(row)
            split = rows.split(row)
            fields = self._codec.unpack(row)
            yield from self._check(fields, rows.arguments(split), head)
        except (*NOT_DECODED, DeathlessError) as error:
            yield self._bad("row", f"its row does not decode ({said(error)})")

    def _bad(self, check: str, what: str) -> Finding:
        return Finding(check, WORKFLOW_TABLE, row_key(self._number), self._number, what)

    def _check(self, fields: list[Any], arguments: bytes | None, head: rows.Head) -> Iterator[Finding]:
        status = STATUSES[fields[rows.STATUS]]
        yield from self._check_head(head, status)
        if arguments is not None:
            args, kwargs = self._codec.unpack(arguments)
            if type(args) is not list or type(kwargs) is not dict:
                yield self._bad("row", "its arguments are not [args, kwargs]")
        stack = fields[rows.STACK]
        if type(stack) is list:
            yield from self._check_stack(stack)
        load_topics(fields[rows.TOPICS])
        for _ticket, _name, _digest, _input_id in fields[rows.ASKS] or ():
            pass
        yield from self._check_outcome(status, fields)
        for message in fields[rows.UNREAD] or ():
            yield from self._check_unread(message)
        yield from self._check_due(status, fields)
        yield from self._check_family(status, fields)

    # -- the row by itself -----------------------------------------------------------------------------------

    def _check_head(self, head: rows.Head, status: Status) -> Iterator[Finding]:
        facts = self._facts
        if status is Status.RUNNING:
            yield self._bad("row", "its status is Running, which is never stored")
        if not 0 < self._number < facts.next_id:
            yield self._bad("row", f"its id was never handed out: {facts.next_id} is the next one")
        if type(head.type_name) is not str or not head.type_name:
            yield self._bad("row", "it has no type")
        if head.updated_us < head.created_us:
            yield self._bad("row", "its last step was before it began")
        if facts.now_us is not None and head.updated_us > facts.now_us:
            yield self._bad("row", "its last step is in the future of the world")

    def _check_stack(self, stack: list[Any]) -> Iterator[Finding]:
        for number, site, *values in stack:
            sites = self._facts.sites.get(number)
            if sites is None or not 0 < site <= len(sites):
                yield self._bad(
                    "code", f"it stands at await {site} of code {number}, which the world does not describe"
                )
            elif len(values) != sites[site - 1]:
                yield self._bad(
                    "code",
                    f"it holds {len(values)} values at await {site} of code {number}, which keeps {sites[site - 1]}",
                )

    def _check_outcome(self, status: Status, fields: list[Any]) -> Iterator[Finding]:
        outcome = fields[rows.OUTCOME]
        if status is Status.COMPLETED:
            self._codec.unpack(outcome)
        elif status is Status.CANCELLED and type(outcome) is not str:
            yield self._bad("row", "it was cancelled, without a reason")
        elif status is Status.FAILED and len(outcome) != _FAILED_PARTS:
            yield self._bad("row", "it failed, and does not say at what")
        elif status is _ACTIVE and outcome is not None and len(outcome) != _TRIED_PARTS:
            yield self._bad("row", "its step is to be tried again, and it does not say which")
        if status in (Status.COMPLETED, Status.CANCELLED):
            for name in ("STACK", "UNREAD", "CHILDREN", "ASKS"):
                if fields[getattr(rows, name)] is not None:
                    yield self._bad("row", f"it has ended ({status}) and still has its {name.lower()}")
        elif fields[rows.STACK] is None or fields[rows.STACK] == []:
            yield self._bad("row", f"it is {status} and has no stack")

    def _check_unread(self, message: list[Any]) -> Iterator[Finding]:
        kind = message[0]
        if kind == SIGNAL:
            _, _, name, payload, _ = message
            if type(self._codec.unpack(payload)) is not list or type(name) is not str:
                yield self._bad("row", "an unread signal has no fields")
        elif kind == CHILD_DONE:
            _, _, _, status, outcome = message
            if status == _COMPLETED:
                self._codec.unpack(outcome)
        elif kind != CANCEL:
            yield self._bad("row", f"an unread message of kind {kind}, which none is")

    def _check_due(self, status: Status, fields: list[Any]) -> Iterator[Finding]:
        due_us, stack = fields[rows.DUE], fields[rows.STACK]
        if status is not _ACTIVE:
            if due_us is not None:
                yield self._bad("due", f"it has ended ({status}), and a timer of it is due at {due_us}")
        elif fields[rows.OUTCOME] is not None:
            if due_us is None:
                yield self._bad("due", "its step is to be tried again, and no timer is set for it")
        else:
            wanted = first_due(fields[rows.WAIT], stack) if type(stack) is list else None
            # 0: it is held, and is to be looked at when the world is opened.
            if due_us not in (wanted, 0):
                yield self._bad(
                    "due", f"its timer is set for {due_us}, and what it awaits is due at {wanted}"
                )

    # -- its family ------------------------------------------------------------------------------------------

    def _check_family(self, status: Status, fields: list[Any]) -> Iterator[Finding]:
        number, parent = self._number, fields[rows.PARENT]
        if parent is not None and not 0 < parent < number:
            yield self._bad("family", f"its parent is workflow {parent}, which is not older than itself")
        children = unflatten(fields[rows.CHILDREN]) or {}
        for child, policy in children.items():
            if policy == ACTIVITY_POLICY:
                yield from self._check_activity(child)
            else:
                yield from self._check_child(child)
        if status is _ACTIVE:
            done = {message[2] for message in fields[rows.UNREAD] or () if message[0] == CHILD_DONE}
            for source in fields[rows.WAIT]:
                if type(source) is list and source[0] == waits.JOIN:
                    child = source[1]
                    if child not in children and child not in done and (number, child) not in self._results:
                        yield self._bad(
                            "family", f"it awaits child {child}, which is none of its children any more"
                        )

    def _check_child(self, child: int) -> Iterator[Finding]:
        row = self._view.get(WORKFLOW_TABLE, row_key(child))
        if row is None:
            if (self._number, child) not in self._results:
                yield self._bad("family", f"its child, workflow {child}, is not there, nor is its result")
            return
        head = rows.read_head(row)
        if head.parent_id != self._number:
            yield self._bad(
                "family", f"its child, workflow {child}, says that its parent is {head.parent_id}"
            )
        elif STATUSES[head.status] is not _ACTIVE and (self._number, child) not in self._results:
            yield self._bad(
                "family", f"its child, workflow {child}, has ended, and its result is not on its way"
            )

    def _check_activity(self, activity: int) -> Iterator[Finding]:
        stored = self._view.get(ACTIVITY_TABLE, row_key(activity))
        if stored is None:
            if (self._number, activity) not in self._results:
                yield self._bad("activity", f"activity {activity} is not there, nor is its result")
        elif ActivityRecord.unpack(stored).workflow_id != self._number:
            yield self._bad("activity", f"activity {activity} says that another workflow asked for it")


def first_due(wait: list[Any], stack: list[Any]) -> int | None:
    """Return the first due time of a stored wait; None where it has none."""
    times = []
    for source in wait:
        if type(source) is not list:
            continue
        kind, *parts = source
        if kind in (waits.TIMER, waits.SLEEP):
            times.append(parts[0])
        elif kind == waits.EVERY:
            times.append(parts[0].due_us)
        elif kind == waits.EVERY_LOCAL:
            frame, index = parts
            times.append(stack[frame][index].due_us)
    return min(times, default=None)

"""The tables beside workflows: what the last turn left, named inputs, activities, and the game's own tables."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgpack

from ...runtime.row_buffer import WORKFLOW_TABLE, row_key
from ...runtime.storage.read_view import ReadView
from ...runtime.world_state import LEFTOVER_KEY, TABLE_KEY, TURN, load_leftover
from ...workflows import rows
from ...workflows.errors import DeathlessError
from ...workflows.instance import unflatten
from ...workflows.messages import ASK, CALL, CHILD_DONE, STATUSES, TICK, Status
from ...workflows.outbox import ACTIVITY_TABLE, INPUT_TABLE, ActivityRecord, InputRecord
from ...workflows.port import ACTIVITY_POLICY
from ...workflows.table_keys import pack_key, stored_form, unpack_key
from ...workflows.unloaded import tolerant_codec
from .facts import NOT_DECODED, Facts, said
from .finding import Finding

_TAKE_MESSAGES = (Status.SUSPENDED, Status.FAILED)
_INPUT_KINDS = frozenset({"start", "signal", "publish", "cancel", "ask", "call"})
_NOBODY = 0
"""Whom a call of a reducer is carried over to."""


@dataclass
class Leftovers:
    """What the last turn left.

    Attributes:
        results: of children and activities: (parent, child).
        findings: what is wrong with it.
    """

    results: set[tuple[int, int]] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


def check_leftover(view: ReadView, facts: Facts) -> Leftovers:
    """Read what the last turn left, and look for whom it is meant."""
    found = Leftovers()
    try:
        leftover = load_leftover(view)
        ticked = set()
        for receiver, *message in leftover.carried:
            kind = message[0]
            if not 0 <= kind <= ASK:
                raise ValueError(f"a message of kind {kind}")
            if kind == CHILD_DONE:
                found.results.add((receiver, message[2]))
            if kind == TICK:
                ticked.add(receiver)
            if type(receiver) is int and not (receiver == _NOBODY and kind == CALL):
                found.findings += _check_receiver(view, receiver)
        found.findings += [
            _left(f"workflow {number} was never handed out", number)
            for number in leftover.crowded
            if not 0 < number < facts.next_id
        ]
        found.findings += [
            _left(f"workflow {number} is armed anew, without a tick on its way", number)
            for number in leftover.rearmed
            if number not in ticked
        ]
    except (*NOT_DECODED, DeathlessError) as error:
        found.findings.append(_left(f"what the last turn left does not decode ({said(error)})"))
    return found


def _left(what: str, number: int | None = None) -> Finding:
    return Finding("leftover", TURN, LEFTOVER_KEY, number, what)


def _check_receiver(view: ReadView, number: int) -> Iterator[Finding]:
    row = view.get(WORKFLOW_TABLE, row_key(number))
    if row is None:
        yield _left(f"a message to workflow {number}, which is not there", number)
        return
    # What a damaged row is, is said of the row itself.
    with contextlib.suppress(*NOT_DECODED):
        if STATUSES[rows.read_head(row).status] not in _TAKE_MESSAGES:
            yield _left(f"a message to workflow {number}, which has ended", number)


def check_inputs(view: ReadView, facts: Facts) -> Iterator[Finding]:
    """Look at each named input."""
    for key, stored in view.scan(INPUT_TABLE):
        try:
            name = key.decode()
            problem = _input_problem(InputRecord.unpack(stored), facts)
        except NOT_DECODED as error:
            name, problem = key.decode(errors="replace"), f"does not decode ({said(error)})"
        if problem:
            yield Finding("input", INPUT_TABLE, key, None, f"input {name} {problem}")


def _input_problem(record: InputRecord, facts: Facts) -> str:
    if record.kind not in _INPUT_KINDS:
        return f"is of kind {record.kind!r}, which none is"
    if facts.turn is not None and record.turn > facts.turn:
        return f"was taken by turn {record.turn}, which is not yet"
    if record.kind == "start" and record.ref >= facts.next_id:
        return f"has started workflow {record.ref}, which was never handed out"
    if record.answer is not None:
        _value, _problem = record.answer
    return ""


def check_activities(view: ReadView, facts: Facts) -> Iterator[Finding]:
    """Look at each activity, and for the workflow that asked for it."""
    codec = tolerant_codec()
    for key, stored in view.scan(ACTIVITY_TABLE):
        number = int.from_bytes(key, "big")
        try:
            record = ActivityRecord.unpack(stored)
            args, kwargs = codec.unpack(record.arguments)
            if type(args) is not list or type(kwargs) is not dict:
                raise ValueError("its arguments are not [args, kwargs]")
            problem = _activity_problem(view, number, record, facts)
        except (*NOT_DECODED, DeathlessError) as error:
            problem = f"does not decode ({said(error)})"
        if problem:
            yield Finding("activity", ACTIVITY_TABLE, key, None, f"activity {number} {problem}")


def _activity_problem(view: ReadView, number: int, record: ActivityRecord, facts: Facts) -> str:
    who = f"workflow {record.workflow_id}"
    if not 0 < number < facts.next_id:
        return "was never handed out"
    row = view.get(WORKFLOW_TABLE, row_key(record.workflow_id))
    if row is None:
        return f"was asked for by {who}, which is not there"
    head, split = rows.read_head(row), rows.split(row)
    if (unflatten(rows.read_field(split, rows.CHILDREN)) or {}).get(number) != ACTIVITY_POLICY:
        return f"was asked for by {who}, which does not wait for it"
    if head.entity_id != record.entity_id:
        return f"names entity {record.entity_id}, and {who} is on {head.entity_id}"
    return ""


def check_tables(view: ReadView, facts: Facts) -> Iterator[Finding]:
    """Look at each row of the game's own tables."""
    codec, prefix = tolerant_codec(), TABLE_KEY.decode()
    for table, form in facts.forms.items():
        kinds, single = stored_form(form)
        name = table.removeprefix(prefix)
        for key, value in view.scan(table):
            try:
                parts = unpack_key(key, kinds, single=single)
                if pack_key(name, parts, kinds, single=single) != key:
                    yield Finding("table", table, key, None, f"a key that is not {_shown(form)}")
                codec.unpack(value)
            except (*NOT_DECODED, DeathlessError) as error:
                yield Finding("table", table, key, None, f"its row does not decode ({said(error)})")


def _shown(form: bytes) -> str:
    return str(msgpack.unpackb(form))

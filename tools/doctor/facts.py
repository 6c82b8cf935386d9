"""Facts: the small values of a world that all checks go by, and what is wrong with these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgpack

from ...runtime.clock import GameClock, WallClock
from ...runtime.history.tables import INDEXED_KEY, LAST_TABLE, LIMITS_KEY, SCOPES_KEY, STEP_TABLE
from ...runtime.storage.read_view import ReadView
from ...runtime.world_state import CODE, FIRST_ID, IDS_KEY, META, STATE_KEY, TABLE_KEY, WorldState
from ...workflows.limits import Limits
from ...workflows.table_keys import stored_form
from .finding import WARNING, Finding

NOT_DECODED = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    msgpack.exceptions.UnpackException,
)
"""What bytes raise that are not what they should be."""
OPENED = "a runtime that opens the world says them again; restore it from a backup to have those of its past"
_CLOCKS = (GameClock.kind, WallClock.kind)


def said(error: Exception) -> str:
    """Return what an exception says, or what it is where it says nothing."""
    return str(error) or type(error).__name__


@dataclass
class Facts:
    """What a world says of itself.

    Attributes:
        turn, now_us: its last turn, and the time of that; None where it does not say.
        next_id: workflow ids from here on were never handed out.
        sites: of each code, by number: how many values a frame has at each of its sites.
        forms: the stored form of the keys of each of the game's own tables, by name.
        indexed: the last turn that the index of the history has.
        findings: what is wrong with these values.
    """

    turn: int | None = None
    now_us: int | None = None
    next_id: int = FIRST_ID
    sites: dict[int, list[int]] = field(default_factory=dict)
    forms: dict[str, bytes] = field(default_factory=dict)
    indexed: int = 0
    findings: list[Finding] = field(default_factory=list)


def read_facts(view: ReadView) -> Facts:
    """Read them all; what does not decode is among the findings."""
    facts = Facts()
    for key, read in _META.items():
        stored = view.get(META, key)
        if stored is None:
            continue
        try:
            read(facts, stored)
        except NOT_DECODED as error:
            facts.findings.append(_bad(META, key, f"does not decode ({said(error)})"))
    if facts.turn is None and view.count("workflow") and view.get(META, STATE_KEY) is None:
        facts.findings.append(_bad(META, STATE_KEY, "is not there, in a world with workflows"))
    if view.get(META, IDS_KEY) is None and view.count("workflow"):
        facts.findings.append(_bad(META, IDS_KEY, "is not there, in a world with workflows"))
    facts.findings += _check_recording(view, facts)
    facts.findings += _read_forms(view, facts)
    facts.findings += _read_codes(view, facts)
    return facts


def _check_recording(view: ReadView, facts: Facts) -> Iterator[Finding]:
    """Look for what a world says once it has taken a turn, and once it has recorded a step."""
    if facts.turn and view.get(META, LIMITS_KEY) is None:
        what = "is not there, in a world that has taken turns: replays go by the usual limits"
        yield _bad(META, LIMITS_KEY, what)._replace(remedy=OPENED, severity=WARNING)
    recorded = view.count(STEP_TABLE) or view.count(LAST_TABLE) or view.get(META, INDEXED_KEY) is not None
    if recorded and view.get(META, SCOPES_KEY) is None:
        yield _bad(META, SCOPES_KEY, "is not there, in a world with recorded steps")


def _bad(table: str, key: bytes, what: str) -> Finding:
    return Finding(table if table == CODE else "meta", table, key, None, what)


def _read_state(facts: Facts, stored: bytes) -> None:
    state = WorldState(**msgpack.unpackb(stored))
    if any(type(value) is not int for value in (state.turn, state.now_us, state.offset_us, state.seed)):
        raise ValueError("a value that is no number")
    if state.clock not in _CLOCKS:
        raise ValueError(f"a clock of kind {state.clock!r}")
    if state.turn < 0:
        raise ValueError(f"turn {state.turn}")
    facts.turn, facts.now_us = state.turn, state.now_us


def _number(stored: bytes) -> int:
    if len(stored) != _NUMBER:
        raise ValueError(f"{len(stored)} bytes, where there are eight")
    return int.from_bytes(stored, "big")


def _read_ids(facts: Facts, stored: bytes) -> None:
    facts.next_id = _number(stored)


def _read_indexed(facts: Facts, stored: bytes) -> None:
    facts.indexed = _number(stored)


def _read_limits(_: Facts, stored: bytes) -> None:
    Limits(**msgpack.unpackb(stored))


def _read_scopes(_: Facts, stored: bytes) -> None:
    before = -1
    for turn, scope, last in msgpack.unpackb(stored):
        if turn < before or not (scope is True or type(scope) is list) or type(last) is not list:
            raise ValueError(f"the scope after turn {turn}")
        before = turn


_NUMBER = 8
_META: dict[bytes, Callable[[Facts, bytes], None]] = {
    STATE_KEY: _read_state,
    IDS_KEY: _read_ids,
    SCOPES_KEY: _read_scopes,
    INDEXED_KEY: _read_indexed,
    LIMITS_KEY: _read_limits,
}


def _read_forms(view: ReadView, facts: Facts) -> Iterator[Finding]:
    stop = TABLE_KEY[:-1] + bytes([TABLE_KEY[-1] + 1])
    for key, form in view.scan(META, TABLE_KEY, stop):
        try:
            stored_form(form)
            facts.forms[key.decode()] = form
        except NOT_DECODED as error:
            yield _bad(META, key, f"does not decode ({said(error)})")
    for table in view.tables():
        if table.startswith(TABLE_KEY.decode()) and table not in facts.forms and view.count(table):
            yield Finding("table", table, None, None, "has rows, and meta does not say what their keys are")


def _read_codes(view: ReadView, facts: Facts) -> Iterator[Finding]:
    for key, stored in view.scan(CODE):
        try:
            facts.sites[int.from_bytes(key, "big")] = [*_counts(msgpack.unpackb(stored))]
        except NOT_DECODED as error:
            yield _bad(
                CODE,
                key,
                f"the description of code {int.from_bytes(key, 'big')} does not decode ({said(error)})",
            )


def _counts(code: dict[str, Any]) -> Iterator[int]:
    if type(code["name"]) is not str or code["kind"] not in ("workflow", "routine"):
        raise ValueError("no name, or no kind")
    for _, _, _, variables, hidden, _ in code["sites"]:
        yield len(variables) + len(hidden)

"""The history and the audit log: what is there of turns and steps decodes, and an index names each where it is.

Turns in which nothing was to be recorded have no row, so that the loss of a whole one is not seen, but where the index
names its steps, or where other steps of the same workflow are kept in `history_last`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any

from ...runtime.audit.events import unpack_events
from ...runtime.audit.tables import EVENT_TABLE
from ...runtime.history.last_steps import all_last_steps
from ...runtime.history.reader import _offsets
from ...runtime.history.step_index import _PLACE
from ...runtime.history.steps import unpack_steps
from ...runtime.history.tables import INDEX_TABLE, LAST_TABLE, STEP_TABLE, TURN_TABLE
from ...runtime.history.turn_log import unpack_turn
from ...runtime.storage.pieces import PIECE, from_a_beginning, key_number, number_key
from ...runtime.storage.read_view import ReadView
from ...workflows import rows
from .facts import NOT_DECODED, Facts, said
from .finding import REPAIR, Finding

REMEDY = "the world runs on without it; restore it from a backup to have its past, too"
_KEY = 12
_MOST_TURN = 2**64 - 1


def check_history(view: ReadView, facts: Facts) -> Iterator[Finding]:
    """Look at all tables that say what was."""
    yield from _check_turns(view, facts, TURN_TABLE, unpack_turn)
    yield from _check_turns(view, facts, STEP_TABLE, _unpack_steps)
    yield from _check_turns(view, facts, EVENT_TABLE, _unpack_events)
    yield from _check_last_steps(view)
    yield from check_index(view, facts)


def _finding(table: str, key: bytes | None, what: str, number: int | None = None) -> Finding:
    return Finding("history", table, key, number, what, REMEDY)


def _check_turns(view: ReadView, facts: Facts, table: str, unpack: Any) -> Iterator[Finding]:
    for turn, some in groupby(from_a_beginning(view.scan(table)), lambda piece: key_number(piece[0])):
        pieces = list(some)
        key = pieces[0][0]
        if any(
            len(key) != _KEY or key[8:] != (at * PIECE).to_bytes(4, "big")
            for at, (key, _) in enumerate(pieces)
        ):
            yield _finding(table, key, f"turn {turn} lacks a piece")
            continue
        if facts.turn is not None and turn > facts.turn:
            yield _finding(table, key, f"turn {turn} is not yet: the last one is {facts.turn}")
        try:
            unpack(turn, b"".join(piece for _, piece in pieces))
        except NOT_DECODED as error:
            yield _finding(table, key, f"turn {turn} does not decode ({said(error)})")


def _unpack_steps(turn: int, stored: bytes) -> None:
    for step in unpack_steps(turn, stored).steps:
        if step.before is not None:
            rows.read_head(step.before)


def _unpack_events(turn: int, stored: bytes) -> None:
    for _ in unpack_events(turn, stored):
        pass


def _check_last_steps(view: ReadView) -> Iterator[Finding]:
    try:
        for step in all_last_steps(view):
            if step.before is not None:
                rows.read_head(step.before)
    except NOT_DECODED as error:
        yield _finding(LAST_TABLE, None, f"a step does not decode ({said(error)})")
    numbers = (
        (int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big")) for key in view.keys(LAST_TABLE)
    )
    for (workflow, number), (other, following) in pairwise(numbers):
        if workflow == other and following != number + 1:
            yield _finding(
                LAST_TABLE, None, f"the steps of workflow {workflow} have a gap after step {number}", workflow
            )


def check_index(view: ReadView, facts: Facts) -> Iterator[Finding]:
    """Compare each segment of the index with the steps that it is of; those before the oldest that is kept are gone."""
    first = next((key_number(key) for key, _ in from_a_beginning(view.scan(STEP_TABLE))), None)
    begin = 0 if first is None else first
    if facts.turn is not None and facts.indexed > facts.turn:
        yield _index(None, f"it is said to go up to turn {facts.indexed}, where the last one is {facts.turn}")
    for segment, some in groupby(view.scan(INDEX_TABLE), lambda row: key_number(row[0])):
        stored: list[bytes] = []
        for key, packed in some:
            size = _PLACE.size
            if not packed or len(packed) % size or key[8:] != packed[-size:]:
                yield _index(key, "its places are not those that its key names")
            stored += (packed[at : at + size] for at in range(0, len(packed) - size + 1, size))
        kept = [place for place in stored if int.from_bytes(place[8:16], "big") >= begin]
        if segment > facts.indexed:
            yield _index(number_key(segment), f"it is after turn {facts.indexed}, the last that is indexed")
        elif first is not None and segment >= begin and kept != sorted(_places(view, begin, segment)):
            yield _index(number_key(segment), f"its places are not those of the steps up to turn {segment}")
        begin = max(begin, segment + 1)
    if next(_places(view, begin, facts.indexed), None) is not None:
        yield _index(None, f"it lacks the steps of turns {begin} to {facts.indexed}")


def _index(key: bytes | None, what: str) -> Finding:
    return Finding("history", INDEX_TABLE, key, None, what, REPAIR)


def _places(view: ReadView, first: int, last: int) -> Iterator[bytes]:
    if first > _MOST_TURN:
        return
    pieces = view.scan(STEP_TABLE, number_key(first), number_key(last + 1) if last < _MOST_TURN else None)
    for turn, some in groupby(from_a_beginning(pieces), lambda piece: key_number(piece[0])):
        try:
            for place in _offsets(turn, b"".join(piece for _, piece in some)):
                yield _PLACE.pack(*place)
        except NOT_DECODED:
            # Said of the turn itself.
            continue

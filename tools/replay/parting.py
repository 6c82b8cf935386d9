"""Where two recordings part: the first turn, and in it the first workflow and variable, that are not alike.

Their turn logs are compared, hash by hash. At the first turn whose hashes differ, the workflows that it changed are
compared one by one, in the order in which it changed them. Other code gives other bytes for the same state; so where
all of them stand alike, the search goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import NamedTuple

from ...runtime.history.steps import TurnSteps
from ...runtime.history.turn_log import LoggedTurn
from ...workflows import rows
from ...workflows.errors import HistoryError
from ...workflows.sources import US
from .findings import state_differences
from .row_differences import Look
from .saved_world import SavedWorld


class Parting(NamedTuple):
    """The first difference of two worlds.

    Attributes:
        turn: in which it is; now: the time of it in seconds.
        workflow_id, type: of the first workflow that differs; None where none does, or where steps are not recorded.
        differences: (path, value in the one, value in the other), as texts.
        inputs: the first input that only one of them was given, as text, or an empty one.
    """

    turn: int
    now: float
    workflow_id: int | None
    type: str | None
    differences: list[tuple[str, str, str]]
    inputs: str


Progress = Callable[[int], None]
"""Told which turn was compared."""


def find_parting(one: SavedWorld, other: SavedWorld, progress: Progress = lambda _: None) -> Parting | None:
    """Return the first difference of two worlds of one past; None where there is none up to where the shorter ends.

    Raises:
        HistoryError: their logs have no turn in common.
    """
    first = max(_first(one), _first(other))
    last = min(one.state.turn, other.state.turn)
    for here, there in _side_by_side(one, other, first, last):
        turn = min(logged.record.turn for logged in (here, there) if logged is not None)
        progress(turn)
        if here is None or there is None:
            present = here or there
            assert present is not None
            which = "second" if here is None else "first"
            text = f"something happened in it in the {which} world only"
            return _parting(one, other, present, text) or Parting(
                turn, present.record.now_us / US, None, None, [], text
            )
        if here.digest == there.digest and here.record == there.record:
            continue
        inputs = _input_difference(here, there)
        parting = _parting(one, other, here, inputs)
        if parting is not None:
            return parting
        if inputs or not _recorded(one, other, turn):
            return Parting(turn, here.record.now_us / US, None, None, [], inputs)
    return None


def _first(world: SavedWorld) -> int:
    first = world.history.first_turn()
    if first is None:
        raise HistoryError(f"{world.reader.path} has no log of turns")
    return first


def _side_by_side(
    one: SavedWorld, other: SavedWorld, first: int, last: int
) -> Iterator[tuple[LoggedTurn | None, LoggedTurn | None]]:
    """Give the turns of both logs by number; None where a log has none of it, since nothing happened."""
    logs = [
        (turn for turn in world.history.turns(first - 1) if turn.record.turn <= last)
        for world in (one, other)
    ]
    here, there = (next(log, None) for log in logs)
    while here is not None or there is not None:
        turns = [logged.record.turn for logged in (here, there) if logged is not None]
        turn = min(turns)
        at_here = here if here is not None and here.record.turn == turn else None
        at_there = there if there is not None and there.record.turn == turn else None
        yield at_here, at_there
        if at_here is not None:
            here = next(logs[0], None)
        if at_there is not None:
            there = next(logs[1], None)


def _input_difference(here: LoggedTurn, there: LoggedTurn) -> str:
    for mine, yours in zip_longest(here.record.inputs, there.record.inputs):
        if mine != yours:
            return f"the first was given {_shown(mine)}, the second {_shown(yours)}"
    if here.record.now_us != there.record.now_us:
        return f"its time was {here.record.now_us / US} s in the first, {there.record.now_us / US} s in the second"
    return ""


def _shown(given: object) -> str:
    return "no further input" if given is None else repr(given)


def _recorded(one: SavedWorld, other: SavedWorld, turn: int) -> bool:
    """Say whether the steps of a turn are recorded in both."""
    known = [world.history.known_from(None) for world in (one, other)]
    return all(since is not None and since <= turn for since in known)


def _parting(one: SavedWorld, other: SavedWorld, logged: LoggedTurn, inputs: str) -> Parting | None:
    """Find the first workflow that a turn left in two ways."""
    turn = logged.record.turn
    for workflow_id in _changed(one, other, turn):
        here, there = one.history.row_at(workflow_id, turn), other.history.row_at(workflow_id, turn)
        if here == there:
            continue
        if here is None or there is None:
            there_is = here or there
            assert there_is is not None
            type_name = rows.read_head(there_is).type_name
            mine, yours = ("absent" if row is None else "present" for row in (here, there))
            differing = [("status", mine, yours)]
            return Parting(turn, logged.record.now_us / US, workflow_id, type_name, differing, inputs)
        found = state_differences(Look(one, workflow_id, here), Look(other, workflow_id, there))
        if found:
            texts = [(difference.path, repr(difference.old), repr(difference.new)) for difference in found]
            type_name = rows.read_head(here).type_name
            return Parting(turn, logged.record.now_us / US, workflow_id, type_name, texts, inputs)
    return _table_parting(one, other, logged, inputs)


def _table_parting(one: SavedWorld, other: SavedWorld, logged: LoggedTurn, inputs: str) -> Parting | None:
    """Find the first row of another table that a turn left in two ways."""
    turn = logged.record.turn
    changed: dict[tuple[str, bytes], None] = {}
    for world in (one, other):
        steps = next(world.history.turn_steps(turn - 1), None)
        if steps is not None and steps.turn == turn:
            changed.update(dict.fromkeys((table, key) for table, key, _ in steps.tables))
    for table, key in changed:
        here, there = (world.history.value_at(table, key, turn) for world in (one, other))
        if here != there:
            differing = [(f"table {table}, key {key!r}", repr(here), repr(there))]
            return Parting(turn, logged.record.now_us / US, None, None, differing, inputs)
    return None


def _changed(one: SavedWorld, other: SavedWorld, turn: int) -> list[int]:
    """Return the workflows that a turn changed in either world, in the order in which it did."""
    changed: dict[int, None] = {}
    for world in (one, other):
        steps: TurnSteps | None = next(world.history.turn_steps(turn - 1), None)
        if steps is not None and steps.turn == turn:
            changed.update(dict.fromkeys(record.workflow_id for record in steps.steps))
    return list(changed)

"""Differences between two rows: those of their views, and of what a row holds that a view does not tell.

Two rows of other bytes that differ in nothing that is named here differ in which of their objects are one and the same,
or in where among others a new key of a dict stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ...workflows import rows
from ...workflows.errors import DeathlessError
from ...workflows.messages import ASK, SIGNAL
from .differences import Difference, differences, value_differences
from .saved_world import SavedWorld


class Look(NamedTuple):
    """A row of a world."""

    saved: SavedWorld
    workflow_id: int
    row: bytes


@dataclass(frozen=True, slots=True)
class UnreadMessage:
    """A message that no await has taken; `fields` are those of a signal, else what else it holds."""

    name: str
    fields: Any
    time_us: int


@dataclass(frozen=True, slots=True)
class _Rest:
    """What a view does not tell; the names are those in paths."""

    unread: list[UnreadMessage]
    random_draws: int
    child_policies: Any
    subscriptions: Any
    questions: Any
    failed_message: Any


def row_differences(old: Look, new: Look) -> list[Difference]:
    """Return where two rows differ, of one world or two; the most telling ones first.

    Raises:
        WorldCorruptError: a row does not decode.
    """
    if old.row == new.row:
        return []
    views = differences(*(look.saved.view(look.workflow_id, look.row) for look in (old, new)))
    rest = value_differences(_rest(old), _rest(new))
    # Of unread signals a view gives the names alone.
    return [one for one in views if not one.path.startswith("unread[")] + rest


def _rest(look: Look) -> _Rest:
    try:
        split = rows.split(look.row)
        topics, unread, asks, outcome = (
            rows.read_field(split, index) for index in (rows.TOPICS, rows.UNREAD, rows.ASKS, rows.OUTCOME)
        )
        return _Rest(
            unread=[_unread(look.saved, message) for message in unread or ()],
            random_draws=rows.read_field(split, rows.DRAWS),
            child_policies=(rows.read_field(split, rows.CHILDREN) or [])[1::2],
            subscriptions=topics,
            questions=asks,
            failed_message=outcome[2] if isinstance(outcome, list) else None,
        )
    except (rows.RowError, LookupError) as error:
        raise look.saved.damaged(look.workflow_id, error) from error


def _unread(saved: SavedWorld, message: list[Any]) -> UnreadMessage:
    kind, time_us, *rest = message
    if kind not in (SIGNAL, ASK):
        return UnreadMessage("", rest, time_us)
    name, payload, names = rest[:3]
    try:
        values = saved.looking.unpack(payload)
    except DeathlessError:
        return UnreadMessage(name, payload, time_us)
    return UnreadMessage(name, dict(zip(names.split(","), values, strict=False)), time_us)

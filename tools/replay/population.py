"""The workflows of a world over its recorded time: who they are, and from which turn to which they were there.

What a workflow is never changes, and its status but once, so that a list of ten thousand is right at each turn without
any step being read.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ...runtime.row_buffer import WORKFLOW_TABLE
from ...workflows import rows
from ...workflows.errors import HistoryError
from ...workflows.messages import STATUSES
from .saved_world import SavedWorld, Span
from .turns import Turns


class Standing(StrEnum):
    """How a workflow stands at a turn: by its status, or as not there."""

    SUSPENDED = "suspended"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NOT_YET = "not yet"
    DELETED = "deleted"


class Member(NamedTuple):
    """A workflow of the world, or one that was.

    Attributes:
        made: the turn in which it was made, as far as that is kept.
        end: how it ended; suspended where it has not.
        ended: the turn of its end, or None.
        deleted: the turn in which it was deleted, or None.
        names, numbers: what a filter looks for: its type and correlation id; its id and its entity, each after a space.
    """

    id: int
    type: str
    entity_id: int | None
    correlation_id: str | None
    parent_id: int | None
    made: int
    end: Standing
    ended: int | None
    deleted: int | None
    names: str
    numbers: str

    def standing(self, turn: int) -> Standing:
        """Return how it stands at the end of a turn."""
        if turn < self.made:
            return Standing.NOT_YET
        if self.deleted is not None and turn >= self.deleted:
            return Standing.DELETED
        return self.end if self.ended is not None and turn >= self.ended else Standing.SUSPENDED


def members_of(world: SavedWorld, turns: Turns) -> list[Member]:
    """Return all workflows, those that were deleted in recorded time too, by ascending id."""
    spans = world.spans()
    found: list[Member] = []
    for key, row in world.reader.scan(WORKFLOW_TABLE):
        number = int.from_bytes(key, "big")
        found.append(_member(world, turns, number, row, spans.pop(number, None)))
    # Whoever has steps and no row any more.
    for number, span in spans.items():
        last_row = _last_row(world, span)
        if last_row is not None:
            found.append(_member(world, turns, number, last_row, span, deleted=span.last.turn))
    return sorted(found)


def _member(
    world: SavedWorld, turns: Turns, number: int, row: bytes, span: Span | None, *, deleted: int | None = None
) -> Member:
    try:
        head = rows.read_head(row)
    except rows.RowError as error:
        raise world.damaged(number, error) from error
    end = _STANDINGS[head.status]
    entity, group = head.entity_id, head.correlation_id
    last_step = None if span is None or deleted is not None else span.last.turn
    return Member(
        id=number,
        type=head.type_name,
        entity_id=entity,
        correlation_id=group,
        parent_id=head.parent_id,
        made=turns.turn_of(head.created_us, None if span is None else span.first_turn),
        end=end,
        ended=None if end is Standing.SUSPENDED else turns.turn_of(head.updated_us, last_step),
        deleted=deleted,
        names=(head.type_name if group is None else f"{head.type_name} {group}").lower(),
        numbers=f" {number}" if entity is None else f" {number} {entity}",
    )


def _last_row(world: SavedWorld, span: Span) -> bytes | None:
    """Return the row that a deleted workflow had at last; None where its deletion is not kept, or none."""
    try:
        record = world.history.step_at(span.last)
    except HistoryError:
        return None
    return record.before if record.deleted else None


_STANDINGS = (
    Standing.SUSPENDED,  # A running one is never stored.
    *(Standing(str(status).lower()) for status in STATUSES[1:]),
)


class Filter:
    """What is typed to find workflows: words, all of which have to fit.

    A word fits where an id or an entity begins with it, or a type, a correlation id or a standing contains it. After
    `id:`, `entity:`, `type:`, `group:` or `status:` it has to be that one, the whole number in the first two.
    """

    def __init__(self, text: str) -> None:
        self._words = text.lower().split()

    def __bool__(self) -> bool:
        return bool(self._words)

    def of(self, members: list[Member], turn: int) -> list[Member]:
        """Return those that fit, in their order, with their standing at a turn."""
        if not self._words:
            return members
        return [member for member in members if all(self._fits(word, member, turn) for word in self._words)]

    @staticmethod
    def _fits(word: str, member: Member, turn: int) -> bool:
        field, colon, wanted = word.partition(":")
        if colon and field in _FIELDS:
            match field:
                case "id":
                    return wanted == str(member.id)
                case "entity":
                    return wanted == str(member.entity_id)
                case "type":
                    return wanted in member.type.lower()
                case "group":
                    return wanted in (member.correlation_id or "").lower()
            return wanted in member.standing(turn)
        return word in member.names or f" {word}" in member.numbers or word in member.standing(turn)


_FIELDS = frozenset({"id", "entity", "type", "group", "status"})

"""A glimpse of a world: how many workflows there are of each type, and the first few by some order.

It costs one pass over the rows, a million of them in some seconds, and memory for the few that are shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nsmallest
from typing import Any, NamedTuple

from ...runtime.row_facts import SUSPENDED, RowFacts
from ...workflows.messages import STATUS_CODE, STATUSES, Status

_FAILED = STATUS_CODE[Status.FAILED]
_LAST = float("inf")


class Order(StrEnum):
    """By what workflows are listed."""

    RECENT = "recent"
    UNTOUCHED = "untouched"
    DUE = "due"
    UNREAD = "unread"
    SIZE = "size"


class Member(NamedTuple):
    """A workflow in the list.

    Attributes:
        due_us: when its next timer is due; None where it has none.
        unread: messages that no await has taken.
        size: bytes of its row.
    """

    id: int
    type: str
    entity_id: int | None
    status: Status
    updated_us: int
    due_us: int | None
    unread: int
    size: int


@dataclass(slots=True)
class TypeLine:
    """The workflows of one type.

    Attributes:
        total, active, failed: how many there are.
        sizes: how many rows have how many bytes.
    """

    total: int = 0
    active: int = 0
    failed: int = 0
    sizes: Counter[int] = field(default_factory=Counter)

    @property
    def median(self) -> int:
        """The size of the row in the middle, in bytes."""
        seen = 0
        for size in sorted(self.sizes):
            seen += self.sizes[size]
            if 2 * seen >= self.total:
                return size
        return 0


@dataclass(slots=True)
class Glimpse:
    """What was seen.

    Attributes:
        types: by name.
        statuses: how many workflows there are of each.
        timers: active workflows with a timer.
        members: the first by the order, of those that fit the filter.
        fitting: how many fit it.
    """

    types: dict[str, TypeLine] = field(default_factory=dict)
    statuses: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(STATUSES[1:], 0))
    timers: int = 0
    members: list[Member] = field(default_factory=list)
    fitting: int = 0


def glimpse_of(facts: Iterable[RowFacts], order: Order, wanted: str, limit: int) -> Glimpse:
    """Look at rows.

    Args:
        facts: of all workflows.
        order: by what the list is sorted.
        wanted: words that those in the list all fit: the beginning of an id or an entity, a part of a type's name or a
            status.
        limit: how many to list.
    """
    glimpse = Glimpse()
    fits = _filter(wanted)

    def listed() -> Iterator[RowFacts]:
        counts = [0] * len(STATUSES)
        types = glimpse.types
        for fact in facts:
            status, name = fact.status, fact.type_name
            line = types.get(name)
            if line is None:
                line = types[name] = TypeLine()
            line.total += 1
            line.sizes[fact.size] += 1
            counts[status] += 1
            if status == SUSPENDED:
                line.active += 1
                if fact.due_us:
                    glimpse.timers += 1
            elif status == _FAILED:
                line.failed += 1
            if fits is None or fits(fact):
                glimpse.fitting += 1
                yield fact
        glimpse.statuses = dict(zip(STATUSES[1:], counts[1:], strict=True))

    first = nsmallest(limit, listed(), key=_KEYS[order])
    glimpse.members = [_member(fact) for fact in first]
    return glimpse


def _filter(wanted: str) -> Callable[[RowFacts], bool] | None:
    words = wanted.lower().split()
    if not words:
        return None

    def fits(fact: RowFacts) -> bool:
        number, entity = str(int.from_bytes(fact.key, "big")), str(fact.entity_id)
        text = f"{fact.type_name} {STATUSES[fact.status]}".lower()
        return all(word in text or number.startswith(word) or entity.startswith(word) for word in words)

    return fits


def _member(fact: RowFacts) -> Member:
    return Member(
        int.from_bytes(fact.key, "big"),
        fact.type_name,
        fact.entity_id,
        STATUSES[fact.status],
        fact.updated_us,
        # The row of a held one says 0.
        fact.due_us or None,
        fact.unread,
        fact.size,
    )


def _untouched(fact: RowFacts) -> tuple[Any, ...]:
    # Those that have ended change no more, and come last.
    return fact.status != SUSPENDED, fact.updated_us, fact.key


_KEYS: dict[Order, Callable[[RowFacts], Any]] = {
    Order.RECENT: lambda fact: (-fact.updated_us, fact.key),
    Order.UNTOUCHED: _untouched,
    Order.DUE: lambda fact: (fact.due_us or _LAST, fact.key),
    Order.UNREAD: lambda fact: (-fact.unread, fact.key),
    Order.SIZE: lambda fact: (-fact.size, fact.key),
}

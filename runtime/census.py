"""A census: how many workflows there are, of which type and status, and for how many nothing can go on.

It goes through all rows, a stretch at a time, each as of one commit: a reader that stays open for a second would let a
busy world grow. So workflows that start or end meanwhile may be counted or not.

A workflow is *stuck* where no message can come that would run a step, whatever the world outside does, short of a
retry, a cancel, or other code:

- it is held: the loaded code cannot go on with it;
- it awaits children and activities only, and each of them has ended or is gone, and its result is not on its way;
- it has not begun, and nothing will begin it.

Who awaits a signal is not: that can always come. Nor is who awaits a child that is stuck: the child is.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Protocol

from ..workflows import rows
from ..workflows.errors import WorldCorruptError
from ..workflows.messages import STATUS_CODE, STATUSES, Status
from ..workflows.outbox import ACTIVITY_TABLE
from ..workflows.sources import US
from .row_buffer import WORKFLOW_TABLE, row_key
from .row_facts import SUSPENDED, RowFacts, facts_of
from .storage.read_view import ReadView
from .world_state import load_leftover, load_state

STRETCH: Final = 8192
"""Rows that are read as of one commit."""
NAMED: Final = 10
"""How many ids a census gives of each kind of trouble."""
LATE_S: Final = 1.0
UNTOUCHED_S: Final = 3600.0
SHARE: Final = 0.05
"""Of the time, which goes into censuses at most."""
REST_ROWS: Final = 1024
REST_S: Final = 0.001
"""So long the census of an open world rests after so many rows, which takes it about as long, and lets turns run."""


_FAILED = STATUS_CODE[Status.FAILED]


class Viewable(Protocol):
    """A world of which views can be held: its store, or a `WorldReader`."""

    def read_view(self) -> AbstractContextManager[ReadView]:
        """Hold a view of all tables as of the last commit."""
        ...


@dataclass(slots=True)
class TypeCount:
    """The workflows of one type.

    Attributes:
        counts: how many there are of each status, in the order of `STATUSES`.
        state_bytes: of their rows.
    """

    counts: list[int] = field(default_factory=lambda: [0] * len(STATUSES))
    state_bytes: int = 0

    @property
    def statuses(self) -> dict[Status, int]:
        """How many there are of each status; running ones are never stored."""
        return dict(zip(STATUSES[1:], self.counts[1:], strict=True))

    @property
    def total(self) -> int:
        """How many there are, whatever their status."""
        return sum(self.counts)


@dataclass(slots=True)
class Census:
    """What a census found.

    Attributes:
        turn, now: the last turn, and its world time in seconds, when it began.
        late_s, untouched_s: what it went by, in seconds of world time.
        types: counts by workflow type.
        timers: active workflows with a timer; one that awaits several counts once.
        overdue: those of them whose timer has been due for longer than `late_s`.
        stuck: active workflows for which nothing can go on; the held ones among them.
        held: active workflows whose rows say that code could not go on with them.
        untouched: active workflows without a change for longer than `untouched_s`.
        unread: messages that no await has taken, in active workflows.
        named: the ids of the first few that are `stuck`, `overdue`, `untouched` or `failed`.
        took_s: real seconds that it took.
    """

    turn: int
    now: float
    late_s: float
    untouched_s: float
    types: dict[str, TypeCount] = field(default_factory=lambda: defaultdict(TypeCount))
    timers: int = 0
    overdue: int = 0
    stuck: int = 0
    held: int = 0
    untouched: int = 0
    unread: int = 0
    named: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    took_s: float = 0.0

    @property
    def statuses(self) -> dict[Status, int]:
        """How many workflows there are of each status."""
        kinds = self.types.values()
        return {
            status: sum(kind.counts[code] for kind in kinds) for code, status in enumerate(STATUSES) if code
        }

    @property
    def total(self) -> int:
        """How many workflows there are."""
        return sum(kind.total for kind in self.types.values())

    def name(self, what: str, key: bytes) -> None:
        """Give the id of one more, unless there are enough."""
        named = self.named[what]
        if len(named) < NAMED:
            named.append(int.from_bytes(key, "big"))


def take_census(
    world: Viewable, *, late_s: float = LATE_S, untouched_s: float = UNTOUCHED_S, rest_s: float = 0.0
) -> Census:
    """Count the workflows of a world, in memory that does not grow with it.

    Args:
        world: its store, or a reader.
        late_s: a timer that has been due for longer, in world time, is overdue.
        untouched_s: an active workflow without a change for longer, in world time, is untouched.
        rest_s: seconds to rest after each thousand rows, so that a game in the same process goes on.

    Raises:
        WorldCorruptError: a row is damaged.
    """
    began = time.perf_counter()
    with world.read_view() as view:
        state = load_state(view)
    census = Census(
        0 if state is None else state.turn, 0.0 if state is None else state.now_us / US, late_s, untouched_s
    )
    following: bytes | None = b""
    while following is not None:
        with world.read_view() as view:
            following = _count_stretch(view, following, census, rest_s)
    census.took_s = time.perf_counter() - began
    return census


def _count_stretch(view: ReadView, start: bytes, census: Census, rest_s: float) -> bytes | None:
    """Count some rows, and return from which key on to go on; None at the end."""
    now_us = round(census.now * US)
    late_us = now_us - round(census.late_s * US)
    untouched_us = now_us - round(census.untouched_s * US)
    types, doubtful = census.types, []
    count, key = 0, start
    try:
        for count, facts in enumerate(facts_of(islice(view.scan(WORKFLOW_TABLE, start), STRETCH)), 1):
            key, due_us, status, type_name, _, updated_us, wait, unread, size = facts
            kind = types[type_name]
            kind.counts[status] += 1
            kind.state_bytes += size
            if status == SUSPENDED:
                census.unread += unread
                if due_us:
                    census.timers += 1
                    if due_us < late_us:
                        census.overdue += 1
                        census.name("overdue", key)
                elif not wait or (type(wait[0]) is not str and not _awaits_signal(wait)):
                    doubtful.append(facts)
                if updated_us < untouched_us:
                    census.untouched += 1
                    census.name("untouched", key)
            elif status == _FAILED:
                census.name("failed", key)
            if rest_s and count % REST_ROWS == 0:
                time.sleep(rest_s)
        if doubtful:
            _judge(view, doubtful, census)
    except rows.RowError as error:
        raise WorldCorruptError(str(view.path), str(error)) from error
    return key + b"\0" if count == STRETCH else None


def _awaits_signal(wait: list[Any]) -> bool:
    return any(type(source) is str for source in wait)


def _judge(view: ReadView, doubtful: list[RowFacts], census: Census) -> None:
    """Count those that are held, or that wait for what cannot come, of some without timers and signals."""
    on_their_way = {message[0] for message in load_leftover(view).carried if type(message[0]) is int}
    for facts in doubtful:
        number = int.from_bytes(facts.key, "big")
        row = view.get(WORKFLOW_TABLE, facts.key)
        held = row is not None and rows.is_held(row)
        if not held and (facts.due_us is not None or number in on_their_way):
            continue
        if held or not (facts.unread or any(_can_come(view, source) for source in facts.wait or ())):
            census.held += held
            census.stuck += 1
            census.name("stuck", facts.key)


def _can_come(view: ReadView, source: Any) -> bool:
    """Say whether a child or an activity that a wait names may still give its result."""
    # Whether it is a child or an activity, its number is its own.
    number = source[1]
    if view.get(ACTIVITY_TABLE, row_key(number)) is not None:
        return True
    row = view.get(WORKFLOW_TABLE, row_key(number))
    return row is not None and rows.glance(row)[1] == SUSPENDED


class Censuses:
    """The censuses of a world that is looked at again and again, each kept until the next may be taken."""

    def __init__(self, take: Callable[[], Census]) -> None:
        """Create it; `take` takes one, and is not called before one is asked for."""
        self._take = take
        self._lock = threading.Lock()
        self._last: Census | None = None
        self._ended_s = 0.0

    def latest(self) -> Census:
        """Return one that is as young as `SHARE` of the time allows."""
        with self._lock:
            last, now_s = self._last, time.perf_counter()
            if last is None or now_s - self._ended_s >= last.took_s * (1 / SHARE - 1):
                self._last = last = self._take()
                self._ended_s = time.perf_counter()
            return last

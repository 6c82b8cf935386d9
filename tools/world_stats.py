"""How large a world is, and what takes the room: its tables, its states, its mailboxes.

The state of a workflow is judged as the guide of the original does: under 1 KB is ideal, up to 10 KB acceptable, up to
100 KB wants splitting, and more wants another design.
"""

from __future__ import annotations

import heapq
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import msgpack

from ..runtime.row_buffer import WORKFLOW_TABLE
from ..runtime.storage.commit_log import LOG
from ..runtime.storage.read_view import ReadView
from ..runtime.storage.world_reader import Space, WorldReader
from ..runtime.world_state import load_state
from ..workflows import rows, waits
from ..workflows.errors import WorldCorruptError
from ..workflows.messages import STATUSES
from ..workflows.sources import US
from .output import Tell, silent

KB = 1024
CLASSES = (
    ("ideal", "under 1 KB", KB),
    ("acceptable", "1 to 10 KB", 10 * KB),
    ("consider splitting", "10 to 100 KB", 100 * KB),
    ("refactor", "over 100 KB", None),
)
"""What a state of some size is: its name, in words, and the bytes that it is under."""
LARGEST = 10
"""Workflows with the largest states that are named."""
_TIMED = (waits.TIMER, waits.SLEEP, waits.EVERY, waits.EVERY_LOCAL)
_TELL_ROWS = 4096


class TableStats(NamedTuple):
    """A table: its rows, those in the log merged, and the bytes of its pages."""

    rows: int
    bytes: int


@dataclass
class StateStats:
    """Sizes of states, in bytes of their rows.

    Attributes:
        count: how many there are.
        bytes: of all of them.
        median, p90, p99, max: sizes that half, nine of ten, 99 of 100 and all of them do not exceed.
        classes: how many are of each class of `CLASSES`.
    """

    count: int = 0
    bytes: int = 0
    median: int = 0
    p90: int = 0
    p99: int = 0
    max: int = 0
    classes: dict[str, int] = field(default_factory=dict)


class Sized(NamedTuple):
    """A workflow and a number of it: bytes of its state, unread messages, or timers."""

    workflow_id: int
    type: str
    size: int


@dataclass
class WorldStats:
    """How large a world is.

    Attributes:
        turn, now: the last turn and its time in seconds; clock: its kind. None where the world never ran.
        file_bytes: of its file.
        map_size: bytes that this process maps of it; how large it may get is for who runs it to say.
        free_bytes: of pages that wait to be used again.
        tables: by name, the log among them.
        statuses: how many workflows are of each status.
        types: of each type, how many are of each status.
        states: of all workflows.
        states_by_type: of each type.
        largest: the workflows with the largest states, largest first.
        longest_mailbox: who has most unread messages; None where nobody has one.
        most_timers: who awaits most timers; None where nobody does.
    """

    turn: int | None
    now: float | None
    clock: str | None
    file_bytes: int
    map_size: int
    free_bytes: int
    tables: dict[str, TableStats]
    statuses: dict[str, int] = field(default_factory=dict)
    types: dict[str, dict[str, int]] = field(default_factory=dict)
    states: StateStats = field(default_factory=StateStats)
    states_by_type: dict[str, StateStats] = field(default_factory=dict)
    largest: list[Sized] = field(default_factory=list)
    longest_mailbox: Sized | None = None
    most_timers: Sized | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        found = asdict(self)
        found["tables"] = {name: table._asdict() for name, table in self.tables.items()}
        found["largest"] = [one._asdict() for one in self.largest]
        for name in ("longest_mailbox", "most_timers"):
            one = getattr(self, name)
            found[name] = None if one is None else one._asdict()
        return found


def world_stats(path: str | os.PathLike[str], *, tell: Tell = silent) -> WorldStats:
    """Measure a world, which may be running in another process, as of one commit.

    Args:
        path: its directory.
        tell: is told how many workflows were looked at, and of how many.

    Raises:
        WorldCorruptError: a row does not decode.
        WorldError: the world cannot be read.
    """
    with WorldReader(path) as world, world.read_view() as view:
        return measure(view, world.space(), tell=tell)


def measure(view: ReadView, space: Space, *, tell: Tell = silent) -> WorldStats:
    """Measure a world through a view of it; raises `WorldCorruptError` where a row does not decode."""
    state = load_state(view)
    tables = {name: TableStats(view.count(name), view.table_bytes(name)) for name in view.tables()}
    tables[LOG] = TableStats(view.count(LOG), view.table_bytes(LOG))
    stats = WorldStats(
        turn=None if state is None else state.turn,
        now=None if state is None else state.now_us / US,
        clock=None if state is None else state.clock,
        file_bytes=space.file_bytes,
        map_size=space.map_size,
        free_bytes=space.free_bytes,
        tables=tables,
    )
    _measure_workflows(view, stats, tell)
    return stats


def _measure_workflows(view: ReadView, stats: WorldStats, tell: Tell) -> None:
    sizes: dict[str, Counter[int]] = {}
    statuses: dict[str, Counter[str]] = {}
    largest: list[tuple[int, int, str]] = []
    total = stats.tables[WORKFLOW_TABLE].rows if WORKFLOW_TABLE in stats.tables else 0
    for done, (key, row) in enumerate(view.scan(WORKFLOW_TABLE)):
        if done % _TELL_ROWS == 0:
            tell(done, total)
        number = int.from_bytes(key, "big")
        try:
            head, split = rows.read_head(row), rows.split(row)
            unread = _length(split[rows.UNREAD])
            timers = _timers(split[rows.WAIT])
        except (ValueError, msgpack.exceptions.UnpackException) as error:
            problem = f"the row of workflow {number} is damaged: {error}; run deathless doctor"
            raise WorldCorruptError(str(view.path), problem) from error
        name = head.type_name
        sizes.setdefault(name, Counter())[len(row)] += 1
        statuses.setdefault(name, Counter())[str(STATUSES[head.status])] += 1
        # Of equals the oldest.
        one = (len(row), -number, name)
        if len(largest) < LARGEST:
            heapq.heappush(largest, one)
        else:
            heapq.heappushpop(largest, one)
        if unread > (stats.longest_mailbox.size if stats.longest_mailbox else 0):
            stats.longest_mailbox = Sized(number, name, unread)
        if timers > (stats.most_timers.size if stats.most_timers else 0):
            stats.most_timers = Sized(number, name, timers)
    stats.largest = [Sized(-number, name, size) for size, number, name in sorted(largest, reverse=True)]
    stats.types = {name: dict(sorted(statuses[name].items())) for name in sorted(statuses)}
    stats.statuses = dict(sorted(sum(statuses.values(), Counter()).items()))
    stats.states = state_stats(sizes.values())
    stats.states_by_type = {name: state_stats([sizes[name]]) for name in sorted(sizes)}


def state_stats(sizes: Iterable[Counter[int]]) -> StateStats:
    """Sum up sizes of states, each with how many are of that size."""
    counted: Counter[int] = sum(sizes, Counter())
    ordered, count = sorted(counted.items()), counted.total()
    if not count:
        return StateStats(classes=dict.fromkeys((name for name, _, _ in CLASSES), 0))
    return StateStats(
        count,
        sum(size * many for size, many in ordered),
        _at(ordered, count, 0.5),
        _at(ordered, count, 0.9),
        _at(ordered, count, 0.99),
        ordered[-1][0],
        _classes(ordered),
    )


def _at(ordered: list[tuple[int, int]], count: int, part: float) -> int:
    """Return the size that this part of all does not exceed."""
    left = part * count
    for size, many in ordered:
        left -= many
        if left <= 0:
            return size
    return ordered[-1][0]


def _classes(ordered: list[tuple[int, int]]) -> dict[str, int]:
    found = dict.fromkeys((name for name, _, _ in CLASSES), 0)
    for size, many in ordered:
        found[next(name for name, _, below in CLASSES if below is None or size < below)] += many
    return found


def _length(packed: bytes) -> int:
    """Return how many items a packed array has; nil has none."""
    if packed == b"\xc0":
        return 0
    unpacker = msgpack.Unpacker()
    unpacker.feed(packed)
    return int(unpacker.read_array_header())


def _timers(packed: bytes) -> int:
    """Count the timed sources of a packed wait, and read no values: they may hold what only a codec reads."""
    unpacker = msgpack.Unpacker(max_buffer_size=max(1, len(packed)))
    unpacker.feed(packed)
    return sum(type(source) is list and source[0] in _TIMED for source in unpacker.unpack())

"""What stands in a world that nobody runs: all that is compared with the ledger, and whether it fits together.

An input that was acknowledged leads to more than its own step: timers, children and their results. No ledger can list
these, but each is written down in the world twice, and must be there both times: a timer that is due must have moved
its workflow on, and a child that a parent waits for must be there and know the parent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ...runtime import GameClock, Runtime, WallClock
from ...runtime.row_buffer import WORKFLOW_TABLE, row_key
from ...runtime.storage.world_reader import WorldReader
from ...workflows import rows
from ...workflows.messages import STATUSES, Status
from ...workflows.outbox import INPUT_TABLE
from .instruments import INSTRUMENTS, WITNESS

TIMER_SLACK_S = 0.1
"""So much longer than it was due a timer may stand: a tick of the wheel, and what a step of the last frames set."""
_ACTIVITY = 2
"""Stands among a workflow's children in place of the policy on its end."""


class Root(NamedTuple):
    """A workflow that was started from outside."""

    workflow_id: int
    type: str


@dataclass(frozen=True, slots=True)
class Testimony:
    """What a witness keeps.

    Attributes:
        count: signals that it took.
        checksum: over their numbers in order.
        ranges: `[first, last]` of the numbers that it took.
        doubled: numbers that it took again.
        foreign: (witness, number) of those that were meant for another.
    """

    count: int
    checksum: int
    ranges: Sequence[Sequence[int]]
    doubled: Sequence[int]
    foreign: Sequence[Sequence[int]]


@dataclass(slots=True)
class Findings:
    """What stands in a world.

    Attributes:
        roots: workflows without a parent, by entity.
        witnesses: what each witness keeps, by its entity.
        names: inputs that the world remembers by name.
        statuses: how many workflows there are of each.
        failures: how many workflows failed with which message.
        lost: timers that were due and have not fired, and children for which a parent waits in vain.
        foreign: children that their parents do not know.
    """

    roots: dict[int, list[Root]] = field(default_factory=dict)
    witnesses: dict[int, Testimony] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    statuses: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


def look_at(world: Path, *, virtual: bool, settled_s: float | None = None) -> Findings:
    """Read all that is compared from a world that nobody runs. No workflow in it is changed.

    Args:
        world: its directory.
        virtual: whether time in it is the game's.
        settled_s: a time in the world by which all that was due by then had been done, and no message was left over;
            None where there was none, and neither timers nor children can be judged.

    Raises:
        WorldError: it cannot be read.
    """
    found = Findings()
    witnesses: list[int] = []
    failed: list[int] = []
    kin = Kin()
    with WorldReader(world) as reader:
        for key, row in reader.scan(WORKFLOW_TABLE):
            workflow_id, head = int.from_bytes(key, "big"), rows.read_head(row)
            status = STATUSES[head.status]
            found.statuses[status] = found.statuses.get(status, 0) + 1
            if status is Status.FAILED:
                failed.append(workflow_id)
            elif status is Status.SUSPENDED and settled_s is not None:
                kin.take(workflow_id, head.parent_id, row)
                found.lost += _overdue(workflow_id, head, round(settled_s * 1e6))
            if head.parent_id is None and head.entity_id is not None:
                found.roots.setdefault(head.entity_id, []).append(Root(workflow_id, head.type_name))
                if head.type_name == WITNESS:
                    witnesses.append(workflow_id)
        found.lost += kin.lost()
        found.foreign += kin.foreign(reader)
        found.names = {key.decode() for key, _ in reader.scan(INPUT_TABLE)}
    _read_values(world, found, witnesses, failed, virtual=virtual)
    return found


def _read_values(
    world: Path, found: Findings, witnesses: list[int], failed: list[int], *, virtual: bool
) -> None:
    """Read locals and messages, for which it takes a Runtime: it knows how to read what rows refer to."""
    with Runtime(
        world, INSTRUMENTS, clock=GameClock() if virtual else WallClock(), durability="process"
    ) as opened:
        for workflow_id in witnesses:
            view = opened.get(workflow_id)
            assert view.entity_id is not None
            found.witnesses[view.entity_id] = _testimony(view.locals)
        for workflow_id in failed[:1000]:
            view = opened.get(workflow_id)
            message = f"{view.type}: {view.error_message}"
            found.failures[message] = found.failures.get(message, 0) + 1


def _testimony(own: Mapping[str, Any]) -> Testimony:
    # Before its first step a witness has its argument and nothing else.
    return Testimony(
        own.get("count", 0),
        own.get("checksum", 0),
        own.get("ranges", []),
        own.get("doubled", []),
        own.get("foreign", []),
    )


def _overdue(workflow_id: int, head: rows.Head, settled_us: int) -> Iterator[str]:
    """Give what is to be said of a workflow whose timer has not fired.

    One that cannot keep up with its own beats is late as well, and at work in every frame.
    """
    if head.due_us is None or head.updated_us >= settled_us:
        return
    late_s = (settled_us - head.due_us) / 1e6
    if late_s > TIMER_SLACK_S:
        yield f"workflow {workflow_id} ({head.type_name}): its timer was due for {late_s:.1f} s and never fired"


class Kin:
    """Who is whose child, as parents say and as children say."""

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}
        self._expected: dict[int, int] = {}

    def take(self, workflow_id: int, parent_id: int | None, row: bytes) -> None:
        """Take an active workflow."""
        if parent_id is not None:
            self._parents[workflow_id] = parent_id
        children = rows.read_field(rows.split(row), rows.CHILDREN) or ()
        for child_id, policy in zip(children[::2], children[1::2], strict=True):
            if policy != _ACTIVITY:
                self._expected[child_id] = workflow_id

    def lost(self) -> Iterator[str]:
        """Give what is to be said of children that parents wait for and that do not run."""
        for child_id, parent_id in sorted(self._expected.items()):
            if child_id not in self._parents:
                yield f"workflow {parent_id}: its child {child_id} neither runs nor has told it of its end"

    def foreign(self, reader: WorldReader) -> Iterator[str]:
        """Give what is to be said of children whose parent runs and does not know them."""
        for child_id, parent_id in sorted(self._parents.items()):
            if self._expected.get(child_id) != parent_id:
                row = reader.get(WORKFLOW_TABLE, row_key(parent_id))
                if row is not None and STATUSES[rows.read_head(row).status] is Status.SUSPENDED:
                    yield f"workflow {child_id}: its parent {parent_id} does not know it"

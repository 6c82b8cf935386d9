"""Recovery: a stored world back into a running one, by a glance at each row.

No snapshot is decoded here: a workflow is loaded when its first message comes, its timer armed when the first of its
neighbours is due, and who runs on an entity is in an index.
"""

from __future__ import annotations

from itertools import islice

from ..actors import ActorSystem
from ..workflows import rows
from ..workflows.errors import WorldCorruptError
from ..workflows.messages import STATUS_CODE, TICK, Status
from ..workflows.topics import load_topics
from .row_buffer import WORKFLOW_TABLE, row_key
from .storage.store import Store
from .world_state import load_leftover

STRETCH = 1024
"""Rows whose timers are armed together."""
_SUSPENDED = STATUS_CODE[Status.SUSPENDED]


def recover(store: Store, system: ActorSystem, now_us: int) -> tuple[int, int, int]:
    """Find the active workflows and when timers are due, and queue the messages that were carried over.

    Args:
        store: the world.
        system: still empty.
        now_us: time now, to count what came due meanwhile.

    Returns:
        Active workflows, timers that are due, messages carried over.

    Raises:
        WorldCorruptError: a row is damaged.
    """
    leftover = load_leftover(store)
    active = due = 0
    scan = store.scan(WORKFLOW_TABLE)
    while stretch := list(islice(scan, STRETCH)):
        times: list[int] = []
        for key, row in stretch:
            try:
                due_us, status, topics = rows.glance(row)
                if status != _SUSPENDED:
                    continue
                active += 1
                if due_us is not None:
                    times.append(due_us)
                if topics:
                    _subscribe(system, int.from_bytes(key, "big"), row)
            except rows.RowError as error:
                number = int.from_bytes(key, "big")
                raise WorldCorruptError(
                    str(store.path), f"the row of workflow {number} is damaged: {error}"
                ) from error
        if times:
            first, last = (int.from_bytes(key, "big") for key, _ in (stretch[0], stretch[-1]))
            earliest_us = min(times)
            system.dormant.add(earliest_us, first, last + 1)
            if earliest_us <= now_us:
                due += sum(due_us <= now_us for due_us in times)
    system.directory.active = active
    system.mailboxes.crowded.update(leftover.crowded)
    system.carry_on(leftover.carried)
    for workflow_id in leftover.rearmed:
        stored = store.get(WORKFLOW_TABLE, row_key(workflow_id))
        due_us = None if stored is None else rows.glance(stored)[0]
        if due_us is not None:
            system.wheel.schedule(workflow_id, due_us)
    fired = {message[0] for message in leftover.carried if message[1] == TICK}.difference(leftover.rearmed)
    return active, due - len(fired), len(leftover.carried)


def _subscribe(system: ActorSystem, workflow_id: int, row: bytes) -> None:
    for topic in load_topics(rows.read_head(row).topics) or ():
        system.directory.subscriptions.add(workflow_id, topic)

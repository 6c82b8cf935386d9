"""Recovery: a stored world back into a running one, by reading heads alone.

No snapshot is decoded here: a workflow is loaded when its first message comes.
"""

from __future__ import annotations

from ..actors import ActorSystem
from ..workflows import rows
from ..workflows.errors import WorldCorruptError
from ..workflows.messages import STATUS_CODE, Status
from ..workflows.topics import load_topics
from .row_buffer import WORKFLOW_TABLE
from .store import Store
from .world_state import load_leftover

_SUSPENDED = STATUS_CODE[Status.SUSPENDED]


def recover(store: Store, system: ActorSystem, now_us: int) -> tuple[int, int, int]:
    """Index the active workflows, arm their timers, and queue the messages that were carried over.

    Args:
        store: the world.
        system: still empty.
        now_us: time now, to count what came due meanwhile.

    Returns:
        Active workflows, timers that are due, messages carried over.

    Raises:
        WorldCorruptError: a row is damaged.
    """
    carried, crowded, ticked = load_leftover(store)
    fired = set(ticked)
    armed: list[tuple[int, int]] = []
    index = system.directory.index
    for key, row in store.scan(WORKFLOW_TABLE):
        try:
            head = rows.read_head(row)
        except rows.RowError as error:
            number = int.from_bytes(key, "big")
            raise WorldCorruptError(
                str(store.path), f"the row of workflow {number} is damaged: {error}"
            ) from error
        if head.status != _SUSPENDED:
            continue
        workflow_id = int.from_bytes(key, "big")
        index(
            workflow_id,
            head.entity_id,
            head.correlation_id,
            load_topics(head.topics) if head.topics else None,
        )
        if head.due_us is not None and workflow_id not in fired:
            armed.append((workflow_id, head.due_us))
    system.wheel.schedule_many(armed)
    due = sum(due_us <= now_us for _, due_us in armed)
    system.mailboxes.crowded.update(crowded)
    system.carry_on(carried)
    return system.directory.active, due, len(carried)

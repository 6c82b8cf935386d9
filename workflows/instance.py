"""`Instance`: one workflow in memory.

It is the context that the workflow's code holds, with what the stepper keeps beside it: one object instead of
two, since a world may hold many thousands. Its coroutine may be absent (cold); the row then says where it
stands.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from . import rows
from .context import Context, StepPort
from .messages import STATUSES, Status
from .topics import Topic, load_topics


class Instance(Context):
    """One workflow: identity, wait, buffered messages, and its coroutine while it is warm.

    Attributes:
        type_name: its workflow type.
        status: never `RUNNING` between steps.
        parent_id: its parent, if it was spawned.
        created_us, updated_us: world time of its start and of its last change.
        coroutine: suspended at its await; None when cold, not started or ended.
        wait: the sources it awaits; empty when cold.
        due_us: the first due time among them, or None.
        unread: messages that no await has taken, oldest first, or None.
        children: policy by id of children that run, or None.
        topics: what it subscribed to, or None; see `topics`.
        asks: questions not answered yet, oldest first, or None: [id, name, packed values, input id].
        failures: how often its current step has failed, while it waits to be tried again; else 0.
        recorded: its row, while its steps are recorded and once one was; else None.
        held: why the loaded code cannot go on with it, or None.
        started: whether its first step has run.
    """

    __slots__ = (
        "asks",
        "children",
        "coroutine",
        "created_us",
        "due_us",
        "failures",
        "held",
        "parent_id",
        "recorded",
        "started",
        "status",
        "topics",
        "type_name",
        "unread",
        "updated_us",
        "wait",
    )

    status: Status
    coroutine: Coroutine[Any, Any, Any] | None
    wait: tuple[Any, ...]
    due_us: int | None
    unread: list[Any] | None
    children: dict[int, int] | None
    topics: tuple[Topic, ...] | None
    asks: list[list[Any]] | None
    failures: int
    held: str | None
    recorded: bytes | None

    def __init__(
        self,
        port: StepPort,
        workflow_id: int,
        type_name: str,
        *,
        entity_id: int | None,
        correlation_id: str | None,
        parent_id: int | None,
        created_us: int,
    ) -> None:
        self._port = port
        self.workflow_id = workflow_id
        self.type_name = type_name
        self.entity_id = entity_id
        self.correlation_id = correlation_id
        self.parent_id = parent_id
        self.created_us = self.updated_us = created_us
        self.status = Status.SUSPENDED
        self.draws = 0
        self.label = None
        self.live = None
        self.coroutine = None
        self.wait = ()
        self.due_us = None
        self.unread = None
        self.children = None
        self.topics = None
        self.asks = None
        self.failures = 0
        self.held = None
        self.recorded = None
        self.started = False

    def __repr__(self) -> str:
        return f"<{self.type_name} {self.workflow_id} {self.status}>"

    def load(self, row: bytes) -> None:
        """Take over what a row says and become cold.

        Raises:
            RowError: the bytes are not a row.
        """
        self.chill()
        fields = rows.split(row)
        self.status = STATUSES[rows.read_field(fields, rows.STATUS)]
        self.updated_us = rows.read_field(fields, rows.UPDATED)
        self.draws = rows.read_field(fields, rows.DRAWS)
        self.label = rows.read_field(fields, rows.LABEL)
        self.due_us = rows.read_field(fields, rows.DUE)
        self.unread = rows.read_field(fields, rows.UNREAD)
        self.children = unflatten(rows.read_field(fields, rows.CHILDREN))
        self.topics = load_topics(rows.read_field(fields, rows.TOPICS))
        self.asks = rows.read_field(fields, rows.ASKS)
        self.failures = rows.failures(fields)
        self.started = rows.arguments(fields) is None

    def chill(self) -> None:
        """Drop the coroutine without running any of the user's code; the row has all it needs."""
        coroutine, self.coroutine, self.wait, self.live = self.coroutine, None, (), None
        if coroutine is not None:
            coroutine.close()

    @classmethod
    def from_row(cls, port: StepPort, workflow_id: int, row: bytes) -> Instance:
        """Make a cold instance of a stored workflow.

        Raises:
            RowError: the bytes are not a row.
        """
        head = rows.read_head(row)
        instance = cls(
            port,
            workflow_id,
            head.type_name,
            entity_id=head.entity_id,
            correlation_id=head.correlation_id,
            parent_id=head.parent_id,
            created_us=head.created_us,
        )
        instance.load(row)
        return instance


def flatten(children: dict[int, int] | None) -> list[int] | None:
    """Return the stored form of the children: [id, policy, id, policy, ...]."""
    if not children:
        return None
    return [number for pair in children.items() for number in pair]


def unflatten(stored: list[int] | None) -> dict[int, int] | None:
    """Return the children of a stored list."""
    if not stored:
        return None
    return dict(zip(stored[::2], stored[1::2], strict=True))

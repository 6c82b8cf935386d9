"""The directory: which actor a workflow id, an entity or a correlation id means.

Actors are made when they are needed: a workflow that nobody has addressed since the world was opened is only a
row, and a row in the index of its entity. The directory finds rows through a `RowSource` and does not know where they
are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from ..workflows.instance import Instance
from ..workflows.messages import STATUS_CODE, STATUSES, Status
from ..workflows.rows import glance, read_head
from .address_index import ENTITY_INDEX, GROUP_INDEX, AddressIndex, IndexTables
from .listings import Listings
from .residents import Residents
from .subscriptions import Subscriptions
from .workflow_actor import WorkflowActor

if TYPE_CHECKING:
    from .system import ActorSystem

_SUSPENDED = STATUS_CODE[Status.SUSPENDED]


class RowSource(Protocol):
    """Where rows come from: those of the turns that are not committed yet, then the store."""

    def row(self, workflow_id: int) -> bytes | None:
        """Return the latest row of a workflow, or None if there is none."""
        ...


class Directory:
    """Finds the actors of a world.

    Attributes:
        residents, actors: those that are in memory.
        entities, groups: active workflows by entity and by correlation id.
        listings: workflows by type, and ended ones.
        subscriptions: active workflows by what they subscribed to.
        active: how many there are.
    """

    def __init__(
        self, system: ActorSystem, source: RowSource, tables: IndexTables, max_resident: int | None
    ) -> None:
        self.residents = Residents(max_resident)
        self.actors = self.residents.actors
        self.entities: AddressIndex[int] = AddressIndex(ENTITY_INDEX, tables, self._is_active)
        self.groups: AddressIndex[str] = AddressIndex(GROUP_INDEX, tables, self._is_active)
        self.listings = Listings(tables)
        self.subscriptions = Subscriptions()
        self.active = 0
        self._system = system
        self._source = source

    def add(self, instance: Instance) -> WorkflowActor:
        """Register a new active workflow and return its actor."""
        self.listings.begin(instance.workflow_id, instance.type_name)
        self.index(instance, again=False)
        return self.make(instance)

    def make(self, instance: Instance) -> WorkflowActor:
        """Make the actor of an instance that is indexed already."""
        actor = WorkflowActor(self._system, instance)
        self.residents.enter(actor)
        return actor

    def index(self, instance: Instance, *, again: bool) -> None:
        """Enter an active workflow, a new one or one that had failed, under its entity, its group and its topics."""
        self.active += 1
        if instance.entity_id is not None:
            self.entities.enter(instance.entity_id, instance.workflow_id, again=again)
        if instance.correlation_id is not None:
            self.groups.enter(instance.correlation_id, instance.workflow_id, again=again)
        for topic in instance.topics or ():
            self.subscriptions.add(instance.workflow_id, topic)

    def unindex(self, instance: Instance) -> None:
        """Take out a workflow that is not active any more."""
        self.active -= 1
        if instance.entity_id is not None:
            self.entities.leave(instance.entity_id, instance.workflow_id)
        if instance.correlation_id is not None:
            self.groups.leave(instance.correlation_id, instance.workflow_id)
        for topic in instance.topics or ():
            self.subscriptions.remove(instance.workflow_id, topic)

    def forget(self, workflow_id: int, row: bytes) -> None:
        """Take a workflow that is deleted out of every index."""
        head = read_head(row)
        if head.entity_id is not None:
            self.entities.forget(head.entity_id, workflow_id)
        if head.correlation_id is not None:
            self.groups.forget(head.correlation_id, workflow_id)
        self.listings.forget(workflow_id, head.type_name, STATUSES[head.status])

    def find(self, workflow_id: int) -> WorkflowActor | None:
        """Return the actor of a workflow that still takes messages, loading it if need be; else None.

        A failed workflow still takes the results of its children and a retry.
        """
        actor = self.actors.get(workflow_id)
        if actor is not None:
            return actor
        row = self._source.row(workflow_id)
        if row is None:
            return None
        instance = Instance.from_row(self._system.outbox, workflow_id, row)
        if instance.status in (Status.SUSPENDED, Status.FAILED):
            return self.make(instance)
        return None

    def is_active(self, workflow_id: int) -> bool:
        """Say whether a workflow whose actor is in memory takes signals."""
        actor = self.actors.get(workflow_id)
        return actor is not None and actor.instance.status is Status.SUSPENDED

    def look(self, workflow_id: int) -> tuple[Status, str] | None:
        """Return a workflow's status and type without loading it, or None; from any thread."""
        actor = self.actors.get(workflow_id)
        if actor is not None:
            return actor.instance.status, actor.instance.type_name
        row = self._source.row(workflow_id)
        if row is None:
            return None
        head = read_head(row)
        return STATUSES[head.status], head.type_name

    def find_addressed(
        self, workflow_id: int | None, entity_id: int | None, correlation_id: str | None
    ) -> tuple[int, ...]:
        """Return the ids that an address means, of which exactly one kind is given; on the pump thread."""
        if entity_id is not None:
            return self.entities.find(entity_id)
        if workflow_id is not None:
            return (workflow_id,)
        assert correlation_id is not None, "an address is of one kind"
        return self.groups.find(correlation_id)

    def addressed(
        self, workflow_id: int | None, entity_id: int | None, correlation_id: str | None
    ) -> tuple[int, ...]:
        """Return the ids that an address means, of which exactly one kind is given; from any thread."""
        if entity_id is not None:
            return self.entities.look(entity_id)
        if workflow_id is not None:
            return (workflow_id,)
        assert correlation_id is not None, "an address is of one kind"
        return self.groups.look(correlation_id)

    def candidates(
        self,
        entity_id: int | None,
        type_name: str | None,
        status: Status | None,
        correlation_id: str | None,
    ) -> Iterable[int] | None:
        """Return the ids that the best index has for a search, ascending; not all may fit. None: any may fit."""
        if entity_id is not None:
            return (
                self.entities.look(entity_id) if status is Status.SUSPENDED else self.entities.all(entity_id)
            )
        if correlation_id is not None:
            return (
                self.groups.look(correlation_id)
                if status is Status.SUSPENDED
                else self.groups.all(correlation_id)
            )
        if status is not None and not status.active:
            return self.listings.ended(status)
        return None if type_name is None else self.listings.of_type(type_name)

    def warm(self) -> Iterator[WorkflowActor]:
        """Iterate over the actors that are in memory."""
        return iter(self.actors.values())

    def _is_active(self, workflow_id: int) -> bool:
        row = self._source.row(workflow_id)
        return row is not None and glance(row)[1] == _SUSPENDED

"""The actors of one world: run queue, directory, timer wheel and stepper, put together.

It runs turns in memory. It has no clock and no store: time comes in as numbers, and rows leave through the
buffer of a `Rows` object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ..workflows import rows
from ..workflows.codec import Codec
from ..workflows.context import Context
from ..workflows.errors import UnknownWorkflowError
from ..workflows.instance import Instance
from ..workflows.limits import Limits
from ..workflows.messages import ASK, CANCEL, CHILD_DONE, FIRE, SIGNAL, START, TICK, Message
from ..workflows.outbox import (
    ABANDON,
    ACTIVITY_TABLE,
    FIRE_ALL,
    FORGET,
    INPUT_TABLE,
    LAUNCH,
    POST,
    PUBLISH,
    PUT,
    REPLY,
    SEND,
    SPAWN,
    TELL,
    UNSUBSCRIBE,
    ActivityRecord,
    Answer,
    InputRecord,
)
from ..workflows.port import ACTIVITY_POLICY
from ..workflows.registry import Registry
from ..workflows.signal import Signal
from ..workflows.stepper import Stepper
from ..workflows.tables import TableSpace
from ..workflows.topics import Topic
from ..workflows.versions import CodeBook
from .address_index import IndexTables
from .backlog import Backlog, Carried, ticks_in
from .broadcast import Broadcaster
from .directory import Directory, RowSource
from .dormant_timers import DormantTimers
from .mailboxes import Mailboxes
from .reducer_actor import WORLD_ID, ReducerActor
from .scheduled_actor import ScheduledActor
from .scheduler import Scheduler
from .timer_actor import TimerWheelActor
from .timer_wheel import TimerWheel
from .workflow_actor import WorkflowActor


class Rows(RowSource, Protocol):
    """A row source with a buffer of what the turns since the last commit have written."""

    fresh: dict[int, bytes | None]

    def between(self, first_id: int, following_id: int) -> Iterator[tuple[int, bytes]]:
        """Iterate over the latest rows from one id up to, and without, another, by ascending id."""
        ...

    def all(self) -> Iterator[tuple[int, bytes]]:
        """Iterate over the latest rows of all workflows, by ascending id."""
        ...


class Tables(TableSpace, IndexTables, Protocol):
    """The tables of a world, its indexes among them."""


class Recorder(Protocol):
    """Who records what becomes of workflows; it lets steps run by putting itself into the place of `handle`."""

    def note_made(self, instance: Instance) -> None:
        """Take down that a workflow was made."""
        ...

    def note_deleted(self, workflow_id: int, type_name: str, row: bytes) -> None:
        """Take down that a workflow is deleted, whose row is as given."""
        ...


class ActorSystem:
    """Everything that runs a world's workflows, on one thread.

    Attributes:
        steps: messages that changed a workflow, counted since the world was opened.
        deleted: workflows that were deleted since then.
        ended: actors of workflows that have ended in this turn.
        fault: an exception of the engine itself; the turn must not be kept.
        mailboxes: which signals they take, and who has room for more.
        handle: runs a step; a recorder puts its own here.
        call: runs a reducer for a call from outside; a recorder puts its own here.
        recorders: those who record.
    """

    def __init__(
        self,
        registry: Registry,
        codes: CodeBook,
        codec: Codec,
        source: Rows,
        tables: Tables,
        *,
        new_workflow_id: Callable[[], int],
        logger_of: Callable[[Context], Any],
        logger_for: Callable[[str], Any],
        take_foreign_signal: Callable[[int, Signal], None],
        seed: int,
        limits: Limits,
        paranoid: bool,
        max_resident: int | None,
        tick_us: int,
        now_us: int,
    ) -> None:
        self.rows = source
        self.tables = tables
        self.answers: list[tuple[int, Answer]] = []
        self.launched: dict[int, ActivityRecord] = {}
        self.abandoned: list[int] = []
        self.new_workflow_id = new_workflow_id
        self.logger_of = logger_of
        self.logger_for = logger_for
        self.take_foreign_signal = take_foreign_signal
        self.steps = 0
        self.deleted = 0
        self.ended: set[ScheduledActor] = set()
        self._backlog = Backlog()
        self.fault: BaseException | None = None
        self.stepper = Stepper(registry, codes, codec, self, seed=seed, limits=limits, paranoid=paranoid)
        # What each message needs, found at once.
        self.handle: Callable[[Instance, Message], bytes | None] = self.stepper.handle
        self.recorders: list[Recorder] = []
        self.outbox = self.stepper.outbox
        self.call: Callable[[Message], None] = self.outbox.reducers.handle
        self.fresh = source.fresh
        self.outbox.now_us = now_us
        self.scheduler = Scheduler()
        self.directory = Directory(self, source, tables, max_resident)
        self.mailboxes = Mailboxes(self.directory, source, limits.unread)
        self.crowded = self.mailboxes.crowded
        self.wheel = TimerWheel(tick_us=tick_us, now_us=now_us)
        self.dormant = DormantTimers(self.wheel, source.between)
        self.timer_actor = TimerWheelActor(self.scheduler, self.wheel, self.deliver_tick)
        self.timer_actor.launch()
        self.broadcaster = Broadcaster(self)
        self.broadcaster.launch()
        self.reducer_actor = ReducerActor(self)
        self.reducer_actor.launch()
        self._codec = codec
        self.mailboxes.reload(registry.workflows)

    # -- delivering ----------------------------------------------------------------------------------------

    def tell(self, workflow_id: int, message: Message) -> None:
        """Queue a message for one workflow, or for the reducers; it is dropped where the workflow has ended."""
        if workflow_id == WORLD_ID:
            self.scheduler.queue.append((self.reducer_actor, message, None))
            return
        actor = self.directory.find(workflow_id)
        if actor is not None:
            self.scheduler.queue.append((actor, message, None))

    def post(
        self, workflow_id: int | None, entity_id: int | None, correlation_id: str | None, message: Message
    ) -> None:
        """Queue a message for whom an address means; a signal only for those who accept its class."""
        directory = self.directory
        # Mostly one workflow runs on an entity: then its id stands alone.
        alone = None if entity_id is None else directory.entities.known.get(entity_id)
        if type(alone) is int and message[0] != ASK:
            actor = directory.actors.get(alone)
            if (
                actor is None
                or message[0] != SIGNAL
                or message[2] not in self.mailboxes.accepts.get(actor.instance.type_name, ())
            ):
                self._offer(alone, message)
            else:
                self.scheduler.queue.append((actor, message, None))
            return
        if workflow_id is None and entity_id is None and correlation_id is None:
            self.publish(message, None)
            return
        if workflow_id == WORLD_ID:
            self.tell(workflow_id, message)
            return
        targets = directory.find_addressed(workflow_id, entity_id, correlation_id)
        if message[0] == ASK:
            self._put_question(targets, message)
            return
        for target in targets:
            self._offer(target, message)

    def _put_question(self, targets: tuple[int, ...], message: Message) -> None:
        """Put a question to one workflow, the oldest that takes it: two might answer it in two ways."""
        for target in targets:
            receiver = self.receiver(target, message)
            if receiver is not None:
                self.scheduler.queue.append((receiver, message, None))
                return
        self.answer(message[5], Answer(None, f"nobody takes {message[2]} there"), message[6])

    def publish(self, message: Message, publisher_id: int | None) -> None:
        """Queue a signal for those who have subscribed to it by now, but the publisher."""
        self.broadcaster.send(message, self.mailboxes.audience(message, publisher_id, self._codec))

    def _offer(self, workflow_id: int, message: Message) -> None:
        actor = self.receiver(workflow_id, message)
        if actor is not None:
            self.scheduler.queue.append((actor, message, None))

    def receiver(self, workflow_id: int, message: Message) -> WorkflowActor | None:
        """Return the actor of a workflow; None if there is none, or it never awaits this signal."""
        actor = self.directory.actors.get(workflow_id) or self.directory.find(workflow_id)
        if actor is not None and message[0] in (SIGNAL, ASK):
            accepts = self.mailboxes.accepts.get(actor.instance.type_name)
            if accepts is not None and message[2] not in accepts:
                return None
        return actor

    def start(
        self,
        workflow_id: int,
        type_name: str,
        arguments: bytes,
        *,
        entity_id: int | None,
        correlation_id: str | None,
    ) -> None:
        """Make a workflow and queue its first step."""
        self._add(
            *self.outbox.create(
                workflow_id,
                type_name,
                arguments,
                entity_id=entity_id,
                correlation_id=correlation_id,
                parent_id=None,
            )
        )

    def apply_effects(self) -> None:
        """Do what the last step asked for."""
        for effect in self.outbox.take():
            kind = effect[0]
            if kind == TELL:
                if effect[2][0] == TICK:
                    # A workflow that ticks itself: its timer has come due already.
                    self.wheel.cancel(effect[1])
                self.tell(effect[1], effect[2])
            elif kind == SEND:
                self.post(None, *effect[1:])
            elif kind == SPAWN:
                self._add(effect[1], effect[2])
            elif kind == PUT:
                self.tables.write(*effect[1:])
            elif kind == PUBLISH:
                self.publish(effect[2], effect[1])
            elif kind == POST:
                self.post(*effect[1:])
            elif kind == REPLY:
                self.answer(*effect[1:])
            elif kind == LAUNCH:
                self.launched[effect[1]] = effect[2]
            elif kind == ABANDON:
                self._abandon(effect[1])
            elif kind == FIRE_ALL:
                self._arm_all()
                for _, number in sorted((due_us, number) for number, due_us in self.wheel.items()):
                    self.tell(number, (FIRE, self.stepper.now_us))
            elif kind == FORGET:
                self._forget(effect[1])
            else:
                self._change_topics(*effect)

    def answer(self, ticket: int, answer: Answer, input_id: str | None) -> None:
        """Keep an answer for whoever asked or called from outside, and on record if it was named."""
        self.answers.append((ticket, answer))
        if input_id is not None:
            key = input_id.encode()
            stored = self.tables.read(INPUT_TABLE, key)
            if stored is not None:
                record = InputRecord.unpack(stored)._replace(answer=[answer.value, answer.problem])
                self.tables.write(INPUT_TABLE, key, record.pack())

    def finish_activity(
        self, activity_id: int, workflow_id: int, time_us: int, status: int, outcome: bytes | str
    ) -> None:
        """Take the result of an activity, unless nobody waits for it any more."""
        key = activity_id.to_bytes(8, "big")
        if self.tables.read(ACTIVITY_TABLE, key) is not None:
            self.tables.write(ACTIVITY_TABLE, key, None)
            self.tell(workflow_id, (CHILD_DONE, time_us, activity_id, status, outcome))

    def _abandon(self, activity_id: int) -> None:
        self.tables.write(ACTIVITY_TABLE, activity_id.to_bytes(8, "big"), None)
        self.abandoned.append(activity_id)

    def _forget(self, workflow_id: int) -> None:
        row = self.rows.row(workflow_id)
        if row is None:
            return
        self.directory.forget(workflow_id, row)
        actor = self.directory.find(workflow_id)
        if actor is not None:
            # Of a failed one, what it began still runs.
            for child_id, policy in (actor.instance.children or {}).items():
                if policy == ACTIVITY_POLICY:
                    self._abandon(child_id)
                elif policy:
                    reason = f"its parent, workflow {workflow_id}, was deleted"
                    self.tell(child_id, (CANCEL, self.stepper.now_us, reason, False))
            self.directory.actors.pop(workflow_id, None)
            self.ended.add(actor)
            actor.end()
        for recorder in self.recorders:
            recorder.note_deleted(workflow_id, rows.read_head(row).type_name, row)
        self.fresh[workflow_id] = None
        self.deleted += 1
        self.wheel.cancel(workflow_id)
        self.mailboxes.crowded.discard(workflow_id)

    def _change_topics(self, kind: int, workflow_id: int, topic: Topic) -> None:
        subscriptions = self.directory.subscriptions
        if kind == UNSUBSCRIBE:
            subscriptions.remove(workflow_id, topic)
        elif self.directory.is_active(workflow_id):
            subscriptions.add(workflow_id, topic)

    def _add(self, instance: Instance, row: bytes) -> None:
        for recorder in self.recorders:
            recorder.note_made(instance)
        self.fresh[instance.workflow_id] = row
        actor = self.directory.add(instance)
        self.scheduler.queue.append((actor, (START, instance.created_us), None))

    def drop_ended(self) -> None:
        """Drop the messages that wait for workflows that have ended in this turn, as a restart would."""
        ended, self.ended = self.ended, set()
        queue = self.scheduler.queue
        if not ended or not queue:
            return
        kept = []
        for entry in queue:
            if entry[0] not in ended:
                kept.append(entry)
            elif type(entry[1]) is tuple and entry[1][0] == ASK:
                instance = entry[0].instance  # type: ignore[attr-defined] # Only workflows end.
                problem = f"workflow {instance.workflow_id} has ended ({instance.status})"
                self.answer(entry[1][5], Answer(None, problem), entry[1][6])
        queue.clear()
        queue.extend(kept)

    def carried(self) -> Carried:
        """Return what the turn did not get to."""
        return self._backlog.pack(self.scheduler.queue, self.wheel.keys())

    def _ticked(self) -> set[int]:
        """Return whose timer has fired and is not armed anew, while the tick is on its way."""
        return {number for number in ticks_in(self.scheduler.queue) if number not in self.wheel}

    def carry_on(self, carried: list[list[Any]]) -> None:
        """Queue what an earlier run of the world carried over."""
        for receiver, *message in carried:
            if isinstance(receiver, list):
                self.broadcaster.send(tuple(message), receiver)
            else:
                self.tell(receiver, tuple(message))

    def due_timers(self, now_us: int) -> list[tuple[int, int]]:
        """Move the wheel on, and take out the timers that are due: (due_us, workflow_id), in order."""
        self.dormant.arm(now_us, self._ticked)
        return self.wheel.advance(now_us)

    def next_due(self) -> int | None:
        """Return a time before which no timer is due; None where there is none."""
        times = (self.dormant.next_due(), self.wheel.next_due())
        return min((due_us for due_us in times if due_us is not None), default=None)

    def _arm_all(self) -> None:
        self.dormant.arm(None, self._ticked)

    def deliver_tick(self, workflow_id: int, due_us: int) -> None:
        """Queue the tick of a due timer."""
        self.tell(workflow_id, (TICK, due_us))

    def reload(self, registry: Registry) -> None:
        """Go on with other code from the next step on, and let held workflows look whether it fits them."""
        self.stepper.reload(registry)
        self.mailboxes.reload(registry.workflows)
        for actor in self.directory.warm():
            instance = actor.instance
            instance.chill()
            if instance.held is not None:
                instance.held = None
                self.wheel.schedule(instance.workflow_id, 0)
                # While it was held it had to stay.
                self.directory.residents.enter(actor)

    # -- the port of the stepper ---------------------------------------------------------------------------

    def read_table(self, table: str, key: bytes) -> bytes | None:
        """Return a row of a table as finished steps left it."""
        return self.tables.read(table, key)

    def scan_table(self, table: str, start: bytes, stop: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over rows of a table as finished steps left them."""
        return self.tables.scan(table, start, stop)

    def workflow_rows(self) -> Iterator[tuple[int, bytes]]:
        """Iterate over all workflows by ascending id."""
        return self.rows.all()

    def ended_before(self, before_us: int) -> list[int]:
        """Return the ids of workflows that ended before a time, ascending."""
        return self.directory.listings.ended_before(before_us)

    def find_row(self, workflow_id: int) -> bytes | None:
        """Return the row of a workflow, or None."""
        return self.rows.row(workflow_id)

    def next_timers(self) -> int:
        """Return how many workflows have a timer."""
        self._arm_all()
        return len(self.wheel)

    def last_row(self, workflow_id: int) -> bytes:
        """Return the row that the workflow's last successful step left."""
        row = self.rows.row(workflow_id)
        if row is None:
            raise UnknownWorkflowError(workflow_id)
        return row

    def refusal(self, workflow_id: int, signal: type[Signal]) -> str | None:
        """Return why a workflow does not take a signal, or None if it does."""
        return self.mailboxes.refusal(workflow_id, signal)

    def check_room(
        self, workflow_id: int | None, entity_id: int | None, correlation_id: str | None, signal: type[Signal]
    ) -> None:
        """Raise `LimitError` if a receiver has too many unread signals."""
        key = entity_id if entity_id is not None else correlation_id or -(workflow_id or 0)
        if self.mailboxes.count(key):
            self.mailboxes.check_flood(workflow_id, entity_id, correlation_id, signal)
        self.mailboxes.check_room(workflow_id, entity_id, correlation_id, signal)

    def check_audience(self, message: Message, publisher_id: int | None, codec: Codec) -> None:
        """Raise `LimitError` if a subscriber has too many unread signals."""
        flooded = self.mailboxes.count((PUBLISH, message[2]))
        self.mailboxes.check_audience(message, publisher_id, codec, flooded=flooded)

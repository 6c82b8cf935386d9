"""The model of a world: plain Python objects, one queue, and no disk but a copy.

It says what must have become of each workflow after each turn. How a turn goes is the contract's: what was carried
over, then inputs and due timers by time, then what steps send, first in, first out, one message at a time, and no more
than so many.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator
from typing import Any

from runtime_model_context import (
    ModelContext,
    Pending,
    Periodic,
    Step,
    enter,
    frames_of,
    handles_in,
    resume,
    source_of,
    timed,
)
from runtime_model_lives import Failure, Life, Message, Rows

from deathless import Cancelled, SignalNotAccepted

REDUCERS = 0
"""The address of the reducers in the queue."""


class ReducerView:
    """The world as a reducer sees it."""

    def __init__(self, world: ModelWorld) -> None:
        self._world = world
        self.signal = world.send
        self.publish = world.publish_later

    def table(self, table: Any) -> Rows:
        return self._world.tables.setdefault(table.name, Rows())

    def call(self, reducer: Any, *args: Any) -> Any:
        return self._world.reduce(reducer, args)

    def start(self, call: Any, *, entity_id: Any = None, correlation_id: Any = None) -> int:
        life = self._world.make(self._world.next_id(), call, entity_id, correlation_id, None)
        self._world.effects.append(("spawn", life))
        return life.number

    def cancel(self, *, correlation_id: str, reason: str) -> None:
        message = Message("cancel", self._world.now_us, reason)
        self._world.effects.append(("post", (None, None, correlation_id), message))


class ModelWorld:
    """What one turn makes of a world, and the next one of that."""

    def __init__(self) -> None:
        self.turn = 0
        self.now_us = 0
        self.lives: dict[int, Life] = {}
        # (receiver, message, whether it is one of a broadcast)
        self.queue: deque[tuple[int, Message, bool]] = deque()
        self.tables: dict[str, Rows] = {}
        self.answers: dict[int, Any] = {}
        self.named: dict[str, tuple[str, int]] = {}
        self.outside: dict[int, tuple[int, int, int]] = {}
        self.effects: list[tuple[Any, ...]] = []
        self.ids: Iterator[int] = iter(())

    def copy(self) -> ModelWorld:
        """What a commit of this moment holds."""
        same = copy.copy(self)
        same.lives = {number: life.copy() for number, life in self.lives.items()}
        same.queue = deque(self.queue)
        same.tables = {name: Rows(rows) for name, rows in self.tables.items()}
        for name in ("answers", "named", "outside"):
            setattr(same, name, dict(getattr(self, name)))
        return same

    # -- a turn ----------------------------------------------------------------------------------------------

    def run_turn(
        self,
        now_us: int,
        inputs: list[tuple[Any, ...]],
        blocks: tuple[tuple[int, int], ...],
        *,
        limit: int,
        closing: bool = False,
    ) -> int:
        """Run a turn; return how many messages it handled.

        Args:
            now_us: its time.
            inputs: (time, what, ...), as `take` knows them.
            blocks: ids for children, as the engine drew them.
            limit: messages to handle at most.
            closing: take the inputs and no more.
        """
        self.now_us = now_us
        self.turn += 1
        self.ids = iter([number for first, length in blocks for number in range(first, first + length)])
        due = deque() if closing else deque(self.take_due())
        for time_us, *what in inputs:
            while due and due[0][0] < time_us:
                self.tick(due.popleft())
            self.take(time_us, *what)
        while due:
            self.tick(due.popleft())
        handled = 0
        while self.queue and handled < limit:
            self.handle(*self.queue.popleft()[:2])
            handled += 1
        self.drop_ended()
        return handled

    def take_due(self) -> list[tuple[int, int]]:
        due = sorted(
            (life.armed_us, number)
            for number, life in self.lives.items()
            if life.armed_us is not None and life.armed_us <= self.now_us
        )
        for _, number in due:
            self.lives[number].armed_us = None
        return due

    def tick(self, due: tuple[int, int]) -> None:
        self.tell(due[1], Message("tick", due[0]))

    def take(self, time_us: int, what: str, *rest: Any) -> None:
        """Take one input."""
        if what == "start":
            self.queue_start(self.make(*rest, None))
        elif what == "name":
            name, kind, ref = rest
            self.named[name] = kind, ref
        elif what == "outcome":
            activity_id, status, outcome = rest
            if activity_id in self.outside:
                owner = self.outside.pop(activity_id)[0]
                self.tell(owner, Message("done", time_us, (activity_id, status, outcome)))
        elif what == "publish":
            self.broadcast(Message("signal", time_us, rest[0]), None)
        elif what == "call":
            self.queue.append((REDUCERS, Message("call", time_us, *rest), False))
        else:
            address, kind, signal, ticket = rest
            self.post(address, Message(kind, time_us, signal, ticket))

    def drop_ended(self) -> None:
        """Whoever has ended gets nothing any more, and who asked it is told so."""
        kept = []
        for number, message, broadcast in self.queue:
            if broadcast or number == REDUCERS or self.lives[number].status in ("Suspended", "Failed"):
                kept.append((number, message, broadcast))
            elif message.kind == "ask":
                self.answers.setdefault(message.ticket, Failure())
        self.queue = deque(kept)

    # -- delivering ------------------------------------------------------------------------------------------

    def addressed(self, address: tuple[Any, Any, Any]) -> list[int]:
        number, entity, group = address
        if number is not None:
            return [number] if number in self.lives else []
        return [
            life.number
            for life in self.lives.values()
            if life.active and (life.entity == entity if entity is not None else life.group == group)
        ]

    def post(self, address: tuple[Any, Any, Any], message: Message) -> None:
        """Queue a message for all whom an address means: a signal for those who take it, a question for the first."""
        receivers = [
            number
            for number in sorted(self.addressed(address))
            if self.lives[number].status in ("Suspended", "Failed")
            and (message.kind not in ("signal", "ask") or self.lives[number].takes(message.what))
        ]
        if message.kind == "ask":
            del receivers[1:]
            if not receivers:
                self.answers.setdefault(message.ticket, Failure())
        self.queue.extend((number, message, False) for number in receivers)

    def tell(self, number: int, message: Message) -> None:
        if number in self.lives and self.lives[number].status in ("Suspended", "Failed"):
            self.queue.append((number, message, False))

    def broadcast(self, message: Message, publisher: int | None) -> None:
        values = {name: getattr(message.what, name) for name in type(message.what).field_names}
        for number in sorted(self.lives):
            life = self.lives[number]
            matches = any(
                signal is type(message.what) and fields.items() <= values.items()
                for signal, fields in life.topics
            )
            if life.active and matches and number != publisher:
                self.queue.append((number, message, True))

    def queue_start(self, life: Life) -> None:
        self.lives[life.number] = life
        self.queue.append((life.number, Message("start", life.created_us), False))

    def handle(self, number: int, message: Message) -> None:
        """Handle one message of the queue, and do what its step asked for."""
        self.effects = []
        if number == REDUCERS:
            self.handle_call(message)
        elif self.give(self.lives[number], message):
            self.lives[number].armed_us = self.due_of(self.lives[number])
        effects, self.effects = self.effects, []
        for kind, *what in effects:
            if kind == "tell":
                if what[1].kind == "tick":
                    self.lives[what[0]].armed_us = None
                self.tell(*what)
            elif kind == "post":
                self.post(*what)
            elif kind == "publish":
                self.broadcast(*what)
            elif kind == "spawn":
                self.queue_start(what[0])
            elif kind == "reply":
                self.answers.setdefault(*what)
            elif kind == "launch":
                self.outside[what[0]] = what[1]
            else:
                assert kind == "abandon"
                self.outside.pop(what[0], None)

    def handle_call(self, message: Message) -> None:
        reducer, args = message.what
        try:
            answer = self.reduce(reducer, args)
        except Exception as error:
            answer = Failure(str(error))
        self.effects.append(("reply", message.ticket, answer))

    # -- one workflow and one message --------------------------------------------------------------------------

    def give(self, life: Life, message: Message) -> bool:
        """Give a message to a workflow; return whether it changed anything."""
        kind = message.kind
        if kind == "ask":
            if not life.active:
                self.effects.append(("reply", message.ticket, Failure()))
                return False
            life.asks.append(message)
            self.give(life, Message("signal", message.time_us, message.what))
            return True
        if kind == "retry":
            return self.retry(life)
        if life.failures:
            return self.back_off(life, message)
        if life.status == "Failed" and kind == "kill":
            self.end(life, "Cancelled", message.what)
            return True
        if not life.active:
            if life.status == "Failed" and kind == "done":
                self.keep(life, message)
                return True
            return False
        return self.offer(life, message, may_skip=True, failures=0)

    def offer(self, life: Life, message: Message, *, may_skip: bool, failures: int) -> bool:
        """Let an active workflow have a message, now or when it awaits it."""
        kind = message.kind
        if kind == "kill" or (kind == "cancel" and not life.steps):
            self.end(life, "Cancelled", message.what)
            return True
        if not life.steps:
            if kind in ("start", "tick", "next"):
                self.step(life, Message("start", life.created_us), ("start",), failures)
            else:
                self.keep(life, message)
            return True
        self.warm(life)
        if kind == "cancel":
            self.step(life, message, ("cancel", message.what), failures)
            return True
        kept = kind in ("signal", "done")
        if kept:
            self.keep(life, message)
            if source_of(life.wait, message) is None:
                return True
        return self.next(life, may_skip=may_skip, failures=failures) or kept

    def next(self, life: Life, *, may_skip: bool, failures: int) -> bool:
        """Run a step with what is ready first: the oldest message that fits, or a timer that is older."""
        index = self.first_unread(life)
        source = timed(life.wait)
        if (
            source is not None
            and source.due_us <= self.now_us
            and (index is None or source.due_us < life.unread[index].time_us)
        ):
            if isinstance(source, Periodic) and self.skips(life, source, may_skip=may_skip):
                self.next(life, may_skip=True, failures=0)
            else:
                self.step(life, Message("tick", source.due_us), ("timer", may_skip), failures)
            return True
        if index is None:
            return False
        message = life.unread[index]
        self.step(life, Message("next", message.time_us), ("message", message), failures)
        return True

    def skips(self, life: Life, source: Periodic, *, may_skip: bool) -> bool:
        """Pass over beats, if that is what the source does now."""
        if copy.copy(source).beat(self.now_us, may_skip=may_skip) is not None:
            return False
        source.beat(self.now_us, may_skip=may_skip)
        life.steps.append(Step(self.now_us, ("skip",)))
        return True

    def step(self, life: Life, cause: Message, event: tuple[Any, ...], failures: int) -> None:
        """Run the function to its next await or its end; whatever escapes takes all of it back."""
        before = life.copy()
        tables = {name: Rows(rows) for name, rows in self.tables.items()}
        mark = len(self.effects)
        if event[0] == "message":
            life.unread.remove(event[1])
        step = Step(self.now_us, event)
        if event[0] == "start":
            enter(life, ModelContext(self, life))
        life.context.begin(step)
        try:
            life.wait = resume(life, event, self.now_us)
        except StopIteration as stop:
            self.end(life, "Completed", copy.deepcopy(stop.value))
        except Cancelled as cancelled:
            self.end(life, "Cancelled", cancelled.reason)
        except BaseException as error:
            del self.effects[mark:]
            self.tables = tables
            self.drop(life)
            for name in ("unread", "children", "topics", "asks"):
                setattr(life, name, getattr(before, name))
            self.fail(life, cause, error, failures)
        else:
            life.steps.append(step)
            self.drop_orphaned_results(life)
            source = timed(life.wait)
            if self.first_unread(life) is not None:
                self.effects.append(("tell", life.number, Message("next", self.now_us)))
            elif source is not None and source.due_us <= self.now_us and self.catches_up(life):
                self.effects.append(("tell", life.number, Message("tick", source.due_us)))

    def fail(self, life: Life, cause: Message, error: BaseException, failures: int) -> None:
        """Wait for the next try, or fail; the results of children go on waiting."""
        life.failed_on = cause
        life.error = f"{type(error).__name__}: {error}"
        pause_s = None if life.kind.retry is None else life.kind.retry.pause_s(failures + 1)
        if pause_s is not None:
            life.failures = failures + 1
            life.retry_at_us = self.now_us + round(pause_s * 1_000_000)
            return
        life.status = "Failed"
        for ask in life.asks:
            self.effects.append(("reply", ask.ticket, Failure()))
        life.asks = []
        self.tell_parent(life, life.error)

    def retry(self, life: Life) -> bool:
        """Run the message on which a workflow failed again."""
        if life.status != "Failed" and not life.failures:
            return False
        self.go_on(life, life.failed_on, life.failures)
        return True

    def back_off(self, life: Life, message: Message) -> bool:
        """Until the next try, all but a cancel waits."""
        if message.kind == "kill" or (message.kind == "cancel" and not life.steps):
            self.end(life, "Cancelled", message.what)
        elif message.kind == "cancel":
            self.go_on(life, message, 0)
        elif message.kind in ("signal", "done"):
            self.keep(life, message)
        elif message.kind == "tick" and life.retry_at_us <= self.now_us:
            return self.retry(life)
        else:
            return False
        return True

    def go_on(self, life: Life, message: Message, failures: int) -> None:
        life.status, life.failures, life.retry_at_us, life.error = "Suspended", 0, None, None
        self.offer(life, message, may_skip=False, failures=failures)

    def end(self, life: Life, status: str, outcome: Any) -> None:
        """Complete or cancel: the children by their policies, then the parent."""
        told = life.status == "Failed"
        life.status, life.failures, life.retry_at_us = status, 0, None
        life.result = outcome if status == "Completed" else None
        life.error = outcome if status == "Cancelled" else None
        for child, policy in life.children.items():
            if policy == "activity":
                self.effects.append(("abandon", child))
            elif policy == "cancel":
                reason = f"its parent, workflow {life.number}, ended"
                self.effects.append(("tell", child, Message("cancel", self.now_us, reason)))
        for ask in life.asks:
            self.effects.append(("reply", ask.ticket, Failure()))
        if not told:
            self.tell_parent(life, outcome)
        life.children, life.unread, life.asks, life.topics = {}, [], [], []
        self.drop(life)

    def tell_parent(self, life: Life, outcome: Any) -> None:
        if life.parent is not None:
            done = Message("done", self.now_us, (life.number, life.status, outcome))
            self.effects.append(("tell", life.parent, done))

    # -- what stands between steps -----------------------------------------------------------------------------

    def keep(self, life: Life, message: Message) -> None:
        if message.kind == "done":
            # A child that failed and was retried: its latest result counts.
            life.unread = [old for old in life.unread if old.kind != "done" or old.what[0] != message.what[0]]
            life.children.pop(message.what[0], None)
        life.unread.append(message)

    def first_unread(self, life: Life) -> int | None:
        fitting = (i for i, message in enumerate(life.unread) if source_of(life.wait, message) is not None)
        return next(fitting, None)

    def catches_up(self, life: Life) -> bool:
        return any(
            isinstance(source, Periodic) and source.missed == "catch_up" and source.due_us <= self.now_us
            for source in life.wait
        )

    def drop_orphaned_results(self, life: Life) -> None:
        """Forget results that no handle reaches any more."""
        reached = handles_in(frames_of(life.coroutine)) | handles_in(life.wait)
        life.unread = [
            message for message in life.unread if message.kind != "done" or message.what[0] in reached
        ]

    def due_of(self, life: Life) -> int | None:
        """When something happens to a workflow by itself."""
        if life.failures:
            return life.retry_at_us
        if not life.active or not life.steps:
            return None
        self.warm(life)
        source = timed(life.wait)
        return None if source is None else source.due_us

    def warm(self, life: Life) -> None:
        if life.coroutine is None:
            enter(life, ModelContext(self, life))

    def drop(self, life: Life) -> None:
        """Throw a coroutine away."""
        if life.coroutine is not None:
            life.coroutine.close()
        life.coroutine, life.context, life.wait = None, None, ()

    # -- what a step may do ------------------------------------------------------------------------------------

    def next_id(self) -> int:
        number = next(self.ids, None)
        assert number is not None, "the engine drew fewer ids in this turn"
        return number

    def make(self, number: int, call: Any, entity: Any, group: Any, parent: int | None) -> Life:
        return Life(number, call.type, call.args, call.kwargs, entity, group, parent, self.now_us)

    def refuses(self, number: int, signal: Any) -> bool:
        """Whether a workflow takes no signal of this class, now or ever."""
        spawned = [
            effect[1] for effect in self.effects if effect[0] == "spawn" and effect[1].number == number
        ]
        life = self.lives.get(number) or next(iter(spawned), None)
        return life is None or not life.active or not life.takes(signal)

    def send(
        self,
        signal: Any,
        *,
        workflow_id: int | None = None,
        entity_id: int | None = None,
        correlation_id: str | None = None,
    ) -> None:
        message = Message("signal", self.now_us, signal)
        if workflow_id is None:
            self.effects.append(("post", (None, entity_id, correlation_id), message))
            return
        if self.refuses(workflow_id, signal):
            raise SignalNotAccepted(type(signal).__name__, workflow_id, "")
        self.effects.append(("tell", workflow_id, message))

    def publish_later(self, signal: Any, publisher: int | None = None) -> None:
        self.effects.append(("publish", Message("signal", self.now_us, signal), publisher))

    def spawn(self, parent: Life, call: Any, entity: Any, group: Any, policy: str) -> Pending:
        child = self.make(self.next_id(), call, entity, group, parent.number)
        parent.children[child.number] = policy
        self.effects.append(("spawn", child))
        return Pending(child.number)

    def ask_outside(self, owner: Life, call: Any, attempts: int) -> Pending:
        number = self.next_id()
        owner.children[number] = "activity"
        self.effects.append(("launch", number, (owner.number, call.args[0], attempts)))
        return Pending(number, is_activity=True)

    def reply(self, life: Life, signal: Any, value: Any) -> bool:
        for ask in life.asks:
            if ask.what == signal:
                life.asks = [other for other in life.asks if other is not ask]
                self.effects.append(("reply", ask.ticket, value))
                return True
        return False

    def reduce(self, reducer: Any, args: tuple[Any, ...]) -> Any:
        """Run a reducer; what it raises takes all that it did back."""
        tables = {name: Rows(rows) for name, rows in self.tables.items()}
        mark = len(self.effects)
        try:
            return copy.deepcopy(reducer.function(ReducerView(self), *args))
        except Exception:
            self.tables = tables
            del self.effects[mark:]
            raise

"""The stepper: one message, one step of one workflow.

It takes a workflow and a message, runs the workflow's code from one await to the next, and gives the new row and
the effects of the step. It knows neither actors nor the store, so that the replay tool verifies with the same
code that ran the game. After a failed step the instance is what its last row says, as if the step had never
begun.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import rows
from .checks import digest_of
from .codec import Codec
from .endings import Endings
from .errors import Cancelled, DeathlessError, LimitError
from .instance import Instance, flatten
from .limits import Limits
from .messages import (
    ASK,
    CANCEL,
    CHILD_DONE,
    FIRE,
    NEXT,
    RETRY,
    SIGNAL,
    START,
    STATUS_CODE,
    TICK,
    Message,
    Status,
)
from .outbox import Neighbours
from .port import Port
from .registry import Registry
from .signal import signal_from
from .snapshots import Snapshots
from .versions import CodeBook, HeldError
from .waits import SKIPPED, catches_up, elapsed, event_of, source_of

_SUSPENDED = Status.SUSPENDED


class Stepper(Endings):
    """Runs steps, one at a time. One stepper serves a whole world.

    Attributes:
        outbox: the effects of the last step; take them after each `handle`.
        types: the registered workflows.
        signals: the signal classes that they accept, by name.
        paranoid: resume every step from its bytes.
        run: runs a workflow's code to its next await; who wants to see each such run puts something of their own here.
        report: is told of steps that fail and of workflows that are held: event, workflow, why.
        faults: how many steps have failed, those that are tried again too.
        held: ids of workflows that the loaded code could not go on with.
    """

    def __init__(
        self,
        registry: Registry,
        codes: CodeBook,
        codec: Codec,
        neighbours: Neighbours,
        *,
        seed: int = 0,
        limits: Limits | None = None,
        paranoid: bool = False,
    ) -> None:
        self.limits = limits or Limits()
        self.paranoid = paranoid
        self._codec = codec
        self._neighbours = neighbours
        self._snapshots = Snapshots(codec, codes, self.limits)
        self.outbox = Port(registry, codec, self._snapshots, neighbours, seed=seed, limits=self.limits)
        self.run: Callable[[Instance, Message, Any, BaseException | None], bytes] = self._run
        self.report: Callable[[str, Instance, str], None] = lambda *_: None
        self._base: bytes | None = None
        # How often the step that is tried again has failed before.
        self._failures = 0
        self.faults = 0
        self.held: set[int] = set()
        self.reload(registry)

    def reload(self, registry: Registry) -> None:
        """Go on with other code; every instance must be cold."""
        self._codec.forget()
        # Each of them is tried again with the new code.
        self.held.clear()
        self.outbox.registry = registry
        self.types = registry.workflows
        self.signals = registry.signals
        self._snapshots.accepts = {
            name: {signal: signal.__name__ for signal in kind.accepts}
            for name, kind in registry.workflows.items()
        }

    def handle(self, instance: Instance, message: Message) -> bytes | None:
        """Handle one message: run a step if it fits the wait, else keep the message or drop it.

        Returns:
            The new row, or None where nothing changed.
        """
        self._base = None
        # The common cases, written out: the awaited signal or timer of a warm workflow without unread messages.
        if message[0] == SIGNAL and instance.unread is None and instance.coroutine is not None:
            # A name that no loaded class has equals no source, and goes the long way.
            signal: Any = self.signals.get(message[2])
            for source in instance.wait:
                if source is signal:
                    due_us = instance.due_us
                    if due_us is None or due_us >= message[1]:
                        try:
                            event = signal_from(signal, self._codec.unpack(message[3]), message[4])
                        except Exception as error:  # noqa: BLE001 - the class has changed since the signal was sent.
                            return self._fail(instance, message, error)
                        return self.run(instance, message, event, None)
                    break
        elif message[0] == TICK and instance.unread is None and instance.coroutine is not None:
            due_us, now_us = instance.due_us, self.outbox.now_us
            if due_us is None or due_us > now_us:
                return None
            event = elapsed(instance.wait, now_us)
            if event is SKIPPED:
                return self._skip(instance, due_us)
            return self.run(instance, (TICK, due_us), event, None)
        return self._handle_other(instance, message)

    def _handle_other(self, instance: Instance, message: Message, *, may_skip: bool = True) -> bytes | None:
        kind = message[0]
        if kind == ASK:
            return self._take_ask(instance, message)
        if kind == RETRY:
            return self._retry(instance)
        if instance.failures:
            return self._back_off(instance, message)
        if instance.status is Status.FAILED and kind == CANCEL and message[3]:
            return self._end(instance, Status.CANCELLED, message[2])
        if instance.status is not _SUSPENDED:
            # A failed parent may be retried: the results of its children wait in its row.
            failed = instance.status is Status.FAILED
            return self._keep(instance, message) if failed and kind == CHILD_DONE else None
        if kind == FIRE:
            return self._fire(instance)
        if kind == CANCEL and (message[3] or not instance.started):
            return self._end(instance, Status.CANCELLED, message[2])
        if instance.coroutine is None:
            if not instance.started:
                return self._start(instance) if kind in (START, TICK, NEXT) else self._keep(instance, message)
            if not self._thaw(instance):
                return self._keep(instance, message)
        if kind == CANCEL:
            return self.run(instance, message, None, Cancelled(message[2]))
        if kind in (SIGNAL, CHILD_DONE):
            self._base = self._keep(instance, message)
            if source_of(instance.wait, message) is None:
                # What was unread before is looked at when the wait or the time changes.
                return self._base
        following = self._next(instance, may_skip=may_skip)
        return self._base if following is None else following

    def _take_ask(self, instance: Instance, message: Message) -> bytes | None:
        """Note who wants an answer, and go on as with any signal."""
        _, time_us, name, payload, layout, ticket, input_id = message
        if instance.status is not _SUSPENDED:
            self._refuse_asks(instance, [[ticket, name, payload, input_id]], f"has ended ({instance.status})")
            return None
        asks = instance.asks or []
        if len(asks) >= self.limits.asks:
            self._refuse_asks(
                instance, [[ticket, name, payload, input_id]], f"has {len(asks)} open questions already"
            )
            return None
        instance.asks = [*asks, [ticket, name, digest_of(payload), input_id]]
        base = self._base = rows.patch(self._last_row(instance), asks=instance.asks)
        row = self._handle_other(instance, (SIGNAL, time_us, name, payload, layout))
        return base if row is None else row

    def _fire(self, instance: Instance) -> bytes | None:
        """Let the next timer of the wait fire, whatever its time; in a workflow that has none nothing happens."""
        if instance.coroutine is None and (not instance.started or not self._thaw(instance)):
            return None
        due_us = instance.due_us
        if due_us is None:
            return self._base
        event = elapsed(instance.wait, max(due_us, self.now_us), may_skip=False)
        return self.run(instance, (FIRE, self.now_us), event, None)

    def _next(self, instance: Instance, *, may_skip: bool = True) -> bytes | None:
        """Run a step with what is ready first: the oldest fitting message, or a due timer that is older."""
        index = self._first_unread(instance)
        unread = instance.unread or []
        due_us = instance.due_us
        if due_us is not None and due_us <= self.now_us and (index is None or due_us < unread[index][1]):
            event = elapsed(instance.wait, self.now_us, may_skip=may_skip)
            if event is SKIPPED:
                return self._skip(instance, due_us)
            return self.run(instance, (TICK, due_us), event, None)
        if index is None:
            return None
        message = unread[index]
        instance.unread = unread[:index] + unread[index + 1 :] or None
        if message[0] == CANCEL:
            return self.run(instance, (NEXT, message[1]), None, Cancelled(message[2]))
        following = (NEXT, message[1])
        try:
            event, error = event_of(source_of(instance.wait, message), message, self._codec.unpack)
        except Exception as problem:  # noqa: BLE001 - a class has changed since the message was sent.
            return self._fail(instance, following, problem)
        return self.run(instance, following, event, error)

    def _skip(self, instance: Instance, due_us: int) -> bytes:
        """Keep that a periodic source has passed over some beats, and go on with what else is ready; no code runs."""
        try:
            self._base = self._snapshots.pack_suspended(instance, instance.wait, instance.updated_us)
        except Exception as problem:  # noqa: BLE001 - the code has changed since the wait began.
            return self._fail(instance, (TICK, due_us), problem)
        following = self._next(instance)
        if following is not None:
            return following
        if self.paranoid:
            instance.chill()
        return self._base

    def _first_unread(self, instance: Instance) -> int | None:
        """Return the index of the oldest unread message that the wait takes, or None."""
        for index, message in enumerate(instance.unread or ()):
            if message[0] == CANCEL or source_of(instance.wait, message) is not None:
                return index
        return None

    def _start(self, instance: Instance) -> bytes:
        kind = self.types.get(instance.type_name)
        if kind is None:
            return self._hold(instance, f"workflow type {instance.type_name!r} is not registered")
        try:
            args, kwargs = self._codec.unpack(rows.first_arguments(self._last_row(instance)))
            instance.coroutine = kind.program.function(instance, *args, **kwargs)
        except (DeathlessError, TypeError) as error:
            return self._hold(instance, f"its arguments no longer fit {instance.type_name!r}: {error}")
        instance.held = None
        self.held.discard(instance.workflow_id)
        instance.started = True
        return self.run(instance, (START, instance.created_us), None, None)

    def _run(self, instance: Instance, message: Message, event: Any, error: BaseException | None) -> bytes:
        """Run the code to its next await or its end; whatever escapes fails the workflow, not the world."""
        coroutine = instance.coroutine
        assert coroutine is not None
        instance.label = None
        try:
            wait = coroutine.send(event) if error is None else coroutine.throw(error)
            row = self._snapshots.pack_suspended(instance, wait, self.outbox.now_us)
            if len(row) >= self.limits.state_warn:
                self._judge_size(instance, row)
        except StopIteration as stop:
            return self._complete(instance, message, stop.value)
        except Cancelled as cancelled:
            return self._end(instance, Status.CANCELLED, cancelled.reason)
        except KeyboardInterrupt:
            # Nobody's failure: the program is being interrupted, and the turn with it.
            raise
        except BaseException as failure:  # noqa: BLE001 - a failing step is the workflow's failure, even by `sys.exit()`.
            return self._fail(instance, message, failure)
        if instance.unread is not None and self._first_unread(instance) is not None:
            self.outbox.tell(instance.workflow_id, (NEXT, self.now_us))
        else:
            due_us = instance.due_us
            if due_us is not None and due_us <= self.outbox.now_us and catches_up(wait, self.outbox.now_us):
                # A step for each beat, and others in between.
                self.outbox.tell(instance.workflow_id, (TICK, due_us))
        if self.paranoid:
            instance.chill()
        return row

    def _retry(self, instance: Instance) -> bytes | None:
        """Run the message that failed again, on the snapshot that it failed on."""
        if instance.status is not Status.FAILED and not instance.failures:
            return None
        message = tuple(rows.read_field(rows.split(self._last_row(instance)), rows.OUTCOME)[2])
        self._failures = instance.failures
        try:
            return self._go_on(instance, message)
        finally:
            self._failures = 0

    def _back_off(self, instance: Instance, message: Message) -> bytes | None:
        """Handle a message to a workflow whose step waits to be tried again: until then it is buffered."""
        kind = message[0]
        if kind == CANCEL:
            if message[3] or not instance.started:
                return self._end(instance, Status.CANCELLED, message[2])
            return self._go_on(instance, message)
        if kind in (SIGNAL, CHILD_DONE):
            return self._keep(instance, message)
        assert instance.due_us is not None, "a back-off ends"
        ready = kind == FIRE or (kind == TICK and instance.due_us <= self.now_us)
        return self._retry(instance) if ready else None

    def _go_on(self, instance: Instance, message: Message) -> bytes:
        """Forget that a step has failed, and handle a message on its snapshot."""
        row = self._last_row(instance)
        self._base = rows.patch(row, status=STATUS_CODE[_SUSPENDED], outcome=None, updated=self.now_us)
        instance.load(self._base)
        # A beat that failed is not skipped the second time, however late it is.
        again = self._handle_other(instance, message, may_skip=False)
        return self._base if again is None else again

    # -- messages that run nothing -------------------------------------------------------------------------

    def _keep(self, instance: Instance, message: Message) -> bytes | None:
        """Buffer a message that no await takes yet."""
        if message[0] not in (SIGNAL, CHILD_DONE, CANCEL):
            if instance.held is None or rows.read_head(self._last_row(instance)).due_us == 0:
                return self._base
            return rows.patch(self._last_row(instance), due=0)
        # A held workflow is due at once, so that the next start of the world looks whether it can go on.
        changes: dict[str, Any] = {"due": 0 if instance.held is not None else instance.due_us}
        if message[0] == CHILD_DONE and instance.children:
            instance.children.pop(message[2], None)
            instance.children = instance.children or None
            changes["children"] = flatten(instance.children)
        if message[0] == CHILD_DONE and any(
            m[0] == CHILD_DONE and m[2] == message[2] for m in instance.unread or ()
        ):
            # A child that failed and was retried: its latest result counts.
            kept = [m for m in instance.unread or () if m[0] != CHILD_DONE or m[2] != message[2]]
            instance.unread = [*kept, list(message)]
            return rows.patch(self._last_row(instance), unread=instance.unread, **changes)
        if instance.unread is None:
            instance.unread = []
        instance.unread.append(list(message))
        return rows.add_unread(self._last_row(instance), message, **changes)

    def _hold(self, instance: Instance, why: str) -> bytes:
        instance.held = why
        self.held.add(instance.workflow_id)
        instance.due_us = None
        self.report("workflow_held", instance, why)
        return rows.patch(self._last_row(instance), due=0)

    def _thaw(self, instance: Instance) -> bool:
        """Make a cold workflow warm. False where it is held."""
        if instance.held is not None:
            return False
        row = self._last_row(instance)
        try:
            instance.coroutine = self._snapshots.thaw(instance, row, self.signals)
        except (HeldError, DeathlessError) as error:
            instance.wait, instance.due_us, instance.held = (), None, str(error)
            self.report("workflow_held", instance, instance.held)
            self.held.add(instance.workflow_id)
            return False
        if rows.read_head(row).due_us != instance.due_us:
            # It was held, or waited for its next try: its own timer counts again.
            self._base = rows.patch(row, due=instance.due_us)
        return True

    def _judge_size(self, instance: Instance, row: bytes) -> None:
        limits = self.limits
        # What others have sent is bounded by itself, and is not this step's doing.
        fields = rows.split(row)
        size = len(row) - len(fields[rows.UNREAD]) - len(fields[rows.ASKS])
        if size < limits.state_warn:
            return
        if size > limits.state_max:
            what = f"the state of workflow {instance.workflow_id} ({instance.type_name})"
            raise LimitError(what, value=size, limit=limits.state_max, setting="state_max")
        before = len(self._neighbours.last_row(instance.workflow_id))
        if (before // limits.state_warn).bit_length() >= (size // limits.state_warn).bit_length():
            # Said before: it is said at the limit, and again at each doubling.
            return
        log = self._neighbours.logger_of(instance)
        say = log.error if size >= limits.state_error else log.warning
        say("large_state", bytes=size, warn_at=limits.state_warn, refuse_at=limits.state_max)

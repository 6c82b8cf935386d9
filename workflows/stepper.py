"""The stepper: one message, one step of one workflow.

It takes a workflow and a message, runs the workflow's code from one await to the next, and gives the new row and
the effects of the step. It knows neither actors nor the store, so that the replay tool verifies with the same
code that ran the game. What a step does is buffered in `effects` and counts only if the step succeeds; after a
failure the instance is what its last row says, as if the step had never begun.
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Mapping
from typing import Any, Protocol

from . import rows
from .codec import Codec
from .compiler import capture_stack, resume_stack
from .context import Context, OnParentClose
from .definition import Call, WorkflowType
from .errors import (
    ArgumentsError,
    Cancelled,
    ChildCancelled,
    ChildFailed,
    DeathlessError,
    LimitError,
    SignalNotAccepted,
    UnstorableError,
    WorkflowMisuseError,
)
from .instance import Instance, flatten
from .limits import MAX_ID, Limits
from .messages import (
    CANCEL,
    CHILD_DONE,
    NEXT,
    RETRY,
    SIGNAL,
    START,
    STATUS_CODE,
    TICK,
    Message,
    Status,
)
from .randomness import DurableRandom
from .signal import Signal, SignalType, signal_from, signal_values
from .sources import US, Child, ChildDone, Elapsed, Every, Join, Sleep, Timer
from .versions import CodeBook, HeldError

# Effects, in the order in which the step made them.
TELL = 0
"""(TELL, workflow_id, message): to exactly this workflow."""
SEND = 1
"""(SEND, entity_id, correlation_id, signal name, payload): to all active workflows there that accept it."""
SPAWN = 2
"""(SPAWN, instance, row): a new workflow, whose START follows."""

_SUSPENDED = STATUS_CODE[Status.SUSPENDED]
_POLICIES = {"abandon": 0, "cancel": 1}


class Neighbours(Protocol):
    """What a step may ask of the world around its workflow. Answers are part of what replay must know."""

    def new_workflow_id(self) -> int:
        """Return an id that was never used."""
        ...

    def refusal(self, workflow_id: int, signal: type[Signal]) -> str | None:
        """Return why a workflow does not take a signal, or None if it does."""
        ...

    def check_room(
        self, workflow_id: int | None, entity_id: int | None, correlation_id: str | None, signal: type[Signal]
    ) -> None:
        """Raise `LimitError` if a receiver has too many unread signals."""
        ...

    def last_row(self, workflow_id: int) -> bytes:
        """Return the row that the workflow's last successful step left."""
        ...

    def logger_of(self, context: Context) -> Any:
        """Return a logger bound to the workflow."""
        ...


class Stepper:
    """Runs steps, one at a time. One stepper serves a whole world.

    Attributes:
        now_us: time of the current turn; set it before `handle`.
        effects: what the last step did; take and clear it after each `handle`.
        paranoid: resume every step from its bytes.
    """

    def __init__(
        self,
        types: Mapping[str, WorkflowType[Any, Any]],
        codes: CodeBook,
        codec: Codec,
        neighbours: Neighbours,
        *,
        seed: int = 0,
        limits: Limits | None = None,
        paranoid: bool = False,
    ) -> None:
        self.types = types
        self.codes = codes
        self.codec = codec
        self.limits = limits or Limits()
        self.paranoid = paranoid
        self.now_us = 0
        self.effects: list[tuple[Any, ...]] = []
        self.signals: dict[str, type[Signal]] = {
            signal.__name__: signal for kind in types.values() for signal in kind.accepts
        }
        self._neighbours = neighbours
        self._random = DurableRandom(seed)
        self._base: bytes | None = None

    def reload(self, types: Mapping[str, WorkflowType[Any, Any]]) -> None:
        """Go on with other code; every instance must be cold."""
        self.types = types
        self.signals = {signal.__name__: signal for kind in types.values() for signal in kind.accepts}

    # -- starting ------------------------------------------------------------------------------------------

    def pack_call(self, call: Call[Any]) -> bytes:
        """Pack a call's arguments.

        Raises:
            ArgumentsError: a value has no durable form.
            LimitError: they are too large.
        """
        try:
            payload = self.codec.pack([list(call.args), call.kwargs])
        except UnstorableError as error:
            raise ArgumentsError(call.type.name, str(error)) from error
        self._check_payload(f"the size of the arguments of workflow {call.type.name!r}", payload)
        return payload

    def pack_signal(self, signal: Signal) -> bytes:
        """Pack a signal's fields.

        Raises:
            UnstorableError: a field has no durable form.
            LimitError: it is too large.
        """
        payload = self.codec.pack(signal_values(signal))
        if len(payload) > self.limits.payload:
            self._check_payload(f"the size of signal {type(signal).__name__}", payload)
        return payload

    def create(
        self,
        workflow_id: int,
        type_name: str,
        arguments: bytes,
        *,
        entity_id: int | None,
        correlation_id: str | None,
        parent_id: int | None,
        now_us: int,
    ) -> tuple[Instance, bytes]:
        """Make a workflow that has not started: the instance and its first row. A START message runs it."""
        instance = Instance(
            self,
            workflow_id,
            type_name,
            entity_id=entity_id,
            correlation_id=correlation_id,
            parent_id=parent_id,
            created_us=now_us,
        )
        return instance, self._pack(instance, arguments, [], None, is_plain=True)

    # -- the step ------------------------------------------------------------------------------------------

    def handle(self, instance: Instance, message: Message) -> bytes | None:
        """Handle one message: run a step if it fits the wait, else keep the message or drop it.

        Returns:
            The new row, or None where nothing changed.
        """
        self._base = None
        if message[0] == SIGNAL and instance.unread is None and instance.coroutine is not None:
            signal = self.signals.get(message[2])
            for source in instance.wait:
                if source is signal:
                    due_us = instance.due_us
                    if due_us is None or due_us >= message[1]:
                        event = signal_from(signal, self.codec.unpack(message[3]))
                        return self._run(instance, message, event, None)
                    break
        return self._handle_other(instance, message)

    def _handle_other(self, instance: Instance, message: Message) -> bytes | None:
        """Handle what is not simply the awaited signal."""
        kind = message[0]
        if kind == RETRY:
            return self._retry(instance)
        if instance.status is not Status.SUSPENDED:
            return self._keep_for_retry(instance, message)
        if kind == CANCEL and (message[3] or not instance.started):
            return self._end(instance, Status.CANCELLED, message[2])
        if instance.coroutine is None:
            if not instance.started:
                if kind in (START, TICK, NEXT):
                    return self._start(instance)
                return self._keep(instance, message)
            if not self._thaw(instance):
                return self._keep(instance, message)
        if kind == CANCEL:
            return self._run(instance, message, None, Cancelled(message[2]))
        if kind in (SIGNAL, CHILD_DONE):
            row = self._base = self._keep(instance, message)
            following = self._next(instance)
            return row if following is None else following
        return self._next(instance)

    def _next(self, instance: Instance) -> bytes | None:
        """Run a step with what is ready first: the oldest fitting message, or a due timer that is older."""
        index, source = self._first_unread(instance)
        due_us = instance.due_us
        if (
            due_us is not None
            and due_us <= self.now_us
            and (index is None or due_us < instance.unread[index][1])
        ):  # type: ignore[index]
            return self._run(instance, (TICK, due_us), self._elapsed(instance), None)
        if index is None:
            return None
        unread = instance.unread
        assert unread is not None
        message = unread[index]
        rest = unread[:index] + unread[index + 1 :]
        instance.unread = rest or None
        event, error = self._event(source, message)
        return self._run(instance, (NEXT, message[1]), event, error)

    def _first_unread(self, instance: Instance) -> tuple[int | None, Any]:
        if instance.unread is not None:
            for index, message in enumerate(instance.unread):
                if message[0] == CANCEL:
                    return index, None
                for source in instance.wait:
                    if message[0] == SIGNAL:
                        if type(source) is SignalType and source.__name__ == message[2]:
                            return index, source
                    elif type(source) in (Child, Join) and source.workflow_id == message[2]:
                        return index, source
        return None, None

    def _event(self, source: Any, message: Message) -> tuple[Any, BaseException | None]:
        """Return what an unread message gives at its source: a value to send or an exception to throw."""
        if message[0] == CANCEL:
            return None, Cancelled(message[2])
        if message[0] == SIGNAL:
            return signal_from(source, self.codec.unpack(message[3])), None
        _, _, child_id, status, outcome = message
        result, error = None, None
        if status == STATUS_CODE[Status.COMPLETED]:
            result = self.codec.unpack(outcome)
        else:
            failed = status == STATUS_CODE[Status.FAILED]
            error = (ChildFailed if failed else ChildCancelled)(child_id, outcome)
        if type(source) is Join:
            return result, error
        return ChildDone(source, result, error), None

    def _elapsed(self, instance: Instance) -> Any:
        """Return the event of the timer that came due first; of equals, the one listed first."""
        first = min(
            (source for source in instance.wait if type(source) in (Timer, Sleep, Every)),
            key=lambda s: s.due_us,
        )
        if type(first) is Every:
            return first.beat(self.now_us)
        if type(first) is Timer:
            return Elapsed(first.name, first.due_us / US)
        return None

    def _start(self, instance: Instance) -> bytes:
        kind = self.types.get(instance.type_name)
        if kind is None:
            return self._hold(instance, f"workflow type {instance.type_name!r} is not registered")
        stored = rows.arguments(rows.split(self._last_row(instance)))
        assert stored is not None, "a workflow starts once"
        args, kwargs = self.codec.unpack(stored)
        try:
            instance.coroutine = kind.program.function(instance, *args, **kwargs)
        except TypeError as error:
            return self._hold(
                instance, f"the arguments no longer fit workflow {instance.type_name!r}: {error}"
            )
        instance.held = None
        instance.started = True
        return self._run(instance, (START, instance.created_us), None, None)

    def _run(self, instance: Instance, message: Message, event: Any, error: BaseException | None) -> bytes:
        """Run the code to its next await or its end; whatever escapes fails the workflow, not the world."""
        coroutine = instance.coroutine
        assert coroutine is not None
        instance.label = None
        try:
            wait = coroutine.send(event) if error is None else coroutine.throw(error)
            return self._suspend(instance, wait)
        except StopIteration as stop:
            return self._complete(instance, message, stop.value)
        except Cancelled as cancelled:
            return self._end(instance, Status.CANCELLED, cancelled.reason)
        except Exception as failure:  # noqa: BLE001 - a failing step is the workflow's failure.
            return self._fail(instance, message, failure)
        except BaseException:
            # The program is being interrupted: undo the step, so that the message can be handled again.
            self.effects.clear()
            self._base = None
            instance.load(self._last_row(instance))
            raise

    def _suspend(self, instance: Instance, wait: Any) -> bytes:
        coroutine = instance.coroutine
        frames = capture_stack(coroutine)
        number_of = self.codes.number_of
        if len(frames) == 1:
            program, site, values = frames[0]
            stack = [[number_of(program), site.number, *values]]
        else:
            stack = [[number_of(program), site.number, *values] for program, site, values in frames]
            values = [value for frame in frames for value in frame[2]]
        if type(wait) is not tuple or not wait:
            raise WorkflowMisuseError(_not_a_wait(instance, wait))
        stored: list[Any] = []
        due_us: int | None = None
        for source in wait:
            kind = type(source)
            if kind is SignalType:
                stored.append(source.__name__)
                continue
            if kind is Timer:
                stored.append([rows.WAIT_TIMER, source.due_us, source.name])
            elif kind is Sleep:
                stored.append([rows.WAIT_SLEEP, source.due_us])
            elif kind is Child:
                stored.append([rows.WAIT_CHILD, source.workflow_id])
                continue
            elif kind is Join:
                stored.append([rows.WAIT_JOIN, source.workflow_id])
                continue
            elif kind is Every:
                stored.append([rows.WAIT_EVERY, source])
                values = [*values, source]
            else:
                raise WorkflowMisuseError(_not_a_source(instance, source))
            if due_us is None or source.due_us < due_us:
                due_us = source.due_us
        if len(wait) > self.limits.sources:
            raise LimitError(
                "the number of sources", value=len(wait), limit=self.limits.sources, setting="sources"
            )
        instance.wait = wait
        instance.due_us = due_us
        instance.updated_us = self.now_us
        try:
            if instance.unread is not None:
                self._drop_orphaned_results(instance, values)
            row = self._pack(instance, stack, stored, None, is_plain=self.codec.is_tree(values))
        except UnstorableError as error:
            raise self._name_unstorable(instance, frames, error) from None
        if len(row) >= self.limits.state_warn:
            self._judge_size(instance, row)
        if instance.unread is not None and self._ready(instance):
            self.effects.append((TELL, instance.workflow_id, (NEXT, self.now_us)))
        if self.paranoid:
            instance.chill()
        return row

    def _ready(self, instance: Instance) -> bool:
        return self._first_unread(instance)[0] is not None

    def _complete(self, instance: Instance, message: Message, result: Any) -> bytes:
        try:
            outcome = self.codec.pack(result)
            self._check_payload(f"the size of the result of workflow {instance.type_name!r}", outcome)
        except (UnstorableError, LimitError) as error:
            if isinstance(error, UnstorableError):
                error = UnstorableError(
                    error.found, where=f"the result of workflow {instance.type_name!r}", why=error.why
                )
            return self._fail(instance, message, error)
        return self._end(instance, Status.COMPLETED, outcome)

    def _end(self, instance: Instance, status: Status, outcome: Any) -> bytes:
        """Complete or cancel: tell the parent, and the children by their policy."""
        instance.status = status
        instance.due_us = None
        instance.updated_us = self.now_us
        for child_id, policy in (instance.children or {}).items():
            if policy:
                reason = f"its parent, workflow {instance.workflow_id}, ended"
                self.effects.append((TELL, child_id, (CANCEL, self.now_us, reason, False)))
        instance.children = instance.unread = None
        self._tell_parent(instance, status, outcome)
        instance.chill()
        return self._pack(instance, None, [], outcome, is_plain=True)

    def _tell_parent(self, instance: Instance, status: Status, outcome: Any) -> None:
        if instance.parent_id is not None:
            done = (CHILD_DONE, self.now_us, instance.workflow_id, STATUS_CODE[status], outcome)
            self.effects.append((TELL, instance.parent_id, done))

    def _fail(self, instance: Instance, message: Message, error: Exception) -> bytes:
        """Fail: undo the step, keep snapshot and message for a retry, tell the parent."""
        self.effects.clear()
        row = self._last_row(instance)
        limit = self.limits.error_message
        text = f"{type(error).__name__}: {error}"[:limit]
        trace = "".join(traceback.format_exception(error))[-8 * limit :]
        row = rows.patch(
            row,
            due=None,
            status=STATUS_CODE[Status.FAILED],
            updated=self.now_us,
            outcome=[text, trace, list(message)],
        )
        instance.load(row)
        self._tell_parent(instance, Status.FAILED, text)
        return row

    # -- messages that run nothing -------------------------------------------------------------------------

    def _keep(self, instance: Instance, message: Message) -> bytes | None:
        """Buffer a message that no await takes yet."""
        if message[0] not in (SIGNAL, CHILD_DONE, CANCEL):
            return None
        if message[0] == CHILD_DONE:
            self._forget_child(instance, message[2])
        instance.unread = [*(instance.unread or ()), list(message)]
        # A held workflow is due at once, so that the next start of the world looks whether it can go on.
        due_us = 0 if instance.held is not None else instance.due_us
        return rows.patch(
            self._last_row(instance),
            due=due_us,
            unread=instance.unread,
            children=flatten(instance.children),
        )

    def _keep_for_retry(self, instance: Instance, message: Message) -> bytes | None:
        """Let the results of children wait in a failed parent's row; nothing else reaches the ended."""
        if instance.status is Status.FAILED and message[0] == CHILD_DONE:
            return self._keep(instance, message)
        return None

    def _forget_child(self, instance: Instance, child_id: int) -> None:
        if instance.children and child_id in instance.children:
            children = {number: policy for number, policy in instance.children.items() if number != child_id}
            instance.children = children or None

    def _retry(self, instance: Instance) -> bytes | None:
        """Run the message that failed again, on the snapshot that it failed on."""
        if instance.status is not Status.FAILED:
            return None
        row = self._last_row(instance)
        message = tuple(rows.read_field(rows.split(row), rows.OUTCOME)[2])
        row = rows.patch(row, status=_SUSPENDED, outcome=None, updated=self.now_us)
        instance.load(row)
        self._base = row
        again = self._handle_other(instance, message)
        return row if again is None else again

    def _hold(self, instance: Instance, why: str) -> bytes:
        instance.held = why
        instance.due_us = None
        return rows.patch(self._last_row(instance), due=0)

    # -- children and signals: the port of Context ---------------------------------------------------------

    def send(
        self,
        sender: Context,  # noqa: ARG002 - part of the port; a replay tool asks who sent.
        signal: Signal,
        workflow_id: int | None,
        entity_id: int | None,
        correlation_id: str | None,
    ) -> None:
        """Buffer a signal; see `Context.signal`."""
        cls = type(signal)
        if not isinstance(signal, Signal):
            raise WorkflowMisuseError(f"ctx.signal takes a Signal, not {signal!r}")
        if (workflow_id is not None) + (entity_id is not None) + (correlation_id is not None) != 1:
            raise WorkflowMisuseError(
                "ctx.signal takes exactly one of workflow_id, entity_id, correlation_id"
            )
        if workflow_id is not None:
            refusal = self._neighbours.refusal(workflow_id, cls)
            if refusal is not None:
                raise SignalNotAccepted(cls.__name__, workflow_id, refusal)
        self._neighbours.check_room(workflow_id, entity_id, correlation_id, cls)
        payload = self.pack_signal(signal)
        self._check_effects()
        if workflow_id is not None:
            self.effects.append((TELL, workflow_id, (SIGNAL, self.now_us, cls.__name__, payload)))
        else:
            self.effects.append((SEND, entity_id, correlation_id, cls.__name__, payload))

    def spawn(
        self,
        parent: Context,
        call: Call[Any],
        entity_id: int | None,
        correlation_id: str | None,
        on_parent_close: OnParentClose,
    ) -> int:
        """Buffer the start of a child; see `Context.spawn`."""
        assert isinstance(parent, Instance)
        if not isinstance(call, Call):
            raise WorkflowMisuseError(
                f"ctx.spawn takes a called workflow such as combat(enemy=7), not {call!r}"
            )
        if on_parent_close not in _POLICIES:
            raise WorkflowMisuseError(f"on_parent_close is 'cancel' or 'abandon', not {on_parent_close!r}")
        if self.types.get(call.type.name) is not call.type:
            raise WorkflowMisuseError(
                f"workflow type {call.type.name!r} is not registered; give it to Runtime(path, [...])"
            )
        check_address(entity_id, correlation_id, self.limits)
        children = parent.children or {}
        waiting = sum(message[0] == CHILD_DONE for message in parent.unread or ())
        if len(children) + waiting >= self.limits.children:
            raise LimitError(
                f"the number of children of workflow {parent.workflow_id}",
                value=len(children) + waiting + 1,
                limit=self.limits.children,
                setting="children",
            )
        self._check_effects()
        arguments = self.pack_call(call)
        child_id = self._neighbours.new_workflow_id()
        instance, row = self.create(
            child_id,
            call.type.name,
            arguments,
            entity_id=entity_id,
            correlation_id=correlation_id,
            parent_id=parent.workflow_id,
            now_us=self.now_us,
        )
        if parent.children is None:
            parent.children = {}
        parent.children[child_id] = _POLICIES[on_parent_close]
        self.effects.append((SPAWN, instance, row))
        return child_id

    def random_of(self, context: Context) -> random.Random:
        """Return the world's generator pointed at this workflow's counter."""
        self._random.drawer = context
        return self._random

    def logger_of(self, context: Context) -> Any:
        """Return a logger bound to the workflow."""
        return self._neighbours.logger_of(context)

    # -- cold and warm -------------------------------------------------------------------------------------

    def _thaw(self, instance: Instance) -> bool:
        """Make a cold workflow warm: enter its code at its await. False where it is held."""
        if instance.held is not None:
            return False
        try:
            fields = self.codec.unpack(self._last_row(instance))
            frames = []
            for number, site_number, *values in fields[rows.STACK]:
                fit = self.codes.fit(number, site_number)
                frames.append((fit.program, fit.site, fit.arrange(values) if fit.arrange else values))
            instance.wait, instance.due_us = self.load_wait(fields[rows.WAIT])
            instance.coroutine = resume_stack(frames, instance)
        except (HeldError, DeathlessError) as error:
            instance.wait, instance.due_us, instance.held = (), None, str(error)
            return False
        return True

    def load_wait(self, stored: list[Any]) -> tuple[tuple[Any, ...], int | None]:
        """Return the sources of a stored wait and the first due time among them.

        Raises:
            HeldError: it awaits a signal that no loaded workflow knows.
        """
        sources: list[Any] = []
        for item in stored:
            if isinstance(item, str):
                if item not in self.signals:
                    raise HeldError(f"it awaits signal {item!r}, which no registered workflow accepts")
                sources.append(self.signals[item])
            elif item[0] == rows.WAIT_TIMER:
                sources.append(Timer(item[1], item[2]))
            elif item[0] == rows.WAIT_SLEEP:
                sources.append(Sleep(item[1]))
            elif item[0] == rows.WAIT_CHILD:
                sources.append(Child(item[1]))
            elif item[0] == rows.WAIT_JOIN:
                sources.append(Join(item[1]))
            else:
                sources.append(item[1])
        return tuple(sources), min((s.due_us for s in sources if hasattr(s, "due_us")), default=None)

    # -- packing and bounds --------------------------------------------------------------------------------

    def _pack(
        self, instance: Instance, stack: Any, wait: list[Any], outcome: Any, *, is_plain: bool
    ) -> bytes:
        fields = [
            instance.due_us,
            STATUS_CODE[instance.status],
            instance.type_name,
            instance.entity_id,
            instance.correlation_id,
            instance.parent_id,
            instance.created_us,
            instance.updated_us,
            instance.draws,
            instance.label,
            stack,
            wait,
            instance.unread,
            flatten(instance.children),
            outcome,
        ]
        return self.codec.pack_tree(fields) if is_plain else self.codec.pack_shared(fields)

    def _last_row(self, instance: Instance) -> bytes:
        """Return the row to fall back to: what this call of `handle` has made so far, else the stored one."""
        if self._base is not None:
            return self._base
        return self._neighbours.last_row(instance.workflow_id)

    def _check_payload(self, what: str, payload: bytes) -> None:
        if len(payload) > self.limits.payload:
            raise LimitError(what, value=len(payload), limit=self.limits.payload, setting="payload")

    def _check_effects(self) -> None:
        if len(self.effects) >= self.limits.effects:
            raise LimitError(
                "the number of signals and spawns of one step",
                value=len(self.effects) + 1,
                limit=self.limits.effects,
                setting="effects",
            )

    def _judge_size(self, instance: Instance, row: bytes) -> None:
        size = len(row)
        if size > self.limits.state_max:
            raise LimitError(
                f"the state of workflow {instance.workflow_id} ({instance.type_name})",
                value=size,
                limit=self.limits.state_max,
                setting="state_max",
            )
        log = self.logger_of(instance)
        say = log.error if size >= self.limits.state_error else log.warning
        say("large_state", bytes=size, warn_at=self.limits.state_warn, refuse_at=self.limits.state_max)

    def _drop_orphaned_results(self, instance: Instance, values: list[Any]) -> None:
        """Forget results of children that no handle reaches any more: nobody can await them."""
        unread = instance.unread
        assert unread is not None
        if not any(message[0] == CHILD_DONE for message in unread):
            return
        awaited = [source for source in instance.wait if type(source) in (Child, Join)]
        reachable = {handle.workflow_id for handle in (*self.codec.instances(values, (Child,)), *awaited)}
        kept = [message for message in unread if message[0] != CHILD_DONE or message[2] in reachable]
        instance.unread = kept or None

    def _name_unstorable(self, instance: Instance, frames: Any, error: UnstorableError) -> Exception:
        """Find the local variable that made packing fail."""
        for program, site, values in frames:
            place = f"{program.filename}:{site.line}"
            for name, value in zip((*site.variables, *site.hidden), values, strict=True):
                try:
                    self.codec.pack(value)
                except UnstorableError as found:
                    what = (
                        f"local variable {name!r}"
                        if not name.startswith(".")
                        else "a value that a statement keeps"
                    )
                    where = f"{what} of workflow {instance.type_name!r}"
                    return UnstorableError(found.found, where=where, place=place, why=found.why)
        return error


def check_address(entity_id: int | None, correlation_id: str | None, limits: Limits) -> None:
    """Raise where an entity id is no u64 or a correlation id is no short text.

    Raises:
        ValueError: an entity id out of range.
        TypeError: of the wrong type.
        LimitError: a correlation id that is too long.
    """
    if entity_id is not None:
        if type(entity_id) is not int:
            raise TypeError(f"entity_id is a whole number, not {entity_id!r}")
        if not 0 <= entity_id <= MAX_ID:
            raise ValueError(f"entity_id {entity_id} is not within 0 to 2**64 - 1")
    if correlation_id is not None:
        if type(correlation_id) is not str:
            raise TypeError(f"correlation_id is a text, not {correlation_id!r}")
        size = len(correlation_id.encode())
        if size > limits.name:
            raise LimitError("the size of a correlation id", value=size, limit=limits.name, setting="name")


def _not_a_wait(instance: Instance, wait: Any) -> str:
    if wait == ():
        return f"workflow {instance.type_name!r} waits for nothing; give ctx.select or ctx.receive a source"
    return (
        f"workflow {instance.type_name!r} awaited something that is no ctx primitive (it gave {wait!r}); "
        "only ctx primitives, children and routines can be awaited in a workflow"
    )


def _not_a_source(instance: Instance, source: Any) -> str:
    return (
        f"workflow {instance.type_name!r} waits for {source!r}; sources are signal classes, ctx.timer(...), "
        "ctx.every(...) and children"
    )

"""The intake: where calls from any thread become inputs of the next turn.

Everything is checked and encoded at the call, so that wrong input raises there and changes nothing; what is
accepted is in order under one lock.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, NoReturn

from ..actors import WORLD_ID, ActorSystem
from ..workflows.checks import (
    check_address,
    check_size,
    check_workflow_id,
    pack_arguments,
    pack_call,
    size_of_text,
)
from ..workflows.codec import Codec
from ..workflows.definition import Call, WorkflowType
from ..workflows.errors import (
    LimitError,
    RuntimeClosedError,
    SignalNotAccepted,
    UnknownReducerError,
    UnknownSignalError,
    UnknownWorkflowError,
    UnknownWorkflowTypeError,
)
from ..workflows.limits import MAX_ID, Limits
from ..workflows.messages import (
    ACTIVITY_FAILED,
    ASK,
    CALL,
    CANCEL,
    RETRY,
    SIGNAL,
    STATUS_CODE,
    Status,
)
from ..workflows.outbox import InputRecord
from ..workflows.reducer import Reducer
from ..workflows.registry import Registry
from ..workflows.rows import read_head
from ..workflows.signal import Signal, SignalType, form_of, signal_values
from .clock import Clock
from .ids import IdAllocator
from .input_ids import InputIds
from .inputs import ActivityInput, Input, NamedInput, StartInput
from .meters import Meters

PUBLISHED = "published"
MANY_INPUTS = 4
"""So many times the bound on unread signals are inputs of one turn before their addresses are counted."""
ONE_ADDRESS = "give exactly one of workflow_id, entity_id, correlation_id"


class Intake:
    """Checks, encodes and orders inputs.

    Attributes:
        lock: guards the inputs, the ids and the clock as an input sees it.
        ids: where new workflow ids come from.
    """

    def __init__(
        self,
        registry: Registry,
        system: ActorSystem,
        codec: Codec,
        clock: Clock,
        ids: IdAllocator,
        limits: Limits,
        meters: Meters,
        turn: int,
    ) -> None:
        """Create an empty intake.

        Args:
            registry: what may be named.
            system: asked whether a receiver is there and takes a signal.
            codec: one of its own, since a packer serves one thread at a time.
            clock: gives each input its time.
            ids: the world's.
            limits: bounds.
            meters: count what is accepted.
            turn: the last finished turn.
        """
        self.lock = threading.RLock()
        self.ids = ids
        self._registry = registry
        self._types = registry.workflows
        self._system = system
        self._mailboxes = system.mailboxes
        self._codec = codec
        self._clock = clock
        self._limits = limits
        self._meters = meters
        self._accepted = meters.accepted
        self._closed = ""
        self._inputs: list[Input] = []
        self._input_ids = InputIds(system.tables, limits.name)
        # How many of the first so many inputs are signals to an address; see `_is_flooded`.
        self._sent: defaultdict[Any, int] = defaultdict(int)
        self._counted = 0
        self._many = MANY_INPUTS * limits.unread
        # Types of workflows that are accepted, by id; then, of those whose turn is under way.
        self._starting: dict[int, str] = {}
        self._started: dict[int, str] = {}
        self._next_turn = turn + 1
        self._signals = registry.signals
        self._forms = {signal: form_of(signal) for signal in registry.signals.values()}

    def take(self, *, last: bool = False) -> list[Input]:
        """Hand what was accepted to the turn that begins; later inputs are for the turn after it.

        Args:
            last: there is none after it: later inputs are refused.
        """
        with self.lock:
            inputs, self._inputs = self._inputs, []
            self._meters.note_taken()
            self._started, self._starting = self._starting, {}
            self._sent.clear()
            self._counted = 0
            self._input_ids.take()
            self._next_turn += 1
            if last:
                self._closed = "the world is closed"
        return inputs

    def open(self) -> None:
        """Accept inputs again after all."""
        with self.lock:
            self._closed = ""

    def close(self, why: str) -> None:
        """Refuse every later input."""
        with self.lock:
            self._closed = why

    @property
    def waiting(self) -> int:
        """How many inputs the next turn will take."""
        return len(self._inputs)

    def once(self, input_id: str | None, kind: str, accept: Callable[[], tuple[int, int]]) -> tuple[int, int]:
        """Accept an input, unless one of this name was accepted before.

        Args:
            input_id: its name, or None for an input without one.
            kind: what it is, for the record.
            accept: accepts it and returns (ref, turn), as `InputRecord` has them.

        Returns:
            (ref, turn), of the first time.

        Raises:
            InputIdError: the name was used for something else.
        """
        if input_id is None:
            return accept()
        with self.lock:
            known = self._input_ids.find(input_id, kind)
            if known is None:
                ref, turn = accept()
                known = InputRecord(self._clock.now_us(), kind, ref, turn)
                self._input_ids.note(input_id, known)
                # Before the input itself: an answer that it gets at once is put into the record.
                at = len(self._inputs) - 1
                self._inputs.insert(at, NamedInput(known.time_us, input_id, known.pack()))
            return known.ref, known.turn

    def record_of(self, input_id: str, kind: str) -> InputRecord | None:
        """Return what is known of a named input."""
        with self.lock:
            return self._input_ids.find(input_id, kind)

    @property
    def next_turn(self) -> int:
        """The turn that takes what is accepted now."""
        return self._next_turn

    def conflicts(
        self,
        what: Call[Any] | str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any] | None,
        entity_id: int | None,
        correlation_id: str | None,
    ) -> tuple[str, list[tuple[int, bool]]]:
        """Return a start's type, and the workflows of that type, entity and correlation id, ascending.

        Each is (id, whether a turn has taken it). Active ones count and accepted starts, without those of which an
        accepted cancel would make an end. The caller keeps turns from running meanwhile.
        """
        name = self._called(what, args, kwargs).type.name
        check_address(entity_id, correlation_id, self._limits)
        if entity_id is None and correlation_id is None:
            raise ValueError(
                "on_conflict needs an entity_id or a correlation_id, by which a conflict is found"
            )
        key = (name, entity_id, correlation_id)
        ids = self._system.directory.addressed(None, entity_id, correlation_id)
        found = {number: True for number in ids if self._key_of(number) == key}
        with self.lock:
            for item in self._inputs:
                if isinstance(item, StartInput):
                    if (item.type_name, item.entity_id, item.correlation_id) == key:
                        found[item.workflow_id] = False
                elif not isinstance(item, ActivityInput | NamedInput) and item[3][0] == CANCEL:
                    if item[0] is not None:
                        found.pop(item[0], None)
                    elif (item[1] is not None and item[1] == entity_id) or (
                        item[2] is not None and item[2] == correlation_id
                    ):
                        found.clear()
        return name, sorted(found.items())

    def _key_of(self, workflow_id: int) -> tuple[str, int | None, str | None] | None:
        row = self._system.rows.row(workflow_id)
        if row is None:
            return None
        head = read_head(row)
        return head.type_name, head.entity_id, head.correlation_id

    def start(
        self,
        what: Call[Any] | str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any] | None,
        entity_id: int | None,
        correlation_id: str | None,
    ) -> tuple[int, int]:
        """Accept a start; return the workflow's id and the turn that takes it."""
        call = self._called(what, args, kwargs)
        check_address(entity_id, correlation_id, self._limits)
        with self.lock:
            arguments = pack_call(call, self._codec, self._limits)
            return self._accept_start(call.type.name, arguments, entity_id, correlation_id), self._next_turn

    def start_many(self, starts: Iterable[Any]) -> tuple[list[int], int]:
        """Accept many starts, all or none; return their ids and the turn that takes them."""
        checked = []
        if not isinstance(starts, Iterable):
            raise TypeError(f"start_many takes a list of calls, not {starts!r}")
        for item in starts:
            call, entity_id, correlation_id = _start_of(item)
            self._called(call, (), None)
            check_address(entity_id, correlation_id, self._limits)
            with self.lock:
                packed = pack_call(call, self._codec, self._limits)
            checked.append((call.type.name, packed, entity_id, correlation_id))
        with self.lock:
            return [self._accept_start(*start) for start in checked], self._next_turn

    def _accept_start(
        self, type_name: str, arguments: bytes, entity_id: int | None, correlation_id: str | None
    ) -> int:
        self._require_open()
        workflow_id = self.ids.take()
        self._starting[workflow_id] = type_name
        now_us = self._clock.now_us()
        self._accept(
            "start", StartInput(now_us, workflow_id, type_name, arguments, entity_id, correlation_id)
        )
        return workflow_id

    def signal(
        self,
        signal: Signal,
        workflow_id: int | None,
        entity_id: int | None,
        correlation_id: str | None,
        ask: tuple[str | None] | None = None,
    ) -> int:
        """Accept a signal; return the turn that takes it.

        With `ask`, (input id or None,), it wants an answer: then return its ticket.
        """
        cls = type(signal)
        form = self._forms.get(cls)
        if form is None:
            self._refuse_signal(signal)
        name, layout, values = form
        # The common case, written out: one entity.
        key: Any = entity_id
        if (
            type(entity_id) is not int
            or workflow_id is not None
            or correlation_id is not None
            or not 0 <= entity_id <= MAX_ID
        ):
            key = self._check_address(cls, workflow_id, entity_id, correlation_id)
        mailboxes = self._mailboxes
        if mailboxes.crowded:
            mailboxes.check_room(workflow_id, entity_id, correlation_id, cls)
        if len(self._inputs) >= self._many and self._is_flooded(key):
            mailboxes.check_flood(workflow_id, entity_id, correlation_id, cls)
        with self.lock:
            payload = self._codec.pack_list(values(signal))
            if len(payload) > self._limits.payload:
                check_size(f"the size of signal {name}", payload, self._limits)
            if self._closed:
                self._require_open()
            message = (SIGNAL, self._clock.now_us(), name, payload, layout)
            if ask is not None:
                ticket = self.ids.take()
                question = (ASK, *message[1:], ticket, ask[0])
                self._accept("ask", (workflow_id, entity_id, correlation_id, question))
                return ticket
            # `_accept`, written out.
            inputs = self._inputs
            if not inputs:
                self._meters.oldest_ns = time.perf_counter_ns()
            self._accepted["signal"] += 1
            inputs.append((workflow_id, entity_id, correlation_id, message))
            return self._next_turn

    def publish(self, signal: Signal) -> int:
        """Accept a signal to all who subscribed; return the turn that takes it."""
        cls = type(signal)
        if self._signals.get(cls.__name__) is not cls:
            self._refuse_signal(signal)
        with self.lock:
            self._require_open()
            payload = self._codec.pack_list(signal_values(signal))
            check_size(f"the size of signal {cls.__name__}", payload, self._limits)
            message = (SIGNAL, self._clock.now_us(), cls.__name__, payload, cls.layout)
            key = (PUBLISHED, cls.__name__)
            flooded = len(self._inputs) >= self._many and self._is_flooded(key)
            self._mailboxes.check_audience(message, None, self._codec, flooded=flooded)
            self._accept("publish", (None, None, None, message))
            return self._next_turn

    def cancel(
        self,
        workflow_id: int | None,
        entity_id: int | None,
        correlation_id: str | None,
        reason: str,
        *,
        force: bool,
    ) -> int:
        """Accept a cancel; return the turn that takes it."""
        if (workflow_id is None) + (entity_id is None) + (correlation_id is None) != 2:
            raise TypeError(ONE_ADDRESS)
        self._check_reason(reason)
        check_address(entity_id, correlation_id, self._limits)
        if workflow_id is not None:
            self._check_known(workflow_id)
        with self.lock:
            self._require_open()
            message = (CANCEL, self._clock.now_us(), reason, force)
            self._accept("cancel", (workflow_id, entity_id, correlation_id, message))
            return self._next_turn

    def cancel_many(self, workflow_ids: Iterable[int], reason: str, *, force: bool) -> int:
        """Accept cancels of many workflows, all or none; return the turn that takes them."""
        self._check_reason(reason)
        numbers = list(workflow_ids)
        for workflow_id in numbers:
            self._check_known(workflow_id)
        with self.lock:
            self._require_open()
            message = (CANCEL, self._clock.now_us(), reason, force)
            for workflow_id in numbers:
                self._accept("cancel", (workflow_id, None, None, message))
            return self._next_turn

    def retry(self, workflow_id: int) -> int:
        """Accept a retry; return the turn that takes it."""
        self._check_known(workflow_id)
        with self.lock:
            self._require_open()
            self._accept("retry", (workflow_id, None, None, (RETRY, self._clock.now_us())))
            return self._next_turn

    def retry_many(self, workflow_ids: Iterable[int]) -> int:
        """Accept retries of many workflows, all or none; return the turn that takes them."""
        numbers = list(workflow_ids)
        for workflow_id in numbers:
            self._check_known(workflow_id)
        with self.lock:
            self._require_open()
            message = (RETRY, self._clock.now_us())
            self._inputs += [(workflow_id, None, None, message) for workflow_id in numbers]
            return self._next_turn

    def call(
        self,
        what: Reducer[Any, Any] | str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        sender: str,
        input_id: str | None,
    ) -> int:
        """Accept a call of a reducer; return its ticket."""
        known = self._registry.reducers
        name = what if isinstance(what, str) else getattr(what, "name", "")
        reducer = known.get(name)
        if reducer is None or (what is not reducer and not isinstance(what, str)):
            if not isinstance(what, Reducer | str):
                raise TypeError(f"call takes a function decorated with @reducer or a name, not {what!r}")
            raise UnknownReducerError(name, tuple(sorted(known)))
        if not isinstance(sender, str) or not 0 < size_of_text("a sender", sender) <= self._limits.name:
            raise ValueError(f"a sender is a text of 1 to {self._limits.name} bytes, not {sender!r}")
        reducer.bind(args, kwargs)
        with self.lock:
            self._require_open()
            packed = pack_arguments(f"reducer {name!r}", args, kwargs, self._codec, self._limits)
            ticket = self.ids.take()
            message = (CALL, self._clock.now_us(), name, packed, sender, ticket, input_id)
            self._accept("call", (WORLD_ID, None, None, message))
            return ticket

    def end_activity(self, activity_id: int, workflow_id: int, packed: bytes | None, problem: str) -> None:
        """Accept the result of an activity; a world that has closed meanwhile begins it again when it is opened."""
        status = ACTIVITY_FAILED if packed is None else STATUS_CODE[Status.COMPLETED]
        outcome = problem[: self._limits.error_message] if packed is None else packed
        with self.lock:
            if not self._closed:
                now_us = self._clock.now_us()
                self._accept("activity", ActivityInput(now_us, activity_id, workflow_id, status, outcome))

    def order_results(self) -> bool:
        """Put the results of activities last and by their ids, so that threads do not decide; say if there are any."""
        with self.lock:
            results = [item for item in self._inputs if isinstance(item, ActivityInput)]
            others = [item for item in self._inputs if not isinstance(item, ActivityInput)]
            self._inputs = [*others, *sorted(results, key=attrgetter("activity_id"))]
        return bool(results)

    def put(self, inputs: list[Input]) -> None:
        """Put recorded inputs first, for a replay."""
        with self.lock:
            self._inputs[:0] = inputs

    def reload(self, registry: Registry) -> None:
        """Go on with other code."""
        with self.lock:
            self._registry = registry
            self._types = registry.workflows
            self._signals = registry.signals
            self._forms = {signal: form_of(signal) for signal in registry.signals.values()}
            self._codec.forget()

    def _accept(self, kind: str, item: Input) -> None:
        if not self._inputs:
            self._meters.oldest_ns = time.perf_counter_ns()
        self._accepted[kind] += 1
        self._inputs.append(item)

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeClosedError(self._closed)

    # -- checks --------------------------------------------------------------------------------------------

    def _called(
        self, what: Call[Any] | str, args: tuple[Any, ...], kwargs: Mapping[str, Any] | None
    ) -> Call[Any]:
        if isinstance(what, str):
            kind = self._types.get(what)
            if kind is None:
                raise UnknownWorkflowTypeError(what, tuple(sorted(self._types)))
            return kind(*args, **dict(kwargs or {}))
        if not isinstance(what, Call):
            hint = f"; call it first: {what.name}(...)" if isinstance(what, WorkflowType) else ""
            raise TypeError(f"start takes a called workflow or a name, not {what!r}{hint}")
        if args or kwargs:
            raise TypeError(f"arguments go into the call itself: {what.type.name}(...)")
        if self._types.get(what.type.name) is not what.type:
            raise UnknownWorkflowTypeError(what.type.name, tuple(sorted(self._types)))
        return what

    def _check_reason(self, reason: Any) -> None:
        if not isinstance(reason, str):
            raise TypeError(f"the reason of a cancel is a text, not {reason!r}")
        if size_of_text("the reason of a cancel", reason) > self._limits.error_message:
            raise LimitError(
                "the size of the reason of a cancel",
                value=len(reason.encode()),
                limit=self._limits.error_message,
                setting="error_message",
            )

    def _refuse_signal(self, signal: Any) -> NoReturn:
        if isinstance(signal, SignalType):
            raise TypeError(f"a signal is an instance, not a class: {signal.__name__}(...)")
        if not isinstance(signal, Signal):
            raise TypeError(f"a signal is an instance of a Signal class, not {signal!r}")
        raise UnknownSignalError(type(signal).__name__, tuple(sorted(self._signals)))

    def _is_flooded(self, key: Any) -> bool:
        """Say whether the next turn has its fill of signals to one address; asked only when it has many inputs."""
        with self.lock:
            inputs = self._inputs
            while self._counted < len(inputs):
                item: Any = inputs[self._counted]
                self._counted += 1
                if isinstance(item, StartInput | ActivityInput | NamedInput) or item[3][0] not in (
                    SIGNAL,
                    ASK,
                ):
                    continue
                workflow_id, entity_id, correlation_id, message = item
                if entity_id is not None:
                    self._sent[entity_id] += 1
                elif correlation_id is not None:
                    self._sent[correlation_id] += 1
                else:
                    self._sent[(PUBLISHED, message[2]) if workflow_id is None else -workflow_id] += 1
            return self._sent[key] >= self._limits.unread

    def _check_address(
        self, signal: type[Signal], workflow_id: int | None, entity_id: int | None, correlation_id: str | None
    ) -> int | str:
        """Check the address of a signal, and return what it is counted under: a workflow id as its negative."""
        if (workflow_id is None) + (entity_id is None) + (correlation_id is None) != 2:
            raise TypeError(ONE_ADDRESS)
        check_address(entity_id, correlation_id, self._limits)
        if workflow_id is not None:
            self._check_target(workflow_id, signal)
            return -workflow_id
        assert entity_id is None, "one entity is the common case"
        assert correlation_id is not None, "the address is of one kind"
        return correlation_id

    def _check_target(self, workflow_id: int, signal: type[Signal]) -> None:
        started = self._accepted_start(workflow_id)
        if started is not None:
            if signal not in self._types[started].accepts:
                why = f"workflow type {started!r} never awaits it"
                raise SignalNotAccepted(signal.__name__, workflow_id, why)
            return
        check_workflow_id(workflow_id)
        refusal = self._mailboxes.refusal(workflow_id, signal)
        if refusal is not None:
            raise SignalNotAccepted(signal.__name__, workflow_id, refusal)

    def _check_known(self, workflow_id: int) -> None:
        check_workflow_id(workflow_id)
        if self._accepted_start(workflow_id) is None and self._system.rows.row(workflow_id) is None:
            raise UnknownWorkflowError(workflow_id)

    def _accepted_start(self, workflow_id: int) -> str | None:
        """Return the type of a workflow whose start is accepted but not taken yet."""
        if workflow_id in self._system.directory.actors:
            return None
        with self.lock:
            started = self._starting.get(workflow_id)
            if started is None and self._system.rows.row(workflow_id) is None:
                started = self._started.get(workflow_id)
            return started


def _start_of(item: Any) -> tuple[Any, Any, Any]:
    """Return the call, entity id and correlation id of one of many starts."""
    if not isinstance(item, tuple):
        return item, None, None
    if not 1 <= len(item) <= 3:
        raise TypeError(
            f"start_many takes calls, (call, entity_id) or (call, entity_id, correlation_id), not {item!r}"
        )
    call, entity_id, correlation_id = (*item, None, None)[:3]
    return call, entity_id, correlation_id


def foreign_signal(intake: Callable[[], Intake]) -> Callable[[int, Signal], None]:
    """Return what a workflow actor does with a signal told through a pykka reference: it becomes an input."""

    def take(workflow_id: int, signal: Signal) -> None:
        intake().signal(signal, workflow_id, None, None)

    return take

"""The port: what a workflow asks of the world, checked at the call and buffered until its step has succeeded."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from .activity import ActivityCall
from .checks import (
    check_address,
    check_size,
    check_workflow_id,
    digest_of,
    pack_arguments,
    pack_call,
    pack_result,
)
from .codec import Codec
from .context import Context, OnParentClose
from .definition import Call
from .errors import LimitError, SignalNotAccepted, WorkflowMisuseError
from .instance import Instance
from .limits import Limits
from .messages import CHILD_DONE, SIGNAL, Message
from .outbox import (
    ACTIVITY_TABLE,
    LAUNCH,
    PUBLISH,
    REPLY,
    SEND,
    SPAWN,
    SUBSCRIBE,
    TELL,
    UNSUBSCRIBE,
    ActivityRecord,
    Answer,
    Neighbours,
    Outbox,
)
from .randomness import DurableRandom
from .reducer import Reducer
from .reducers import Reducers
from .registry import Registry
from .retry import Retry
from .signal import Signal, SignalType, signal_values
from .snapshots import Snapshots
from .topics import Topic

_POLICIES = {"abandon": 0, "cancel": 1}
MAX_TIMEOUT_S = 86_400
"""Seconds that one try of an activity may be given."""
ACTIVITY_POLICY = 2
"""Among the policies of children: it is an activity."""


class Port(Outbox):
    """The outbox as a `Context` sees it; the methods are those of `StepPort`.

    Attributes:
        registry: all that the world may run.
        codec, limits: the world's.
        reducers: runs reducers, inside a step or by themselves.
        run_reducer: runs one for a step; a recording or a playback puts its own here.
    """

    def __init__(
        self,
        registry: Registry,
        codec: Codec,
        snapshots: Snapshots,
        neighbours: Neighbours,
        *,
        seed: int,
        limits: Limits,
    ) -> None:
        super().__init__(neighbours)
        self._snapshots = snapshots
        self.registry = registry
        self.codec = codec
        self.limits = limits
        self.reducers = Reducers(self)
        self.run_reducer = self.reducers.run
        self._random = DurableRandom(seed)

    # -- signals -------------------------------------------------------------------------------------------

    def send(
        self,
        sender: Context | None,  # noqa: ARG002 - part of the port; a replay tool asks who sent. None: a reducer.
        signal: Signal,
        workflow_id: int | None,
        entity_id: int | None,
        correlation_id: str | None,
    ) -> None:
        """Buffer a signal; see `Context.signal`."""
        cls = _class_of(signal, "ctx.signal")
        if (workflow_id is None) + (entity_id is None) + (correlation_id is None) != 2:
            raise WorkflowMisuseError(
                "ctx.signal takes exactly one of workflow_id, entity_id, correlation_id"
            )
        check_address(entity_id, correlation_id, self.limits)
        if workflow_id is not None:
            check_workflow_id(workflow_id)
            refusal = self.neighbours.refusal(workflow_id, cls)
            if refusal is not None and not self._spawned(workflow_id, cls):
                raise SignalNotAccepted(cls.__name__, workflow_id, refusal)
        self.neighbours.check_room(workflow_id, entity_id, correlation_id, cls)
        message = self.pack_signal(signal)
        if workflow_id is not None:
            self.effects.append((TELL, workflow_id, message))
        else:
            self.effects.append((SEND, entity_id, correlation_id, message))

    def _spawned(self, workflow_id: int, signal: type[Signal]) -> bool:
        """Say whether this very step has started a workflow that takes the signal."""
        return any(
            effect[0] == SPAWN
            and effect[1].workflow_id == workflow_id
            and signal in self.registry.workflows[effect[1].type_name].accepts
            for effect in self.effects
        )

    def publish(self, sender: Context | None, signal: Signal) -> None:
        """Buffer a signal to all who subscribed to it; see `Context.publish`."""
        _class_of(signal, "ctx.publish")
        message = self.pack_signal(signal)
        publisher_id = None if sender is None else sender.workflow_id
        self.neighbours.check_audience(message, publisher_id, self.codec)
        self.effects.append((PUBLISH, publisher_id, message))

    def subscribe(self, subscriber: Context, signal: type[Signal], fields: Mapping[str, Any]) -> None:
        """Buffer a subscription; see `Context.subscribe`."""
        assert isinstance(subscriber, Instance)
        topic = self._topic(signal, fields, "ctx.subscribe")
        kind = self.registry.workflows[subscriber.type_name]
        if signal not in kind.accepts:
            raise WorkflowMisuseError(
                f"workflow {kind.name!r} subscribes to signal {signal.__name__}, which it never awaits; "
                f"await it, or say so: @workflow(signals=({signal.__name__},))"
            )
        topics = subscriber.topics or ()
        if topic in topics:
            return
        if len(topics) >= self.limits.topics:
            what = f"the number of subscriptions of workflow {subscriber.workflow_id}"
            raise LimitError(what, value=len(topics) + 1, limit=self.limits.topics, setting="topics")
        subscriber.topics = (*topics, topic)
        self.effects.append((SUBSCRIBE, subscriber.workflow_id, topic))

    def unsubscribe(self, subscriber: Context, signal: type[Signal], fields: Mapping[str, Any]) -> None:
        """Buffer the end of subscriptions; see `Context.unsubscribe`."""
        assert isinstance(subscriber, Instance)
        wanted = self._topic(signal, fields, "ctx.unsubscribe")
        topics = subscriber.topics or ()
        gone = [
            topic for topic in topics if topic == wanted or (not fields and topic.signal == wanted.signal)
        ]
        subscriber.topics = tuple(topic for topic in topics if topic not in gone) or None
        for topic in gone:
            self.effects.append((UNSUBSCRIBE, subscriber.workflow_id, topic))

    def _topic(self, signal: type[Signal], fields: Mapping[str, Any], what: str) -> Topic:
        if not isinstance(signal, SignalType) or signal is Signal:
            raise WorkflowMisuseError(f"{what} takes a Signal class, not {signal!r}")
        for name in fields:
            if name not in signal.field_names:
                known = ", ".join(signal.field_names) or "none"
                raise WorkflowMisuseError(
                    f"signal {signal.__name__} has no field {name!r}; its fields are {known}"
                )
        return Topic(signal.__name__, tuple((name, self.codec.pack(fields[name])) for name in sorted(fields)))

    def pack_signal(self, signal: Signal) -> Message:
        """Return the message of a signal."""
        cls = type(signal)
        payload = self.codec.pack_list(signal_values(signal))
        check_size(f"the size of signal {cls.__name__}", payload, self.limits)
        self.check_effects()
        return (SIGNAL, self.now_us, cls.__name__, payload, cls.layout)

    def create(
        self,
        workflow_id: int,
        type_name: str,
        arguments: bytes,
        *,
        entity_id: int | None,
        correlation_id: str | None,
        parent_id: int | None,
    ) -> tuple[Instance, bytes]:
        """Make a workflow that has not started: the instance and its first row. A START message runs it."""
        instance = Instance(
            self,
            workflow_id,
            type_name,
            entity_id=entity_id,
            correlation_id=correlation_id,
            parent_id=parent_id,
            created_us=self.now_us,
        )
        return instance, self._snapshots.pack_new(instance, arguments)

    def reply(self, replier: Context, signal: Signal, value: object) -> bool:
        """Answer the oldest question that is this signal; see `Context.reply`."""
        assert isinstance(replier, Instance)
        cls = _class_of(signal, "ctx.reply")
        payload = self.codec.pack_list(signal_values(signal))
        digest = digest_of(payload)
        for index, (ticket, name, asked, input_id) in enumerate(replier.asks or ()):
            if name == cls.__name__ and asked == digest:
                packed = pack_result(f"the answer to {cls.__name__}", value, self.codec, self.limits)
                replier.asks = [*replier.asks[:index], *replier.asks[index + 1 :]] or None  # type: ignore[index]
                self.check_effects()
                self.effects.append((REPLY, ticket, Answer(packed, ""), input_id))
                return True
        return False

    # -- children ------------------------------------------------------------------------------------------

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
        name = call.type.name
        if self.registry.workflows.get(name) is not call.type:
            raise WorkflowMisuseError(
                f"workflow type {name!r} is not registered; give it to Runtime(path, [...])"
            )
        check_address(entity_id, correlation_id, self.limits)
        self._check_children(parent)
        self.check_effects()
        arguments = pack_call(call, self.codec, self.limits)
        child_id = self.neighbours.new_workflow_id()
        instance, row = self.create(
            child_id,
            name,
            arguments,
            entity_id=entity_id,
            correlation_id=correlation_id,
            parent_id=parent.workflow_id,
        )
        if parent.children is None:
            parent.children = {}
        parent.children[child_id] = _POLICIES[on_parent_close]
        self.effects.append((SPAWN, instance, row))
        return child_id

    def call(
        self, caller: Context, reducer: Reducer[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run a reducer inside this step; see `Context.call`."""
        arguments = self.reducers.pack_call(reducer, args, kwargs)
        return self.codec.unpack(self.run_reducer(reducer, arguments, f"workflow:{caller.workflow_id}"))

    def run(self, parent: Context, call: ActivityCall[Any], retry: Retry, timeout: float | None) -> int:
        """Buffer the launch of an activity; see `Context.run`."""
        assert isinstance(parent, Instance)
        if not isinstance(call, ActivityCall):
            raise WorkflowMisuseError(f"ctx.run takes a called activity such as fetch(url), not {call!r}")
        name = call.activity.name
        if self.registry.activities.get(name) is not call.activity:
            raise WorkflowMisuseError(f"activity {name!r} is not registered; give it to Runtime(path, [...])")
        if not isinstance(retry, Retry):
            raise WorkflowMisuseError(f"retry of ctx.run is a Retry(...), not {retry!r}")
        if timeout is not None and (type(timeout) not in (int, float) or not 0 < timeout < MAX_TIMEOUT_S):
            raise WorkflowMisuseError(
                f"timeout of ctx.run is more than 0 and less than {MAX_TIMEOUT_S} seconds, not {timeout!r}"
            )
        self._check_children(parent)
        self.check_effects()
        packed = pack_arguments(f"activity {name!r}", call.args, call.kwargs, self.codec, self.limits)
        activity_id = self.neighbours.new_workflow_id()
        record = ActivityRecord(parent.workflow_id, parent.entity_id, name, packed, retry, timeout)
        if parent.children is None:
            parent.children = {}
        parent.children[activity_id] = ACTIVITY_POLICY
        self.write(ACTIVITY_TABLE, activity_id.to_bytes(8, "big"), record.pack())
        self.effects.append((LAUNCH, activity_id, record))
        return activity_id

    # -- the rest ------------------------------------------------------------------------------------------

    def random_of(self, context: Context) -> random.Random:
        """Return the world's generator pointed at this workflow's counter."""
        self._random.drawer = context
        return self._random

    def logger_of(self, context: Context) -> Any:
        """Return a logger bound to the workflow."""
        return self.neighbours.logger_of(context)

    # -- bounds --------------------------------------------------------------------------------------------

    def _check_children(self, parent: Instance) -> None:
        waiting = sum(message[0] == CHILD_DONE for message in parent.unread or ())
        count = len(parent.children or ()) + waiting + 1
        if count > self.limits.children:
            what = f"the number of children of workflow {parent.workflow_id}"
            raise LimitError(what, value=count, limit=self.limits.children, setting="children")

    def check_effects(self) -> None:
        """Raise `LimitError` where a step does too much."""
        count = len(self.effects) + 1
        if count > self.limits.effects:
            what = "the number of signals, starts and rows of one step"
            raise LimitError(what, value=count, limit=self.limits.effects, setting="effects")


def _class_of(signal: Any, what: str) -> type[Signal]:
    if not isinstance(signal, Signal):
        raise WorkflowMisuseError(f"{what} takes a Signal, not {signal!r}")
    return type(signal)

"""The outbox: what a step does to the world, buffered until the step has succeeded.

It is the port that every `Context` speaks through. After a failed step it is emptied as if the step had never
been.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Protocol

from .codec import Codec
from .context import Context, OnParentClose
from .definition import Call, WorkflowType
from .errors import ArgumentsError, LimitError, SignalNotAccepted, UnstorableError, WorkflowMisuseError
from .instance import Instance
from .limits import MAX_ID, Limits
from .messages import CHILD_DONE, SIGNAL, Message
from .randomness import DurableRandom
from .signal import Signal, signal_values
from .snapshots import Snapshots

# Effects, in the order in which the step made them.
TELL = 0
"""(TELL, workflow_id, message): to exactly this workflow."""
SEND = 1
"""(SEND, entity_id, correlation_id, message): to all active workflows there that accept the signal."""
SPAWN = 2
"""(SPAWN, instance, row): a new workflow, whose START follows."""

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

    def logger_of(self, context: Context, /) -> Any:
        """Return a logger bound to the workflow."""
        ...


class Outbox:
    """The effects of one step, and the port of its context.

    Attributes:
        now_us: time of the current turn.
        effects: what the step has done so far.
        types: the registered workflows.
    """

    def __init__(
        self,
        types: Mapping[str, WorkflowType[Any, Any]],
        codec: Codec,
        snapshots: Snapshots,
        neighbours: Neighbours,
        *,
        seed: int,
        limits: Limits,
    ) -> None:
        self.now_us = 0
        self.effects: list[tuple[Any, ...]] = []
        self.types = types
        self._codec = codec
        self._snapshots = snapshots
        self._neighbours = neighbours
        self._limits = limits
        self._random = DurableRandom(seed)

    def take(self) -> list[tuple[Any, ...]]:
        """Hand the effects over and begin anew."""
        effects, self.effects = self.effects, []
        return effects

    def tell(self, workflow_id: int, message: Message) -> None:
        """Buffer a message of the engine's own."""
        self.effects.append((TELL, workflow_id, message))

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

    # -- the port of Context -------------------------------------------------------------------------------

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
        if (workflow_id is None) + (entity_id is None) + (correlation_id is None) != 2:
            raise WorkflowMisuseError(
                "ctx.signal takes exactly one of workflow_id, entity_id, correlation_id"
            )
        check_address(entity_id, correlation_id, self._limits)
        if workflow_id is not None:
            refusal = self._neighbours.refusal(workflow_id, cls)
            if refusal is not None:
                raise SignalNotAccepted(cls.__name__, workflow_id, refusal)
        self._neighbours.check_room(workflow_id, entity_id, correlation_id, cls)
        payload = self._codec.pack_list(signal_values(signal))
        check_size(f"the size of signal {cls.__name__}", payload, self._limits)
        self._check_effects()
        message = (SIGNAL, self.now_us, cls.__name__, payload, cls.layout)
        if workflow_id is not None:
            self.effects.append((TELL, workflow_id, message))
        else:
            self.effects.append((SEND, entity_id, correlation_id, message))

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
        if self.types.get(name) is not call.type:
            raise WorkflowMisuseError(
                f"workflow type {name!r} is not registered; give it to Runtime(path, [...])"
            )
        check_address(entity_id, correlation_id, self._limits)
        self._check_children(parent)
        self._check_effects()
        arguments = pack_call(call, self._codec, self._limits)
        child_id = self._neighbours.new_workflow_id()
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

    def random_of(self, context: Context) -> random.Random:
        """Return the world's generator pointed at this workflow's counter."""
        self._random.drawer = context
        return self._random

    def logger_of(self, context: Context) -> Any:
        """Return a logger bound to the workflow."""
        return self._neighbours.logger_of(context)

    # -- bounds --------------------------------------------------------------------------------------------

    def _check_children(self, parent: Instance) -> None:
        waiting = sum(message[0] == CHILD_DONE for message in parent.unread or ())
        count = len(parent.children or ()) + waiting + 1
        if count > self._limits.children:
            what = f"the number of children of workflow {parent.workflow_id}"
            raise LimitError(what, value=count, limit=self._limits.children, setting="children")

    def _check_effects(self) -> None:
        count = len(self.effects) + 1
        if count > self._limits.effects:
            what = "the number of signals and spawns of one step"
            raise LimitError(what, value=count, limit=self._limits.effects, setting="effects")


def pack_call(call: Call[Any], codec: Codec, limits: Limits) -> bytes:
    """Pack a call's arguments.

    Raises:
        ArgumentsError: a value has no durable form.
        LimitError: they are too large.
    """
    try:
        payload = codec.pack([list(call.args), call.kwargs])
    except UnstorableError as error:
        raise ArgumentsError(call.type.name, str(error)) from error
    check_size(f"the size of the arguments of workflow {call.type.name!r}", payload, limits)
    return payload


def check_size(what: str, payload: bytes, limits: Limits) -> None:
    """Raise `LimitError` where a payload is too large."""
    if len(payload) > limits.payload:
        raise LimitError(what, value=len(payload), limit=limits.payload, setting="payload")


def check_address(entity_id: int | None, correlation_id: str | None, limits: Limits) -> None:
    """Check that an entity id is a u64 and a correlation id a short text.

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

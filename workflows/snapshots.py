"""Snapshots: a workflow into its row and back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from types import GeneratorType
from typing import Any

from . import rows
from .codec import Codec
from .codec.names import type_name
from .compiler import awaited_by, capture_stack, resume_stack
from .compiler.frames import RESUMED
from .context import PRIMITIVE
from .errors import LimitError, NotARoutineError, UnstorableError, WorkflowMisuseError
from .instance import Instance, flatten
from .limits import Limits
from .messages import CHILD_DONE, STATUS_CODE, Status
from .signal import Signal
from .sources import JOINING, Child, Join, Running
from .topics import store_topics
from .versions import CodeBook, HeldError
from .waits import children_of, load_wait, store_wait

_SUSPENDED = STATUS_CODE[Status.SUSPENDED]


class Snapshots:
    """Packs workflows, and makes cold ones warm.

    Attributes:
        accepts: the signal classes of each loaded workflow type, with their names.
    """

    def __init__(self, codec: Codec, codes: CodeBook, limits: Limits) -> None:
        self._codec = codec
        self._codes = codes
        self._limits = limits
        self.accepts: Mapping[str, Mapping[type[Signal], str]] = {}

    def pack_new(self, instance: Instance, arguments: bytes) -> bytes:
        """Return the row of a workflow that has not started."""
        return self._codec.pack_tree(_fields(instance, arguments, [], None))

    def pack_ended(self, instance: Instance, outcome: Any) -> bytes:
        """Return the row of a workflow that completed or was cancelled."""
        return self._codec.pack_tree(_fields(instance, None, [], outcome))

    def pack_suspended(self, instance: Instance, wait: Any, now_us: int) -> bytes:
        """Take over what a workflow awaits now, and return its row.

        Raises:
            UnstorableError: a local has no durable form; names it, the workflow and the line.
            NotARoutineError: it awaits a coroutine that is not compiled.
            WorkflowMisuseError: it awaits what cannot be awaited.
            LimitError: too many sources, or a state that is too large.
        """
        coroutine = instance.coroutine
        live, instance.live = instance.live, None
        number = None if live is None else self._codes.by_token.get(live[0])
        awaited = coroutine.cr_await  # type: ignore[union-attr] # It was just run.
        if (
            live is not None
            and number is not None
            and type(awaited) is GeneratorType
            and awaited.gi_code is PRIMITIVE
        ):
            # The common case, a workflow that awaits by itself: it left its frame's values in the order of the row.
            live[0] = number
            stack, values = [live], live
        else:
            number_of = self._codes.number_of
            frames = capture_stack(coroutine)
            self._check_primitive(coroutine)
            stack = [[number_of(program), site.number, *values] for program, site, values in frames]
            values = [value for frame in frames for value in frame[2]]
        stored, due_us, apart = store_wait(wait, stack, instance.type_name, self.accepts[instance.type_name])
        if len(wait) > self._limits.sources:
            what = "the number of sources"
            raise LimitError(what, value=len(wait), limit=self._limits.sources, setting="sources")
        if apart:
            values = [*values, *apart]
        if type(wait[0]) is Join and not self._may_end(instance, wait[0].workflow_id):
            child_id = wait[0].workflow_id
            raise WorkflowMisuseError(
                f"workflow {instance.type_name!r} waits for child {child_id}, whose result it has taken before; "
                "keep the result in a local"
            )
        instance.wait = wait
        instance.due_us = due_us
        instance.updated_us = now_us
        codec = self._codec
        try:
            if instance.unread is not None:
                self._drop_orphaned_results(instance, values)
            fields = [
                due_us,
                _SUSPENDED,
                None if instance.topics is None else store_topics(instance.topics),
                instance.type_name,
                instance.entity_id,
                instance.correlation_id,
                instance.parent_id,
                instance.created_us,
                now_us,
                instance.draws,
                instance.label,
                stack,
                stored,
                instance.unread,
                None if instance.children is None else flatten(instance.children),
                instance.asks,
                None,
            ]
            return codec.pack_tree(fields) if codec.is_tree(values) else codec.pack_shared(fields)
        except UnstorableError as error:
            raise self._name_unstorable(instance, error) from None

    def thaw(
        self, instance: Instance, row: bytes, signals: Mapping[str, type[Signal]]
    ) -> Coroutine[Any, Any, Any]:
        """Enter a cold workflow's code at its await, and take over what it awaits.

        Raises:
            HeldError: no await of the loaded code is surely the stored one.
            DecodeError, UnknownTypeError: a value does not decode with the loaded code.
        """
        fields = self._codec.unpack(row)
        frames = []
        for number, site_number, *values in fields[rows.STACK]:
            fit = self._codes.fit(number, site_number)
            fitting = values if fit.arrange is None else _arranged(fit.arrange, values)
            frames.append((fit.program, fit.site, fitting))
        instance.wait, instance.due_us = load_wait(fields[rows.WAIT], fields[rows.STACK], signals)
        return resume_stack(frames, instance)

    def _may_end(self, instance: Instance, child_id: int) -> bool:
        if instance.children is not None and child_id in instance.children:
            return True
        return any(message[0] == CHILD_DONE and message[2] == child_id for message in instance.unread or ())

    def _check_primitive(self, coroutine: Any) -> None:
        """Refuse an awaitable of the user's own: what it would do after the await is in no snapshot."""
        awaited = awaited_by(coroutine)
        code = _code_of(awaited)
        if code is not PRIMITIVE and code is not JOINING and code is not RESUMED:
            place = f"{coroutine.cr_code.co_filename}:{coroutine.cr_frame.f_lineno}"
            name = getattr(awaited, "__qualname__", None) or type_name(type(awaited))
            raise NotARoutineError(name, place)

    def _drop_orphaned_results(self, instance: Instance, values: list[Any]) -> None:
        """Forget results of children that no handle reaches any more: nobody can await them."""
        unread = instance.unread
        assert unread is not None
        if not any(message[0] == CHILD_DONE for message in unread):
            return
        reachable = {handle.workflow_id for handle in self._codec.instances(values, (Child, Running))}
        reachable.update(children_of(instance.wait))
        kept = [message for message in unread if message[0] != CHILD_DONE or message[2] in reachable]
        instance.unread = kept or None

    def _name_unstorable(self, instance: Instance, error: UnstorableError) -> UnstorableError:
        """Find the local variable that made packing fail."""
        for program, site, values in capture_stack(instance.coroutine):
            place = f"{program.filename}:{site.line}"
            named = [
                *(f"local variable {name!r}" for name in site.variables),
                *(f"the statement `{state}`" for state in site.hidden_state),
            ]
            for what, value in zip(named, values, strict=True):
                try:
                    self._codec.pack(value)
                except UnstorableError as found:
                    where = f"{what} of workflow {instance.type_name!r}"
                    return UnstorableError(found.found, where=where, place=place, why=found.why)
        return error


def _arranged(arrange: Callable[[list[Any]], list[Any]], values: list[Any]) -> list[Any]:
    try:
        return arrange(values)
    except Exception as error:
        if isinstance(error, HeldError):
            raise
        raise HeldError(f"its migrate function raised {type(error).__name__}: {error}") from error


def _code_of(awaited: Any) -> Any:
    return awaited.gi_code if type(awaited) is GeneratorType else None


def _fields(instance: Instance, stack: bytes | None, wait: list[Any], outcome: Any) -> list[Any]:
    return [
        instance.due_us,
        STATUS_CODE[instance.status],
        store_topics(instance.topics) if instance.status is Status.SUSPENDED else None,
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
        instance.asks,
        outcome,
    ]

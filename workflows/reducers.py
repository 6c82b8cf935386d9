"""`Reducers`: runs reducers, each as a savepoint within the effects of a step, and is the world that they see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from . import rows
from .checks import check_address, check_workflow_id, pack_arguments, pack_call, pack_result
from .definition import Call, WorkflowType
from .errors import (
    TableError,
    UnknownReducerError,
    UnknownWorkflowTypeError,
    WorkflowMisuseError,
    plain_text,
    text_of,
)
from .messages import CANCEL, FIRE, STATUSES, Message, Status
from .outbox import FIRE_ALL, FORGET, INPUT_TABLE, POST, REPLY, SPAWN, Answer, InputRecord
from .reducer import Reducer, ReducerContext, WorkflowHead
from .signal import Signal
from .sources import US
from .tables import Table, TableRows

if TYPE_CHECKING:
    from .port import Port

K = TypeVar("K")
V = TypeVar("V")


class Reducers:
    """The reducers of a world.

    Attributes:
        port: where their effects go.
    """

    def __init__(self, port: Port) -> None:
        self.port = port

    def pack_call(self, reducer: Reducer[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        """Check a call from inside the world, and pack its arguments; raises what `pack` does, and for no reducer."""
        if not isinstance(reducer, Reducer):
            raise WorkflowMisuseError(f"ctx.call takes a function decorated with @reducer, not {reducer!r}")
        if self._find(reducer.name) is not reducer:
            raise UnknownReducerError(reducer.name, tuple(sorted(self.port.registry.reducers)))
        return self.pack(reducer, args, kwargs)

    def call(
        self, reducer: Reducer[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any], sender: str
    ) -> Any:
        """Run a reducer for another one; what it raises undoes all that it did. Arguments and result are copies."""
        return self.port.codec.unpack(self.run(reducer, self.pack_call(reducer, args, kwargs), sender))

    def handle(self, message: Message) -> None:
        """Run a reducer for a call from outside; its answer is among the effects, and alone there where it raised."""
        _, _, name, arguments, sender, ticket, input_id = message
        try:
            answer = Answer(self.run(self._find(name), arguments, sender), "")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it raises is its caller's.
            answer = Answer(None, text_of(error), error)
        self.port.effects.append((REPLY, ticket, answer, input_id))

    def pack(self, reducer: Reducer[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        """Check and pack arguments.

        Raises:
            ArgumentsError: they do not bind.
            UnstorableError: they have no durable form.
            LimitError: they are too large.
        """
        reducer.bind(args, kwargs)
        return pack_arguments(f"reducer {reducer.name!r}", args, kwargs, self.port.codec, self.port.limits)

    def _find(self, name: str) -> Reducer[Any, Any]:
        reducer = self.port.registry.reducers.get(name)
        if reducer is None:
            raise UnknownReducerError(name, tuple(sorted(self.port.registry.reducers)))
        return reducer

    def run(self, reducer: Reducer[Any, Any], arguments: bytes, sender: str) -> bytes:
        """Run a reducer on packed arguments, and pack its result; what it raises undoes all that it did."""
        port = self.port
        mark = len(port.effects)
        try:
            args, kwargs = port.codec.unpack(arguments)
            context = ReducerContext(self, sender)
            try:
                result = reducer.function(context, *args, **kwargs)
            finally:
                context.close()
            return pack_result(f"the result of reducer {reducer.name!r}", result, port.codec, port.limits)
        except BaseException:
            port.undo(mark)
            raise

    # -- what a `ReducerContext` may do ----------------------------------------------------------------------

    def table_rows(self, table: Table[K, V]) -> TableRows[K, V]:
        """Return the rows of a registered table."""
        port = self.port
        if not isinstance(table, Table):
            raise WorkflowMisuseError(f"ctx.table takes a Table, not {table!r}")
        if port.registry.tables.get(table.name) is not table:
            raise TableError(f"table {table.name!r} is not registered; give it to Runtime(path, [...])")
        return TableRows(table, port, port.codec, port.limits)

    def start(
        self,
        call: Call[Any] | str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        entity_id: int | None,
        correlation_id: str | None,
    ) -> int:
        """Buffer a start; return its id."""
        port = self.port
        workflows = port.registry.workflows
        if isinstance(call, str):
            kind = workflows.get(call)
            if kind is None:
                raise UnknownWorkflowTypeError(call, tuple(sorted(workflows)))
            call = kind(*args, **kwargs)
        if not isinstance(call, Call):
            hint = f"; call it first: {call.name}(...)" if isinstance(call, WorkflowType) else ""
            raise WorkflowMisuseError(f"start takes a called workflow or a name, not {call!r}{hint}")
        name = call.type.name
        if workflows.get(name) is not call.type:
            raise UnknownWorkflowTypeError(name, tuple(sorted(workflows)))
        check_address(entity_id, correlation_id, port.limits)
        port.check_effects()
        packed = pack_call(call, port.codec, port.limits)
        workflow_id = port.neighbours.new_workflow_id()
        instance, row = port.create(
            workflow_id, name, packed, entity_id=entity_id, correlation_id=correlation_id, parent_id=None
        )
        port.effects.append((SPAWN, instance, row))
        return workflow_id

    def signal_class(self, name: str) -> type[Signal]:
        """Return the class that a name means, exactly or in snake case."""
        return self.port.registry.signal_class(name)

    def send(
        self, signal: Signal, workflow_id: int | None, entity_id: int | None, correlation_id: str | None
    ) -> None:
        """Buffer a signal."""
        self.port.send(None, signal, workflow_id, entity_id, correlation_id)

    def publish(self, signal: Signal) -> None:
        """Buffer a signal to all who subscribed."""
        self.port.publish(None, signal)

    def cancel(
        self,
        workflow_id: int | None,
        entity_id: int | None,
        correlation_id: str | None,
        reason: str,
        *,
        force: bool,
    ) -> None:
        """Buffer a cancel."""
        port = self.port
        if (workflow_id is None) + (entity_id is None) + (correlation_id is None) != 2:
            raise WorkflowMisuseError(
                "ctx.cancel takes exactly one of workflow_id, entity_id, correlation_id"
            )
        if not isinstance(reason, str):
            raise WorkflowMisuseError(f"the reason of a cancel is a text, not {reason!r}")
        check_address(entity_id, correlation_id, port.limits)
        if workflow_id is not None:
            check_workflow_id(workflow_id)
        port.check_effects()
        message = (CANCEL, port.now_us, plain_text(reason)[: port.limits.error_message], force)
        port.effects.append((POST, workflow_id, entity_id, correlation_id, message))

    def fire_timer(self, workflow_id: int) -> None:
        """Buffer the firing of a workflow's next timer."""
        check_workflow_id(workflow_id)
        self.port.tell(workflow_id, (FIRE, self.port.now_us))

    def fire_all_timers(self) -> int:
        """Buffer the firing of every workflow's next timer."""
        self.port.effects.append((FIRE_ALL,))
        return self.port.neighbours.next_timers()

    def forget(self, workflow_id: int) -> None:
        """Buffer the deletion of a workflow that has ended."""
        check_workflow_id(workflow_id)
        row = self.port.neighbours.find_row(workflow_id)
        if row is None and self.head(workflow_id) is None:
            return
        status = Status.SUSPENDED if row is None else STATUSES[rows.glance(row)[1]]
        if status.active:
            raise WorkflowMisuseError(
                f"workflow {workflow_id} has not ended, it is {status}; cancel it first"
            )
        self.port.effects.append((FORGET, workflow_id))

    def forget_inputs(self, before_us: int) -> int:
        """Buffer the deletion of records of named inputs."""
        old = [
            key
            for key, stored in self.port.scan(INPUT_TABLE, b"", None)
            if InputRecord.unpack(stored).time_us < before_us
        ]
        for key in old:
            self.port.write(INPUT_TABLE, key, None)
        return len(old)

    def head(self, workflow_id: int) -> WorkflowHead | None:
        """Return what is known of a workflow."""
        check_workflow_id(workflow_id)
        for effect in self.port.effects:
            if effect[0] == SPAWN and effect[1].workflow_id == workflow_id:
                return _head(workflow_id, effect[2])
        row = self.port.neighbours.find_row(workflow_id)
        return None if row is None else _head(workflow_id, row)

    def heads(self) -> Iterator[WorkflowHead]:
        """Iterate over all workflows."""
        for workflow_id, row in self.port.neighbours.workflow_rows():
            yield _head(workflow_id, row)

    def ended(self, before_us: int) -> Iterator[WorkflowHead]:
        """Iterate over the workflows that ended before a time."""
        for workflow_id in self.port.neighbours.ended_before(before_us):
            head = self.head(workflow_id)
            # One that was retried since, and failed again, has ended later.
            if head is not None and round(head.updated_at * US) < before_us:
                yield head

    def logger(self, sender: str) -> Any:
        """Return a logger bound to the sender."""
        return self.port.neighbours.logger_for(sender)


def _head(workflow_id: int, row: bytes) -> WorkflowHead:
    head = rows.read_head(row)
    return WorkflowHead(
        workflow_id,
        head.type_name,
        head.entity_id,
        head.correlation_id,
        head.parent_id,
        STATUSES[head.status],
        head.created_us / US,
        head.updated_us / US,
    )

"""`@reducer`: a function that changes tables and workflows in one go, all or nothing.

A workflow calls it inside its own step (`ctx.call`), a game in the next turn (`Runtime.call`), the command line and the
network by name. It must not wait and must not look at the world but through its context, for it is run again by a
replay.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from .definition import Call
from .errors import ArgumentsError, DefinitionError, WorkflowMisuseError
from .messages import Status
from .signal import Signal
from .sources import US
from .tables import Table, TableRows

if TYPE_CHECKING:
    from .reducers import Reducers

P = ParamSpec("P")
R = TypeVar("R")
K = TypeVar("K")
V = TypeVar("V")

WORLD = "world"
"""The identity of the world itself, as whom its own machinery acts."""


@dataclass(frozen=True, slots=True)
class WorkflowHead:
    """What a reducer sees of a workflow; times are world time in seconds."""

    id: int
    type: str
    entity_id: int | None
    correlation_id: str | None
    parent_id: int | None
    status: Status
    created_at: float
    updated_at: float


class ReducerContext:
    """The world as a reducer sees it. Every effect happens when the step or call that it is part of has succeeded.

    Attributes:
        sender: who calls: "game" for `Runtime.call`, or what was given there as `sender`; "workflow:12" for a workflow;
            equal to `identity` for the world's own machinery.
        identity: the world's own identity.
    """

    __slots__ = ("_reducers", "sender")

    identity = WORLD

    def __init__(self, reducers: Reducers, sender: str) -> None:
        self._reducers: Reducers | None = reducers
        self.sender = sender

    def close(self) -> None:
        """Be of no use any more: the call is over."""
        self._reducers = None

    @property
    def _world(self) -> Reducers:
        if self._reducers is None:
            raise WorkflowMisuseError("this ReducerContext belongs to a call that is over; do not keep it")
        return self._reducers

    @property
    def now(self) -> float:
        """World time of this turn, in seconds."""
        return self._world.port.now_us / US

    def table(self, table: Table[K, V]) -> TableRows[K, V]:
        """Return the rows of a registered table, as this step, then this turn, then the store has them.

        Raises:
            TableError: the table is not registered.
        """
        return self._world.table_rows(table)

    def call(self, reducer: Reducer[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call another reducer for the same sender; an error that is caught undoes only that one."""
        return self._world.call(reducer, args, kwargs, self.sender)  # type: ignore[no-any-return]

    def start(
        self,
        call: Call[Any] | str,
        *,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        entity_id: int | None = None,
        correlation_id: str | None = None,
    ) -> int:
        """Start a workflow, and return its id."""
        return self._world.start(call, args, kwargs or {}, entity_id, correlation_id)

    def signal(
        self,
        signal: Signal,
        *,
        workflow_id: int | None = None,
        entity_id: int | None = None,
        correlation_id: str | None = None,
    ) -> None:
        """Send a signal; as `Context.signal`."""
        self._world.send(signal, workflow_id, entity_id, correlation_id)

    def publish(self, signal: Signal) -> None:
        """Publish a signal; as `Context.publish`."""
        self._world.publish(signal)

    def signal_class(self, name: str) -> type[Signal]:
        """Return the class of a signal that is known by name: `Dispel`, or `dispel`.

        Raises:
            UnknownSignalError: no registered workflow accepts one of this name.
        """
        return self._world.signal_class(name)

    def cancel(
        self,
        *,
        workflow_id: int | None = None,
        entity_id: int | None = None,
        correlation_id: str | None = None,
        reason: str = "",
        force: bool = False,
    ) -> None:
        """Cancel workflows; as `Runtime.cancel`."""
        self._world.cancel(workflow_id, entity_id, correlation_id, reason, force=force)

    def fire_timer(self, workflow_id: int) -> None:
        """Let the next timer of a workflow fire now, even before its time; on one without a timer it does nothing."""
        self._world.fire_timer(workflow_id)

    def fire_all_timers(self) -> int:
        """Let the next timer of every workflow fire now, even before its time, and return how many there are."""
        return self._world.fire_all_timers()

    def forget(self, workflow_id: int) -> None:
        """Delete a workflow that has ended.

        Raises:
            WorkflowMisuseError: it has not ended.
        """
        self._world.forget(workflow_id)

    def forget_inputs(self, before: float) -> int:
        """Forget the input ids of inputs that were accepted before this world time; return how many there were."""
        return self._world.forget_inputs(round(before * US))

    def workflow(self, workflow_id: int) -> WorkflowHead | None:
        """Return what is known of a workflow, or None."""
        return self._world.head(workflow_id)

    def workflows(self) -> Iterator[WorkflowHead]:
        """Iterate over all workflows by ascending id; it takes time proportional to their number."""
        return self._world.heads()

    def ended_workflows(self, before: float) -> Iterator[WorkflowHead]:
        """Iterate over the workflows that ended before this world time, by ascending id; active ones cost nothing."""
        return self._world.ended(round(before * US))

    @property
    def log(self) -> Any:
        """A structlog logger bound to the sender."""
        return self._world.logger(self.sender)


class Reducer(Generic[P, R]):
    """A registered function; call it through a context or `Runtime.call`.

    Attributes:
        name: its name in the world, on the command line and in the network.
        function: what was decorated.
    """

    __slots__ = ("function", "name", "signature")

    def __init__(self, function: Callable[Concatenate[ReducerContext, P], R], name: str) -> None:
        self.function = function
        self.name = name
        self.signature = inspect.signature(function)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Check that arguments fit.

        Raises:
            ArgumentsError: they do not.
        """
        bind_arguments(self.signature, "reducer", self.name, args, kwargs)

    def __call__(self, ctx: ReducerContext, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function itself, inside another reducer and as a part of it: no savepoint, no copies."""
        return self.function(ctx, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<reducer {self.name}>"


@overload
def reducer(function: Callable[Concatenate[ReducerContext, P], R], /) -> Reducer[P, R]: ...
@overload
def reducer(
    *, name: str | None = None
) -> Callable[[Callable[Concatenate[ReducerContext, P], R]], Reducer[P, R]]: ...
def reducer(function: Any = None, /, *, name: str | None = None) -> Any:
    """Make a function a reducer.

    Args:
        function: `def pay(ctx: ReducerContext, ...)`; its arguments and result are values that a local may hold.
        name: its name in the world; the function's own name by default. One that is built in is replaced.

    Raises:
        DefinitionError: a bad name, an async function, or one without a first parameter for the context.
    """

    def define(function: Callable[..., Any]) -> Reducer[Any, Any]:
        chosen = function.__name__ if name is None else name
        return Reducer(plain_function(function, "reducer", chosen), chosen)

    return define if function is None else define(function)


def bind_arguments(
    signature: inspect.Signature, what: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Check that arguments fit a function that takes its context first.

    Raises:
        ArgumentsError: they do not.
    """
    try:
        signature.bind(None, *args, **kwargs)
    except TypeError as error:
        raise ArgumentsError(name, str(error), what=what) from None


def plain_function(function: Any, what: str, name: str, *, may_be_async: bool = False) -> Any:
    """Check a function that is decorated as something other than a workflow, and return it.

    Raises:
        DefinitionError: a bad name, no context parameter, or async where that cannot be.
    """
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= 255:
        raise DefinitionError(f"the name of a {what} is a text of 1 to 255 bytes, not {name!r}")
    if inspect.iscoroutinefunction(function) and not may_be_async:
        raise DefinitionError(
            f"{what} {name!r} is async; it must not wait: write def, or make it an @activity"
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise DefinitionError(f"{what} {name!r} yields; return a list instead")
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    first = next(iter(inspect.signature(function).parameters.values()), None)
    if first is None or first.kind not in kinds:
        raise DefinitionError(
            f"{what} {name!r} takes its context as its first parameter: def {name}(ctx, ...)"
        )
    return function

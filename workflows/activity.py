"""`@activity`: work outside of the world, such as a web call or a search in a pool of threads.

A workflow asks for it with `await ctx.run(fetch(url))`. It is begun after the commit of the step that asked, at least
once, in a thread of the runtime's own; its result comes back as a message. A crash in between begins it again, with
the same idempotency key.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from .reducer import bind_arguments, plain_function

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class ActivityContext:
    """What an activity knows of itself.

    Attributes:
        idempotency_key: the same at each try and after a crash, and unique in the world: give it to the other side.
        attempt: 1 at the first try since the world was opened.
        workflow_id, entity_id: for whom it runs.
    """

    __slots__ = ("_cancelled", "attempt", "entity_id", "idempotency_key", "workflow_id")

    def __init__(
        self, key: str, *, attempt: int, workflow_id: int, entity_id: int | None, cancelled: Any
    ) -> None:
        self.idempotency_key = key
        self.attempt = attempt
        self.workflow_id = workflow_id
        self.entity_id = entity_id
        self._cancelled = cancelled

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more.

        The workflow has ended, this try has taken too long, or the world closes.
        """
        return bool(self._cancelled.is_set())

    def wait(self, seconds: float) -> bool:
        """Sleep, but no longer than until it is cancelled; return whether it is."""
        return bool(self._cancelled.wait(seconds))


class ActivityCall(Generic[R_co]):
    """An activity and its arguments, checked and not yet running."""

    __slots__ = ("activity", "args", "kwargs")

    def __init__(self, activity: Activity[Any, R_co], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.activity = activity
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        return f"<call of activity {self.activity.name}>"


class Activity(Generic[P, R]):
    """A registered activity. Call it with its arguments to get what `ctx.run` takes; nothing runs yet.

    Attributes:
        name: its name in the world.
        function: what was decorated.
        is_async: whether it is run by an event loop of its own.
    """

    __slots__ = ("function", "is_async", "name", "signature")

    def __init__(self, function: Any, name: str) -> None:
        self.function = function
        self.name = name
        self.signature = inspect.signature(function)
        self.is_async = inspect.iscoroutinefunction(function)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Check that arguments fit.

        Raises:
            ArgumentsError: they do not.
        """
        bind_arguments(self.signature, "activity", self.name, args, kwargs)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> ActivityCall[R]:
        """Check the arguments and return the call.

        Raises:
            ArgumentsError: they do not bind to the signature.
        """
        self.bind(args, kwargs)
        return ActivityCall(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<activity {self.name}>"


@overload
def activity(
    function: Callable[Concatenate[ActivityContext, P], Coroutine[Any, Any, R]], /
) -> Activity[P, R]: ...
@overload
def activity(function: Callable[Concatenate[ActivityContext, P], R], /) -> Activity[P, R]: ...
@overload
def activity(
    *, name: str | None = None
) -> Callable[[Callable[Concatenate[ActivityContext, P], R]], Activity[P, R]]: ...
def activity(function: Any = None, /, *, name: str | None = None) -> Any:
    """Make a function, async or not, an activity.

    Args:
        function: `def fetch(ctx: ActivityContext, ...)`; its arguments and result are values that a local may hold.
        name: its name in the world; the function's own name by default.

    Raises:
        DefinitionError: a bad name, or a function without a first parameter for the context.
    """

    def define(function: Callable[..., Any]) -> Activity[Any, Any]:
        chosen = function.__name__ if name is None else name
        return Activity(plain_function(function, "activity", chosen, may_be_async=True), chosen)

    return define if function is None else define(function)

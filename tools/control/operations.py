"""Operations: what an operator may ask of a world by name, with JSON values.

The endpoint of a running world and an operator who opens one himself offer the same: a function of the world and of
named values, which checks and accepts what is asked, and returns what to wait for. A further operation is one more
line in `OPERATIONS`.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

from ...runtime import Handle, Runtime
from ...runtime.sql.json_values import plain
from ...workflows.checks import check_workflow_id
from ...workflows.errors import ArgumentsError, DeathlessError, WorkflowMisuseError, text_of
from ...workflows.json_arguments import spread
from ...workflows.messages import Status
from ...workflows.registry import Registry
from .errors import BAD_REQUEST, CONFLICT, UNKNOWN, ControlError, control_errors

SENDER = "operator"
"""Whom a reducer sees as its caller. It cannot be chosen, so that nobody acts as the world itself."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Something that is accepted.

    Attributes:
        done: done once it is durable.
        answer: makes the answer of what `done` gives.
        needs_turn: whether a turn must run for it; else it is enough that the world commits it.
    """

    done: Future[Any]
    answer: Callable[[Any], dict[str, Any]]
    needs_turn: bool = False

    def result(self) -> dict[str, Any]:
        """Return the answer of what is done.

        Raises:
            ControlError: it failed.
        """
        with control_errors():
            return self.answer(self.done.result())


Operation: TypeAlias = Callable[..., Pending]


def accept(
    operations: Mapping[str, Operation], world: Runtime, name: str, fields: Mapping[str, Any]
) -> Pending:
    """Check an operation and let the world accept it.

    Raises:
        ControlError: it is unknown or wrong, or the world refuses it; nothing has changed.
    """
    operation = operations.get(name)
    if operation is None:
        raise ControlError(UNKNOWN, f"unknown operation {name!r}; there are {', '.join(sorted(operations))}")
    signature = inspect.signature(operation)
    try:
        signature.bind(world, **fields)
    except TypeError as error:
        known = ", ".join(list(signature.parameters)[1:]) or "nothing"
        raise ControlError(BAD_REQUEST, f"{name}: {error}; it takes {known}") from None
    for field, value in fields.items():
        # What JSON writes "false" would be true here, and force what should not be.
        if isinstance(signature.parameters[field].default, bool) and not isinstance(value, bool):
            raise ControlError(BAD_REQUEST, f"{name}: {field} is true or false, not {value!r}")
    with control_errors():
        return operation(world, **fields)


def start(
    world: Runtime,
    /,
    *,
    type: str,  # noqa: A002 - its name on the command line, in JSON and in `WorkflowView`.
    arguments: Any = None,
    entity_id: int | None = None,
    correlation_id: str | None = None,
    on_conflict: Any = "parallel",
    input_id: str | None = None,
) -> Pending:
    """Start a workflow."""
    args, kwargs = spread(arguments)
    handle: Handle[Any] = world.start(
        _text("a workflow type", type),
        args=args,
        kwargs=kwargs,
        entity_id=entity_id,
        correlation_id=correlation_id,
        on_conflict=on_conflict,
        input_id=input_id,
    )
    return Pending(handle.committed, lambda turn: {"workflow_id": handle.id, "turn": turn})


def signal(
    world: Runtime,
    /,
    *,
    signal: str,
    fields: Any = None,
    workflow_id: int | None = None,
    entity_id: int | None = None,
    correlation_id: str | None = None,
    publish: bool = False,
    input_id: str | None = None,
) -> Pending:
    """Send a signal, named `Dispel` or `dispel`, to one address, or to all who subscribed."""
    cls = world.signal_class(signal)
    args, kwargs = spread(fields)
    try:
        made = cls(*args, **kwargs)
    except TypeError as error:
        raise ArgumentsError(cls.__name__, str(error), what="signal") from None
    if not publish:
        address = {"workflow_id": workflow_id, "entity_id": entity_id, "correlation_id": correlation_id}
        return _in_turn(world, world.signal(made, **address, input_id=input_id))  # type: ignore[arg-type] # Two types.
    if workflow_id is not None or entity_id is not None or correlation_id is not None:
        raise ValueError("a published signal has no address: it goes to all who subscribed")
    return _in_turn(world, world.publish(made, input_id=input_id))


def cancel(
    world: Runtime,
    /,
    *,
    workflow_id: int | None = None,
    entity_id: int | None = None,
    correlation_id: str | None = None,
    reason: str = "",
    force: bool = False,
    input_id: str | None = None,
) -> Pending:
    """Cancel workflows of one address; of a single one that had ended already, the answer says how."""
    # A failed one that is forced is dismissed, which is something to do.
    idle = {Status.COMPLETED, Status.CANCELLED} | (set() if force else {Status.FAILED})
    view = None
    if workflow_id is not None:
        check_workflow_id(workflow_id)
        view = world.find(workflow_id)
    ended = str(view.status) if view is not None and view.status in idle else None
    turn = world.cancel(
        workflow_id=workflow_id,
        entity_id=entity_id,
        correlation_id=correlation_id,
        reason=reason,
        force=force,
        input_id=input_id,
    )
    return Pending(world.committed(turn), lambda turn: {"turn": turn, "ended": ended})


def call(world: Runtime, /, *, reducer: str, arguments: Any = None, input_id: str | None = None) -> Pending:
    """Run a reducer."""
    args, kwargs = spread(arguments)
    done = world.call(_text("a reducer", reducer), *args, sender=SENDER, input_id=input_id, **kwargs)
    return Pending(done, lambda result: {"result": plain(result)}, needs_turn=True)


def retry(
    world: Runtime,
    /,
    *,
    workflow_ids: Iterable[int] = (),
    all_failed: bool = False,
    type: str | None = None,  # noqa: A002 - as in `start`.
) -> Pending:
    """Retry failed workflows: these, or all, of one type or of any."""
    chosen = list(workflow_ids)
    if bool(chosen) == all_failed:
        raise ValueError("give the ids of failed workflows, or ask for all that failed")
    if all_failed:
        _require_type(world, type)
        chosen = [view.id for view in world.workflows(status=Status.FAILED, type=type)]
    for workflow_id in () if all_failed else chosen:
        view = world.get(workflow_id)
        if view.status is not Status.FAILED and view.retry_at is None:
            raise WorkflowMisuseError(
                f"workflow {workflow_id} is {view.status}; only a failed one is retried"
            )
    turn = world.retry_many(chosen) if chosen else world.turn
    return Pending(world.committed(turn), lambda turn: {"workflow_ids": chosen, "turn": turn})


def _require_type(world: Runtime, name: str | None) -> None:
    """Refuse a type that is not registered: nothing that failed would be found of what is written wrong."""
    known = world._engine.registry.workflows
    if name is not None and name not in known:
        raise ValueError(f"unknown workflow type {name!r}; registered are {', '.join(sorted(known))}")


def tick(world: Runtime, /, *, all: bool = False) -> Pending:  # noqa: A002 - its name on the command line.
    """Run a turn, which fires due timers; with `all`, fire the next timer of every workflow."""
    if all:
        return Pending(world.fire_timers(sender=SENDER), lambda timers: {"timers": timers}, needs_turn=True)
    return Pending(world.committed(world.turn + 1), lambda turn: {"turn": turn}, needs_turn=True)


def cleanup(world: Runtime, /, *, older_than: float) -> Pending:
    """Delete what ended more than so many seconds of world time ago."""
    return Pending(
        world.cleanup(older_than, sender=SENDER), lambda deleted: {"deleted": deleted}, needs_turn=True
    )


def sql(world: Runtime, /, *, query: str, params: Any = ()) -> Pending:
    """Ask by SQL, as of the last commit; values that JSON has no word for are as in a workflow's `state`."""
    given = params if isinstance(params, dict) else tuple(params)
    found = world.sql(_text("a query", query), given)
    return _done({"columns": list(found.columns), "rows": [plain(row) for row in found.rows]})


def backup(world: Runtime, /, *, path: str) -> Pending:
    """Copy the world, as of the last commit, into a new directory of the computer where it runs."""
    target = os.path.abspath(_text("a path", path))  # noqa: PTH100 - the text of it goes into the answer.
    world.backup(target)
    return _done({"path": target})


def commit(world: Runtime, /) -> Pending:
    """Commit the finished turns."""
    world.commit()
    return _done({"turn": world.committed_turn})


def state(world: Runtime, /) -> Pending:
    """Say how far the world is."""
    return _done(state_of(world))


def state_of(world: Runtime) -> dict[str, Any]:
    """Return how far a world is: its last turn, the last durable one, its time, and how many workflows are active.

    It waits for no turn, so that a world which is stuck in one can be asked too.
    """
    metrics = world.metrics()
    return {
        "turn": metrics.turn,
        "committed_turn": metrics.committed_turn,
        "now": metrics.now,
        "active": metrics.active,
    }


def reload_of(modules: Iterable[ModuleType], check: Callable[[Registry], None]) -> Operation:
    """Return the operation that loads these modules from their files, between two turns.

    Args:
        modules: all that the world's workflows stand in, those that others import first.
        check: looks at what they hold before the world goes on with it, and raises where it should not.
    """
    given = tuple(modules)

    def reload(world: Runtime, /, *, force: bool = False) -> Pending:
        """Go on with the code in the files; where that would hold workflows, only with `force`."""
        if not given:
            raise WorkflowMisuseError(
                "this world was not told which modules to reload; give them: serve(world, modules=[...])"
            )
        names = [module.__name__ for module in given]

        def again() -> None:
            try:
                world.reload(given, check=None if force else check)
            except DeathlessError:
                raise
            except Exception as error:
                problem = f"the modules cannot be loaded: {text_of(error)}; the old code goes on"
                raise ControlError(CONFLICT, problem) from error

        return Pending(world.between_turns(again), lambda _: {"modules": names, "turn": world.turn})

    return reload


OPERATIONS: dict[str, Operation] = {
    "start": start,
    "signal": signal,
    "cancel": cancel,
    "call": call,
    "retry": retry,
    "tick": tick,
    "cleanup": cleanup,
    "sql": sql,
    "backup": backup,
    "commit": commit,
    "state": state,
}


def _text(what: str, value: Any) -> str:
    """Refuse what JSON gave instead of a text."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is given as a text, not {value!r}")
    return value


def _in_turn(world: Runtime, turn: int) -> Pending:
    return Pending(world.committed(turn), lambda turn: {"turn": turn})


def _done(answer: dict[str, Any]) -> Pending:
    done: Future[None] = Future()
    done.set_result(None)
    return Pending(done, lambda _: answer)

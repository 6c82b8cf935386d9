"""Built-in reducers: what the operators of a world call by name, with JSON where values go in.

A game replaces one by registering its own under the same name, to check who calls for instance.
"""

from __future__ import annotations

from .errors import WorkflowMisuseError
from .json_arguments import json_arguments
from .reducer import ReducerContext, reducer

DAY_S = 86_400
MAX_DAYS = 1_000_000


@reducer
def workflow_start(
    ctx: ReducerContext,
    workflow_type: str,
    entity_id: int | None = None,
    correlation_id: str | None = None,
    init: str | bytes | None = None,
) -> int:
    """Start a workflow and return its id; `init` are its arguments as JSON."""
    args, kwargs = json_arguments(init, workflow_type)
    return ctx.start(
        workflow_type, args=args, kwargs=kwargs, entity_id=entity_id, correlation_id=correlation_id
    )


@reducer
def workflow_start_many(ctx: ReducerContext, starts: list[list[object]]) -> list[int]:
    """Start many workflows, all or none, each given as the arguments of `workflow_start`; return their ids."""
    return [workflow_start(ctx, *each) for each in starts]  # type: ignore[arg-type] # Checked by the start itself.


@reducer
def workflow_signal(
    ctx: ReducerContext, workflow_id: int, signal: str, payload: str | bytes | None = None
) -> None:
    """Send a signal, named `Dispel` or `dispel`, with its fields as JSON."""
    args, kwargs = json_arguments(payload, signal)
    ctx.signal(ctx.signal_class(signal)(*args, **kwargs), workflow_id=workflow_id)


@reducer
def workflow_cancel(ctx: ReducerContext, workflow_id: int, reason: str = "") -> None:
    """Cancel a workflow."""
    if ctx.workflow(workflow_id) is None:
        raise WorkflowMisuseError(f"no workflow {workflow_id} in this world")
    ctx.cancel(workflow_id=workflow_id, reason=reason)


@reducer
def workflow_timer_fire(ctx: ReducerContext, workflow_id: int) -> None:
    """Fire a workflow's next timer, even before its time. Only the world's own scheduler may."""
    if ctx.sender != ctx.identity:
        raise PermissionError(f"only the scheduler may call workflow_timer_fire, not {ctx.sender!r}")
    ctx.fire_timer(workflow_id)


@reducer
def cleanup_old_workflows(ctx: ReducerContext, days_old: float = 7.0) -> int:
    """Delete workflows that completed, failed or were cancelled more than so many days of world time ago.

    The names of inputs that were accepted before are forgotten too.

    Returns:
        How many it deleted.
    """
    if isinstance(days_old, bool) or not isinstance(days_old, int | float) or not 0 <= days_old <= MAX_DAYS:
        raise ValueError(f"cleanup_old_workflows takes from 0 to {MAX_DAYS} days, not {days_old!r}")
    cutoff = ctx.now - days_old * DAY_S
    old = [head.id for head in ctx.ended_workflows(cutoff)]
    for workflow_id in old:
        ctx.forget(workflow_id)
    ctx.forget_inputs(cutoff)
    return len(old)


@reducer
def manual_timer_tick(ctx: ReducerContext) -> int:
    """Fire every workflow's next timer now, even before its time: for debugging, and on record in the log.

    Returns:
        How many workflows had one.
    """
    count = ctx.fire_all_timers()
    ctx.log.warning("timers_fired_by_hand", timers=count)
    return count


BUILTIN = (
    workflow_start,
    workflow_start_many,
    workflow_signal,
    workflow_cancel,
    workflow_timer_fire,
    cleanup_old_workflows,
    manual_timer_tick,
)

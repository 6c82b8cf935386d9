"""Compares a world with its model, as each stands between two turns."""

from __future__ import annotations

from typing import Any

from runtime_model_context import Due, Pending, Periodic, frames_of
from runtime_model_flows import accounts, payments
from runtime_model_lives import Life, Rows
from runtime_model_world import ModelWorld

from deathless import Child, Every, Running, Runtime, Timer, WorkflowView

US = 1_000_000
NAMES = {"signal": lambda what: type(what).__name__, "done": lambda what: "ChildDone"}


def assert_same(world: Runtime, model: ModelWorld) -> None:
    """Raise at the first difference."""
    views = world.workflows()
    assert [view.id for view in views] == sorted(model.lives)
    for view in views:
        life = model.lives[view.id]
        there, due = seen(view), expected(model, life)
        assert there == due, {name: (there[name], due[name]) for name in due if there[name] != due[name]}
        assert_same_locals(model, life, view)
    active = [life for life in model.lives.values() if life.active]
    assert world.count() == len(active)
    entity = model.turn % 3 + 1
    found = [view.id for view in world.workflows(entity_id=entity, status="Suspended")]
    assert found == sorted(life.number for life in active if life.entity == entity)
    for table in (accounts, payments):
        rows = world._engine.system.stepper.outbox.reducers.table_rows(table)
        assert list(rows.items()) == model.tables.get(table.name, Rows()).items()


def seen(view: WorkflowView) -> dict[str, Any]:
    """What a view says, in the words of the model."""
    return {
        "type": view.type,
        "entity": view.entity_id,
        "group": view.correlation_id,
        "parent": view.parent_id,
        "status": str(view.status),
        "created_at": view.created_at,
        "unread": list(view.unread),
        "children": list(view.children),
        "result": view.result,
        "timers": [round(timer.due * US) for timer in view.timers],
        "retry_at": view.retry_at,
        "error": view.error_message,
        "held": view.held_reason,
    }


def expected(model: ModelWorld, life: Life) -> dict[str, Any]:
    """What a view of a workflow must say."""
    timers = []
    if life.steps and life.status in ("Suspended", "Failed"):
        model.warm(life)
        timers = [source.due_us for source in life.wait if isinstance(source, Due | Periodic)]
    return {
        "type": life.kind.name,
        "entity": life.entity,
        "group": life.group,
        "parent": life.parent,
        "status": life.status,
        "created_at": life.created_us / US,
        "unread": [NAMES[message.kind](message.what) for message in life.unread],
        "children": list(life.children),
        "result": life.result,
        "timers": timers,
        "retry_at": None if life.retry_at_us is None else life.retry_at_us / US,
        "error": life.error,
        "held": None,
    }


def assert_same_locals(model: ModelWorld, life: Life, view: WorkflowView) -> None:
    """The snapshot holds the locals that are still needed; each has the value that it has in the plain function."""
    if life.coroutine is None:
        return
    plain = frames_of(life.coroutine)
    stored = [view.locals, *(frame.locals for frame in view.frames)]
    assert len(stored) == len(plain)
    for ours, theirs in zip(stored, plain, strict=True):
        for name, value in ours.items():
            there, due = in_words(value), in_words(theirs[name])
            assert there == due, f"local {name!r} is {there}, and not {due}"


def in_words(value: Any) -> Any:
    """A value in which a world's sources and the model's are the same."""
    if isinstance(value, Timer | Due):
        return ("timer", value.due_us, value.name)
    if isinstance(value, Every | Periodic):
        return ("every", value.start_us, value.period_us, value.missed, value.n, value.skipped)
    if isinstance(value, Child | Running):
        return ("handle", value.workflow_id)
    if isinstance(value, Pending):
        return ("handle", value.number)
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return [in_words(item) for item in value]
    return value

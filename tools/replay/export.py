"""Exporting: the recorded steps of one workflow of a world, and what it takes to run them again, without the world."""

from __future__ import annotations

from typing import Any

from ...runtime.world_state import load_next_id
from ...workflows import rows
from ...workflows.errors import HistoryError
from ..survey import stack_of
from .replay_file import Replay
from .saved_world import SavedWorld, Step

Bounds = tuple[int | None, int | None]
"""The first and the last that are wanted; None for no bound."""


def export(
    world: SavedWorld,
    workflow_id: int,
    *,
    steps: Bounds = (None, None),
    turns: Bounds = (None, None),
) -> Replay:
    """Take the recorded steps of a workflow out of a world, which may be running.

    Args:
        world: the world.
        workflow_id: of the workflow, which may have been deleted.
        steps: numbers of the first and the last step to take.
        turns: the first and the last turn of which to take steps.

    Raises:
        UnknownWorkflowError: there is no such workflow, and no step of one is kept.
        HistoryError: none of its steps are recorded, or none of these.
        WorldCorruptError: the world is damaged.
    """
    try:
        world.require_steps(workflow_id)
        known = list(world.steps(workflow_id))
        taken = [step for step in known if _within(step.number, steps) and _within(step.record.turn, turns)]
        if not taken:
            raise HistoryError(f"workflow {workflow_id} has no steps there: {_kept(known)}")
        # A step has a row before it or after it.
        row = taken[0].after or taken[0].record.before or b""
        return Replay(
            workflow_id,
            rows.read_head(row).type_name,
            world.state.seed,
            world.history.limits(),
            load_next_id(world.reader),
            _codes(world, taken),
            tuple(step._replace(number=number) for number, step in enumerate(taken, 1)),
        )
    except rows.RowError as error:
        raise world.damaged(workflow_id, error) from error


def _kept(steps: list[Step]) -> str:
    if not steps:
        return "none is kept"
    first, last = steps[0], steps[-1]
    return f"it has steps {first.number} to {last.number}, in turns {first.record.turn} to {last.record.turn}"


def _within(number: int, bounds: Bounds) -> bool:
    first, last = bounds
    return (first is None or number >= first) and (last is None or number <= last)


def _codes(world: SavedWorld, steps: list[Step]) -> dict[int, dict[str, Any]]:
    """Return the descriptions of the code in which a workflow stood, by number."""
    numbers: set[int] = set()
    for row in (steps[0].record.before, *(step.after for step in steps)):
        fields = [] if row is None else rows.split(row)
        if fields and rows.arguments(fields) is None and fields[rows.STACK] != _NIL:
            numbers.update(number for number, _ in stack_of(fields[rows.STACK]))
    try:
        return {number: world.codes.descriptor(number) for number in sorted(numbers)}
    except KeyError as error:
        raise rows.RowError(f"it stands in code {error}, which the world does not describe") from None


_NIL = b"\xc0"
"""The packed stack of a workflow that has ended."""

"""A workflow's timeline: its recorded steps, each with its cause, where it led, and what it changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...runtime import WorkflowView
from ...workflows import rows
from .causes import Cause, Causes
from .differences import ABSENT, Difference, differences
from .saved_world import SavedWorld, Step
from .showing import short
from .source_lines import place_of

_TOLD = ("locals.", "frames[", "unread[", "result", "error_message")
"""Paths of the changes that a timeline tells: the rest follows from where the workflow stands."""


class Moved(NamedTuple):
    """A step on a timeline.

    Attributes:
        step: as recorded.
        cause: of it.
        came_from, stands_at: the awaits before and after, or how the workflow ended; empty where there was none.
        view: of the workflow after it; None where it was deleted.
        changes: all that it changed.
    """

    step: Step
    cause: Cause
    came_from: str
    stands_at: str
    view: WorkflowView | None
    changes: list[Difference]

    @property
    def time(self) -> float:
        """World time of its turn, in seconds."""
        return self.step.record.now_us / 1e6


def timeline(saved: SavedWorld, workflow_id: int) -> Iterator[Moved]:
    """Go through the recorded steps of a workflow.

    Raises:
        WorldCorruptError: a row does not decode.
        HistoryError: steps were deleted meanwhile.
    """
    causes = Causes(saved)
    place, view = "", None
    for step in saved.steps(workflow_id):
        try:
            if step.number == 1 and step.record.before is not None:
                # Older steps are not kept.
                place = place_of(saved, step.record.before)
                view = saved.view(workflow_id, step.record.before)
            came_from, before = place, view
            place = "deleted" if step.after is None else place_of(saved, step.after)
        except (rows.RowError, LookupError) as error:
            raise saved.damaged(workflow_id, error) from error
        view = None if step.after is None else saved.view(workflow_id, step.after)
        changes = [] if before is None or view is None else differences(before, view)
        if before is None and view is not None:
            changes = [Difference(f"locals.{name}", ABSENT, value) for name, value in view.locals.items()]
        yield Moved(step, causes.of(step), came_from, place, view, changes)


def told(moved: Moved) -> list[str]:
    """Return what a step changed in locals, and the result, each in a few words."""
    changes: Sequence[Difference] = [one for one in moved.changes if one.path.startswith(_TOLD)]
    if moved.cause.kind == "start":
        # Before it the arguments stood there, by their places.
        changes = [one for one in changes if one.new is not ABSENT]
    elif moved.view is not None and not moved.view.status.active:
        changes = [one for one in changes if not one.path.startswith(("locals.", "frames["))]
    return [_change(one) for one in changes]


def _change(change: Difference) -> str:
    path = change.path.removeprefix("locals.").replace("].locals.", "].")
    if path.startswith("unread["):
        return f"{change.new} unread" if change.old is ABSENT else f"{change.old} not unread any more"
    whole_frame = path.startswith("frames[") and path.endswith("]")
    if change.new is ABSENT:
        return f"leaves {change.old['name']}" if whole_frame else f"{path} gone"
    if change.old is ABSENT and whole_frame:
        inside = ", ".join(f"{name} = {short(value)}" for name, value in change.new["locals"].items())
        return f"enters {change.new['name']}{f' with {inside}' if inside else ''}"
    if change.old is ABSENT or change.old is None:
        return f"{path} = {short(change.new)}"
    return f"{path} {short(change.old)} -> {short(change.new)}"

"""What is said of a workflow beside its locals: what caused its last step, what it waits for, how it ended."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...runtime import WorkflowView
from ...workflows.messages import Status
from ...workflows.sources import US
from .due_times import due_text, span_text
from .scrubber import Moment
from .value_tree import short_text


class Fact(NamedTuple):
    """A heading, what stands beside it, and lines under it."""

    title: str
    aside: str
    lines: list[str]


def facts_of(moment: Moment) -> list[Fact]:
    """Return what there is to say of a workflow, the most telling first."""
    found = []
    if moment.moved_turn is not None and moment.moved_us is not None:
        lines = [
            line for cause in moment.causes for line in (cause.text, *(f"  {told}" for told in cause.answers))
        ]
        found.append(Fact("caused by", _when(moment, moment.moved_us), lines))
    if moment.view is not None:
        found += _of_view(moment.view, moment.now_us)
        if moment.unread:
            found.append(Fact("unread", "oldest first", list(moment.unread)))
        if moment.view.children:
            found.append(Fact("children", "", [", ".join(map(str, moment.view.children))]))
    return found


def _when(moment: Moment, moved_us: int) -> str:
    if moment.moved_now:
        return f"turn {moment.moved_turn:,}, this one"
    return f"turn {moment.moved_turn:,}, {span_text(moment.now_us - moved_us)} ago"


def _of_view(view: WorkflowView, now_us: int) -> list[Fact]:
    found = []
    if view.retry_at is not None:
        when = due_text(round(view.retry_at * US), now_us)
        found.append(Fact("failed, tried again", when, [view.error_message or ""]))
    elif view.status is Status.FAILED:
        found.append(Fact("failed", "", [view.error_message or "", *(view.traceback or "").splitlines()]))
    elif view.status is Status.CANCELLED:
        found.append(Fact("cancelled", "", [view.error_message] if view.error_message else []))
    elif view.status is Status.COMPLETED:
        result = str(view.unreadable) if view.unreadable else short_text(view.result, now_us)
        found.append(Fact("result", "", [result]))
    elif view.awaiting:
        found.append(Fact("waits for", "", _awaited(view, now_us)))
    return found


def _awaited(view: WorkflowView, now_us: int) -> list[str]:
    timers = iter(view.timers)
    lines = []
    for source in view.awaiting:
        if source == "timer" or source.startswith("timer "):
            timer = next(timers, None)
            lines.append(source if timer is None else f"{source} {due_text(round(timer.due * US), now_us)}")
        else:
            lines.append(source if re.match(r"(child|activity) \d", source) else f"signal {source}")
    return lines

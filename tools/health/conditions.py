"""The conditions that are looked at: the four of the deployment guide, and whether the world runs and has room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ...runtime.census import NAMED
from ...workflows.messages import Status
from ..output import counted
from .sight import Sight
from .thresholds import Thresholds


class State(StrEnum):
    """How a condition is. Only an alert makes a world unhealthy."""

    OK = "ok"
    WARNING = "warning"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, looked at.

    Attributes:
        name: what it is called.
        value, threshold: what was found, and what is still healthy; None where there is nothing to compare.
        text: what was found, for a person.
        workflows: the ids of the first few that it is about.
    """

    name: str
    state: State
    value: float | None
    threshold: float | None
    text: str
    workflows: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "name": self.name,
            "state": str(self.state),
            "value": self.value,
            "threshold": self.threshold,
            "text": self.text,
            "workflows": list(self.workflows),
        }


def conditions_of(sight: Sight, thresholds: Thresholds, before: Sight | None) -> Iterator[Condition]:
    """Judge what was seen; `before` is an earlier look, to say what grows."""
    yield _stuck(sight, thresholds)
    yield _timers(sight, thresholds, before)
    yield _failures(sight, thresholds)
    if thresholds.untouched_s is not None:
        yield _untouched(sight, thresholds)
    yield _pump(sight, thresholds)
    yield _room(sight, thresholds)
    yield _readers(sight, thresholds)


def _stuck(sight: Sight, thresholds: Thresholds) -> Condition:
    census = sight.census
    stuck = census.stuck - census.held + sight.held
    text = f"{_workflows(stuck)} for which nothing can go on, {sight.held:,} of them held"
    named = tuple(sorted({*census.named["stuck"], *sight.held_ids})[:NAMED])
    return Condition("stuck", _alert(stuck > thresholds.stuck), stuck, thresholds.stuck, text, named)


def _timers(sight: Sight, thresholds: Thresholds, before: Sight | None) -> Condition:
    """Judge the backlog: one that gets smaller is being worked off."""
    census = sight.census
    text = (
        f"{census.overdue:,} of {counted(census.timers, 'timer')} overdue by more than {_span(census.late_s)}"
    )
    over = census.overdue > thresholds.overdue
    if before is not None:
        earlier = before.census
        text += f"; {earlier.overdue:,} of {earlier.timers:,} before"
        if over and census.overdue < earlier.overdue:
            named = tuple(census.named["overdue"])
            return Condition("timers", State.WARNING, census.overdue, thresholds.overdue, text, named)
    named = tuple(census.named["overdue"])
    return Condition("timers", _alert(over), census.overdue, thresholds.overdue, text, named)


def _failures(sight: Sight, thresholds: Thresholds) -> Condition:
    census = sight.census
    failed, total = census.statuses[Status.FAILED], census.total
    rate = failed / total if total else 0.0
    text = f"{failed:,} of {_workflows(total)} failed ({rate:.1%})"
    named = tuple(census.named["failed"])
    return Condition(
        "failures", _alert(rate > thresholds.failure_rate), rate, thresholds.failure_rate, text, named
    )


def _untouched(sight: Sight, thresholds: Thresholds) -> Condition:
    census = sight.census
    state = State.OK
    if census.untouched:
        state = State.ALERT if thresholds.untouched_alerts else State.WARNING
    text = f"{_workflows(census.untouched)} active and without a change for {_span(census.untouched_s)}"
    return Condition("untouched", state, census.untouched, 0, text, tuple(census.named["untouched"]))


def _pump(sight: Sight, thresholds: Thresholds) -> Condition:
    if not sight.owner:
        return Condition("pump", _alert(thresholds.must_run), None, None, "nobody runs the world")
    silent_s = sight.silent_s
    text = f"{sight.owner} runs it, last seen at work {_span(silent_s)} ago"
    return Condition(
        "pump", _alert(silent_s > thresholds.silent_s), round(silent_s, 3), thresholds.silent_s, text
    )


def _room(sight: Sight, thresholds: Thresholds) -> Condition:
    share = sight.taken_bytes / (sight.taken_bytes + sight.room_bytes)
    where = " on its disk" if sight.map_limit is None else ""
    text = f"{_size(sight.taken_bytes)} taken, {_size(sight.room_bytes)} left{where} ({share:.0%})"
    return Condition("room", _alert(share > thresholds.room), round(share, 4), thresholds.room, text)


def _readers(sight: Sight, thresholds: Thresholds) -> Condition:
    lag = sight.reader_lag
    state = State.WARNING if lag > thresholds.reader_lag else State.OK
    text = f"the oldest open reader is {counted(lag, 'commit')} behind"
    return Condition("readers", state, lag, thresholds.reader_lag, text)


def _alert(wrong: bool) -> State:
    return State.ALERT if wrong else State.OK


def _workflows(count: int) -> str:
    return counted(count, "workflow")


def _span(seconds: float) -> str:
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= unit_s:
            return f"{seconds / unit_s:.3g}{unit}"
    return f"{seconds:.3g}s"


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"

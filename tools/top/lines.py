"""What is shown of a look: as text for the full screen and for `--once`, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...runtime import WorkflowView
from ...workflows.messages import Status
from ...workflows.sources import US
from ..output import counted
from ..replay.showing import short
from ..replay.world_times import WorldTimes
from .glimpse import Member
from .watch import Look

TYPE_HEADINGS = ("type", "all", "active", "failed", "median state")
MEMBER_HEADINGS = ("id", "type", "entity", "status", "updated", "due", "unread", "bytes")
MOST_TYPES = 12
SILENT_S = 2.0
"""Real seconds without a commit from which on it is said: a loop that pumps commits once a second at least."""


def stall(look: Look) -> str:
    """Say that a world which somebody runs stands still; empty where it does not."""
    return f"last commit {look.silent_s:.0f} s ago" if look.owner and look.silent_s >= SILENT_S else ""


def title(path: str, look: Look) -> str:
    """Say how the world goes, in a line: what matters most stands first, since a narrow terminal cuts the rest."""
    pace, times = look.pace, WorldTimes(look.state)
    parts = [stall(look)] if stall(look) else []
    parts.append(look.owner or "nobody runs it")
    parts += [f"turn {look.state.turn:,}", times.show_us(look.state.now_us)]
    if pace.turns is not None and pace.messages is not None and pace.time is not None:
        parts += [
            f"{pace.turns:,.1f} turns/s",
            f"{pace.messages:,.0f} messages/s",
            f"time x{pace.time:.2f}",
        ]
    return "   ".join([*parts, path])


def counts(look: Look) -> str:
    """Say how many workflows there are, in a line."""
    glimpse = look.glimpse
    parts = [f"{count:,} {status}" for status, count in glimpse.statuses.items()]
    return "   ".join([*parts, counted(glimpse.timers, "timer"), f"{look.file_bytes / 1e6:,.1f} MB"])


def type_rows(look: Look, most: int = MOST_TYPES) -> list[tuple[str, ...]]:
    """Return a line for each of so many types, those with the most active workflows first, and one for the rest."""
    lines = sorted(look.glimpse.types.items(), key=lambda item: (-item[1].active, -item[1].total, item[0]))
    shown: list[tuple[str, ...]] = [
        (name, f"{line.total:,}", f"{line.active:,}", f"{line.failed:,}", f"{line.median:,} B")
        for name, line in lines[:most]
    ]
    if len(lines) > most:
        left = [line for _, line in lines[most:]]
        shown.append(
            (
                f"{len(left)} more",
                f"{sum(line.total for line in left):,}",
                f"{sum(line.active for line in left):,}",
                f"{sum(line.failed for line in left):,}",
                "",
            )
        )
    return shown


def member_row(member: Member, now_us: int) -> tuple[str, ...]:
    """Return the line of a workflow."""
    due = "" if member.due_us is None else _from_now(member.due_us - now_us)
    return (
        str(member.id),
        member.type,
        "" if member.entity_id is None else str(member.entity_id),
        str(member.status),
        f"{span((now_us - member.updated_us) / US)} ago",
        due,
        str(member.unread or ""),
        f"{member.size:,}",
    )


def span(seconds: float) -> str:
    """Return a time that has passed, in its largest unit."""
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= unit_s:
            return f"{seconds / unit_s:.1f}{unit}"
    return f"{max(0.0, seconds):.1f}s"


def _from_now(micros: int) -> str:
    return f"in {span(micros / US)}" if micros > 0 else f"{span(-micros / US)} late"


def details(view: WorkflowView, look: Look) -> Iterator[tuple[str, str]]:
    """Say what is known of one workflow: names with texts."""
    times = WorldTimes(look.state)
    yield "type", view.type
    yield "status", str(view.status)
    if view.entity_id is not None:
        yield "entity", str(view.entity_id)
    if view.correlation_id is not None:
        yield "group", view.correlation_id
    if view.parent_id is not None:
        yield "parent", str(view.parent_id)
    if view.status is Status.SUSPENDED:
        yield "step", f"{view.current_step}, line {view.line}" if view.line else view.current_step
        yield "awaits", ", ".join(view.awaiting) or "its start"
    for timer in view.timers:
        due = f"{times.show(timer.due)}, {_from_now(round(timer.due * US) - look.state.now_us)}"
        yield "timer", due if timer.name is None else f"{timer.name} {due}"
    for name, value in view.locals.items():
        yield f"  {name}", short(value)
    for frame in view.frames:
        yield "routine", f"{frame.name}, line {frame.line}"
        for name, value in frame.locals.items():
            yield f"  {name}", short(value)
    if view.unread:
        yield "unread", ", ".join(view.unread)
    if view.children:
        yield "children", ", ".join(map(str, view.children))
    if view.held_reason is not None and view.frames:
        yield "held", view.held_reason
    if view.error_message:
        yield "error", view.error_message
    yield "created", times.show(view.created_at)
    yield "updated", times.show(view.updated_at)


def as_json(path: str, look: Look) -> dict[str, Any]:
    """Return a look as JSON has it."""
    return {
        "world": path,
        "turn": look.state.turn,
        "now": look.state.now_us / US,
        "owner": look.owner or None,
        "since_commit": round(look.silent_s, 3),
        "file_bytes": look.file_bytes,
        "pace": look.pace._asdict(),
        "workflows": {str(status): count for status, count in look.glimpse.statuses.items()},
        "timers": look.glimpse.timers,
        "types": {
            name: {
                "total": line.total,
                "active": line.active,
                "failed": line.failed,
                "median_bytes": line.median,
            }
            for name, line in sorted(look.glimpse.types.items())
        },
        "fitting": look.glimpse.fitting,
        "listed": [
            {
                "id": member.id,
                "type": member.type,
                "entity": member.entity_id,
                "status": str(member.status),
                "updated": member.updated_us / US,
                "due": None if member.due_us is None else member.due_us / US,
                "unread": member.unread,
                "bytes": member.size,
            }
            for member in look.glimpse.members
        ],
    }

"""The metrics that a world exports: each with its name, its help, and where its values come from.

Names are by the conventions of Prometheus: base units, `_total` for what only grows. docs/reference/metrics.md lists
them for people; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...runtime import Distribution, Metrics
from .picture import Picture

PREFIX = "deathless_"
Samples: TypeAlias = Iterable[tuple[tuple[str, ...], float]]
Values: TypeAlias = "float | Samples | Distribution | None"
Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True)
class Family:
    """A metric.

    Attributes:
        name: without the prefix, and without `_total` of a counter.
        labels: by which it is split.
        inside: whether only the process that runs the world knows it.
        read: gives its values; None where the picture has none.
    """

    kind: Kind
    name: str
    help: str
    read: Callable[[Picture], Values]
    labels: tuple[str, ...] = ()
    inside: bool = False

    @property
    def full_name(self) -> str:
        """Return the name under which it is found."""
        return PREFIX + self.name + ("_total" if self.kind == "counter" else "")


def _own(
    kind: Kind, name: str, text: str, read: Callable[[Metrics], Values], labels: tuple[str, ...] = ()
) -> Family:
    """Return a metric that only the process that runs the world knows."""
    return Family(
        kind,
        name,
        text,
        lambda picture: None if picture.metrics is None else read(picture.metrics),
        labels,
        inside=True,
    )


def _by_key(counts: Mapping[str, float]) -> Samples:
    return [((key,), count) for key, count in counts.items()]


_WORKFLOWS = (
    Family(
        "gauge",
        "workflows",
        "Workflows by status and type; Suspended ones are active.",
        lambda picture: [
            ((str(status), name), count)
            for name, kind in sorted(picture.census.types.items())
            for status, count in kind.statuses.items()
        ],
        ("status", "type"),
    ),
    Family(
        "gauge",
        "state_bytes",
        "Bytes of the rows of workflows, by type.",
        lambda picture: [((name,), kind.state_bytes) for name, kind in sorted(picture.census.types.items())],
        ("type",),
    ),
    Family(
        "gauge",
        "timers_pending",
        "Active workflows with a timer; one that awaits several counts once.",
        lambda picture: picture.census.timers,
    ),
    Family(
        "gauge",
        "timers_overdue",
        "Active workflows whose timer has been due for more than a second of world time.",
        lambda picture: picture.census.overdue,
    ),
    Family(
        "gauge",
        "workflows_stuck",
        "Active workflows that are held, or await nothing that can come.",
        lambda picture: picture.census.stuck,
    ),
    Family(
        "gauge",
        "workflows_untouched",
        "Active workflows without a change for more than an hour of world time.",
        lambda picture: picture.census.untouched,
    ),
    Family(
        "gauge",
        "messages_unread",
        "Messages that no await of an active workflow has taken.",
        lambda picture: picture.census.unread,
    ),
    Family(
        "gauge",
        "census_duration_seconds",
        "Seconds that the count of the workflows took; it is repeated for a twentieth of the time at most.",
        lambda picture: picture.census.took_s,
    ),
    _own("gauge", "workflows_active", "Active workflows, as of the last turn.", lambda own: own.active),
    _own("gauge", "workflows_resident", "Workflows that are in memory.", lambda own: own.resident),
    _own(
        "gauge",
        "workflows_held",
        "Workflows that the loaded code cannot go on with, of those that had a message since.",
        lambda own: own.held,
    ),
    _own(
        "counter",
        "workflows_started",
        "Workflows that were made, children too.",
        lambda own: own.started,
    ),
    _own(
        "counter",
        "workflows_ended",
        "Workflows that ended, by status.",
        lambda own: _by_key(own.ended),
        ("status",),
    ),
)

_TIME = (
    Family("gauge", "turn", "The last turn.", lambda picture: picture.turn),
    Family(
        "gauge",
        "world_time_seconds",
        "World time of the last turn; on a wall clock, a Unix time.",
        lambda picture: picture.now,
    ),
    Family(
        "gauge",
        "last_turn_age_seconds",
        "Real seconds since the last turn ended, or the world was opened; from outside, since the last commit.",
        lambda picture: picture.silent_s,
    ),
    Family(
        "gauge",
        "running",
        "1 where a process runs the world, else 0.",
        lambda picture: float(picture.running),
    ),
    _own("counter", "turns", "Turns.", lambda own: own.turns),
    _own("counter", "steps", "Messages that changed a workflow.", lambda own: own.steps),
    _own("counter", "messages_handled", "Messages that turns took.", lambda own: own.handled),
    _own("counter", "timers_fired", "Timers that came due.", lambda own: own.timers_fired),
    _own("counter", "commits", "Transactions.", lambda own: own.commits),
    _own(
        "counter", "step_faults", "Steps that failed, those that are tried again too.", lambda own: own.faults
    ),
    _own(
        "gauge",
        "uncommitted_turns",
        "Turns that are not durable yet.",
        lambda own: own.turn - own.committed_turn,
    ),
    _own("histogram", "turn_seconds", "Seconds of a turn, its commit not counted.", lambda own: own.turn_s),
    _own("histogram", "commit_seconds", "Seconds of a commit.", lambda own: own.commit_s),
    _own(
        "histogram",
        "step_seconds",
        "Seconds of a step: those of its turn, shared among the messages of it.",
        lambda own: own.step_s,
    ),
    _own(
        "histogram",
        "input_wait_seconds",
        "Seconds from the acceptance of a turn's oldest input to the end of its steps; one value a turn.",
        lambda own: own.input_s,
    ),
    _own(
        "histogram",
        "timer_lateness_seconds",
        "World seconds from when a timer was due to the turn that fired it.",
        lambda own: own.lateness_s,
    ),
)

_QUEUES = (
    _own(
        "counter",
        "inputs_accepted",
        "Inputs that were accepted, by kind.",
        lambda own: _by_key(own.accepted),
        ("kind",),
    ),
    _own(
        "counter",
        "inputs_refused",
        "Inputs that raised at the call, by kind.",
        lambda own: _by_key(own.refused),
        ("kind",),
    ),
    _own("gauge", "inputs_waiting", "Inputs that the next turn will take.", lambda own: own.waiting),
    _own(
        "gauge",
        "messages_carried_over",
        "Messages that the last turn did not get to.",
        lambda own: own.carried_over,
    ),
    _own(
        "gauge",
        "mailboxes_full",
        "Workflows with as many unread signals as they may have.",
        lambda own: own.crowded,
    ),
    _own(
        "gauge",
        "activities_running",
        "Activities that run or wait for a thread.",
        lambda own: own.activities,
    ),
)

_STORE = (
    Family(
        "gauge",
        "map_used_bytes",
        "Bytes of the world's map that are used, or wait to be used again.",
        lambda picture: picture.used_bytes,
    ),
    Family(
        "gauge",
        "map_free_bytes",
        "Bytes of the used ones that wait to be used again: deleted rows leave them behind.",
        lambda picture: picture.free_bytes,
    ),
    Family("gauge", "file_bytes", "Bytes of the world's file.", lambda picture: picture.file_bytes),
    Family(
        "gauge",
        "table_bytes",
        "Bytes of pages, by table: the history and the audit log are tables, too.",
        lambda picture: _by_key(picture.table_bytes),
        ("table",),
    ),
    _own("gauge", "map_limit_bytes", "Bytes up to which the map may grow.", lambda own: own.map_limit),
    _own(
        "gauge",
        "log_entries",
        "Commits whose rows are not all in their places yet.",
        lambda own: own.log_entries,
    ),
)

FAMILIES: tuple[Family, ...] = (*_WORKFLOWS, *_TIME, *_QUEUES, *_STORE)
UP = PREFIX + "up"
"""The metric that is there even where the world cannot be read: 1 where it can, else 0."""
UP_HELP = "1 where the world could be read, else 0; then there is nothing else."

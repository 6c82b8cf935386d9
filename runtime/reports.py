"""What a pump, a recovery and an open world say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PumpReport:
    """One turn.

    Attributes:
        turn: its number.
        committed_turn: the last turn that is durable now.
        steps: messages that changed a workflow.
        timers_fired: timers that came due.
        carried_over: messages left for the next turn.
        elapsed_s: seconds that the whole pump took, with its commit.
        commit_s: seconds of that in the commit; 0.0 where this pump did not commit.
    """

    turn: int
    committed_turn: int
    steps: int
    timers_fired: int
    carried_over: int
    elapsed_s: float
    commit_s: float


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What opening a world found.

    Attributes:
        created: the world is new.
        workflows: active workflows.
        turn: the last turn that is in the world.
        timers_due: timers that came due while nobody ran it.
        carried_over: messages that wait from the last turn.
        elapsed_s: seconds from the call to a world that can be pumped.
    """

    created: bool
    workflows: int
    turn: int
    timers_due: int
    carried_over: int
    elapsed_s: float

    def __str__(self) -> str:
        return (
            f"recovered {self.workflows} workflows at turn {self.turn}, "
            f"{self.timers_due} timers came due meanwhile"
        )


@dataclass(frozen=True, slots=True)
class Distribution:
    """How often something took how long.

    Attributes:
        bounds: seconds, ascending.
        counts: how many values did not exceed each bound but the one before it; last, how many exceeded all.
        total: the sum of all values, in seconds.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    @property
    def count(self) -> int:
        """How many values."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Metrics:
    """What an open world counts of itself: counts since it was opened, and how things stand now.

    Attributes:
        turn, committed_turn: the last finished turn, and the last durable one.
        now: world time of the last turn, in seconds.
        since_turn_s: real seconds since the last turn ended; before the first, since the world was opened.
        turns, commits: how many there were.
        handled: messages that turns took.
        steps: those that changed a workflow.
        timers_fired: timers that came due.
        started: workflows that were made, children too.
        ended: workflows that ended, by status; one that fails again after a retry counts again.
        faults: steps that failed, those that are tried again too.
        accepted, refused: inputs by kind; a refused one raised at the call.
        turn_s: real seconds of a turn, its commit not counted.
        commit_s: real seconds of a commit.
        step_s: real seconds of a step: a turn's time shared among its messages, and counted for each of them.
        input_s: real seconds from the acceptance of a turn's oldest input to the end of its steps: no input of the turn
            waited longer for its own, unless it was carried over.
        lateness_s: world seconds from when a timer was due to the turn that fired it.
        active: workflows that are active.
        resident: workflows that are in memory.
        held: workflows that the loaded code cannot go on with, of those that had a message since.
        waiting: inputs that the next turn will take.
        carried_over: messages that the last turn did not get to.
        crowded: workflows with as many unread signals as they may have.
        activities: activities that run or wait for a thread.
        map_bytes: bytes of the map that are used, or wait to be used again.
        map_free: those of them that wait to be used again: deleted rows leave them behind.
        map_limit: bytes up to which the map may grow.
        file_bytes: of the world's file.
        table_bytes: bytes of pages by table, the log of commits and the history among them.
        log_entries: commits whose rows are not all in their places yet.
    """

    turn: int
    committed_turn: int
    now: float
    since_turn_s: float
    turns: int
    commits: int
    handled: int
    steps: int
    timers_fired: int
    started: int
    ended: Mapping[str, int]
    faults: int
    accepted: Mapping[str, int]
    refused: Mapping[str, int]
    turn_s: Distribution
    commit_s: Distribution
    step_s: Distribution
    input_s: Distribution
    lateness_s: Distribution
    active: int
    resident: int
    held: int
    waiting: int
    carried_over: int
    crowded: int
    activities: int
    map_bytes: int
    map_free: int
    map_limit: int
    file_bytes: int
    table_bytes: Mapping[str, int]
    log_entries: int

"""What a pump and a recovery say of themselves."""

from __future__ import annotations

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

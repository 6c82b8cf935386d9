"""What a world says: of itself when it is open, of each frame, and at its end."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any, NamedTuple, Self

from .inputs import Known


@dataclass(frozen=True, slots=True)
class Task:
    """What a world is told before it is opened.

    Attributes:
        world: its directory.
        types: names of its workflow types, instruments excepted.
        entries: of each entry of the plan, the type's name as registered.
        signals: of each entry of the signals' mix, (type's name, signal's name).
        publishes: of each entry of the publishes' mix, the signal's name.
        virtual: whether each call moves time by a frame, instead of the computer's clock.
        named: whether every input is sent with a name; else notes alone.
        frame_s: seconds of a frame; 0.0 for frames one after the other.
        budget_s: for the steps of a frame; None for all.
        durability, history, max_resident, prune_after, seed: of `Runtime`.
    """

    world: str
    types: list[str]
    entries: list[str]
    signals: list[list[str]]
    publishes: list[str]
    virtual: bool
    named: bool
    frame_s: float
    budget_s: float | None
    durability: str
    history: str | int
    max_resident: int | None
    prune_after: float | None
    seed: int


class Opened(NamedTuple):
    """A world is open.

    Attributes:
        workflows: active ones in it.
        turn: its last one.
        now_s: world time.
        open_s: what opening it took, as its `RecoveryReport` says.
    """

    workflows: int
    turn: int
    now_s: float
    open_s: float


class Late(NamedTuple):
    """How late a timer's step ran.

    Attributes:
        late_s: in seconds.
        missed: it was due while the world was not open.
    """

    late_s: float
    missed: bool


@dataclass(slots=True)
class Frame:
    """One frame.

    Attributes:
        now_s: world time.
        elapsed_s: what the pump took, with its commit.
        commit_s: the commit alone.
        steps: messages that changed a workflow.
        timers: that fired.
        carried_over: messages left for the next frame.
        live: active workflows.
        failed: workflows that failed since the world was opened.
        acknowledged: inputs that are durable now.
        refused: numbers of inputs that the world did not take: their receiver was full.
        late: of the probes' steps.
        memory_b: anonymous memory of the process; None where it was not looked at.
        world_b: size of the world's file; None where it was not looked at.
    """

    now_s: float
    elapsed_s: float
    commit_s: float
    steps: int
    timers: int
    carried_over: int
    live: int
    failed: int
    acknowledged: list[Known]
    refused: list[int]
    late: list[Late]
    memory_b: int | None
    world_b: int | None

    def packed(self) -> list[Any]:
        """Return what goes through the pipe."""
        return list(astuple(self))

    @classmethod
    def unpacked(cls, values: list[Any]) -> Self:
        """Return the frame of what came through the pipe."""
        frame = cls(*values)
        frame.acknowledged = [Known(*item) for item in frame.acknowledged]
        frame.late = [Late(*item) for item in frame.late]
        return frame


class Ended(NamedTuple):
    """A world is closed.

    Attributes:
        digest: of all that it holds; None where none was asked for.
    """

    digest: str | None

"""`Scenario`: all that decides a load test, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

ClockKind: TypeAlias = Literal["real", "virtual"]
Durability: TypeAlias = Literal["power", "process"]

MOST_WORKFLOWS = 10_000_000
MOST_SECONDS = 7 * 86_400
MOST_PER_SECOND = 1_000_000
MOST_ENTRIES = 100
"""Workflow, signal and publish entries of a scenario, each."""


@dataclass(frozen=True, slots=True)
class WorkflowEntry:
    """Workflows of one type.

    Attributes:
        name: by which signals are addressed to them; the type's name by default.
        type: of the library, or `module:function`.
        count: how many are started at first.
        starts_per_second: how many more are started each second from then on.
        arguments: a list or a table of them, with values to be drawn; see `draws`.
    """

    name: str
    type: str
    count: int
    starts_per_second: float
    arguments: list[Any] | dict[str, Any]


@dataclass(frozen=True, slots=True)
class SignalEntry:
    """One kind of signal of the mix.

    Attributes:
        to: the name of the workflows of which each goes to one; None for a publish.
        signal: its class's name.
        weight: how often it is chosen, relative to the others.
        fields: of the signal, with values to be drawn.
    """

    to: str | None
    signal: str
    weight: float
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A load test.

    Attributes:
        title: for the report.
        source: the file, or the name of a ready-made one.
        seed: of all that is drawn, and of the world.
        seconds: how long the load lasts, once the first workflows are started.
        clock: "real" runs on the computer's clock; "virtual" moves time in fixed frames, as fast as it goes.
        frame_rate: frames a second; 0 is one after the other.
        frame_budget_ms: what a frame has for steps; None for all that there is to do.
        durability: of the world.
        history: which steps are recorded; see `Runtime`.
        max_resident: workflows in memory after a frame; None for all.
        prune_after_s: seconds after which what has ended is deleted; None to keep it.
        kill_every_s: seconds between kills of the world's process; None for a world in the tester's process.
        ramp_per_s: at first so many starts a second; None for all at once, before the seconds begin to count.
        workflows: what is started.
        signals_per_s: and `signals`, their mix.
        publishes_per_s: and `publishes`, their mix.
        witnesses: workflows that keep which signals they got.
        notes_per_s: signals to them.
        probes: workflows that measure how late timers are.
        probe_period_s: how often each does.
        thresholds: what must be met; see `thresholds`.
    """

    title: str
    source: str
    seed: int
    seconds: float
    clock: ClockKind
    frame_rate: float
    frame_budget_ms: float | None
    durability: Durability
    history: str | int
    max_resident: int | None
    prune_after_s: float | None
    kill_every_s: float | None
    ramp_per_s: float | None
    workflows: tuple[WorkflowEntry, ...]
    signals_per_s: float
    signals: tuple[SignalEntry, ...]
    publishes_per_s: float
    publishes: tuple[SignalEntry, ...]
    witnesses: int
    notes_per_s: float
    probes: int
    probe_period_s: float
    thresholds: Mapping[str, float] = field(default_factory=dict)

    @property
    def virtual(self) -> bool:
        """Whether time is the game's."""
        return self.clock == "virtual"

    @property
    def frame_s(self) -> float:
        """Seconds of a frame, 0.0 where they follow one another; virtual time always has frames."""
        return 1.0 / self.frame_rate if self.frame_rate else 0.0

    @property
    def count(self) -> int:
        """How many workflows are started at first, instruments included."""
        return sum(entry.count for entry in self.workflows) + self.witnesses + self.probes


def scaled(counts: list[int], total: int) -> list[int]:
    """Change counts so that they sum up to `total` and keep their proportions as nearly as whole numbers can."""
    whole = sum(counts)
    if not whole:
        return [total, *(0 for _ in counts[1:])]
    shares = [count * total // whole for count in counts]
    rests = sorted(range(len(counts)), key=lambda at: (-(counts[at] * total % whole), at))
    for at in rests[: total - sum(shares)]:
        shares[at] += 1
    return shares

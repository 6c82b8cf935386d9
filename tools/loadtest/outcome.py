"""How far a run is, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from .findings import Findings
from .measures import Measures
from .scenario import Scenario
from .verification import Verdict


class Phase(StrEnum):
    """What a run is doing."""

    OPENING = "opening"
    STARTING = "starting workflows"
    LOAD = "under load"
    DRAINING = "waiting for the last inputs"
    CHECKING = "checking the world against the ledger"


class Progress(NamedTuple):
    """How far a run is.

    Attributes:
        phase: what it does.
        done: of that phase, from 0.0 to 1.0; None where nobody can say.
        elapsed_s: since the run began.
    """

    phase: Phase
    done: float | None
    elapsed_s: float


@dataclass(slots=True)
class Outcome:
    """What a run came to.

    Attributes:
        scenario: what was run.
        measures: what it took.
        verdict: of the ledger.
        found: what stood in the world at the end.
        digest: of the world; None with a real clock, where no two runs have the same.
        interrupted: Ctrl-C ended it.
        elapsed_s: from the begin to the end of the load.
        virtual_s: world time that went by under load.
        inputs: how many were sent.
    """

    scenario: Scenario
    measures: Measures
    verdict: Verdict
    found: Findings
    digest: str | None
    interrupted: bool
    elapsed_s: float
    virtual_s: float
    inputs: int

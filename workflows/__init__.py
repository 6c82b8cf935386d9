"""What a game developer writes with, and the pure heart that runs it: no thread, no clock, no store."""

from __future__ import annotations

from .context import Context
from .definition import Call, WorkflowType, routine, workflow
from .limits import Limits
from .messages import Status
from .signal import Signal
from .sources import Beat, Child, ChildDone, Elapsed, Every, Timer

__all__ = [
    "Beat",
    "Call",
    "Child",
    "ChildDone",
    "Context",
    "Elapsed",
    "Every",
    "Limits",
    "Signal",
    "Status",
    "Timer",
    "WorkflowType",
    "routine",
    "workflow",
]

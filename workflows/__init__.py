"""What a game developer writes with, and the pure heart that runs it: no thread, no clock, no store."""

from __future__ import annotations

from . import gathering as _gathering  # noqa: F401 - stored workflows may stand in its routine.
from .activity import Activity, ActivityCall, ActivityContext, activity
from .context import Context
from .definition import Call, WorkflowType, routine, workflow
from .limits import Limits
from .messages import Status
from .reducer import Reducer, ReducerContext, WorkflowHead, reducer
from .retry import Retry
from .signal import Signal
from .sources import ActivityDone, Beat, Child, ChildDone, Elapsed, Every, Running, Timer
from .tables import Table

__all__ = [
    "Activity",
    "ActivityCall",
    "ActivityContext",
    "ActivityDone",
    "Beat",
    "Call",
    "Child",
    "ChildDone",
    "Context",
    "Elapsed",
    "Every",
    "Limits",
    "Reducer",
    "ReducerContext",
    "Retry",
    "Running",
    "Signal",
    "Status",
    "Table",
    "Timer",
    "WorkflowHead",
    "WorkflowType",
    "activity",
    "reducer",
    "routine",
    "workflow",
]

"""What makes workflows durable and usable: `Runtime`, clocks, turns, the store and recovery."""

from __future__ import annotations

from .audit.events import AuditEvent
from .census import Census
from .clock import Clock, GameClock, WallClock
from .commits import Change
from .handle import Handle
from .history.entries import HistoryEntry
from .history.retention import Retention
from .inputs import TurnRecord
from .reports import Distribution, Metrics, PumpReport, RecoveryReport
from .runtime import Runtime
from .sql.query import SqlResult
from .storage.store import Store
from .view import FrameView, TimerView, WorkflowView

__all__ = [
    "AuditEvent",
    "Census",
    "Change",
    "Clock",
    "Distribution",
    "FrameView",
    "GameClock",
    "Handle",
    "HistoryEntry",
    "Metrics",
    "PumpReport",
    "RecoveryReport",
    "Retention",
    "Runtime",
    "SqlResult",
    "Store",
    "TimerView",
    "TurnRecord",
    "WallClock",
    "WorkflowView",
]

"""What runs workflows: actors of pykka's kind, on one run queue, woken by one timer wheel."""

from __future__ import annotations

from .address_index import ENTITY_INDEX, GROUP_INDEX
from .backlog import Carried
from .directory import Directory, RowSource
from .listings import ENDED_INDEX, TYPE_INDEX
from .reducer_actor import WORLD_ID, ReducerActor
from .scheduled_actor import ScheduledActor
from .scheduler import Scheduler
from .system import ActorSystem, Rows
from .timer_actor import Advance, TimerWheelActor
from .timer_wheel import TimerWheel
from .workflow_actor import WorkflowActor

__all__ = [
    "ENDED_INDEX",
    "ENTITY_INDEX",
    "GROUP_INDEX",
    "TYPE_INDEX",
    "WORLD_ID",
    "ActorSystem",
    "Advance",
    "Carried",
    "Directory",
    "ReducerActor",
    "RowSource",
    "Rows",
    "ScheduledActor",
    "Scheduler",
    "TimerWheel",
    "TimerWheelActor",
    "WorkflowActor",
]

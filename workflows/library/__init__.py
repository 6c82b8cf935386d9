"""Ready-made game workflows: register them as they are, spawn them from your own, or copy one as a start.

from deathless.workflows.library import buff, npc_patrol
with Runtime("world.deathless", [buff, npc_patrol]) as world: ...
"""

from __future__ import annotations

from .auction import AuctionEnd, Bid, CallOff, Outbid, auction
from .buff import BuffEnd, Dispel, Stack, buff
from .combat import Action, CombatEnd, Flee, combat
from .conditional import Choice, Choose, Leave, Node, TalkEnd, conditional
from .countdown import Abort, CountdownEnd, Counted, Extend, countdown
from .day_night import DayNightEnd, PhaseChanged, SetPhase, day_night
from .npc_patrol import PatrolEnd, Threat, npc_patrol
from .parent_child import Fight, FightEnd, RaidEnd, Retreat, parent_child
from .production import Deliver, Pause, Produced, ProductionEnd, Resume, production
from .quest import Abandon, Progress, QuestDone, QuestEnd, quest
from .respawn import Respawned, RespawnEnd, respawn
from .trade import Confirm, Decline, Goods, Lock, Offer, TradeEnd, trade

__all__ = [
    "Abandon",
    "Abort",
    "Action",
    "AuctionEnd",
    "Bid",
    "BuffEnd",
    "CallOff",
    "Choice",
    "Choose",
    "CombatEnd",
    "Confirm",
    "CountdownEnd",
    "Counted",
    "DayNightEnd",
    "Decline",
    "Deliver",
    "Dispel",
    "Extend",
    "Fight",
    "FightEnd",
    "Flee",
    "Goods",
    "Leave",
    "Lock",
    "Node",
    "Offer",
    "Outbid",
    "PatrolEnd",
    "Pause",
    "PhaseChanged",
    "Produced",
    "ProductionEnd",
    "Progress",
    "QuestDone",
    "QuestEnd",
    "RaidEnd",
    "RespawnEnd",
    "Respawned",
    "Resume",
    "Retreat",
    "SetPhase",
    "Stack",
    "TalkEnd",
    "Threat",
    "TradeEnd",
    "auction",
    "buff",
    "combat",
    "conditional",
    "countdown",
    "day_night",
    "npc_patrol",
    "parent_child",
    "production",
    "quest",
    "respawn",
    "trade",
]

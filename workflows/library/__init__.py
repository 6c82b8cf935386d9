"""Ready-made game workflows: register them as they are, spawn them from your own, or copy one as a start.

from deathless.workflows.library import buff, npc_patrol
with Runtime("world.deathless", [buff, npc_patrol]) as world: ...
"""

from __future__ import annotations

from .buff import BuffEnd, Dispel, Stack, buff
from .combat import Action, CombatEnd, Flee, combat
from .npc_patrol import PatrolEnd, Threat, npc_patrol
from .production import Deliver, Pause, Produced, ProductionEnd, Resume, production
from .respawn import Respawned, RespawnEnd, respawn

__all__ = [
    "Action",
    "BuffEnd",
    "CombatEnd",
    "Deliver",
    "Dispel",
    "Flee",
    "PatrolEnd",
    "Pause",
    "Produced",
    "ProductionEnd",
    "RespawnEnd",
    "Respawned",
    "Resume",
    "Stack",
    "Threat",
    "buff",
    "combat",
    "npc_patrol",
    "production",
    "respawn",
]

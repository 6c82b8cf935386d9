"""A guard on its rounds: the workflows of the game and their signals.

`WORKFLOWS` is what the game registers. Commands find the workflows here too: `deathless types starter_game`.
"""

from __future__ import annotations

from .guard import guard
from .regeneration import regeneration
from .shop import shop
from .signals import Buy, Goblin, Heal, Potion

WORKFLOWS = (guard, regeneration, shop)

__all__ = ["WORKFLOWS", "Buy", "Goblin", "Heal", "Potion", "guard", "regeneration", "shop"]

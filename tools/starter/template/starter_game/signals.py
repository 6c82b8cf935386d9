"""The messages of the game. Each is a frozen dataclass, and is stored under its name until it is read."""

from __future__ import annotations

from deathless import Signal


class Goblin(Signal):
    """A goblin attacks, and takes up to this much health."""

    strength: int = 4


class Buy(Signal):
    """Somebody, an entity, would like a potion."""

    buyer: int


class Potion(Signal):
    """A potion is handed over: it heals one point a second for so many seconds."""

    seconds: int = 5


class Heal(Signal):
    """Health comes back."""

    amount: int = 1

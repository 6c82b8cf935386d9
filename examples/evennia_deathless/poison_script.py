"""The Script that `durable/` replaces, for comparison: `py self.scripts.add("world.poison_script.Poison")`."""

# Evennia need not be where this file is checked.
# pyright: reportMissingImports=false
from __future__ import annotations

from evennia import DefaultScript


class Poison(DefaultScript):
    """Hurt the object that it is on six times, every five seconds."""

    def at_script_creation(self) -> None:
        """Say when it fires."""
        self.key = "poison"
        self.interval = 5
        self.start_delay = True
        self.repeats = 6
        self.persistent = True

    def at_repeat(self) -> None:
        """Fire."""
        self.obj.db.hp = max((self.obj.db.hp or 100) - 2, 0)

"""Two commands that used to add and remove a Script: `poison <target>` and `antidote <target>`."""

# Evennia need not be where this file is checked.
# pyright: reportMissingImports=false
from __future__ import annotations

from typing import Any

from evennia import CmdSet, Command

from . import hooks
from .bridge import Bridge
from .effects import Antidote, body, poison


def bridge() -> Bridge:
    """Return the way to the world.

    Raises:
        RuntimeError: it could not be opened.
    """
    if hooks.bridge is None:
        raise RuntimeError("the world did not open when the server started: see server/logs/server.log")
    return hooks.bridge


class CmdPoison(Command):
    """Poison somebody.

    Usage:
      poison <target>
    """

    key = "poison"

    def func(self) -> None:
        """Start the poison, and the target's body if nothing has ever hurt it."""
        target: Any = self.caller.search(self.args.strip())
        if target:
            bridge().ensure(body(), entity_id=target.id)
            bridge().world.start(poison(damage=2, interval=5.0, repeats=6), entity_id=target.id)
            self.caller.msg(f"{target} is poisoned.")


class CmdAntidote(Command):
    """Cure somebody of every poison.

    Usage:
      antidote <target>
    """

    key = "antidote"

    def func(self) -> None:
        """Send the antidote; who is not poisoned does not notice."""
        target: Any = self.caller.search(self.args.strip())
        if target:
            bridge().world.signal(Antidote(), entity_id=target.id)


class DurableCmdSet(CmdSet):
    """To be added to the character's commands."""

    key = "durable"

    def at_cmdset_creation(self) -> None:
        """Add them."""
        self.add(CmdPoison())
        self.add(CmdAntidote())

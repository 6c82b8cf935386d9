"""What Evennia calls when the server starts and stops; named in settings.AT_SERVER_STARTSTOP_MODULE.

It is the same for a reload, a shutdown and a start after kill -9: the world goes on where its last commit was.
"""

# Evennia need not be where this file is checked.
# pyright: reportMissingImports=false
from __future__ import annotations

from pathlib import Path

from django.conf import settings
from evennia.objects.models import ObjectDB
from evennia.utils import logger
from twisted.internet.task import LoopingCall

from deathless import WorkflowView

from .bridge import Bridge
from .effects import WORKFLOWS, body

HERTZ = 30

bridge: Bridge | None = None
_beat: LoopingCall | None = None


def at_server_start() -> None:
    """Open the world and let the reactor pump it."""
    global bridge, _beat  # noqa: PLW0603 - one world for each server process, as Evennia's own handlers are.
    bridge = Bridge(Path(settings.GAME_DIR) / "server" / "world.deathless", WORKFLOWS, mirror)
    logger.log_info(f"Deathless: {bridge.world.recovery}")
    _beat = beat = LoopingCall(bridge.pump)
    # A LoopingCall that fails stops; a world that stands still must not go unnoticed.
    beat.start(1 / HERTZ).addErrback(lambda failure: logger.log_err(f"Deathless stopped: {failure}"))


def at_server_stop() -> None:
    """Close the world."""
    global bridge, _beat  # noqa: PLW0603 - as in at_server_start.
    if _beat is not None and _beat.running:
        _beat.stop()
    if bridge is not None:
        bridge.close()
    bridge = _beat = None


def mirror(view: WorkflowView) -> None:
    """Show on the Evennia object what a commit changed."""
    if view.type == body.name and "hp" in view.locals:
        for obj in ObjectDB.objects.filter(id=view.entity_id):
            if obj.db.hp != view.locals["hp"]:
                obj.db.hp = view.locals["hp"]
                obj.msg(f"Health: {obj.db.hp}")

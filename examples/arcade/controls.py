"""What the player does: keys and clicks become signals to whoever is chosen."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

from deathless import LimitError, Runtime
from deathless.workflows.library import (
    Action,
    Deliver,
    Dispel,
    Flee,
    Pause,
    Resume,
    SetPhase,
    Stack,
    Threat,
    buff,
)

from .land import FOES, SHOPS
from .life import SKY
from .scene import Scene


class Controls:
    """Sends the player's signals; whether there is somebody to take one is up to the world.

    Attributes:
        chosen: the entity that the keys act on.
        keys: what each key does, with a word for it.
    """

    def __init__(self, world: Runtime, scene: Scene, chosen: int) -> None:
        self._world = world
        self._scene = scene
        self.chosen = chosen
        self.keys: dict[str, tuple[str, Callable[[], object]]] = {
            "w": ("wolf", lambda: self._signal(Threat("wolf", *FOES["wolf"]))),
            "t": ("troll", lambda: self._signal(Threat("troll", *FOES["troll"]))),
            "s": ("strike", lambda: self._signal(Action("strike"))),
            "f": ("flee", lambda: self._signal(Flee())),
            "h": ("haste", self._haste),
            "d": ("dispel", lambda: self._signal(Dispel())),
            "g": ("deliver goods", self._deliver),
            "p": ("pause work", self._pause),
            "n": ("night", lambda: self._world.signal(SetPhase("night"), entity_id=SKY)),
            "k": ("kill -9", kill_9),
        }

    def press(self, key: str) -> None:
        """Do what a key does; others do nothing."""
        if key in self.keys:
            self.keys[key][1]()

    def choose(self, at: tuple[float, float]) -> None:
        """Choose whoever is nearest to a place."""
        self.chosen = self._scene.nearest(at, self._world.now)

    def _signal(self, what: Threat | Action | Flee | Dispel) -> None:
        # Who has a thousand wolves waiting takes no more.
        with suppress(LimitError):
            self._world.signal(what, entity_id=self.chosen)

    def _haste(self) -> None:
        """Put a buff on, or another stack on the one that is there."""
        if self._scene.find(self.chosen, buff.name) is None:
            self._world.start(buff(20.0, "haste"), entity_id=self.chosen)
        else:
            self._world.signal(Stack(), entity_id=self.chosen)

    def _deliver(self) -> None:
        for shop in SHOPS:
            for item, need in shop.inputs.items():
                self._world.signal(Deliver(item, need), entity_id=shop.entity)

    def _pause(self) -> None:
        work = self._scene.find(self.chosen, "production")
        paused = work is not None and work.current_step == "paused"
        self._world.signal(Resume() if paused else Pause(), entity_id=self.chosen)


def kill_9() -> None:
    """End this process as nothing can prevent: no handler, no `finally`, no last commit."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

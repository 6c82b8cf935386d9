"""A world in the tester's own process: for load without kills, and for a virtual clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .frames import Ended, Frame, Opened, Task
from .game_loop import GameLoop
from .inputs import Input


class World(Protocol):
    """A world as the driver sees it, wherever it runs."""

    def open(self) -> Opened:
        """Open it, and return when it takes inputs."""
        ...

    def pace(self) -> None:
        """Wait until inputs are wanted: where it runs in this process, until its next frame is due."""
        ...

    def step(self, inputs: Sequence[Input]) -> list[Frame]:
        """Send inputs, and return the frames that are over since; with a virtual clock, exactly one."""
        ...

    def end(self, *, digest: bool) -> Ended:
        """Close it."""
        ...

    def kill(self) -> list[Frame]:
        """End it at once, as kill -9 does, and return the frames that it told of and nobody has heard yet."""
        ...


class LocalWorld:
    """A `World` in this process."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._loop: GameLoop | None = None

    def open(self) -> Opened:
        """Open the world."""
        self._loop = GameLoop(self._task)
        return self._loop.opened

    def pace(self) -> None:
        """Wait until the next frame is due."""
        assert self._loop is not None
        self._loop.pace()

    def step(self, inputs: Sequence[Input]) -> list[Frame]:
        """Run one frame with these inputs."""
        assert self._loop is not None
        self._loop.take(inputs)
        return [self._loop.frame()]

    def end(self, *, digest: bool) -> Ended:
        """Close the world."""
        assert self._loop is not None
        found = self._loop.digest() if digest else None
        self.kill()
        return Ended(found)

    def kill(self) -> list[Frame]:
        """Close the world: what shares a process with it cannot kill it."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None
        return []

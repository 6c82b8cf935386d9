"""What a world says about itself: that it was opened, which workflows fail, that a commit was slow, who reads for long.

All but its opening is said only where somebody has set structlog up. A game that has not would find it among its own
output, for then structlog prints everything.
"""

from __future__ import annotations

import time
from typing import Any

from ..actors import ActorSystem
from ..workflows.instance import Instance
from ..workflows.registry import Registry
from .log import is_configured
from .storage.reader_watch import ReaderWatch
from .storage.store import Store

SLOW_COMMIT_S = 1.0
"""Seconds from which on a commit is worth a warning: a game has stood still for as long."""
MOST_LINES = 100
"""Of workflows in trouble, in one turn: a mistake in the code of thousands should not roll the log over."""
INITIALIZING = "Initializing Deathless Workflow Engine"
REGISTERING = "Registering workflow type: {name}"
INITIALIZED = "Workflow registry initialized"
"""These three are whole sentences, for operators who search logs by the words of the deployment guide."""


class Narrator:
    """Logs what happens to one world, between its turns."""

    def __init__(self, store: Store, log: Any) -> None:
        """Create a narrator that says nothing yet.

        Args:
            store: the world.
            log: a structlog logger.
        """
        self._log = log
        self._readers = ReaderWatch(store)
        self._deleted = 0
        self._full = False
        # By event, type and text: the workflow that was first, and how many there were.
        self._trouble: dict[tuple[str, str, str], tuple[Instance, int]] = {}
        self._untold = 0

    def initialized(self, registry: Registry) -> None:
        """Say which workflow types there are."""
        self._say("info", INITIALIZING)
        for name in registry.workflows:
            self._say("info", REGISTERING.format(name=name), workflow_type=name)
        self._say("info", INITIALIZED, workflow_types=len(registry.workflows))

    def listen(self, system: ActorSystem) -> None:
        """Hear of the trouble that workflows have."""
        system.stepper.report = self._note

    def _note(self, event: str, instance: Instance, text: str) -> None:
        key = event, instance.type_name, text
        first, count = self._trouble.get(key, (instance, 0))
        if count or len(self._trouble) < MOST_LINES:
            self._trouble[key] = first, count + 1
        else:
            self._untold += 1

    def reloaded(self, registry: Registry) -> None:
        """Say that other code has taken over."""
        self._say("info", "code_reloaded", workflow_types=len(registry.workflows))

    def end_turn(self, turn: int, deleted: int, commit_s: float) -> None:
        """Say what a turn was remarkable for.

        Args:
            turn: its number.
            deleted: workflows that were deleted since the world was opened.
            commit_s: seconds that its commit took; 0.0 for none.
        """
        if self._trouble:
            self._tell_trouble()
        if deleted != self._deleted:
            self._say("info", "workflows_deleted", count=deleted - self._deleted, turn=turn)
            self._deleted = deleted
        if commit_s >= SLOW_COMMIT_S:
            self._say("warning", "slow_commit", seconds=round(commit_s, 3), turn=turn)
        if commit_s > 0 and self._readers.due(time.monotonic()):
            self._tell_readers()

    def full(self, error: Exception | None) -> None:
        """Say that there is no room for a commit, or with None that there was; each once."""
        full = error is not None
        if full != self._full:
            self._full = full
            if full:
                self._say("error", "world_full", error=str(error))
            else:
                self._say("info", "world_has_room")

    def closed(self, turn: int, workflows: int, steps: int) -> None:
        """Say that the world is closed.

        Args:
            turn: the last one.
            workflows: that are active.
            steps: that were run since it was opened.
        """
        self._say("info", "world_closed", turn=turn, workflows=workflows, steps=steps)

    def _tell_trouble(self) -> None:
        trouble, self._trouble = self._trouble, {}
        untold, self._untold = self._untold, 0
        for (event, type_name, text), (first, count) in trouble.items():
            fields = {"count": count} if count > 1 else {}
            self._say(
                "warning",
                event,
                workflow_id=first.workflow_id,
                workflow_type=type_name,
                entity_id=first.entity_id,
                error=text,
                **fields,
            )
        if untold:
            self._say("warning", "more_workflows_in_trouble", count=untold)

    def _tell_readers(self) -> None:
        dead, long = self._readers.look()
        if dead:
            self._say("warning", "dead_readers_freed", count=dead)
        for reader in long:
            # While it reads, no page that it could see is used again.
            self._say("warning", "long_reader", pid=reader.pid, commits_behind=reader.behind)

    def _say(self, level: str, event: str, **fields: Any) -> None:
        if is_configured():
            getattr(self._log, level)(event, **fields)

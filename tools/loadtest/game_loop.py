"""The game loop of a load test: a `Runtime`, frames, and the inputs of each, as a game would write it.

It runs in the tester's process or in one of its own, and knows nothing of kills: after one it is made anew, and the
inputs that were not acknowledged come again under the same names.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

from ...runtime import Change, GameClock, Runtime, WallClock
from ...runtime.storage.world_files import DATA_FILE
from ...workflows.definition import WorkflowType
from ...workflows.errors import LimitError
from ...workflows.messages import Status
from ...workflows.signal import Signal
from .catalog import find_published, find_signal, registered_for
from .frames import Frame, Late, Opened, Task
from .inputs import Input, Kind, Known
from .instruments import LoadtestNote, lateness
from .machine import anonymous_bytes

LOOK_EVERY_S = 0.25
"""Between two looks at memory and at the size of the file."""


class GameLoop:
    """An open world and its frames.

    Attributes:
        opened: what it found when it was opened.
    """

    def __init__(self, task: Task) -> None:
        """Open the world, or make it.

        Raises:
            DeathlessError, OSError: it cannot be opened.
        """
        self._task = task
        items = registered_for(task.types)
        kinds = {item.name: item for item in items if isinstance(item, WorkflowType)}
        self._starts = [kinds[name] for name in task.entries]
        self._signals = [find_signal(kinds[kind], name) for kind, name in task.signals]
        self._publishes = [find_published(kinds.values(), name) for name in task.publishes]
        self._clock = GameClock() if task.virtual else WallClock()
        self._world = Runtime(
            task.world,
            items,
            clock=self._clock,
            durability=cast("Any", task.durability),
            history=cast("Any", task.history),
            max_resident=task.max_resident,
            prune_after=task.prune_after,
            seed=task.seed,
        )
        self._world.on_change(self._count_failed)
        self._failed = 0
        self._opened_at = time.time()
        self._waiting: deque[tuple[int, int, int]] = deque()
        self._refused: list[int] = []
        self._look_at_s = 0.0
        self._frame_at_s = time.perf_counter()
        lateness.clear()
        found = self._world.recovery
        self.opened = Opened(found.workflows, found.turn, self._world.now, found.elapsed_s)

    def take(self, inputs: Iterable[Input]) -> None:
        """Hand inputs to the world, for the next frame."""
        bulk: list[Input] = []
        for item in inputs:
            if item.kind == Kind.START and not self._task.named:
                bulk.append(item)
                continue
            self._start_all(bulk)
            try:
                turn, workflow_id = self._send(item)
            except LimitError:
                self._refused.append(item.number)
            else:
                self._waiting.append((turn, item.number, workflow_id))
        self._start_all(bulk)

    def pace(self) -> None:
        """Sleep until the next frame is due; one that took too long puts off those after it."""
        if self._task.frame_s and not self._task.virtual:
            now_s = time.perf_counter()
            self._frame_at_s = max(self._frame_at_s + self._task.frame_s, now_s)
            time.sleep(self._frame_at_s - now_s)

    def frame(self) -> Frame:
        """Run a frame and say what it was."""
        if self._task.virtual:
            report = self._world.advance(self._task.frame_s, self._task.budget_s)
        else:
            report = self._world.pump(budget=self._task.budget_s)
        memory_b, world_b = self._look()
        refused, self._refused = self._refused, []
        return Frame(
            now_s=self._world.now,
            elapsed_s=report.elapsed_s,
            commit_s=report.commit_s,
            steps=report.steps,
            timers=report.timers_fired,
            carried_over=report.carried_over,
            live=self._world.count(),
            failed=self._failed,
            acknowledged=self._acknowledged(report.committed_turn),
            refused=refused,
            late=self._late(),
            memory_b=memory_b,
            world_b=world_b,
        )

    def digest(self) -> str:
        """Return the world's digest."""
        return self._world.digest()

    def close(self) -> None:
        """Close the world."""
        self._world.close()

    def _send(self, item: Input) -> tuple[int, int]:
        """Hand over one input; return the turn that takes it and, of a start, the workflow's id."""
        name = str(item.number) if self._task.named or item.kind == Kind.NOTE else None
        if item.kind == Kind.START:
            handle = self._world.start(self._call(item), entity_id=item.entity, input_id=name)
            return handle.turn, handle.id
        if item.kind == Kind.PUBLISH:
            return self._world.publish(self._publishes[item.entry](**item.values), input_id=name), 0
        signal: Signal = (
            LoadtestNote(*item.values) if item.kind == Kind.NOTE else self._signals[item.entry](**item.values)
        )
        return self._world.signal(signal, entity_id=item.entity, input_id=name), 0

    def _start_all(self, bulk: list[Input]) -> None:
        """Start what has no name of its own, and empty the list."""
        if bulk:
            handles = self._world.start_many([(self._call(item), item.entity) for item in bulk])
            self._waiting += [
                (handle.turn, item.number, handle.id) for handle, item in zip(handles, bulk, strict=True)
            ]
            bulk.clear()

    def _call(self, item: Input) -> Any:
        start: Callable[..., Any] = self._starts[item.entry]
        return start(*item.values) if isinstance(item.values, list) else start(**item.values)

    def _acknowledged(self, committed_turn: int) -> list[Known]:
        known = []
        # A name that was known already has a turn of long ago, and is durable at once all the same.
        while self._waiting and self._waiting[0][0] <= committed_turn:
            _, number, workflow_id = self._waiting.popleft()
            known.append(Known(number, workflow_id))
        return known

    def _late(self) -> list[Late]:
        """Say how late the probes' steps of this frame were, on the clock by which they were due."""
        if self._task.virtual:
            late = [Late(now - due, missed=False) for due, now, _ in lateness]
        else:
            late = [Late(ran - due, due < self._opened_at) for due, _, ran in lateness]
        lateness.clear()
        return late

    def _look(self) -> tuple[int | None, int | None]:
        now_s = time.perf_counter()
        if now_s < self._look_at_s:
            return None, None
        self._look_at_s = now_s + LOOK_EVERY_S
        return anonymous_bytes(), (Path(self._task.world) / DATA_FILE).stat().st_size

    def _count_failed(self, changes: tuple[Change, ...]) -> None:
        self._failed += sum(change.status is Status.FAILED for change in changes)

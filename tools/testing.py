"""`TestWorld`: a world for tests of a game's own workflows, in virtual time, which can be crashed at will.

It is a real `Runtime` on a real directory. Only what surrounds it is a test's: a `GameClock` that runs through a day
in milliseconds, each step resumed from its bytes (`paranoid`), commits that survive a dead process and not a dead
machine, and `crash`, after which nothing is left but what the last commit wrote.

The pytest fixtures `world` and `make_world` make these; see `pytest_plugin`. Nothing here needs pytest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import ModuleType
from typing import Any, Literal

from ..runtime import GameClock, PumpReport, Runtime
from ..runtime.world_state import store_next_id
from ..workflows.registry import Registered, Registry
from ..workflows.sources import US, to_us
from .process_memory import ProcessMemory

FRAME_S = 1 / 60
MAP_SIZE = 1 << 24
"""Of a test's world, which grows by itself: some systems give the file the map's size, and tests make many."""
LISTED = 20
PATIENCE_S = 30.0
"""Seconds for which a frame waits for an activity."""
"""Workflows that `describe` lists."""


class TestWorld(Runtime):
    """A world in virtual time, which `crash` and `restart` throw back on its disk.

    Handles, and what `on_change` was given, stay valid through both. Futures do not, as in a real crash.

    Attributes:
        path: the world's directory.
        seed: of `ctx.random`.
        frame: seconds that `advance` moves time at once.
        await_activities: time stands still while activities run, so that their results come at the same point in each
            run of a test. Set it to False to let time go by beside them.
    """

    __test__ = False  # Its name begins as those of test classes do, and pytest collects by name.

    def __init__(
        self,
        path: str | os.PathLike[str],
        workflows: Iterable[Registered],
        *,
        seed: int = 0,
        frame: float = FRAME_S,
        paranoid: bool = True,
        durability: Literal["power", "process"] = "process",
        **options: Any,
    ) -> None:
        """Make a world, or open one that a test has left.

        Args:
            path: the world's directory.
            workflows: the workflow types that it may run, with their reducers, activities and tables.
            seed: of `ctx.random`.
            frame: seconds that `advance` moves time at once.
            paranoid: resume every step from its bytes, as after a crash.
            durability: see `Runtime`.
            **options: the other options of `Runtime`, all but `clock`.

        Raises:
            TypeError: a clock is given.
            ValueError: no workflow is given, or a frame of no length.
        """
        if "clock" in options:
            raise TypeError("a TestWorld runs on a GameClock of its own; leave clock= out, and call advance")
        self.path = path
        self.seed = seed
        self.frame = frame
        self.await_activities = True
        self._frame_us(frame)
        self._workflows = tuple(workflows)
        if not self._workflows:
            raise ValueError("a TestWorld runs the workflows that it is given, and it is given none")
        self._options: dict[str, Any] = {
            "seed": seed,
            "paranoid": paranoid,
            "durability": durability,
            "map_size": MAP_SIZE,
            **options,
        }
        self._clock = GameClock()
        self._memory: ProcessMemory | None = None
        self._open()

    # -- ends and new beginnings ---------------------------------------------------------------------------

    def crash(self, *workflows: Registered) -> None:
        """Lose the process right after the last turn, and open the world again from its disk.

        Lost are the inputs that no turn has taken yet, futures, and what the modules of the workflows keep in global
        variables; see `ProcessMemory`. Time goes on where the last turn stood. With `commit_every`, the turns that
        were not committed yet are lost as well.

        Args:
            *workflows: other code to go on with, in place of the old.
        """
        engine = self._engine
        if not engine.closed and engine.committer.full is None:
            if not self._options.get("commit_every"):
                # Turns in which only time went by share a commit, by the computer's clock. Here the time of a crash
                # must not depend on that.
                self.commit()
            # A crash may leave a gap in the ids. Without one, a run with a crash can be compared with one without.
            store_next_id(engine.store, engine.intake.ids.following)
        if not engine.closed:
            engine.abandon("the process that waited for this was lost in a crash; after a crash, ask again")
        self._reopen(workflows)

    def restart(self, *workflows: Registered) -> None:
        """Close the world properly, so that it keeps the inputs accepted so far, and open it in a new process.

        Args:
            *workflows: other code to go on with, in place of the old.
        """
        self.close()
        self._reopen(workflows)

    def reload(
        self,
        workflows: Iterable[Registered | ModuleType],
        *,
        check: Callable[[Registry], None] | None = None,
    ) -> None:
        """Go on with other code from the next turn on, through crashes too; see `Runtime.reload`."""
        super().reload(workflows, check=check)
        registry = self._engine.registry
        kinds = (registry.workflows, registry.reducers, registry.activities, registry.tables)
        self._workflows, self._memory = tuple(item for kind in kinds for item in kind.values()), None

    def _reopen(self, workflows: tuple[Registered, ...]) -> None:
        callbacks = self._engine.callbacks
        if self._memory is not None:
            self._memory.restore()
        if workflows:
            self._workflows, self._memory = workflows, None
        self._open()
        # A game that starts again listens again.
        self._engine.callbacks = callbacks

    def _open(self) -> None:
        super().__init__(self.path, self._workflows, clock=self._clock, **self._options)

    # -- time ----------------------------------------------------------------------------------------------

    def pump(self, now: float | None = None, budget: float | None = None) -> PumpReport:
        """Run one frame without moving time, or after moving it to `now`; see `Runtime.pump`."""
        if now is not None:
            self._engine.require_idle()
            self._clock.advance(now - self._clock.now_us() / US)
        return self._run_frame(budget)

    def advance(self, dt: float, budget: float | None = None, *, frame: float | None = None) -> PumpReport:
        """Let `dt` seconds go by, frame after frame.

        Frames in which nothing is due are passed over: they would change nothing but the number of turns.

        Args:
            dt: seconds; 0 for one frame that moves no time.
            budget: of each frame; see `Runtime.pump`. It depends on the machine, as no test should.
            frame: seconds of a frame, in place of the world's own.

        Returns:
            One report for all frames: the last turn, with the steps, timers and seconds of all.
        """
        self._engine.require_idle()
        clock = self._clock
        frame_us = self._frame_us(self.frame if frame is None else frame)
        if dt < 0:
            clock.advance(dt)  # Which refuses.
        end_us = clock.now_us() + to_us(dt, "advance")
        total: PumpReport | None = None
        while True:
            clock.advance(min(frame_us, end_us - clock.now_us()) / US)
            report = self._run_frame(budget)
            total = report if total is None else sum_reports(total, report)
            left_us = end_us - clock.now_us()
            if left_us <= 0:
                return total
            if not report.carried_over and not self._engine.intake.waiting:
                clock.advance(self._empty_frames(frame_us, left_us) * frame_us / US)

    def run_until(self, t: float, step: float | None = None) -> PumpReport:
        """Let time go by until world time `t` seconds; see `advance`."""
        return self.advance(max(to_us(t, "run_until") - self._clock.now_us(), 0) / US, frame=step)

    def run_until_idle(self) -> PumpReport:
        """Run frames without moving time until no message waits."""
        total = report = self._run_frame(None)
        while report.carried_over or self._engine.intake.waiting:
            report = self._run_frame(None)
            total = sum_reports(total, report)
        return total

    def run(self, *, until: Callable[[], bool] | None = None, hz: float = 60.0) -> None:
        """Let time go by, `hz` frames a second, until `until()` is true: at once, where `Runtime.run` would wait."""
        if until is None:
            raise ValueError("run of a TestWorld takes until=...: nothing else would end it")
        if not hz > 0:
            raise ValueError(f"hz is more than 0, not {hz!r}")
        while not until():
            self.advance(1.0 / hz)

    def _run_frame(self, budget: float | None) -> PumpReport:
        """Run what belongs to one frame, which is a turn; time has moved already."""
        if self._memory is None:
            # Now, and not when the world is made, so that what a test prepares outlives a crash.
            self._memory = ProcessMemory(self._workflows)
        report = super().pump(None, budget)
        while self.await_activities:
            # Virtual time would run ahead of the real threads of activities, by as much as the machine likes.
            if not self._engine.activities.wait_all(PATIENCE_S):
                raise TimeoutError(
                    f"an activity has run for {PATIENCE_S} seconds and time stands still for it; let it end, or set "
                    "await_activities = False on this world"
                )
            if not self._engine.intake.order_results():
                break
            report = sum_reports(report, super().pump(None, budget))
        return report

    def _empty_frames(self, frame_us: int, left_us: int) -> int:
        """Return how many frames go by before one with a timer that is due, or the last."""
        due_us = self._engine.system.next_due()
        if due_us is not None:
            left_us = min(left_us, max(due_us - self._clock.now_us(), 1))
        return -(-left_us // frame_us) - 1

    @staticmethod
    def _frame_us(frame: float) -> int:
        frame_us = to_us(frame, "frame")
        if frame_us < 1:
            raise ValueError(f"frame is at least a microsecond, not {frame!r} seconds")
        return frame_us

    # -- looking -------------------------------------------------------------------------------------------

    def describe(self) -> str:
        """Return what a failed test wants to know of the world, as lines of text."""
        lines = [f"seed {self.seed}"]
        if self._engine.closed:
            return f"{lines[0]}; the world is closed"
        lines[0] += f"; {round(self.now, 3)} s of world time, turn {self.turn}"
        views = self.workflows()
        lines += [
            f"  {view.id} {view.type}"
            + ("" if view.entity_id is None else f" (entity {view.entity_id})")
            + f": {view.status}"
            + (f", {view.current_step} (line {view.line})" if view.line else "")
            + ("" if view.error_message is None else f": {view.error_message}")
            for view in views[:LISTED]
        ]
        if len(views) > LISTED:
            lines.append(f"  and {len(views) - LISTED} more")
        return "\n".join(lines)


def sum_reports(first: PumpReport, then: PumpReport) -> PumpReport:
    """Return the later turn's report, with the steps, timers and seconds of both."""
    return replace(
        then,
        steps=first.steps + then.steps,
        timers_fired=first.timers_fired + then.timers_fired,
        elapsed_s=first.elapsed_s + then.elapsed_s,
        commit_s=first.commit_s + then.commit_s,
    )

"""`Runtime`: a world that is open, and the one object that a game holds.

    with Runtime("world.deathless", [buff, npc_patrol], clock=GameClock()) as world:
        world.start(npc_patrol(route, speed=1.5), entity_id=42)
        while playing:
            world.advance(dt, budget=0.004)

What happens behind it is in `engine`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from types import ModuleType, TracebackType
from typing import Literal, Self

from ..workflows.errors import (
    WorldFull,
)
from ..workflows.limits import Limits
from ..workflows.registry import Registered, Registry
from ..workflows.sources import US, to_us
from .clock import Clock, GameClock, WallClock
from .commits import Change
from .engine import Engine
from .history.retention import Retention
from .inputs import TurnRecord
from .module_reload import reloaded_registry
from .options import MAX_STEPS_PER_TURN, Options
from .registration import registry_of
from .reports import PumpReport
from .storage.environment import DEFAULT_MAP_LIMIT, DEFAULT_MAP_SIZE
from .storage.store import Store
from .upkeep import Upkeep


class Runtime(Upkeep):
    """A world that is open.

    Everything may be called from any thread; `pump`, `advance` and `run` from one thread at a time.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        workflows: Iterable[Registered],
        *,
        clock: Clock | None = None,
        durability: Literal["power", "process"] = "power",
        commit_every: float = 0.0,
        seed: int = 0,
        limits: Limits | None = None,
        paranoid: bool = False,
        rebase: bool = False,
        tick: float = 0.010,
        max_steps_per_turn: int = MAX_STEPS_PER_TURN,
        manage_gc: bool = True,
        activity_workers: int = 8,
        on_turn: Callable[[TurnRecord], None] | None = None,
        slow_step: float | None = 1.0,
        max_resident: int | None = None,
        prune_after: float | None = None,
        history: Literal["off", "all"] | int = "off",
        retention: Retention | None = None,
        audit: bool = False,
        audit_retention: Retention | None = None,
        map_size: int = DEFAULT_MAP_SIZE,
        map_limit: int = DEFAULT_MAP_LIMIT,
    ) -> None:
        """Open a world, or make one where there is nothing, and recover all that was in it.

        Args:
            path: the world's directory.
            workflows: all that it may run: workflow types, and also reducers, activities and tables. A stored workflow
                of another type is held.
            clock: `WallClock()` by default; a `GameClock()` for a game that keeps its own time.
            durability: what a commit survives: "power", power loss; "process", kill -9 only.
            commit_every: seconds of real time between commits; 0.0 commits each turn. What is not committed yet is
                not acknowledged, and a crash takes it back.
            seed: of `ctx.random`, for a new world; a stored world keeps its own.
            limits: bounds on everything.
            paranoid: resume every step from its bytes, as after a crash.
            rebase: accept a world that was made with another kind of clock, and shift its timers to this one.
            tick: width of the timer wheel's slots in seconds; a timer is at most this and a turn late.
            max_steps_per_turn: messages that one turn handles at most.
            manage_gc: keep the garbage collector out of pumps, and let it skip recovered workflows.
            activity_workers: threads at most that run activities.
            on_turn: called after each turn with the record that would replay it.
            slow_step: seconds after which a step that still runs is logged as a warning, with workflow and source
                line; None to have no thread that looks.
            max_resident: how many workflows stay in memory after a turn; those that were not addressed for longest are
                loaded again when their next message comes. None keeps all that had one.
            prune_after: seconds of world time after which a workflow that has ended, and the name of an input, is
                deleted, looked at once a minute; None keeps them until `cleanup_old_workflows` is called.
            history: "all" to record each step of each workflow, for `deathless replay`; a number to keep the last so
                many of each. A workflow type may say otherwise for itself. What each turn was given, and a hash of
                what it changed, is always recorded.
            retention: how much of that is kept; `Retention()`, some 16 MiB, by default.
            audit: keep an audit log: what became of each workflow, for `audit`, SQL and operators.
            audit_retention: how much of that is kept; `Retention()`, another 16 MiB, by default.
            map_size: bytes of address space to map at first; it doubles when it is full.
            map_limit: bytes up to which it may.

        Raises:
            WorldInUse, NotAWorldError, WorldCorruptError, WorldVersionError, WorldError: see `Store.open`.
            ClockMismatchError: the world has another kind of clock.
            DefinitionError: two workflows or two signals of one name.
        """
        began_s = time.perf_counter()
        registry = registry_of(workflows)
        options = Options(
            commit_every,
            seed,
            Limits() if limits is None else limits,
            paranoid,
            rebase,
            tick,
            max_steps_per_turn,
            manage_gc,
            activity_workers,
            on_turn,
            slow_step,
            max_resident,
            prune_after,
            history,
            Retention() if retention is None else retention,
            audit,
            Retention() if audit_retention is None else audit_retention,
        )
        store = Store.open(path, durability=durability, map_size=map_size, map_limit=map_limit)
        try:
            self._engine = Engine(
                store, WallClock() if clock is None else clock, registry, options, began_s=began_s
            )
        except BaseException:
            store.close()
            raise

    # -- time ----------------------------------------------------------------------------------------------

    def pump(self, now: float | None = None, budget: float | None = None) -> PumpReport:
        """Run one turn, and commit it if it is time to.

        Args:
            now: move a `GameClock` to this time in seconds first.
            budget: stop starting steps after about this many seconds; what is left is carried over.

        Raises:
            WorldFull: the last turn finds no room on the disk. Nothing is lost: free some and pump again.
            WrongThreadError: another thread is pumping.
        """
        self._engine.require_idle(budget)
        if now is not None:
            self._game_clock("pump(now=...)").advance(now - self._engine.clock.now_us() / US)
        return self._engine.pump(budget)

    def advance(self, dt: float, budget: float | None = None) -> PumpReport:
        """Move a `GameClock` by `dt` seconds and run one turn; see `pump`."""
        self._engine.require_idle(budget)
        self._game_clock("advance").advance(dt)
        return self._engine.pump(budget)

    def run_until(self, t: float, step: float = 1 / 60) -> PumpReport:
        """Advance a `GameClock` in steps until world time `t` seconds; returns the last turn's report."""
        clock = self._game_clock("run_until")
        if not step >= 1 / US:
            raise ValueError(f"step is at least a microsecond, not {step!r} seconds")
        end_us = to_us(t, "run_until")
        report = self._engine.pump(None) if clock.now_us() >= end_us else None
        while clock.now_us() < end_us:
            clock.advance(min(step, (end_us - clock.now_us()) / US))
            report = self._engine.pump(None)
        assert report is not None
        return report

    def run_until_idle(self) -> PumpReport:
        """Pump without moving time until no message waits."""
        while True:
            report = self._engine.pump(None)
            if not report.carried_over and not self._engine.intake.waiting:
                return report

    def run(self, *, until: Callable[[], bool] | None = None, hz: float = 60.0) -> None:
        """Pump in real time, `hz` turns a second, until `until()` is true; for a world without a loop of its own."""
        if hz <= 0:
            raise ValueError(f"hz is more than 0, not {hz!r}")
        period = 1.0 / hz
        following = time.perf_counter()
        while until is None or not until():
            if isinstance(self._engine.clock, GameClock):
                self._engine.clock.advance(period)
            self._engine.pump(None)
            following = max(following + period, time.perf_counter() - period)
            time.sleep(max(0.0, following - time.perf_counter()))

    # -- durability ----------------------------------------------------------------------------------------

    def on_change(self, callback: Callable[[tuple[Change, ...]], None]) -> Callable[[], None]:
        """Call `callback(changes)` at the end of each pump that committed, with what changed since the last.

        What it raises is logged and hurts nobody else.

        Returns:
            A function that ends it.
        """
        if not callable(callback):
            raise TypeError(f"on_change takes a function of a tuple of changes, not {callback!r}")
        callbacks = self._engine.callbacks
        callbacks.append(callback)

        def end() -> None:
            if callback in callbacks:
                callbacks.remove(callback)

        return end

    def commit(self) -> None:
        """Commit the finished turns now, whatever `commit_every` says."""
        with self._engine.finished_turns():
            self._engine.require_open()
            self._engine.commit()
        self._engine.settle()

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Copy the world, as of the last commit, into a new directory; the world may go on meanwhile."""
        self._engine.require_open()
        self._engine.store.backup(path)

    def reload(
        self,
        workflows: Iterable[Registered | ModuleType],
        *,
        check: Callable[[Registry], None] | None = None,
    ) -> None:
        """Go on with other code from the next turn on; held workflows that fit it wake.

        Args:
            workflows: all that the world may run from now on, as at its opening. Modules may stand among them: they are
                loaded from their files first, in this order, and give the workflows that stand in them.
            check: looks at all that was loaded before the world goes on with it; what it raises leaves the old code.

        Raises:
            DefinitionError: two workflows or two signals of one name.
            WrongThreadError: a pump is under way; from a thread that does not pump, reload with `between_turns`.
            Exception: what a module raised while it was loaded, or `check`. Then the old code goes on, untouched.
        """
        self._engine.require_idle()
        self._engine.reload(reloaded_registry(workflows, check))

    def close(self) -> None:
        """Commit the accepted inputs without running them, and give the world up. A second call does nothing."""
        self._engine.close()

    def __enter__(self) -> Self:
        """Return itself."""
        self._engine.require_open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the world; where it cannot be closed, give it up, as a crash would."""
        try:
            self.close()
        except WorldFull as full:
            self._engine.abandon(f"the world could not be closed: {full}")
            raise

    # -- replay ----------------------------------------------------------------------------------------------

    def replay_turn(self, record: TurnRecord) -> PumpReport:
        """Run a recorded turn again on a world that stands where it was recorded. For a `GameClock` only."""
        clock = self._game_clock("replay_turn")
        if self._engine.intake.waiting:
            raise ValueError(
                "a world that replays takes its inputs from the records alone; give it no others"
            )
        clock.resume(record.now_us, 0)
        self._engine.intake.put(list(record.inputs))
        self._engine.pass_over(record.following_id)
        return self._engine.pump(None, record)

    def _game_clock(self, what: str) -> GameClock:
        if not isinstance(self._engine.clock, GameClock):
            raise TypeError(
                f"{what} moves a GameClock, and this world runs on a {self._engine.clock.kind} clock; call pump()"
            )
        return self._engine.clock

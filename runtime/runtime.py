"""`Runtime`: a world that is open, and the one object that a game holds.

    with Runtime("world.deathless", [buff, npc_patrol], clock=GameClock()) as world:
        world.start(npc_patrol(route, speed=1.5), entity_id=42)
        while playing:
            world.advance(dt, budget=0.004)

The way down: a call is checked and encoded by the intake, becomes an input of the next turn, is resolved by the
directory to actors, and each actor lets the stepper run a step. The way up: rows and effects of the steps stay
in memory until the turn is over, and are committed together; only then does anything leave.
"""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import structlog

from ..actors import ActorSystem
from ..workflows import rows as row_format
from ..workflows.context import Context
from ..workflows.definition import Call, WorkflowType
from ..workflows.errors import (
    ClockMismatchError,
    DefinitionError,
    RuntimeClosedError,
    UnknownWorkflowError,
    WorldCorruptError,
    WorldFull,
    WrongThreadError,
)
from ..workflows.instance import Instance
from ..workflows.limits import Limits
from ..workflows.messages import STATUSES, Status
from ..workflows.signal import Signal
from ..workflows.sources import US, to_us
from ..workflows.values import engine_codec
from ..workflows.versions import CodeBook
from .clock import Clock, GameClock, WallClock
from .commits import Change, Committer
from .handle import Handle
from .ids import BlockIds, IdAllocator
from .inputs import TurnRecord
from .intake import Intake, foreign_signal
from .recovery import recover
from .reports import PumpReport, RecoveryReport
from .row_buffer import RowBuffer
from .store import Store
from .turns import TurnOutcome, run_turn
from .view import WorkflowView, view_row
from .world_state import (
    META,
    STATE_KEY,
    Leftover,
    WorldState,
    load_codes,
    load_next_id,
    load_state,
    store_next_id,
)

R = TypeVar("R")
MAX_STEPS_PER_TURN = 100_000
FREEZE_AFTER = 5_000
"""New workflows in one turn from which on the garbage collector is told to leave them alone."""

_open_runtimes: weakref.WeakSet[Runtime] = weakref.WeakSet()


class Runtime:
    """A world that is open.

    Everything may be called from any thread; `pump`, `advance` and `run` from one thread at a time.

    Attributes:
        recovery: what opening the world found.
        turn: the last finished turn.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        workflows: Iterable[WorkflowType[Any, Any]],
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
        on_turn: Callable[[TurnRecord], None] | None = None,
        **store_options: Any,
    ) -> None:
        """Open a world, or make one where there is nothing, and recover all that was in it.

        Args:
            path: the world's directory.
            workflows: the workflow types that it may run. A stored workflow of another type is held.
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
            on_turn: called after each turn with the record that would replay it.
            **store_options: `map_size`, `map_limit`: see `Store.open`.

        Raises:
            WorldInUse, NotAWorldError, WorldCorruptError, WorldVersionError, WorldError: see `Store.open`.
            ClockMismatchError: the world has another kind of clock.
            DefinitionError: two workflows or two signals of one name.
        """
        began = time.perf_counter()
        types = _by_name(workflows)
        if commit_every < 0:
            raise ValueError(f"commit_every is at least 0.0 seconds, not {commit_every!r}")
        if max_steps_per_turn < 1:
            raise ValueError(f"max_steps_per_turn is at least 1, not {max_steps_per_turn!r}")
        self._closed = ""
        self._clock: Clock = WallClock() if clock is None else clock
        self._limits = limits or Limits()
        self._max_steps = max_steps_per_turn
        self._manage_gc = manage_gc
        self._on_turn = on_turn
        self._log = structlog.get_logger("deathless")
        self._pumping = threading.Lock()
        self._quiet = threading.RLock()
        self._callbacks: list[Callable[[tuple[Change, ...]], None]] = []
        self._store = Store.open(path, durability=durability, **store_options)
        try:
            state = load_state(self._store)
            if state is None:
                state = WorldState(0, self._clock.now_us(), 0, self._clock.kind, seed)
                self._store.commit({META: {STATE_KEY: state.pack()}})
            state = self._set_clock(state, rebase=rebase)
            self._codes = CodeBook(types, load_codes(self._store))
            self._codec = engine_codec()
            self._rows = RowBuffer(self._store)
            self._committer = Committer(self._store, self._rows, self._codes, commit_every=commit_every)
            self.turn = self._committer.committed_turn = state.turn
            ids = IdAllocator(load_next_id(self._store), partial(store_next_id, self._store))
            self._child_ids = BlockIds(self._take_block)
            self._state = state
            self._types = types
            self._system = ActorSystem(
                types,
                self._codes,
                self._codec,
                self._rows,
                new_workflow_id=self._child_ids,
                logger_of=self._logger_of,
                take_foreign_signal=foreign_signal(lambda: self._intake),
                seed=state.seed,
                limits=self._limits,
                paranoid=paranoid,
                tick_us=max(to_us(tick, "tick"), 1),
                now_us=self._clock.now_us(),
            )
            self._intake = Intake(
                types, self._system, engine_codec(), self._clock, ids, self._limits, state.turn
            )
            due_by = self._clock.now_us()
            try:
                workflows_found, timers_due, carried = recover(self._store, self._system, due_by)
            except BaseException:
                # The system's own actors are in pykka's registry already.
                self._system.scheduler.close()
                raise
        except BaseException:
            self._store.close()
            raise
        if self._manage_gc and workflows_found > FREEZE_AFTER:
            gc.freeze()
        self.recovery = RecoveryReport(
            self._store.created,
            workflows_found,
            state.turn,
            timers_due,
            carried,
            time.perf_counter() - began,
        )
        _open_runtimes.add(self)
        self._log.info(
            "world_opened", path=str(path), workflows=workflows_found, turn=state.turn, timers_due=timers_due
        )

    # -- input ---------------------------------------------------------------------------------------------

    def start(
        self,
        call: Call[R] | str,
        *,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        entity_id: int | None = None,
        correlation_id: str | None = None,
    ) -> Handle[R]:
        """Start a workflow in the next turn. Durable when `Handle.committed` is done.

        Args:
            call: `buff(30.0)`, or a name with `args` and `kwargs`.
            args: positional arguments of a start by name.
            kwargs: keyword arguments of a start by name.
            entity_id: the entity that it belongs to.
            correlation_id: the group that it belongs to.

        Raises:
            UnknownWorkflowTypeError: a type that was not registered.
            ArgumentsError: arguments that do not bind or have no durable form.
            LimitError: arguments or a correlation id that are too large.
        """
        self._require_room()
        return Handle(self, *self._intake.start(call, args, kwargs, entity_id, correlation_id))

    def start_many(self, starts: Iterable[tuple[Call[Any], int | None]]) -> list[Handle[Any]]:
        """Start many workflows, each a call with its entity id; all of them or, where one is wrong, none."""
        self._require_room()
        accepted, turn = self._intake.start_many(list(starts))
        return [Handle(self, workflow_id, turn) for workflow_id in accepted]

    def signal(
        self,
        signal: Signal,
        *,
        workflow_id: int | None = None,
        entity_id: int | None = None,
        correlation_id: str | None = None,
    ) -> int:
        """Send a signal in the next turn; give exactly one address.

        By entity or correlation id it goes to all active workflows there that accept its class, which may be none.

        Returns:
            The turn that will take it; the signal is durable once `wait_committed` of that turn returns.

        Raises:
            UnknownSignalError: no registered workflow awaits its class.
            SignalNotAccepted: by workflow id, where that workflow has ended or never awaits the class.
            UnstorableError: a field has no durable form.
            LimitError: it is too large, or a receiver has too many unread signals.
        """
        if self._closed or self._committer.full is not None:
            self._require_room()
        return self._intake.signal(signal, workflow_id, entity_id, correlation_id)

    def cancel(
        self,
        *,
        workflow_id: int | None = None,
        entity_id: int | None = None,
        correlation_id: str | None = None,
        reason: str = "",
        force: bool = False,
    ) -> int:
        """Cancel workflows in the next turn; give exactly one address.

        `Cancelled(reason)` is raised at the workflow's await, so that its `finally` blocks run and may await.

        Args:
            workflow_id: this workflow.
            entity_id: all active workflows of an entity.
            correlation_id: all active workflows of a group.
            reason: for the workflow and for whoever looks at it later.
            force: end it without running any of its code.

        Returns:
            The turn that will take it.
        """
        self._require_room()
        return self._intake.cancel(workflow_id, entity_id, correlation_id, reason, force=force)

    def retry(self, workflow_id: int) -> int:
        """Run the message on which a workflow failed again, with the code loaded now; on others it does nothing.

        Returns:
            The turn that will take it.
        """
        self._require_room()
        return self._intake.retry(workflow_id)

    # -- time ----------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """World time of the last turn, in seconds."""
        return self._system.stepper.now_us / US

    def pump(self, now: float | None = None, budget: float | None = None) -> PumpReport:
        """Run one turn, and commit it if it is time to.

        Args:
            now: move a `GameClock` to this time in seconds first.
            budget: stop starting steps after about this many seconds; what is left is carried over.

        Raises:
            WorldFull: the last turn finds no room on the disk. Nothing is lost: free some and pump again.
            WrongThreadError: another thread is pumping.
        """
        if now is not None:
            self._game_clock("pump(now=...)").advance(now - self._clock.now_us() / US)
        return self._pump(budget)

    def advance(self, dt: float, budget: float | None = None) -> PumpReport:
        """Move a `GameClock` by `dt` seconds and run one turn; see `pump`."""
        self._enter_check()
        self._game_clock("advance").advance(dt)
        return self._pump(budget)

    def run_until(self, t: float, step: float = 1 / 60) -> PumpReport:
        """Advance a `GameClock` in steps until world time `t` seconds; returns the last turn's report."""
        clock = self._game_clock("run_until")
        if step <= 0:
            raise ValueError(f"step is more than 0 seconds, not {step!r}")
        end_us = to_us(t, "run_until")
        report = self._pump(None) if clock.now_us() >= end_us else None
        while clock.now_us() < end_us:
            clock.advance(min(step, (end_us - clock.now_us()) / US))
            report = self._pump(None)
        assert report is not None
        return report

    def run_until_idle(self) -> PumpReport:
        """Pump without moving time until no message waits."""
        while True:
            report = self._pump(None)
            if not report.carried_over and not self._intake.waiting:
                return report

    def run(self, *, until: Callable[[], bool] | None = None, hz: float = 60.0) -> None:
        """Pump in real time, `hz` turns a second, until `until()` is true; for a world without a loop of its own."""
        if hz <= 0:
            raise ValueError(f"hz is more than 0, not {hz!r}")
        period = 1.0 / hz
        following = time.perf_counter()
        while until is None or not until():
            if isinstance(self._clock, GameClock):
                self._clock.advance(period)
            self._pump(None)
            following = max(following + period, time.perf_counter() - period)
            time.sleep(max(0.0, following - time.perf_counter()))

    # -- looking -------------------------------------------------------------------------------------------

    def get(self, workflow_id: int) -> WorkflowView:
        """Return a workflow as it stood at the end of the last turn.

        Raises:
            UnknownWorkflowError: there is none of this id.
        """
        view = self.find(workflow_id)
        if view is None:
            raise UnknownWorkflowError(workflow_id)
        return view

    def find(self, workflow_id: int) -> WorkflowView | None:
        """Return a workflow as it stood at the end of the last turn, or None."""
        self._require_open()
        with self._quiet:
            row = self._rows.row(workflow_id)
            return None if row is None else self._view(workflow_id, row)

    def workflows(
        self,
        *,
        entity_id: int | None = None,
        type: str | None = None,  # noqa: A002 - the name that the design gives it.
        status: Status | str | None = None,
        correlation_id: str | None = None,
    ) -> list[WorkflowView]:
        """Return the workflows that fit all that is given, by ascending id."""
        self._require_open()
        wanted = None if status is None else Status(status)
        with self._quiet:
            return [
                self._view(workflow_id, row)
                for workflow_id, row in self._candidates(entity_id, correlation_id, wanted)
                if _fits(row, entity_id, type, wanted, correlation_id)
            ]

    def count(self, status: Status | str | None = None) -> int:
        """Count the active workflows, or all of one status."""
        self._require_open()
        if status is None:
            return self._system.directory.active
        wanted = Status(status)
        with self._quiet:
            return sum(STATUSES[row_format.read_head(row).status] is wanted for _, row in self._rows.all())

    def digest(self) -> str:
        """Commit, and return a hash over all that turns wrote: the same inputs give the same digest.

        Not in it is what depends on how often the world was opened: the reserve of ids.
        """
        with self._quiet:
            self._require_open()
            self._commit()
            return self._store.digest(table for table in self._store.stats().entries if table != META)

    # -- durability ----------------------------------------------------------------------------------------

    @property
    def committed_turn(self) -> int:
        """The last turn that is durable."""
        return self._committer.committed_turn

    def committed(self, turn: int) -> Future[int]:
        """Return a future that is done, with the turn's number, once that turn is durable."""
        return self._committer.future(turn)

    def wait_committed(self, turn: int, timeout: float | None = None) -> None:
        """Wait until a turn is durable; from a thread other than the one that pumps.

        Raises:
            WrongThreadError: this thread pumps, so that nobody else would end the wait.
            TimeoutError: it took longer than `timeout` seconds.
        """
        if self._committer.committed_turn >= turn:
            return
        if self._system.scheduler.is_pump_thread():
            raise WrongThreadError(
                f"turn {turn} is committed by pump, and this thread is the one that pumps: "
                "pump first, or wait in another thread"
            )
        self._committer.future(turn).result(timeout)

    def on_change(self, callback: Callable[[tuple[Change, ...]], None]) -> Callable[[], None]:
        """Call `callback(changes)` at the end of each pump that committed, with what changed since the last.

        Returns:
            A function that ends it.
        """
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def commit(self) -> None:
        """Commit the finished turns now, whatever `commit_every` says."""
        with self._quiet:
            self._require_open()
            self._commit()

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Copy the world, as of the last commit, into a new directory; the world may go on meanwhile."""
        self._require_open()
        self._store.backup(path)

    def reload(self, workflows: Iterable[WorkflowType[Any, Any]]) -> None:
        """Go on with other code from the next turn on; held workflows that fit it wake.

        Raises:
            DefinitionError: two workflows or two signals of one name.
        """
        types = _by_name(workflows)
        with self._turn_alone():
            self._require_open()
            self._types = types
            self._codes.reload(types)
            self._system.reload(types)
            self._intake.reload(types)

    def close(self) -> None:
        """Commit the accepted inputs without running them, and give the world up. A second call does nothing."""
        if self._closed:
            return
        with self._turn_alone():
            try:
                if self._system.fault is None:
                    self._turn(0, None, closing=True)
                    self._commit()
                    store_next_id(self._store, self._intake.ids.following)
            finally:
                self._shut("the world is closed")
                self._store.close()

    def __enter__(self) -> Self:
        """Return itself."""
        self._require_open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the world."""
        self.close()

    # -- a turn --------------------------------------------------------------------------------------------

    def replay_turn(self, record: TurnRecord) -> PumpReport:
        """Run a recorded turn again on a world that stands where it was recorded. For a `GameClock` only."""
        clock = self._game_clock("replay_turn")
        clock.resume(record.now_us, 0)
        self._intake.put(list(record.inputs))
        return self._pump(None, record)

    def _pump(self, budget: float | None, record: TurnRecord | None = None) -> PumpReport:
        began = time.perf_counter_ns()
        if budget is not None and budget < 0:
            raise ValueError(f"budget is at least 0.0 seconds, not {budget!r}")
        deadline_ns = None if budget is None else began + int(budget * 1e9)
        with self._turn_alone(), self._gc_paused():
            self._require_open()
            if self._committer.full is not None:
                self._commit()
            with self._intake.lock:
                self._intake.ids.top_up()
            if record is None:
                outcome = self._turn(self._max_steps, deadline_ns)
            else:
                outcome = self._turn(record.handled, None, closing=record.closing, id_blocks=record.id_blocks)
            commit_s = self._commit() if self._committer.due(quiet=outcome.quiet) else 0.0
            report = PumpReport(
                self.turn,
                self._committer.committed_turn,
                outcome.steps,
                outcome.timers_fired,
                outcome.carried_over,
                (time.perf_counter_ns() - began) / 1e9,
                commit_s,
            )
        if commit_s and self._callbacks:
            changes = self._committer.take_changes()
            for callback in tuple(self._callbacks):
                callback(changes)
        return report

    def _turn(
        self,
        limit: int,
        deadline_ns: int | None,
        *,
        closing: bool = False,
        id_blocks: tuple[tuple[int, int], ...] = (),
    ) -> TurnOutcome:
        now_us = max(self._clock.now_us(), self._system.stepper.now_us)
        inputs = self._intake.take()
        self._child_ids.begin(id_blocks)
        actors = len(self._system.directory.actors)
        try:
            outcome = run_turn(
                self._system,
                now_us,
                inputs,
                limit=limit,
                deadline_ns=deadline_ns,
                fire_timers=not closing,
            )
        except Exception as error:
            self._break(error)
            raise
        except BaseException:
            # The program is being interrupted: the turn ends here, as if its budget had, and the rest is carried over.
            self._finish_turn(now_us)
            raise
        if self._system.fault is not None:
            self._break(self._system.fault)
            raise self._system.fault
        self._finish_turn(now_us)
        if self._on_turn is not None:
            blocks = tuple(self._child_ids.blocks)
            self._on_turn(TurnRecord(self.turn, now_us, tuple(inputs), blocks, outcome.handled, closing))
        if self._manage_gc and len(self._system.directory.actors) - actors > FREEZE_AFTER:
            gc.freeze()
        return outcome

    def _finish_turn(self, now_us: int) -> None:
        self.turn += 1
        self._state = self._state._replace(turn=self.turn, now_us=now_us)
        carried, ticked = self._system.carried()
        self._committer.stage(self._state, Leftover(carried, sorted(self._system.crowded), ticked))

    def _commit(self) -> float:
        return self._committer.commit(collect=bool(self._callbacks))

    def _take_block(self, count: int) -> int:
        with self._intake.lock:
            return self._intake.ids.take(count)

    # -- guards --------------------------------------------------------------------------------------------

    def _turn_alone(self) -> _TurnAlone:
        return _TurnAlone(self._pumping, self._quiet, self._system)

    def _gc_paused(self) -> _GcPaused:
        return _GcPaused(active=self._manage_gc)

    def _enter_check(self) -> None:
        """Refuse before the clock moves what the pump would refuse after it."""
        self._require_open()
        if self._pumping.locked():
            raise WrongThreadError("another thread is inside pump; pump from one thread at a time")

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeClosedError(self._closed)

    def _require_room(self) -> None:
        self._require_open()
        if self._committer.full is not None:
            raise WorldFull(
                str(self._store.path),
                "the last turn waits for room on the disk; free some and pump, then call again",
            )

    def _game_clock(self, what: str) -> GameClock:
        if not isinstance(self._clock, GameClock):
            raise TypeError(
                f"{what} moves a GameClock, and this world runs on a {self._clock.kind} clock; call pump()"
            )
        return self._clock

    def _set_clock(self, state: WorldState, *, rebase: bool) -> WorldState:
        """Let the clock go on from where the world stopped; with `rebase`, whatever clock that was."""
        if state.clock == self._clock.kind:
            self._clock.resume(state.now_us, state.offset_us)
            return state
        if not rebase:
            raise ClockMismatchError(
                str(self._store.path),
                f"made with a {state.clock} clock and opened with a {self._clock.kind} clock; "
                "open it with that kind, or give rebase=True to go on with this one from the same world time",
            )
        offset_us = self._clock.rebase(state.now_us)
        return state._replace(clock=self._clock.kind, offset_us=offset_us)

    def _break(self, error: BaseException) -> None:
        """Stop for good after a fault of the engine: the last commit stands, nothing after it is written."""
        self._log.error("world_broken", error=repr(error))
        self._shut(f"the world stopped at a fault: {error!r}; open it again to go on from the last commit")
        self._store.close()

    def _shut(self, why: str) -> None:
        self._closed = why
        self._committer.abandon(why)
        self._system.scheduler.close()
        _open_runtimes.discard(self)

    # -- small parts ---------------------------------------------------------------------------------------

    def _view(self, workflow_id: int, row: bytes) -> WorkflowView:
        try:
            return view_row(workflow_id, row, self._codec, self._codes, self._system.stepper)
        except row_format.RowError as error:
            raise WorldCorruptError(
                str(self._store.path), f"the row of workflow {workflow_id} is damaged: {error}"
            ) from error

    def _candidates(
        self, entity_id: int | None, correlation_id: str | None, status: Status | None
    ) -> Iterator[tuple[int, bytes]]:
        if status is Status.SUSPENDED and (entity_id is not None or correlation_id is not None):
            directory = self._system.directory
            ids = (
                directory.of_entity(entity_id)
                if entity_id is not None
                else directory.of_group(correlation_id)  # type: ignore[arg-type]
            )
            for workflow_id in ids:
                row = self._rows.row(workflow_id)
                assert row is not None, "an active workflow has a row"
                yield workflow_id, row
            return
        yield from self._rows.all()

    def _logger_of(self, context: Context) -> Any:
        assert isinstance(context, Instance)
        return self._log.bind(
            workflow_id=context.workflow_id, workflow_type=context.type_name, entity_id=context.entity_id
        )


class _TurnAlone:
    """The right to run a turn: one thread at a time, and nobody looks meanwhile."""

    __slots__ = ("_pumping", "_quiet", "_system")

    def __init__(self, pumping: threading.Lock, quiet: threading.RLock, system: ActorSystem) -> None:
        self._pumping = pumping
        self._quiet = quiet
        self._system = system

    def __enter__(self) -> None:
        if not self._pumping.acquire(blocking=False):
            raise WrongThreadError(
                "pump is under way, in another thread or further up in this one; pump from one thread at a time"
            )
        self._quiet.acquire()
        self._system.scheduler.owner = threading.current_thread()

    def __exit__(self, *_: object) -> None:
        self._quiet.release()
        self._pumping.release()


class _GcPaused:
    """Keeps automatic garbage collection out of a turn: a full one takes longer than a frame."""

    __slots__ = ("_active",)

    def __init__(self, *, active: bool) -> None:
        self._active = active and gc.isenabled()

    def __enter__(self) -> None:
        if self._active:
            gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._active:
            gc.enable()


def _by_name(workflows: Iterable[WorkflowType[Any, Any]]) -> dict[str, WorkflowType[Any, Any]]:
    """Return the types by name.

    Raises:
        DefinitionError: two of one name, two signal classes of one name, or something that is no workflow.
    """
    types: dict[str, WorkflowType[Any, Any]] = {}
    signals: dict[str, type[Signal]] = {}
    for kind in workflows:
        if not isinstance(kind, WorkflowType):
            raise DefinitionError(f"Runtime takes functions decorated with @workflow, not {kind!r}")
        if types.setdefault(kind.name, kind) is not kind:
            raise DefinitionError(
                f"two workflows are named {kind.name!r}; give one of them @workflow(name=...)"
            )
        for signal in kind.accepts:
            if signals.setdefault(signal.__name__, signal) is not signal:
                raise DefinitionError(
                    f"two signal classes are named {signal.__name__!r} "
                    f"({signal.__module__} and {signals[signal.__name__].__module__}); rename one"
                )
    return types


def _fits(
    row: bytes,
    entity_id: int | None,
    type_name: str | None,
    status: Status | None,
    correlation_id: str | None,
) -> bool:
    head = row_format.read_head(row)
    return (
        (entity_id is None or head.entity_id == entity_id)
        and (type_name is None or head.type_name == type_name)
        and (status is None or STATUSES[head.status] is status)
        and (correlation_id is None or head.correlation_id == correlation_id)
    )


def _poison_forked() -> None:
    for runtime in list(_open_runtimes):
        runtime._closed = (
            "this process is a fork of the one that owns the world; open another world here, or spawn instead"
        )


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_poison_forked)

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
import weakref
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from types import ModuleType, TracebackType
from typing import Any, Literal, ParamSpec, Self, TypeAlias, TypeVar, get_args, overload

from ..workflows.definition import Call
from ..workflows.errors import (
    AskFailed,
    CallFailed,
    UnknownWorkflowError,
    WorkflowExistsError,
    WorldFull,
)
from ..workflows.limits import Limits
from ..workflows.messages import Status
from ..workflows.outbox import Answer
from ..workflows.reducer import WORLD, Reducer
from ..workflows.registry import Registered
from ..workflows.signal import Signal
from ..workflows.sources import US, to_us
from .clock import Clock, GameClock, WallClock
from .commits import Change
from .engine import Engine
from .environment import DEFAULT_MAP_LIMIT, DEFAULT_MAP_SIZE
from .handle import Handle
from .inputs import TurnRecord
from .module_reload import reloaded_registry
from .options import MAX_STEPS_PER_TURN, Options
from .registration import registry_of
from .reports import PumpReport, RecoveryReport
from .store import Store
from .view import WorkflowView
from .world_state import (
    META,
)

OnConflict: TypeAlias = Literal["parallel", "existing", "error", "replace"]
P = ParamSpec("P")
R = TypeVar("R")
FREEZE_AFTER = 5_000
"""New workflows in one turn from which on the garbage collector is told to leave them alone."""

_open_runtimes: weakref.WeakSet[Runtime] = weakref.WeakSet()


class Runtime:
    """A world that is open.

    Everything may be called from any thread; `pump`, `advance` and `run` from one thread at a time.
    """

    identity = WORLD
    """As whom the world itself acts, in `ReducerContext.sender`."""

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
        )
        store = Store.open(path, durability=durability, map_size=map_size, map_limit=map_limit)
        try:
            self._engine = Engine(
                store, WallClock() if clock is None else clock, registry, options, began_s=began_s
            )
        except BaseException:
            store.close()
            raise

    @property
    def recovery(self) -> RecoveryReport:
        """What opening the world found."""
        return self._engine.recovery

    @property
    def turn(self) -> int:
        """The last finished turn."""
        return self._engine.turn

    # -- input ---------------------------------------------------------------------------------------------

    def start(
        self,
        call: Call[R] | str,
        *,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        entity_id: int | None = None,
        correlation_id: str | None = None,
        on_conflict: OnConflict = "parallel",
        input_id: str | None = None,
    ) -> Handle[R]:
        """Start a workflow in the next turn. Durable when `Handle.committed` is done.

        Args:
            call: `buff(30.0)`, or a name with `args` and `kwargs`.
            args: positional arguments of a start by name.
            kwargs: keyword arguments of a start by name.
            entity_id: the entity that it belongs to.
            correlation_id: the group that it belongs to.
            on_conflict: what to do where a workflow of the same type, entity and correlation id is active or accepted:
                "parallel" starts one more; "existing" returns the oldest of them; "replace" cancels them and starts;
                "error" raises. The last three need an entity or a correlation id.
            input_id: a name for this start, with which it may be repeated after a crash: it is made once.

        Raises:
            WorkflowExistsError: a conflict, where `on_conflict` is "error".
            InputIdError: the name was given to another kind of call before.
            UnknownWorkflowTypeError: a type that was not registered.
            ArgumentsError: arguments that do not bind or have no durable form.
            LimitError: arguments or a correlation id that are too large.
        """
        engine = self._engine
        engine.require_room()
        if on_conflict not in get_args(OnConflict):
            known = ", ".join(map(repr, get_args(OnConflict)))
            raise ValueError(f"on_conflict is one of {known}, not {on_conflict!r}")

        def accept() -> tuple[int, int]:
            if on_conflict != "parallel":
                name, found = engine.intake.conflicts(call, entity_id, correlation_id)
                if found and on_conflict == "existing":
                    return found[0], engine.turn
                if found and on_conflict == "error":
                    raise WorkflowExistsError(name, found[0])
            else:
                found = []
            started = engine.intake.start(call, args, kwargs, entity_id, correlation_id)
            for workflow_id in found:
                engine.intake.cancel(workflow_id, None, None, "replaced by a new start", force=False)
            return started

        if on_conflict == "parallel":
            return Handle(self, *engine.intake.once(input_id, "start", accept))
        # Against finished turns: a conflict that a turn under way makes or ends is not one yet.
        with engine.finished_turns():
            return Handle(self, *engine.intake.once(input_id, "start", accept))

    def start_many(
        self,
        starts: Iterable[Call[Any] | tuple[Call[Any], int | None] | tuple[Call[Any], int | None, str | None]],
    ) -> list[Handle[Any]]:
        """Start many workflows in the next turn; all of them or, where one is wrong, none.

        Args:
            starts: calls, each by itself, or with its entity id, or with its entity id and correlation id.

        Raises:
            as `start`.
        """
        self._engine.require_room()
        accepted, turn = self._engine.intake.start_many(starts)
        return [Handle(self, workflow_id, turn) for workflow_id in accepted]

    def signal(
        self,
        signal: Signal,
        *,
        workflow_id: int | None = None,
        entity_id: int | None = None,
        correlation_id: str | None = None,
        input_id: str | None = None,
    ) -> int:
        """Send a signal in the next turn; give exactly one address.

        By entity or correlation id it goes to all active workflows there that accept its class, which may be none. With
        an `input_id` it may be repeated after a crash: it is sent once.

        Returns:
            The turn that will take it; the signal is durable once `wait_committed` of that turn returns.

        Raises:
            UnknownSignalError: no registered workflow awaits its class.
            SignalNotAccepted: by workflow id, where that workflow has ended or never awaits the class.
            UnstorableError: a field has no durable form.
            LimitError: it is too large, or a receiver has too many unread signals.
        """
        engine = self._engine
        if engine.closed or engine.committer.full is not None:
            engine.require_room()
        intake = engine.intake
        if input_id is None:
            return intake.signal(signal, workflow_id, entity_id, correlation_id)
        return intake.once(
            input_id, "signal", lambda: (0, intake.signal(signal, workflow_id, entity_id, correlation_id))
        )[1]

    def ask(
        self,
        signal: Signal,
        *,
        workflow_id: int | None = None,
        entity_id: int | None = None,
        correlation_id: str | None = None,
        input_id: str | None = None,
    ) -> Future[Any]:
        """Send a signal that wants an answer; a workflow gives it with `ctx.reply(signal, value)`.

        Where several workflows take the signal, the first answer counts. The question is durable with the turn that
        takes it, and a workflow that answers after a crash does so for nobody; whoever gave an `input_id` asks again
        with it, and gets the answer that was given or is still to come.

        Returns:
            A future of the answer, done once it is durable. It raises `AskFailed` where nobody takes the signal, or its
            receiver ends or fails without an answer.

        Raises:
            as `signal`.
        """
        engine = self._engine
        engine.require_room()
        intake = engine.intake

        def accept() -> tuple[int, int]:
            ticket = intake.signal(signal, workflow_id, entity_id, correlation_id, ask=(input_id,))
            return ticket, engine.turn + 1

        return self._answer_of(
            input_id, "ask", accept, "the question is answered", lambda answer: AskFailed(answer.problem)
        )

    def publish(self, signal: Signal, *, input_id: str | None = None) -> int:
        """Send a signal in the next turn to all workflows that have subscribed to it by then.

        With an `input_id` it may be repeated after a crash: it is sent once.

        Returns:
            The turn that will take it; it is durable once `wait_committed` of that turn returns.

        Raises:
            UnknownSignalError: no registered workflow awaits its class.
            UnstorableError: a field has no durable form.
            LimitError: it is too large, or a subscriber has too many unread signals.
        """
        self._engine.require_room()
        intake = self._engine.intake
        return intake.once(input_id, "publish", lambda: (0, intake.publish(signal)))[1]

    # A type checker checks the arguments where there is neither `sender` nor `input_id`: no signature can have keywords
    # of its own beside those of another function.
    @overload
    def call(self, reducer: Reducer[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]: ...
    @overload
    def call(
        self, reducer: Reducer[..., R], /, *args: Any, sender: str, input_id: str | None = None, **kwargs: Any
    ) -> Future[R]: ...
    @overload
    def call(
        self, reducer: Reducer[..., R], /, *args: Any, input_id: str | None, **kwargs: Any
    ) -> Future[R]: ...
    @overload
    def call(
        self,
        reducer: str,
        /,
        *args: Any,
        sender: str = "game",
        input_id: str | None = None,
        **kwargs: Any,
    ) -> Future[Any]: ...
    def call(
        self,
        reducer: Any,
        /,
        *args: Any,
        sender: Any = "game",
        input_id: Any = None,
        **kwargs: Any,
    ) -> Future[Any]:
        """Run a reducer in the next turn.

        Args:
            reducer: a registered one, or its name.
            *args: its arguments, without the context. They are checked here; by a type checker too, where neither
                `sender` nor `input_id` is given.
            sender: whom the reducer sees as its caller; `Runtime.identity` acts as the world itself.
            input_id: a name for this call, with which it may be repeated after a crash: it is made once, and the repeat
                gets the same answer.
            **kwargs: further arguments by name.

        Returns:
            A future of its result, done once all that it did is durable. It raises `CallFailed` where the reducer
            raised, which undoes all that it wrote.

        Raises:
            UnknownReducerError: it was not registered.
            ArgumentsError: arguments that do not bind.
            UnstorableError: an argument has no durable form.
            LimitError: they are too large.
        """
        engine = self._engine
        engine.require_room()
        name = reducer if isinstance(reducer, str) else getattr(reducer, "name", "")
        return self._answer_of(
            input_id,
            "call",
            lambda: (engine.intake.call(reducer, args, kwargs, sender, input_id), engine.turn + 1),
            f"the call of {name!r} is answered",
            lambda answer: CallFailed(name, answer.problem),
        )

    def cancel(
        self,
        *,
        workflow_id: int | None = None,
        entity_id: int | None = None,
        correlation_id: str | None = None,
        reason: str = "",
        force: bool = False,
        input_id: str | None = None,
    ) -> int:
        """Cancel workflows in the next turn; give exactly one address.

        `Cancelled(reason)` is raised at the workflow's await, so that its `finally` blocks run and may await.

        Args:
            workflow_id: this workflow.
            entity_id: all active workflows of an entity.
            correlation_id: all active workflows of a group.
            reason: for the workflow and for whoever looks at it later.
            force: end it without running any of its code; dismisses a failed one too.
            input_id: a name for this cancel, with which it may be repeated after a crash.

        Returns:
            The turn that will take it.
        """
        self._engine.require_room()
        intake = self._engine.intake
        return intake.once(
            input_id,
            "cancel",
            lambda: (0, intake.cancel(workflow_id, entity_id, correlation_id, reason, force=force)),
        )[1]

    def retry(self, workflow_id: int) -> int:
        """Run the message on which a workflow failed again, with the code loaded now; on others it does nothing.

        One whose step waits to be tried again by its type's policy is tried at once, which counts as a try.

        Returns:
            The turn that will take it.
        """
        self._engine.require_room()
        return self._engine.intake.retry(workflow_id)

    # -- time ----------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """World time of the last turn, in seconds."""
        return self._engine.system.stepper.now_us / US

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
        self._engine.require_open()
        with self._engine.finished_turns():
            return self._engine.queries.find(workflow_id)

    def workflows(
        self,
        *,
        entity_id: int | None = None,
        type: str | None = None,  # noqa: A002 - the name that the design gives it.
        status: Status | str | None = None,
        correlation_id: str | None = None,
    ) -> list[WorkflowView]:
        """Return the workflows that fit all that is given, by ascending id."""
        self._engine.require_open()
        wanted = None if status is None else Status(status)
        with self._engine.finished_turns():
            return self._engine.queries.workflows(entity_id, type, wanted, correlation_id)

    def count(self, status: Status | str | None = None) -> int:
        """Count the active workflows, or all of one status."""
        self._engine.require_open()
        with self._engine.finished_turns():
            return self._engine.queries.count(None if status is None else Status(status))

    def digest(self) -> str:
        """Commit, and return a hash over all that turns wrote: the same inputs give the same digest.

        Not in it is what depends on how often the world was opened: the reserve of ids.
        """
        with self._engine.finished_turns():
            self._engine.require_open()
            self._engine.commit()
            return self._engine.store.digest(
                table for table in self._engine.store.stats().entries if table != META
            )

    # -- durability ----------------------------------------------------------------------------------------

    @property
    def committed_turn(self) -> int:
        """The last turn that is durable."""
        return self._engine.committer.committed_turn

    def committed(self, turn: int) -> Future[int]:
        """Return a future that is done, with the turn's number, once that turn is durable."""
        return self._engine.committer.future(turn)

    def wait_committed(self, turn: int, timeout: float | None = None) -> None:
        """Wait until a turn is durable; from a thread other than the one that pumps.

        Raises:
            WrongThreadError: this thread pumps, so that nobody else would end the wait.
            TimeoutError: it took longer than `timeout` seconds.
        """
        self._engine.committer.future(turn).result(timeout)

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

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Copy the world, as of the last commit, into a new directory; the world may go on meanwhile."""
        self._engine.require_open()
        self._engine.store.backup(path)

    def reload(self, workflows: Iterable[Registered | ModuleType]) -> None:
        """Go on with other code from the next turn on; held workflows that fit it wake.

        Args:
            workflows: all that the world may run from now on, as at its opening. Modules may stand among them: they are
                loaded from their files first, in this order, and give the workflows that stand in them.

        Raises:
            DefinitionError: two workflows or two signals of one name.
            WrongThreadError: a pump is under way.
            Exception: what a module raised while it was loaded. Then the old code goes on, untouched.
        """
        self._engine.require_idle()
        self._engine.reload(reloaded_registry(workflows))

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
        clock.resume(record.now_us, 0)
        self._engine.intake.put(list(record.inputs))
        return self._engine.pump(None, record)

    def _answer_of(
        self,
        input_id: str | None,
        kind: str,
        accept: Callable[[], tuple[int, int]],
        what: str,
        failure: Callable[[Answer], BaseException],
    ) -> Future[Any]:
        """Accept an ask or a call, or find the answer that it has had."""
        engine = self._engine
        if input_id is None:
            # Held, so that no turn takes it, and answers it, before somebody waits.
            with engine.intake.lock:
                ticket, _ = accept()
                return engine.answers.expect(ticket, what, failure)
        with engine.finished_turns(), engine.intake.lock:
            ticket, _ = engine.intake.once(input_id, kind, accept)
            record = engine.intake.record_of(input_id, kind)
            given = None if record is None or record.answer is None else Answer(*record.answer)
            return engine.answers.expect(ticket, what, failure, given)

    def _game_clock(self, what: str) -> GameClock:
        if not isinstance(self._engine.clock, GameClock):
            raise TypeError(
                f"{what} moves a GameClock, and this world runs on a {self._engine.clock.kind} clock; call pump()"
            )
        return self._engine.clock

"""The engine: an open world behind its `Runtime`: clock, intake, actors, store, and the turns that join them.

The way down: a call is checked and encoded by the intake, becomes an input of the next turn, is resolved by the
directory to actors, and each actor lets the stepper run a step. The way up: rows and effects of the steps stay
in memory until the turn is over, and are committed together; only then does anything leave.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from ..actors import ActorSystem
from ..workflows.builtin import DAY_S, cleanup_old_workflows
from ..workflows.context import Context
from ..workflows.errors import (
    ClockMismatchError,
    RuntimeClosedError,
    TableError,
    WorldFull,
    WrongThreadError,
)
from ..workflows.instance import Instance
from ..workflows.outbox import ACTIVITY_TABLE, ActivityRecord
from ..workflows.reducer import WORLD
from ..workflows.registry import Registry
from ..workflows.tables import unpack_form
from ..workflows.values import engine_codec
from ..workflows.versions import CodeBook
from .activities import Activities
from .answers import Answers
from .audit.log import AuditLog
from .between_turns import BetweenTurns
from .census import REST_S, Censuses, take_census
from .clock import Clock
from .commits import Change, Committer
from .history.recorder import History
from .ids import BlockIds, IdAllocator
from .inputs import TurnRecord
from .intake import Intake, foreign_signal
from .interrupts import InterruptShield
from .log import get_logger
from .meters import Meters
from .narration import Narrator
from .options import Options
from .queries import Queries
from .recovery import recover
from .reports import PumpReport, RecoveryReport
from .row_buffer import RowBuffer
from .storage.store import Store
from .table_buffer import TableBuffer
from .turn_guards import GcPolicy, TurnAlone
from .turns import TurnOutcome, run_turn
from .watchdog import Watchdog
from .world_state import (
    META,
    STATE_KEY,
    TABLE_KEY,
    WorldState,
    load_codes,
    load_next_id,
    load_state,
    pack_leftover,
    store_next_id,
)

PRUNE_EVERY_US = 60_000_000
"""How often ended workflows are looked through for old ones, in world time."""

_open_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


class Engine:
    """An open world.

    Attributes:
        store, clock, codes, rows, tables, committer, system, intake, answers, between, activities: its parts.
        registry: what it may run.
        turn: the last finished turn.
        recovery: what opening the world found.
        censuses: counts the workflows.
        queries: reads workflows; hold `quiet` meanwhile.
        history: records turns and steps.
        audit: keeps the audit log, if there is to be one.
        meters: what it counts of itself.
        quiet: held while a turn runs, and by whoever must not see half of one.
        callbacks: called with what each commit changed.
        closed: why nothing goes any more; empty while it is open.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        registry: Registry,
        options: Options,
        *,
        began_s: float,
    ) -> None:
        """Recover the world in a store.

        Args:
            store: the world, or an empty one.
            clock: made to go on where the world stopped.
            registry: what it may run.
            options: how it runs.
            began_s: when opening began, on `time.perf_counter`, for the report.

        Raises:
            ClockMismatchError: it has another kind of clock.
            WorldCorruptError: it is damaged.
        """
        self.closed = ""
        self.store = store
        self.registry = registry
        self.clock = clock
        self.callbacks: list[Callable[[tuple[Change, ...]], None]] = []
        self.meters = Meters()
        self.quiet = threading.RLock()
        self._pumping = threading.Lock()
        self._records: deque[TurnRecord] = deque()
        self._options = options
        self._gc = GcPolicy(active=options.manage_gc)
        self._log = get_logger()
        self._narrator = Narrator(store, self._log)
        self._narrator.initialized(registry)
        state = load_state(store)
        if state is None:
            state = WorldState(0, clock.now_us(), 0, clock.kind, options.seed)
            store.commit({META: {STATE_KEY: state.pack()}})
        self._state = self._set_clock(state)
        self.turn = state.turn
        self._check_tables(registry)
        self.codes = CodeBook(registry.workflows, load_codes(store))
        codec = engine_codec()
        self.censuses = Censuses(partial(take_census, store, rest_s=REST_S))
        self.rows = RowBuffer(store)
        self.tables = TableBuffer(store)
        ids = IdAllocator(load_next_id(store), partial(store_next_id, store))
        self._child_ids = BlockIds(self._take_block)
        self.system = ActorSystem(
            registry,
            self.codes,
            codec,
            self.rows,
            self.tables,
            new_workflow_id=self._child_ids,
            logger_of=self._logger_of,
            logger_for=lambda sender: self._log.bind(sender=sender),
            take_foreign_signal=foreign_signal(lambda: self.intake),
            seed=state.seed,
            limits=options.limits,
            paranoid=options.paranoid,
            max_resident=options.max_resident,
            tick_us=options.tick_us,
            now_us=clock.now_us(),
        )
        self._narrator.listen(self.system)
        self._watchdog = Watchdog(self.system, options.slow_step, self._log)
        self.history = History(
            store,
            self.rows,
            self.tables,
            self.system,
            recorded=options.history,
            retention=options.retention,
            limits=options.limits,
            turn=state.turn,
        )
        self.history.record(registry)
        self.audit = (
            AuditLog(store, self.rows, self.system, self.codes, options.audit_retention)
            if options.audit
            else None
        )
        self.committer = Committer(
            store,
            self.rows,
            self.tables,
            self.codes,
            (self.history,) if self.audit is None else (self.history, self.audit),
            commit_every=options.commit_every,
            is_pump_thread=self.system.scheduler.is_pump_thread,
        )
        self.committer.committed_turn = state.turn
        self.answers = Answers(self.system.scheduler.is_pump_thread)
        self.between = BetweenTurns(self.system.scheduler.is_pump_thread)
        self.queries = Queries(store, self.rows, self.system, codec, self.codes)
        self._replaying = False
        self._prune_us = 0
        self._launched: dict[int, ActivityRecord] = {}
        self._abandoned: list[int] = []
        self.intake = Intake(
            registry, self.system, engine_codec(), clock, ids, options.limits, self.meters, state.turn
        )
        self.activities = Activities(
            registry,
            self.intake.end_activity,
            workers=options.activity_workers,
            payload=options.limits.payload,
        )
        try:
            workflows, timers_due, carried = recover(store, self.system, clock.now_us())
        except BaseException:
            # The system's own actors are in pykka's registry already.
            self.system.scheduler.close()
            raise
        self._gc.settle(workflows)
        for key, stored in store.scan(ACTIVITY_TABLE):
            # Begun again by the first pump, unless that replays.
            self._launched[int.from_bytes(key, "big")] = ActivityRecord.unpack(stored)
        took_s = time.perf_counter() - began_s
        self.recovery = RecoveryReport(store.created, workflows, state.turn, timers_due, carried, took_s)
        _open_engines.add(self)
        self._log.info(
            "world_opened",
            path=str(store.path),
            workflows=workflows,
            turn=state.turn,
            timers_due=timers_due,
        )

    # -- a turn --------------------------------------------------------------------------------------------

    def pump(self, budget: float | None, record: TurnRecord | None = None) -> PumpReport:
        """Run one turn, or a recorded one again, and commit it if it is time to; see `Runtime.pump`."""
        began = time.perf_counter_ns()
        deadline_ns = None if budget is None else began + int(budget * 1e9)
        if record is None and not self._pumping.locked():
            self.between.run()
        with InterruptShield(), self.turn_alone(), self._gc:
            self.require_open()
            self._watchdog.start()
            try:
                if self.committer.full is not None:
                    self.commit()
                with self.intake.lock:
                    self.intake.ids.top_up()
                self._replaying = record is not None
                if record is not None:
                    # Turns in which nothing happened are in no record.
                    self.turn = max(self.turn, record.turn - 1)
                if self.turn == self.recovery.turn:
                    self._begin_activities()
                if record is None:
                    outcome = self._turn(self._options.max_steps_per_turn, deadline_ns)
                else:
                    outcome = self._turn(
                        record.handled, None, closing=record.closing, id_blocks=record.id_blocks
                    )
                ran_ns = time.perf_counter_ns()
                commit_s = self.commit() if self.committer.due(quiet=outcome.quiet) else 0.0
            except Exception:
                raise
            except BaseException as interrupt:
                # It may have struck between any two lines.
                self._break(interrupt)
                raise
            report = PumpReport(
                self.turn,
                self.committer.committed_turn,
                outcome.steps,
                outcome.timers_fired,
                outcome.carried_over,
                (time.perf_counter_ns() - began) / 1e9,
                commit_s,
            )
            self.meters.note_turn(
                began,
                ran_ns,
                outcome.handled,
                steps=outcome.steps,
                timers_fired=outcome.timers_fired,
                carried_over=outcome.carried_over,
            )
        self._narrator.end_turn(self.turn, self.system.deleted, commit_s)
        self._tell_others(commit_s > 0)
        return report

    def _turn(
        self,
        limit: int,
        deadline_ns: int | None,
        *,
        closing: bool = False,
        id_blocks: tuple[tuple[int, int], ...] = (),
    ) -> TurnOutcome:
        now_us = max(self.clock.now_us(), self.system.stepper.now_us)
        if not (self._replaying or closing):
            self._prune(now_us)
        inputs = self.intake.take(last=closing and not id_blocks)
        self._child_ids.begin(id_blocks)
        actors = len(self.system.directory.actors)
        self.rows.begin_turn()
        self.tables.begin_turn()
        try:
            outcome = run_turn(
                self.system,
                now_us,
                inputs,
                limit=limit,
                deadline_ns=deadline_ns,
                meters=self.meters,
                fire_timers=not closing,
            )
        except Exception as error:
            self._break(error)
            raise
        if self.system.fault is not None:
            self._break(self.system.fault)
            raise self.system.fault
        self.turn += 1
        self._state = self._state._replace(turn=self.turn, now_us=now_us)
        self.answers.collect(self.system.answers)
        self.system.answers = []
        self._launched |= self.system.launched
        self._abandoned += self.system.abandoned
        self.system.launched, self.system.abandoned = {}, []
        leftover = pack_leftover(self.system.carried(), self.system.mailboxes.crowded)
        self.committer.stage(self._state, leftover)
        blocks = tuple(self._child_ids.blocks)
        record = TurnRecord(self.turn, now_us, tuple(inputs), blocks, outcome.handled, closing)
        if inputs or outcome.handled or outcome.timers_fired:
            try:
                self.history.end_turn(record, leftover)
                if self.audit is not None:
                    self.audit.end_turn(self.turn, now_us)
            except Exception as error:
                self._break(error)
                raise
        if self._options.on_turn is not None:
            self._records.append(record)
        self._gc.settle(len(self.system.directory.actors) - actors)
        return outcome

    def _prune(self, now_us: int) -> None:
        """Ask for the deletion of what ended long ago, if it is time to: an input as any other, for the records."""
        after_s = self._options.prune_after
        if after_s is not None and now_us >= self._prune_us:
            self._prune_us = now_us + PRUNE_EVERY_US
            self.intake.call(cleanup_old_workflows.name, (after_s / DAY_S,), {}, WORLD, None)

    def _tell_others(self, committed: bool) -> None:
        """Tell the game what has happened, once the turn is over and nothing that it does can hurt it."""
        self.settle()
        on_turn = self._options.on_turn
        while self._records and on_turn is not None:
            on_turn(self._records.popleft())
        if committed and self.callbacks:
            changes = self.committer.take_changes()
            for callback in tuple(self.callbacks):
                try:
                    callback(changes)
                except Exception:  # noqa: BLE001 - one listener's trouble is not the others'.
                    self._log.exception("listener_failed", listener=repr(callback))

    # -- commits and ends ------------------------------------------------------------------------------------

    def commit(self) -> float:
        """Commit the finished turns now; return the seconds it took."""
        try:
            took_s = self.committer.commit(collect=bool(self.callbacks))
        except WorldFull as error:
            self._narrator.full(error)
            raise
        self._narrator.full(None)
        if took_s:
            self.meters.note_commit(took_s)
        self.answers.note_durable()
        self._begin_activities()
        return took_s

    def settle(self) -> None:
        """Resolve the futures of what is durable; not while a turn is under way."""
        self.committer.resolve()
        self.answers.resolve()

    def _begin_activities(self) -> None:
        """Begin, and give up, what durable turns have asked for."""
        launched, self._launched = self._launched, {}
        abandoned, self._abandoned = self._abandoned, []
        if self._replaying:
            # Their results are among the recorded inputs.
            return
        for activity_id in abandoned:
            if launched.pop(activity_id, None) is None:
                self.activities.cancel(activity_id)
        for activity_id, record in launched.items():
            self.activities.launch(activity_id, record)

    def reload(self, registry: Registry) -> None:
        """Go on with other code from the next turn on."""
        with self.turn_alone():
            self.require_open()
            self._check_tables(registry)
            self.registry = registry
            self.codes.reload(registry.workflows)
            self.system.reload(registry)
            self.intake.reload(registry)
            self.activities.reload(registry)
            self.answers.reload()
            self.history.record(registry)
            self._narrator.reloaded(registry)

    def close(self) -> None:
        """Commit the accepted inputs without running them, and give the world up."""
        if self.closed:
            return
        with InterruptShield(), self.turn_alone():
            try:
                self._turn(0, None, closing=True)
                self.commit()
                store_next_id(self.store, self.intake.ids.following)
            except WorldFull:
                # Nothing is lost while it stays open: free some room, and close again.
                self.intake.open()
                raise
            except BaseException as error:
                self._break(error)
                raise
            active = self.system.directory.active
            self.abandon("the world is closed")
        self._narrator.closed(self.turn, active, self.system.steps)
        self._tell_others(committed=True)

    def abandon(self, why: str) -> None:
        """Stop for good and commit nothing more: the last commit stands, as after a crash."""
        self.closed = why
        self._watchdog.stop()
        self.intake.close(why)
        self.committer.abandon(why)
        self.answers.abandon(why)
        self.between.abandon(why)
        self.activities.close()
        self.system.scheduler.close()
        _open_engines.discard(self)
        self.store.close()
        self._gc.release()

    def finished_turns(self) -> threading.RLock:
        """Return the lock under which only finished turns are seen, to hold in a `with`.

        Raises:
            WrongThreadError: this very thread is inside a turn.
        """
        if self._pumping.locked() and self.system.scheduler.is_pump_thread():
            raise WrongThreadError(
                "a turn is under way on this thread; call it between turns, not from inside a workflow or callback"
            )
        return self.quiet

    # -- guards --------------------------------------------------------------------------------------------

    def turn_alone(self) -> TurnAlone:
        """Return the right to run a turn, to hold in a `with`.

        Raises:
            WrongThreadError: on entry, where somebody has it.
        """
        return TurnAlone(self._pumping, self.quiet, self.system)

    def require_idle(self, budget: float | None = None) -> None:
        """Refuse, before the clock moves, what a pump would refuse after it.

        Raises:
            WorldFull: there still is no room for what the last turn wrote.
        """
        self.require_open()
        if budget is not None and not budget >= 0:
            raise ValueError(f"budget is at least 0.0 seconds, not {budget!r}")
        if self._pumping.locked():
            raise WrongThreadError(
                "pump is under way, in another thread or further up in this one; pump from one thread at a time"
            )
        if self.committer.full is not None:
            with InterruptShield(), self.turn_alone():
                self.commit()
            self.settle()

    def require_open(self) -> None:
        """Raise `RuntimeClosedError` unless the world is open."""
        if self.closed:
            raise RuntimeClosedError(self.closed)

    def require_room(self) -> None:
        """Raise `WorldFull` while a commit waits for room on the disk."""
        if self.closed:
            raise RuntimeClosedError(self.closed)
        if self.committer.full is not None:
            raise WorldFull(
                str(self.store.path),
                "the last turn waits for room on the disk; free some and pump, then call again",
            )

    def _set_clock(self, state: WorldState) -> WorldState:
        """Let the clock go on from where the world stopped; with `rebase`, whatever clock that was."""
        if state.clock == self.clock.kind:
            self.clock.resume(state.now_us, state.offset_us)
            return state
        if not self._options.rebase:
            raise ClockMismatchError(
                str(self.store.path),
                f"made with a {state.clock} clock and opened with a {self.clock.kind} clock; "
                "open it with that kind, or give rebase=True to go on with this one from the same world time",
            )
        offset_us = self.clock.rebase(state.now_us)
        return state._replace(clock=self.clock.kind, offset_us=offset_us)

    def _check_tables(self, registry: Registry) -> None:
        """Refuse a table that was stored with keys of another form: they would be misread."""
        new: dict[bytes, bytes | None] = {}
        for table in registry.tables.values():
            key = TABLE_KEY + table.name.encode()
            stored = self.store.get(META, key)
            if stored is None:
                new[key] = table.pack_form()
            elif stored != table.pack_form():
                raise TableError(
                    f"table {table.name!r} was stored with keys {unpack_form(stored)} and is declared with "
                    f"{unpack_form(table.pack_form())}; declare it as it was, or take another name"
                )
        if new:
            self.store.commit({META: new})

    def _break(self, error: BaseException) -> None:
        """Stop for good after a fault of the engine itself."""
        self._log.error("world_broken", error=repr(error))
        self.abandon(f"the world stopped at {error!r}; open it again to go on from the last commit")

    def pass_over(self, following_id: int) -> None:
        """Hand out no workflow id below this one."""
        with self.intake.lock:
            self.intake.ids.pass_over(following_id)

    def _take_block(self, count: int) -> int:
        with self.intake.lock:
            return self.intake.ids.take(count)

    def _logger_of(self, context: Context) -> Any:
        assert isinstance(context, Instance)
        return self._log.bind(
            workflow_id=context.workflow_id, workflow_type=context.type_name, entity_id=context.entity_id
        )


def _call_watchdogs_off() -> None:
    for engine in list(_open_engines):
        engine._watchdog.stop()


def _poison_forked() -> None:
    for engine in list(_open_engines):
        engine.closed = (
            "this process is a fork of the one that owns the world; open another world here, or spawn instead"
        )


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_call_watchdogs_off, after_in_child=_poison_forked)

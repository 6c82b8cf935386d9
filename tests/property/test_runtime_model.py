"""A whole Runtime against a model of it, under whatever Hypothesis can think of.

Each rule does one thing to the world and to the model. After each turn all workflows, tables, answers and futures are
what the model says. After each commit a twin world, which keeps hardly a workflow in memory and resumes every step from
its bytes, has replayed the records of the turns to the same digest, and the doctor finds nothing in either. A crash
takes the world back to the model of the last commit.

    pytest tests/property/test_runtime_model.py --games 2000 --seed 7
"""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import runtime_model_flows as flows
import structlog
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from runtime_model_checks import assert_same
from runtime_model_flows import OUTSIDE
from runtime_model_inputs import CALLS, REDUCER_CALLS, SIGNALS
from runtime_model_lives import Failure
from runtime_model_world import ModelWorld

from deathless import (
    AskFailed,
    CallFailed,
    GameClock,
    InputIdError,
    Runtime,
    RuntimeClosedError,
    SignalNotAccepted,
    WorkflowExistsError,
)
from deathless.actors.backlog import Backlog
from deathless.runtime.inputs import TurnRecord
from deathless.tools.doctor import examine

STEPS = 50
MAP_SIZE = 1 << 24
NUMBERS = st.integers(0, 11)
AIMS = st.integers(0, 30)
ADDRESSES = st.integers(0, 3)
STARTS = st.lists(
    st.tuples(st.integers(0, len(CALLS) - 1), NUMBERS, st.sampled_from([None, 1, 2, 3])),
    min_size=3,
    max_size=9,
)
ENTITIES = st.sampled_from([None, 1, 2, 3])
GROUPS = st.sampled_from([None, None, "red", "blue"])
NAMES = st.sampled_from([None, None, None, "a", "b", "c", "d"])
LIMITS = st.sampled_from([2, 7, 1_000, 1_000])
PAUSES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0, 3.0])
COMMITS = st.sampled_from([0.0, 0.0, 3600.0])
OPTIONS = st.fixed_dictionaries(
    {
        "max_steps_per_turn": LIMITS,
        "commit_every": COMMITS,
        "paranoid": st.booleans(),
        "max_resident": st.sampled_from([None, 0, 3]),
    }
)


class Promise:
    """A future, and how the model knows what it gives: `turn` is committed, or `ticket` is answered."""

    def __init__(self, future: Future[Any], *, turn: int = 0, ticket: int = 0, error: Any = None) -> None:
        self.future = future
        self.turn = turn
        self.ticket = ticket
        self.error = error
        self.calls = 0
        future.add_done_callback(self._count)

    def _count(self, _: Any) -> None:
        self.calls += 1


class RuntimeAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.model = ModelWorld()
        # The model as each turn since the last commit left it, which stands first.
        self.saved: deque[tuple[int, ModelWorld]] = deque([(0, self.model.copy())])
        self.inputs: list[tuple[Any, ...]] = []
        self.names: dict[str, tuple[str, int]] = {}
        self.tickets = 0
        self.promises: list[Promise] = []
        self.records: deque[TurnRecord] = deque()
        # Of activities: the try that runs, and whose result the world has got already.
        self.attempts: dict[int, int] = {}
        self.delivered: set[int] = set()
        self.has_pumped = False
        self.world: Runtime | None = None
        self.twin: Runtime | None = None

    # -- opening and ending ------------------------------------------------------------------------------------

    @initialize(options=OPTIONS, starts=STARTS)
    def begin(self, options: dict[str, Any], starts: list[tuple[int, int, Any]]) -> None:
        self.open(options)
        self.open_twin()
        self.start_many(starts)
        self.run_frame(0.0)

    def open(self, options: dict[str, Any]) -> None:
        self.options = options
        self.world = Runtime(
            self.folder / "world",
            flows.ALL,
            clock=GameClock(),
            durability="process",
            **options,
            activity_workers=100,
            on_turn=self.records.append,
            slow_step=None,
            map_size=MAP_SIZE,
        )
        self.inputs = []
        self.names = {}
        self.delivered = set()
        self.attempts = {}
        # A world that is opened begins its activities in the first pump.
        self.has_pumped = False
        self.check()

    def open_twin(self) -> None:
        self.twin = Runtime(
            self.folder / "twin",
            flows.ALL,
            clock=GameClock(),
            durability="process",
            paranoid=True,
            max_resident=2,
            slow_step=None,
            map_size=MAP_SIZE,
        )
        # What the outside answers is in the records; the twin must not ask it too.
        self.twin._engine.activities.close()

    def teardown(self) -> None:
        try:
            if self.world is not None and not self.world._engine.closed:
                self.settle()
        finally:
            for world in (self.world, self.twin):
                if world is not None and not world._engine.closed:
                    world._engine.abandon("the test is over")
            for life in self.model.lives.values():
                self.model.drop(life)
            for _, model in self.saved:
                for life in model.lives.values():
                    model.drop(life)
            shutil.rmtree(self.folder)

    def settle(self) -> None:
        """Let everything come to its end that ends by itself."""
        self.close_and_open(options={"max_steps_per_turn": 1_000})
        for dt in (0.0, 5.0, 60.0):
            self.run_frame(dt)
            while self.model.queue:
                self.run_frame(0.0)
        self.commit()

    # -- time --------------------------------------------------------------------------------------------------

    @rule(dt=PAUSES, budget=st.sampled_from([None, None, None, 0.0]))
    def advance(self, dt: float, budget: float | None) -> None:
        self.run_frame(dt, budget)

    @rule(dt=PAUSES)
    def advance_until_idle(self, dt: float) -> None:
        self.run_frame(dt)
        for _ in range(200):
            if self.model.queue:
                self.run_frame(0.0)

    @rule(dt=PAUSES, frames=st.integers(2, 5))
    def advance_frames(self, dt: float, frames: int) -> None:
        for _ in range(frames):
            self.run_frame(dt)

    def run_frame(self, dt: float, budget: float | None = None) -> None:
        now_us = self.model.now_us + round(dt * 1_000_000)
        report = self.world.advance(dt, budget)
        self.has_pumped = True
        inputs, self.inputs = self.inputs, []
        self.names = {}
        record = self.records[-1]
        limit = self.options["max_steps_per_turn"] if budget is None else 1
        handled = self.model.run_turn(now_us, inputs, record.id_blocks, limit=limit)
        assert (record.turn, record.now_us, record.handled) == (self.model.turn, now_us, handled)
        assert (report.turn, bool(report.carried_over)) == (self.model.turn, bool(self.model.queue))
        self.saved.append((self.model.turn, self.model.copy()))
        if self.options.get("commit_every", 0.0) == 0.0 and (inputs or handled):
            assert report.committed_turn == report.turn
        self.check()
        self.check_committed()

    # -- commits, crashes, restarts ------------------------------------------------------------------------------

    def commit(self) -> None:
        self.world.commit()
        self.has_pumped = True
        assert self.world.committed_turn == self.model.turn
        self.check_committed()

    @rule(options=OPTIONS)
    def crash(self, options: dict[str, Any]) -> None:
        self.world._engine.abandon("crashed by the test")
        while self.records and self.records[-1].turn > self.saved[0][0]:
            self.records.pop()
        self.go_back()
        self.open(options)

    @rule(options=OPTIONS)
    def close_and_open(self, options: dict[str, Any]) -> None:
        self.world.close()
        record = self.records[-1]
        assert record.closing
        self.model.run_turn(self.model.now_us, self.inputs, record.id_blocks, limit=0, closing=True)
        self.saved.append((self.model.turn, self.model.copy()))
        self.check_committed()
        self.go_back()
        self.open(options)

    def go_back(self) -> None:
        """Go on from what the last commit holds; what waited for more is told that it will not come."""
        self.check_promises()
        assert not self.promises
        for life in self.model.lives.values():
            self.model.drop(life)
        while len(self.saved) > 1:
            self.saved.pop()
        self.model = self.saved[0][1].copy()

    @rule(what=st.sampled_from(["commit", "reload", "crash the twin"]))
    def commit_or_reload(self, what: str) -> None:
        if what == "commit":
            self.commit()
        elif what == "reload":
            self.world.reload(flows.ALL)
        elif not self.model.outside and not OUTSIDE.visits:
            # Its activities would come to the same outside.
            self.twin.commit()
            self.twin._engine.abandon("crashed by the test")
            self.open_twin()

    # -- starts --------------------------------------------------------------------------------------------------

    @rule(
        which=st.integers(0, len(CALLS) - 1),
        number=NUMBERS,
        entity=ENTITIES,
        group=GROUPS,
        on_conflict=st.sampled_from(["parallel", "parallel", "existing", "error", "replace"]),
        name=NAMES,
    )
    def start(
        self, which: int, number: int, entity: Any, group: Any, on_conflict: str, name: str | None
    ) -> None:
        call = CALLS[which](number)
        if entity is None and group is None:
            on_conflict = "parallel"
        options = {
            "entity_id": entity,
            "correlation_id": group,
            "on_conflict": on_conflict,
            "input_id": name,
        }
        if self.refuses_name(name, "start", lambda: self.world.start(call, **options)):
            return
        known = self.known_name(name)
        if known is not None:
            assert self.world.start(call, **options).id == known[1]
            return
        found = [] if on_conflict == "parallel" else self.conflicts(call.type, entity, group)
        if found and on_conflict == "error":
            with pytest.raises(WorkflowExistsError):
                self.world.start(call, **options)
            return
        handle = self.world.start(call, **options)
        self.note_name(name, "start", handle.id)
        if found and on_conflict == "existing":
            assert handle.id == found[0]
            return
        self.accept("start", handle.id, call, entity, group)
        for other in found:
            self.accept("send", (other, None, None), "cancel", "replaced by a new start", 0)
        self.promises.append(Promise(handle.committed, turn=self.model.turn + 1))

    def conflicts(self, kind: Any, entity: Any, group: Any) -> list[int]:
        wanted = (kind, entity, group)
        found = [
            life.number
            for life in self.model.lives.values()
            if life.active and (life.kind, life.entity, life.group) == wanted
        ]
        accepted = [
            rest[0]
            for _, what, *rest in self.inputs
            if what == "start" and (rest[1].type, *rest[2:]) == wanted
        ]
        return sorted(found) + accepted

    @rule(starts=STARTS)
    def start_many(self, starts: list[tuple[int, int, Any]]) -> None:
        pairs = [(CALLS[which](number), entity) for which, number, entity in starts]
        for handle, (call, entity) in zip(self.world.start_many(pairs), pairs, strict=True):
            self.accept("start", handle.id, call, entity, None)

    # -- messages ------------------------------------------------------------------------------------------------

    @rule(aimed=AIMS, which=NUMBERS, number=NUMBERS, address=ADDRESSES, name=NAMES)
    def signal(self, aimed: int, which: int, number: int, address: int, name: str | None) -> None:
        found = self.aim(aimed, which, number, address)
        if found is None:
            return
        where, signal = found

        def send() -> int:
            return self.world.signal(signal, **self.as_options(where), input_id=name)

        if self.refuses_name(name, "signal", send):
            return
        if self.known_name(name) is not None:
            send()
            return
        if where[0] is not None and self.refuses(where[0], signal):
            with pytest.raises(SignalNotAccepted):
                send()
            return
        turn = send()
        self.note_name(name, "signal", 0)
        self.accept("send", where, "signal", signal, 0)
        assert turn == self.model.turn + 1
        self.promises.append(Promise(self.world.committed(turn), turn=turn))

    @rule(signals=st.lists(st.tuples(AIMS, NUMBERS, NUMBERS, ADDRESSES), min_size=6, max_size=14), dt=PAUSES)
    def signal_many(self, signals: list[tuple[int, int, int, int]], dt: float) -> None:
        for aimed, which, number, address in signals:
            self.signal(aimed, which, number, address, None)
        self.run_frame(dt)

    @rule(aimed=AIMS, which=NUMBERS, number=NUMBERS, address=ADDRESSES, name=NAMES)
    def ask(self, aimed: int, which: int, number: int, address: int, name: str | None) -> None:
        found = self.aim(aimed, which, number, address)
        if found is None:
            return
        where, signal = found

        def ask() -> Future[Any]:
            return self.world.ask(signal, **self.as_options(where), input_id=name)

        if self.refuses_name(name, "ask", ask):
            return
        known = self.known_name(name)
        if known is None:
            if where[0] is not None and self.refuses(where[0], signal):
                with pytest.raises(SignalNotAccepted):
                    ask()
                return
            self.tickets += 1
            known = ("ask", self.tickets)
            future = ask()
            self.note_name(name, *known)
            self.accept("send", where, "ask", signal, self.tickets)
        else:
            future = ask()
        self.promises.append(Promise(future, ticket=known[1], error=AskFailed))
        self.check_promises()

    @rule(zone=st.integers(1, 3), n=NUMBERS, name=NAMES)
    def publish(self, zone: int, n: int, name: str | None) -> None:
        def publish() -> int:
            return self.world.publish(flows.News(zone, n), input_id=name)

        if self.refuses_name(name, "publish", publish):
            return
        is_new = self.known_name(name) is None
        publish()
        if is_new:
            self.note_name(name, "publish", 0)
            self.accept("publish", flows.News(zone, n))

    @rule(which=NUMBERS, number=NUMBERS, name=NAMES)
    def call(self, which: int, number: int, name: str | None) -> None:
        reducer, *args = REDUCER_CALLS[which % len(REDUCER_CALLS)](number)

        def call() -> Future[Any]:
            return self.world.call(reducer, *args, input_id=name)

        if self.refuses_name(name, "call", call):
            return
        known = self.known_name(name)
        future = call()
        if known is None:
            self.tickets += 1
            known = ("call", self.tickets)
            self.note_name(name, *known)
            self.accept("call", (reducer, args), self.tickets)
        self.promises.append(Promise(future, ticket=known[1], error=CallFailed))
        self.check_promises()

    @rule(aimed=AIMS, address=ADDRESSES, force=st.booleans(), name=NAMES)
    def cancel(self, aimed: int, address: int, force: bool, name: str | None) -> None:
        known = self.known()
        if not known:
            return
        where = self.address_of(known[aimed % len(known)], address)

        def cancel() -> int:
            return self.world.cancel(
                **self.as_options(where), reason="by the test", force=force, input_id=name
            )

        if self.refuses_name(name, "cancel", cancel):
            return
        is_new = self.known_name(name) is None
        cancel()
        if is_new:
            self.note_name(name, "cancel", 0)
            self.accept("send", where, "kill" if force else "cancel", "by the test", 0)

    @rule(aimed=AIMS, dismissed=st.booleans())
    def retry_or_dismiss(self, aimed: int, dismissed: bool) -> None:
        """Of those that failed or back off, retry one; or end it, without running its code."""
        failed = [life.number for life in self.model.lives.values() if life.error is not None]
        if not failed:
            return
        number = failed[aimed % len(failed)]
        if dismissed:
            self.world.cancel(workflow_id=number, reason="dismissed", force=True)
            self.accept("send", (number, None, None), "kill", "dismissed", 0)
        else:
            self.world.retry(number)
            self.accept("send", (number, None, None), "retry", None, 0)

    # -- outside -------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.visitors())
    @rule(which=NUMBERS, succeeds=st.booleans())
    def end_an_errand(self, which: int, succeeds: bool) -> None:
        visitors = self.visitors()
        number = visitors[which % len(visitors)]
        owner, n, attempts = self.saved[0][1].outside[number]
        activities = self.world._engine.activities
        running = activities.running
        OUTSIDE.answer(f"{owner}-{number}", n * 100, "" if succeeds else "nobody is there")
        if not succeeds and self.attempts[number] < attempts:
            self.attempts[number] += 1
        else:
            with activities._changed:
                assert activities._changed.wait_for(lambda: activities.running < running, flows.WAIT_S)
            self.delivered.add(number)
            outcome = ("Completed", n * 100) if succeeds else ("Failed", "ValueError: nobody is there")
            self.accept("outcome", number, *outcome)
        self.check_outside()

    def visitors(self) -> list[int]:
        """The activities that durable turns have asked for and that are under way."""
        return sorted(self.saved[0][1].outside.keys() - self.delivered) if self.has_pumped else []

    def check_outside(self) -> None:
        outside = self.saved[0][1].outside
        OUTSIDE.await_visits(
            {
                f"{outside[number][0]}-{number}": self.attempts.setdefault(number, 1)
                for number in self.visitors()
            }
        )

    # -- what the rules share ------------------------------------------------------------------------------------

    def accept(self, what: str, *rest: Any) -> None:
        self.inputs.append((self.model.now_us, what, *rest))

    def known(self) -> list[tuple[int, Any, Any, Any]]:
        """(id, type, entity, group) of all workflows, with those whose start is accepted."""
        known = [(life.number, life.kind, life.entity, life.group) for life in self.model.lives.values()]
        accepted = [(rest[0], rest[1].type, *rest[2:]) for _, what, *rest in self.inputs if what == "start"]
        # Those that run first: they are what is worth a message.
        return sorted(known + accepted, key=lambda one: (self.has_ended(one[0]), one[0]))

    def has_ended(self, number: int) -> bool:
        life = self.model.lives.get(number)
        return life is not None and not life.active

    def aim(self, aimed: int, which: int, number: int, address: int) -> tuple[Any, Any] | None:
        """A signal that a workflow takes, and one of its addresses."""
        known = self.known()
        if not known:
            return None
        one = known[aimed % len(known)]
        makers = SIGNALS[one[1].name]
        if which == 11:
            # One that it does not take, perhaps.
            makers = SIGNALS["ledger"]
        return self.address_of(one, address), makers[which % len(makers)](
            number, self.model.now_us / 1_000_000
        )

    @staticmethod
    def address_of(one: tuple[int, Any, Any, Any], address: int) -> tuple[Any, Any, Any]:
        if address == 2 and one[2] is not None:
            return None, one[2], None
        if address == 3 and one[3] is not None:
            return None, None, one[3]
        return one[0], None, None

    @staticmethod
    def as_options(where: tuple[Any, Any, Any]) -> dict[str, Any]:
        return dict(zip(("workflow_id", "entity_id", "correlation_id"), where, strict=True))

    def refuses(self, number: int, signal: Any) -> bool:
        for _, what, *rest in self.inputs:
            if what == "start" and rest[0] == number:
                return type(signal) not in rest[1].type.accepts
        return self.model.refuses(number, signal)

    def known_name(self, name: str | None) -> tuple[str, int] | None:
        return None if name is None else self.names.get(name) or self.model.named.get(name)

    def refuses_name(self, name: str | None, kind: str, act: Any) -> bool:
        known = self.known_name(name)
        if known is None or known[0] == kind:
            return False
        with pytest.raises(InputIdError):
            act()
        return True

    def note_name(self, name: str | None, kind: str, ref: int) -> None:
        if name is not None:
            self.names[name] = kind, ref
            self.accept("name", name, kind, ref)

    # -- what must be true -----------------------------------------------------------------------------------------

    def check(self) -> None:
        assert_same(self.world, self.model)
        system = self.world._engine.system
        # What was packed turn by turn is what all of it is, packed at once.
        assert system.carried() == Backlog().pack(system.scheduler.queue, system.wheel.keys())

    def check_committed(self) -> None:
        """Look at all that waits for a commit, and let the twin follow."""
        committed = self.world.committed_turn
        while self.saved[0][0] < committed:
            for life in self.saved.popleft()[1].lives.values():
                assert life.coroutine is None
        assert self.saved[0][0] == committed
        self.check_promises()
        if not self.world._engine.closed:
            self.check_outside()
        while self.records and self.records[0].turn <= committed:
            self.twin.replay_turn(self.records.popleft())
        if not self.records and not self.world._engine.closed:
            assert self.twin.digest() == self.world.digest()
            for world in (self.world, self.twin):
                with world._engine.store.read_view() as view:
                    assert list(examine(view)) == []

    def check_promises(self) -> None:
        """What is durable is told, once; what is not, is not."""
        committed, model = self.saved[0]
        waiting = []
        for promise in self.promises:
            durable = promise.turn <= committed if promise.turn else promise.ticket in model.answers
            ended = durable or bool(self.world._engine.closed)
            assert (promise.future.done(), promise.calls) == (ended, ended)
            if not durable:
                if ended:
                    assert isinstance(promise.future.exception(), RuntimeClosedError)
                else:
                    waiting.append(promise)
                continue
            expected = promise.turn or model.answers[promise.ticket]
            if isinstance(expected, Failure):
                problem = promise.future.exception()
                assert isinstance(problem, promise.error)
                assert expected.problem in str(problem)
            else:
                assert promise.future.result() == expected
        self.promises = waiting


@pytest.fixture(autouse=True)
def quiet_log():
    """Many workflows fail here on purpose."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    yield
    structlog.reset_defaults()


def test_a_runtime_does_what_the_model_does(request):
    """The same games each time, unless another seed is given."""
    games, first = request.config.getoption("--games"), request.config.getoption("--seed")
    run_state_machine_as_test(
        seed(first)(RuntimeAgainstModel),
        settings=settings(
            max_examples=games,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )

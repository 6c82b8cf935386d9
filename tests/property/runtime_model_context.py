"""A second way to run a workflow function: natively, and by replaying what it was told.

The engine keeps a snapshot of the locals at each await. The model keeps what happened to a workflow (each event, and
what each call on its context answered), and has the plain function live through all of it again whenever it has to go
back. The two have nothing in common but the function.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deathless import (
    ActivityDone,
    ActivityFailed,
    Beat,
    Cancelled,
    ChildCancelled,
    ChildDone,
    ChildFailed,
    Elapsed,
    Signal,
)
from deathless.workflows.compiler import program_of

if TYPE_CHECKING:
    from runtime_model_lives import Life
    from runtime_model_world import ModelWorld

US = 1_000_000


# -- what a workflow can wait for ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Due:
    """A timer; a sleep, if it is silent."""

    due_us: int
    name: str | None = None
    silent: bool = False


@dataclass(eq=False)
class Periodic:
    """`ctx.every`: beat n is due at start + n * period."""

    start_us: int
    period_us: int
    missed: str
    n: int = 1
    skipped: int = 0

    @property
    def due_us(self) -> int:
        return self.start_us + self.n * self.period_us

    def beat(self, now_us: int, *, may_skip: bool) -> Beat | None:
        """Take the beat that is due; None where it is skipped, with those that were overtaken."""
        if self.missed == "catch_up":
            self.n += 1
            return Beat(self.n - 1, 0)
        latest = (now_us - self.start_us) // self.period_us
        overtaken = latest - self.n
        self.n = latest + 1
        if overtaken and self.missed == "skip" and may_skip and not self.skipped:
            self.skipped = overtaken + 1
            return None
        if overtaken and self.missed == "shift":
            self.start_us = now_us + self.period_us - self.n * self.period_us
        given = Beat(latest, overtaken + self.skipped)
        self.skipped = 0
        return given


@dataclass(frozen=True)
class Pending:
    """A child or an activity: awaited for its result, or selected on."""

    number: int
    is_activity: bool = False
    joined: bool = False

    def __await__(self) -> Iterator[Any]:
        return (yield (Pending(self.number, self.is_activity, joined=True),))


@types.coroutine
def _wait(sources: tuple[Any, ...]) -> Iterator[Any]:
    return (yield sources)


def timed(wait: tuple[Any, ...]) -> Any:
    """The source that comes due first; of equals, the one listed first."""
    return min(
        (source for source in wait if isinstance(source, Due | Periodic)),
        key=lambda source: source.due_us,
        default=None,
    )


def source_of(wait: tuple[Any, ...], message: Any) -> Any:
    """The source that a signal or a result fits."""
    for source in wait:
        if message.kind == "signal" and source is type(message.what):
            return source
        if message.kind == "done" and isinstance(source, Pending) and source.number == message.what[0]:
            return source
    return None


# -- one life ------------------------------------------------------------------------------------------------


@dataclass
class Step:
    """What a workflow lived through from one await to the next: when, what came, what its context answered.

    `event` is ("start",), ("timer", may_skip), ("skip",), ("message", message) or ("cancel", reason).
    """

    now_us: int
    event: tuple[Any, ...]
    answers: list[Any] = field(default_factory=list)


def enter(life: Life, context: ModelContext) -> None:
    """Bring a workflow's native coroutine to where it stands."""
    life.context = context
    life.coroutine = native(life.kind)(context, *life.args, **life.kwargs)
    for step in life.steps:
        context.replay(step)
        if step.event[0] == "skip":
            assert timed(life.wait).beat(step.now_us, may_skip=True) is None
        else:
            life.wait = resume(life, step.event, step.now_us)


def resume(life: Life, event: tuple[Any, ...], now_us: int) -> tuple[Any, ...]:
    """Go on to the next await."""
    kind, *what = event
    if kind == "start":
        return life.coroutine.send(None)
    if kind == "cancel":
        return life.coroutine.throw(Cancelled(what[0]))
    if kind == "timer":
        source = timed(life.wait)
        if isinstance(source, Periodic):
            return life.coroutine.send(source.beat(now_us, may_skip=what[0]))
        return life.coroutine.send(None if source.silent else Elapsed(source.name, source.due_us / US))
    message = what[0]
    if message.kind == "signal":
        return life.coroutine.send(message.what)
    number, status, outcome = message.what
    source = source_of(life.wait, message)
    error: Any = None
    if status != "Completed":
        failed = ActivityFailed if source.is_activity else ChildFailed
        error = (ChildCancelled if status == "Cancelled" else failed)(number, outcome)
    if source.joined:
        return life.coroutine.send(outcome) if error is None else life.coroutine.throw(error)
    done = ActivityDone if source.is_activity else ChildDone
    handle = Pending(number, source.is_activity)
    return life.coroutine.send(done(handle, outcome if error is None else None, error))


def native(kind: Any) -> Any:
    """The function as it was written, and below it the routines as they were."""
    made = _natives.get(kind.name)
    if made is None:
        original = kind.program.original
        around = dict(original.__globals__)
        for name, value in around.items():
            program = program_of(value.__code__) if isinstance(value, types.FunctionType) else None
            if program is not None:
                around[name] = types.FunctionType(program.original.__code__, around)
        made = _natives[kind.name] = types.FunctionType(original.__code__, around)
    return made


_natives: dict[str, Any] = {}


def frames_of(coroutine: Any) -> list[dict[str, Any]]:
    """The locals of a coroutine and of the routines below it."""
    frames = []
    while getattr(coroutine, "cr_frame", None) is not None:
        frames.append(dict(coroutine.cr_frame.f_locals))
        coroutine = coroutine.cr_await
    return frames


def handles_in(value: Any) -> set[int]:
    """The children and activities that a value reaches."""
    if isinstance(value, Pending):
        return {value.number}
    if isinstance(value, ChildDone):
        return handles_in(value.child)
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return set()
    return set().union(*map(handles_in, value))


class ModelContext:
    """The context that the native function holds: live in the step under way, else repeating what it answered."""

    def __init__(self, world: ModelWorld, life: Life) -> None:
        self._world = world
        self._life = life
        self._step = Step(0, ())
        self._repeated: Iterator[Any] | None = None
        self.workflow_id = life.number
        self.entity_id = life.entity
        self.correlation_id = life.group

    def begin(self, step: Step) -> None:
        """Live through a new step."""
        self._step, self._repeated = step, None

    def replay(self, step: Step) -> None:
        """Live through a step again: nothing is done, and all answers are as they were."""
        self._step, self._repeated = step, iter(step.answers)

    def _answer(self, act: Any, *args: Any, **kwargs: Any) -> Any:
        """Do something and note its answer, or give the answer that was noted."""
        if self._repeated is not None:
            failed, answer = next(self._repeated)
        else:
            try:
                failed, answer = False, act(*args, **kwargs)
            except Exception as error:
                failed, answer = True, error
            self._step.answers.append((failed, answer))
        if failed:
            raise answer
        return answer

    # -- time ------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        return self._step.now_us / US

    def sleep(self, seconds: float) -> Any:
        return _wait((Due(self._step.now_us + round(seconds * US), silent=True),))

    def timer(self, seconds: float, name: str | None = None) -> Due:
        return Due(self._step.now_us + round(seconds * US), name)

    def every(self, seconds: float, missed: str = "skip") -> Periodic:
        return Periodic(self._step.now_us, round(seconds * US), missed)

    # -- waiting ---------------------------------------------------------------------------------------------

    def receive(self, *sources: Any) -> Any:
        return _wait(sources)

    select = receive

    async def gather(self, *awaitables: Any) -> list[Any]:
        results = []
        for awaitable in awaitables:
            results.append(await awaitable)
        return results

    # -- effects ---------------------------------------------------------------------------------------------

    def signal(self, signal: Signal, **address: Any) -> None:
        self._answer(self._world.send, signal, **address)

    def publish(self, signal: Signal) -> None:
        self._answer(self._world.publish_later, signal, self._life.number)

    def subscribe(self, signal: type[Signal], **fields: Any) -> None:
        def act() -> None:
            if (signal, fields) not in self._life.topics:
                self._life.topics.append((signal, fields))

        self._answer(act)

    def unsubscribe(self, signal: type[Signal], **fields: Any) -> None:
        def act() -> None:
            self._life.topics = [
                topic
                for topic in self._life.topics
                if topic[0] is not signal or (fields and topic[1] != fields)
            ]

        self._answer(act)

    def spawn(
        self, call: Any, *, entity_id: Any = None, correlation_id: Any = None, **options: Any
    ) -> Pending:
        policy = options.get("on_parent_close", "cancel")
        return self._answer(self._world.spawn, self._life, call, entity_id, correlation_id, policy)

    def run(self, call: Any, *, retry: Any = None) -> Pending:
        return self._answer(self._world.ask_outside, self._life, call, 1 if retry is None else retry.attempts)

    def call(self, reducer: Any, *args: Any) -> Any:
        return self._answer(self._world.reduce, reducer, args)

    def reply(self, signal: Signal, value: object) -> bool:
        return self._answer(self._world.reply, self._life, signal, value)

"""What the world outside may ask of a world: every call is checked at once and taken by the next turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeAlias, TypeVar, get_args, overload

from ..workflows.definition import Call
from ..workflows.errors import AskFailed, CallFailed, WorkflowExistsError
from ..workflows.outbox import Answer
from ..workflows.reducer import WORLD, Reducer
from ..workflows.signal import Signal
from .handle import Handle
from .looking import Looking

OnConflict: TypeAlias = Literal["parallel", "existing", "error", "replace"]
P = ParamSpec("P")
R = TypeVar("R")


def _counted(kind: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Count the calls of a method of `Asking` that raise, as refused inputs of a kind."""

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        @wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return method(*args, **kwargs)
            except Exception:
                world: Any = args[0]
                world._engine.meters.refused[kind] += 1
                raise

        return call

    return decorate


class Asking(Looking):
    """The part of `Runtime` that takes inputs. Everything may be called from any thread."""

    identity = WORLD
    """As whom the world itself acts, in `ReducerContext.sender`."""

    @_counted("start")
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

        intake = engine.intake

        def accept() -> tuple[int, int]:
            doomed: list[int] = []
            if on_conflict != "parallel":
                name, found = intake.conflicts(call, args, kwargs, entity_id, correlation_id)
                if found and on_conflict == "existing":
                    workflow_id, taken = found[0]
                    # Named, the choice itself has to be committed with the next turn.
                    return workflow_id, engine.turn if taken and input_id is None else intake.next_turn
                if found and on_conflict == "error":
                    raise WorkflowExistsError(name, found[0][0])
                doomed = [workflow_id for workflow_id, _ in found]
            started = intake.start(call, args, kwargs, entity_id, correlation_id)
            for workflow_id in doomed:
                intake.cancel(workflow_id, None, None, "replaced by a new start", force=False)
            return started

        if on_conflict == "parallel":
            return Handle(self, *intake.once(input_id, "start", accept))
        # Against finished turns: a conflict that a turn under way makes or ends is not one yet.
        with engine.finished_turns():
            return Handle(self, *intake.once(input_id, "start", accept))

    @_counted("start")
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
        try:
            if engine.closed or engine.committer.full is not None:
                engine.require_room()
            intake = engine.intake
            if input_id is None:
                return intake.signal(signal, workflow_id, entity_id, correlation_id)
            return intake.once(
                input_id, "signal", lambda: (0, intake.signal(signal, workflow_id, entity_id, correlation_id))
            )[1]
        except Exception:
            # `_counted`, written out: this one is called for each signal.
            engine.meters.refused["signal"] += 1
            raise

    @_counted("ask")
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

        It is put to one workflow: by entity or correlation id, to the oldest that takes the signal. The question is
        durable with the turn that takes it, and a workflow that answers after a crash does so for nobody; whoever gave
        an `input_id` asks again with it, and gets the answer that was given or is still to come.

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

    @_counted("publish")
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
    @_counted("call")
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

    @_counted("cancel")
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

    @_counted("cancel")
    def cancel_many(self, workflow_ids: Iterable[int], *, reason: str = "", force: bool = False) -> int:
        """Cancel many workflows in the next turn; all of them or, where one is unknown, none. See `cancel`.

        Returns:
            The turn that will take it.

        Raises:
            UnknownWorkflowError: there is none of one of these ids.
        """
        self._engine.require_room()
        return self._engine.intake.cancel_many(workflow_ids, reason, force=force)

    @_counted("retry")
    def retry(self, workflow_id: int) -> int:
        """Run the message on which a workflow failed again, with the code loaded now; on others it does nothing.

        One whose step waits to be tried again by its type's policy is tried at once, which counts as a try.

        Returns:
            The turn that will take it.
        """
        self._engine.require_room()
        return self._engine.intake.retry(workflow_id)

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

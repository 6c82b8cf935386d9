"""A pykka actor without a thread of its own.

It is one of thousands, or of a million, that one `Scheduler` runs. It behaves as pykka documents for any
actor (docs/reference/pykka.md lists each promise and its test) and differs in what it costs: an idle one is a
small object. The URN, inbox, stopped flag and reference that pykka makes for every actor at construction are
made here when somebody asks, and an actor class may stay out of pykka's global registry, which is a list that
takes O(running actors) to leave.
"""

from __future__ import annotations

import logging
import sys
import threading
import uuid
from types import TracebackType
from typing import Any, ClassVar, Self

from pykka import Actor, ActorDeadError, ActorRef, ActorRegistry, Future
from pykka.messages import _ActorStop

from .scheduled_ref import ONCE, ScheduledFuture, ScheduledInbox, ScheduledRef, StoppedFlag
from .scheduler import NEW, RUNNING, START, STOPPED, ActorStart, Scheduler

logger = logging.getLogger("pykka")


class _Face:
    """What pykka gives each actor at its construction, and we when first asked for."""

    __slots__ = ("inbox", "ref", "stopped", "urn")

    def __init__(self, actor: ScheduledActor) -> None:
        self.urn = uuid.uuid4().urn
        self.inbox = ScheduledInbox(actor)
        self.stopped = StoppedFlag(actor)
        self.ref: ScheduledRef[Any] | None = None


class ScheduledActor(Actor):
    """An actor that a `Scheduler` runs: every hook and message on the thread that is inside `Scheduler.run`.

    Subclass it like `pykka.ThreadingActor`; the constructor takes the scheduler and hands it up:

        class Greeter(ScheduledActor):
            def on_receive(self, message):
                return f"hello, {message}"

        scheduler = Scheduler()
        future = Greeter.start(scheduler).ask("Ann", block=False)
        scheduler.run(limit=100)
        future.get()

    Whoever holds a reference keeps the actor alive until it stops.
    """

    # Three words on top of an empty instance. Subclasses may have a `__dict__`, or slots for less.
    __slots__ = ("_face", "_life", "_scheduler")

    registered: ClassVar[bool] = True
    """Whether pykka's `ActorRegistry` lists actors of this class (lookups, `broadcast`, `stop_all`). Leaving
    that list takes time proportional to its length, so a class with very many actors sets False and has its
    own directory."""

    def __init__(self, scheduler: Scheduler) -> None:
        """Create the actor; it does nothing until `start` or `launch`.

        pykka's own constructor is not called: it makes what this class makes on demand.
        """
        self._scheduler = scheduler
        self._life = NEW
        self._face: _Face | None = None

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> ActorRef[Self]:  # pyright: ignore[reportIncompatibleMethodOverride] # As pykka's own subclasses: Self narrows.
        """Construct an actor, launch it, and return a reference to it.

        1.  The constructor runs on the calling thread. Messages that it sends to its own actor wait.
        2.  The actor is registered, unless its class says `registered = False`.
        3.  `on_start` is queued like a message, the actor's first. It runs on the pump thread.
        """
        actor = cls(*args, **kwargs)
        actor.launch()
        return actor.actor_ref

    def launch(self) -> None:
        """Do what `start` does after the construction, without making a reference."""
        if self.registered:
            ActorRegistry.register(self.actor_ref)
        logger.debug("Starting %s", self)
        self._start_actor_loop()

    @property
    def actor_urn(self) -> str:  # type: ignore[override] # Made on demand.
        """The actor's universally unique name, made when first read."""
        return self._make_face().urn

    @property
    def actor_inbox(self) -> ScheduledInbox:  # type: ignore[override] # Made on demand.
        """Where references put messages, made when first read."""
        return self._make_face().inbox

    @property
    def actor_stopped(self) -> threading.Event:  # type: ignore[override] # Made on demand.
        """The event that is set once the actor has stopped, made when first read."""
        return self._make_face().stopped

    @property
    def actor_ref(self) -> ActorRef[Self]:  # pyright: ignore[reportIncompatibleMethodOverride, reportIncompatibleVariableOverride] # Self narrows.
        """The actor's reference, always the same one, made when first read."""
        face = self._make_face()
        if face.ref is None:
            with ONCE:
                if face.ref is None:
                    face.ref = ScheduledRef(self)
        return face.ref

    @property
    def referenced(self) -> bool:
        """Whether somebody may hold a reference: such an actor must not be replaced by another object."""
        return self._face is not None

    def stop(self) -> None:
        """Stop after the messages sent before.

        Raises:
            pykka.ActorDeadError: it has stopped already.
        """
        if self._life == STOPPED:
            raise ActorDeadError(f"{self} not found")
        if self._life == NEW:
            super().stop()
        else:
            self._scheduler.post(self, _ActorStop())

    def _make_face(self) -> _Face:
        face = self._face
        if face is None:
            with ONCE:
                face = self._face
                if face is None:
                    face = self._face = _Face(self)
        return face

    @staticmethod
    def _create_actor_inbox() -> ScheduledInbox:
        # pykka calls this from the constructor that we replace; the run queue is every actor's inbox.
        raise NotImplementedError("a scheduled actor's messages are in its scheduler's queue")

    @staticmethod
    def _create_future() -> Future[Any]:
        return ScheduledFuture()

    def _start_actor_loop(self) -> None:
        if type(self).on_start is not Actor.on_start:
            self._scheduler.post(self, START)
        with ONCE:
            self._life = RUNNING
            if self._face is not None:
                self._face.inbox.release_early()

    def _handle_receive(self, message: Any) -> Any:
        if type(message) is ActorStart:
            return self._actor_loop_setup()
        return super()._handle_receive(message)

    def _stop(self) -> None:
        self._end()
        logger.debug("Stopped %s", self)
        try:
            self.on_stop()
        except Exception:  # noqa: BLE001 - logged; the actor is stopping anyway.
            self._handle_failure(*sys.exc_info())

    def _handle_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert exception_type is not None, "called without an exception"
        assert exception_value is not None, "called without an exception"
        logger.error(
            "Unhandled exception in %s:", self, exc_info=(exception_type, exception_value, traceback)
        )
        self._end()

    def _interrupted(self) -> None:
        """End after a `BaseException` that now goes on to the caller of `Scheduler.run`."""
        self._stop()

    def _end(self) -> None:
        if self._face is not None and self.registered:
            ActorRegistry.unregister(self.actor_ref)
        self._life = STOPPED
        if self._face is not None:
            self._face.stopped.set()
            self._face.inbox.forget_actor()

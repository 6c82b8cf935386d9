"""What the outside holds of a scheduled actor: its reference, its inbox, its stopped flag, its futures.

pykka makes these for every actor at construction. Here they are made when first asked for, since most of a
world's actors are reached through their directory and never by reference. They keep their actor alive until
it stops, as its thread would; after that they let go of it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from pykka import ActorDeadError, ActorRef, ThreadingFuture
from pykka._envelope import Envelope

from ..workflows.errors import WrongThreadError
from .scheduler import NEW, STOPPED, Scheduler

if TYPE_CHECKING:
    from .scheduled_actor import ScheduledActor

A = TypeVar("A", bound="ScheduledActor")
T = TypeVar("T")

# Guards what happens once in an actor's life: making its face, and the passage from new to running.
ONCE = threading.RLock()


class ScheduledFuture(ThreadingFuture[T]):
    """A pykka future that refuses a wait which could never end.

    The pump thread is the only one that can produce the answer. If it waited, the program would stand still.
    """

    _scheduler: Scheduler | None = None

    def get(self, *, timeout: float | None = None) -> Any:
        """Get the value; `timeout=0` asks whether it is there and is allowed on any thread.

        Raises:
            WrongThreadError: there is no value yet and this is the pump thread.
            pykka.Timeout: there was no value in time.
        """
        waits = self._result is None and self._get_hook is None and (timeout is None or timeout > 0)
        if waits and self._scheduler is not None and self._scheduler.is_pump_thread():
            raise WrongThreadError(
                "waiting here for an actor's reply would never end: this thread pumps the actors; "
                "use ask(..., block=False) and get() after the next pump, or ask from another thread"
            )
        return super().get(timeout=timeout)


class ScheduledInbox:
    """The way in for messages from outside: pykka's inbox protocol over the shared run queue."""

    __slots__ = ("_actor", "_early", "_scheduler")

    def __init__(self, actor: ScheduledActor) -> None:
        self._actor: ScheduledActor | None = None if actor._life == STOPPED else actor
        self._scheduler = actor._scheduler
        self._early: list[Envelope[Any]] = []

    def put(self, envelope: Envelope[Any], /) -> None:
        """Queue a message; from any thread. What comes before the actor's start waits for it."""
        actor = self._actor
        reply_to = envelope.reply_to
        if actor is None:
            # It stopped after the sender looked. A tell is lost, as it would be with any actor.
            if reply_to is not None:
                error = ActorDeadError("the actor stopped before handling the message")
                reply_to.set_exception((ActorDeadError, error, None))
            return
        if isinstance(reply_to, ScheduledFuture):
            reply_to._scheduler = self._scheduler
        if actor._life == NEW:
            with ONCE:
                if actor._life == NEW:
                    self._early.append(envelope)
                    return
        self._scheduler.post(actor, envelope.message, reply_to)

    def release_early(self) -> None:
        """Queue what waited for the start. The caller holds `ONCE`."""
        early, self._early = self._early, []
        for envelope in early:
            assert self._actor is not None, "an actor cannot stop before it starts"
            self._scheduler.post(self._actor, envelope.message, envelope.reply_to)

    def empty(self) -> bool:
        """Tell whether no message waits for the actor. Looks through the run queue: for inspection only."""
        return not self._early and all(entry[0] is not self._actor for entry in self._scheduler.pending())

    def get(self) -> Envelope[Any]:
        """Refuse: messages are handed out by `Scheduler.run` alone."""
        raise NotImplementedError(
            "a scheduled actor has no inbox to take from; Scheduler.run hands out its messages"
        )

    def forget_actor(self) -> None:
        """Let go of the actor, which has stopped."""
        self._actor = None


class StoppedFlag(threading.Event):
    """The `actor_stopped` event; setting it ends the actor, as with any pykka actor."""

    def __init__(self, actor: ScheduledActor) -> None:
        super().__init__()
        self._actor: ScheduledActor | None = actor
        if actor._life == STOPPED:
            self.set()

    def set(self) -> None:
        """Mark the actor as stopped and wake whoever waits for it."""
        actor, self._actor = self._actor, None
        if actor is not None:
            actor._life = STOPPED
        super().set()


class ScheduledRef(ActorRef[A]):
    """A pykka reference that refuses to block the pump thread, before anything is sent."""

    actor_inbox: ScheduledInbox  # pyright: ignore[reportIncompatibleVariableOverride] # Never assigned anew.

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any:
        """Send a message and wait for the reply, or get a future with `block=False`.

        Raises:
            WrongThreadError: `block` on the pump thread; nothing was sent.
            pykka.ActorDeadError: the actor has stopped.
            pykka.Timeout: there was no reply in time.
        """
        self._refuse_blocking("ask", block)
        return super().ask(message, block=block, timeout=timeout)

    def stop(self, *, block: bool = True, timeout: float | None = None) -> Any:
        """Ask the actor to stop after the messages it was sent before.

        Returns:
            Whether it was alive, or a future of that with `block=False`.

        Raises:
            WrongThreadError: `block` on the pump thread; nothing was sent.
            pykka.Timeout: the actor did not stop in time.
        """
        self._refuse_blocking("stop", block)
        return super().stop(block=block, timeout=timeout)

    def _refuse_blocking(self, call: str, block: bool) -> None:
        if block and self.is_alive() and self.actor_inbox._scheduler.is_pump_thread():
            raise WrongThreadError(
                f"{call}() of {self} would never return: this thread pumps the actors; "
                f"use {call}(..., block=False) and get() after the next pump, or call from another thread"
            )

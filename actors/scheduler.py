"""The run queue that all scheduled actors of a world share.

Stock pykka gives each actor a thread and an inbox. A world has up to a million actors, nearly all of them
idle, so ours have neither: every message of every actor goes through one first-in-first-out queue, and
whoever pumps the world handles the messages one by one, on one thread. An idle actor costs nothing here (an
empty deque of its own would be 760 bytes), and the order of messages is their order of arrival across all
actors, which is what makes a turn deterministic.

Invariants: one message per dequeue; messages of one sender to one actor keep their order; only the thread
that is inside `run` takes from the queue, any thread may add to it.
"""

from __future__ import annotations

import logging
import queue as stdlib_queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pykka import ActorDeadError, ActorRegistry, Future
from pykka.messages import ProxyCall, ProxyGetAttr, ProxySetAttr, _ActorStop

from ..workflows.errors import WrongThreadError

if TYPE_CHECKING:
    from .scheduled_actor import ScheduledActor

logger = logging.getLogger("pykka")

# What is queued: the actor, its message, and where the reply goes if somebody asked.
Entry: TypeAlias = "tuple[ScheduledActor, Any, Future[Any] | None]"


class ActorStart:
    """The message that runs `on_start`; the first of every actor that has one."""

    __slots__ = ()


START: Final = ActorStart()

# What pykka itself says to an actor; everything else is for `on_receive`.
_CONTROL: Final = frozenset({ActorStart, _ActorStop, ProxyCall, ProxyGetAttr, ProxySetAttr})

# The states of an actor's life. Zero is the running one, so that the loop's check is a truth test.
RUNNING: Final = 0
NEW: Final = 1
STOPPED: Final = 2


class Scheduler:
    """Run the messages of many actors on the calling thread, in order of arrival.

    Attributes:
        queue: `Entry` triples, (actor, message, reply_to). Code on the pump thread may append to it directly;
            an actor in it must have been started.
        owner: the thread that pumps: the last one that entered `run`. A blocking wait for a reply raises
            `WrongThreadError` there, since only that thread could produce the reply. Set it to None before
            another thread takes over the pump.
        closed: whether `close` was called.
    """

    def __init__(
        self,
        *,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        wake: Callable[[], None] | None = None,
    ) -> None:
        """Create an empty run queue.

        Args:
            clock_ns: what `run` compares its deadline with.
            wake: called, from any thread, after a message came through `tell`, `ask`, `stop` or `start`: for
                a pump that sleeps while there is nothing to do. It must not block.
        """
        self.queue: deque[Entry] = deque()
        self.owner: threading.Thread | None = None
        self.closed = False
        self._clock_ns = clock_ns
        self._wake = wake
        self._entered = threading.Lock()

    def post(self, actor: ScheduledActor, message: Any, reply_to: Future[Any] | None = None) -> None:
        """Append one message and wake the pump; from any thread."""
        self.queue.append((actor, message, reply_to))
        if self.closed:
            # Nobody will run it. Checked after the append, so that no message slips in between.
            self._refuse_queued()
        elif self._wake is not None:
            self._wake()

    def run(self, *, limit: int, deadline_ns: int | None = None) -> int:
        """Handle messages until the queue is empty, `limit` is reached or the deadline has passed.

        The deadline is looked at after each message, so that every call makes some progress. What is left
        stays in the queue. An exception in an actor is dealt with as pykka does and does not come out of
        here; an exception that is no `Exception` (KeyboardInterrupt, SystemExit) stops the actor it struck
        and reaches the caller.

        Args:
            limit: the most messages to handle; messages to stopped actors count.
            deadline_ns: on the scheduler's clock; None for no deadline.

        Returns:
            How many messages were taken from the queue.

        Raises:
            WrongThreadError: another call of `run` is under way, on another thread or further up this one.
        """
        self._enter()
        try:
            return self._run(limit, deadline_ns)
        finally:
            self._entered.release()

    def _run(self, limit: int, deadline_ns: int | None) -> int:
        queue = self.queue
        take = queue.popleft
        control = _CONTROL
        clock_ns = self._clock_ns
        handled = 0
        while queue and handled < limit:
            actor, message, reply_to = take()
            handled += 1
            if actor._life:
                _refuse(actor, message, reply_to)
                continue
            try:
                if type(message) in control:
                    response = actor._handle_receive(message)
                else:
                    response = actor.on_receive(message)
                if reply_to is not None:
                    _reply(reply_to, response)
            except Exception as error:  # noqa: BLE001 - an actor's failure is the actor's, not the world's.
                _fail(actor, error, reply_to)
            except BaseException:
                _interrupt(actor, reply_to)
                raise
            if deadline_ns is not None and clock_ns() >= deadline_ns:
                break
        return handled

    def pending(self) -> list[Entry]:
        """Copy what is queued, first to be handled first."""
        return list(self.queue.copy())

    def is_pump_thread(self) -> bool:
        """Tell whether the calling thread is the one that pumps."""
        return self.owner is threading.current_thread()

    def close(self) -> None:
        """Stop the registered actors of this scheduler, newest first, and answer whoever still waits.

        Queued messages are not handled: every queued ask, and every later one, gets `ActorDeadError`. Actors
        that are not in pykka's registry are their directory's to end.

        Raises:
            WrongThreadError: `run` is under way.
        """
        self._enter()
        try:
            self.closed = True
            for ref in reversed(ActorRegistry.get_all()):
                actor = ref._actor_weakref()
                if actor is not None and getattr(actor, "_scheduler", None) is self:
                    actor._stop()
            self._refuse_queued()
        finally:
            self._entered.release()

    def _enter(self) -> None:
        if not self._entered.acquire(blocking=False):
            inside = self.owner.name if self.owner is not None else "another thread"
            raise WrongThreadError(
                f"the scheduler is already running (entered by thread {inside!r}); "
                "pump from one thread at a time, and never from inside an actor: send a message instead"
            )
        self.owner = threading.current_thread()

    def _refuse_queued(self) -> None:
        # May run on several threads at once, so an emptiness check beforehand would prove nothing.
        while True:
            try:
                actor, message, reply_to = self.queue.popleft()
            except IndexError:
                return
            _refuse(actor, message, reply_to)


def _reply(reply_to: Future[Any], response: Any) -> None:
    try:
        reply_to.set(response)
    except stdlib_queue.Full:
        logger.warning("The reply %r was dropped: its future has been set by somebody else", response)


def _fail(actor: ScheduledActor, error: Exception, reply_to: Future[Any] | None) -> None:
    """Give the exception to the asker, or end the actor where nobody asked, as pykka's own loop does."""
    exc_info = (type(error), error, error.__traceback__)
    if reply_to is not None:
        logger.info("Exception returned from %s to caller:", actor, exc_info=exc_info)
        try:
            reply_to.set_exception(exc_info)
        except stdlib_queue.Full:
            logger.warning("The exception was dropped: its future has been set by somebody else")
        return
    actor._handle_failure(*exc_info)
    try:
        actor.on_failure(*exc_info)
    except Exception as second:  # noqa: BLE001 - logged like the first one.
        actor._handle_failure(type(second), second, second.__traceback__)


def _interrupt(actor: ScheduledActor, reply_to: Future[Any] | None) -> None:
    actor._interrupted()
    if reply_to is not None:
        # pykka leaves this asker waiting for ever. The exception itself belongs to the pump's caller.
        error = ActorDeadError(f"{actor.actor_ref} was interrupted while handling the message")
        reply_to.set_exception((ActorDeadError, error, None))


def _refuse(actor: ScheduledActor, message: Any, reply_to: Future[Any] | None) -> None:
    """Answer a message that came up after its actor had stopped; a tell is dropped."""
    assert actor._life != NEW or actor._scheduler.closed, (
        f"{actor} was sent a message past its inbox before its start"
    )
    if reply_to is None:
        return
    if isinstance(message, _ActorStop) and actor._life == STOPPED:
        reply_to.set(None)
    else:
        error = ActorDeadError(f"{actor.actor_ref} stopped before handling the message")
        reply_to.set_exception((ActorDeadError, error, None))

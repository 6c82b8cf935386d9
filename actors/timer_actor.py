"""The central timer actor: it owns the wheel, and tells actors that their time has come.

Arming and disarming are plain calls, since a workflow does both in its own step on the pump thread, and a
message each would double the number of messages. Time enters as a message, and leaves as one to each due
actor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .scheduled_actor import ScheduledActor
from .scheduler import Scheduler
from .timer_wheel import TimerWheel


class Advance(NamedTuple):
    """The message that moves time on; asked, the reply is the number of timers that fired."""

    now_us: int


class TimerWheelActor(ScheduledActor):
    """Keep one timer per workflow and deliver those that are due, in order of (due, key).

    Attributes:
        wheel: the timers. Touch it on the pump thread only.
    """

    def __init__(
        self, scheduler: Scheduler, wheel: TimerWheel, deliver: Callable[[int, int], object]
    ) -> None:
        """Create the timer actor of a world.

        Args:
            scheduler: the world's run queue.
            wheel: the timers, perhaps armed by recovery already.
            deliver: called with (key, due_us) for each due timer: tells the actor of that key its tick, and
                loads it first where it is not in memory. It may arm timers; those that are due at once fire
                with the next `Advance`.
        """
        super().__init__(scheduler)
        self.wheel = wheel
        self._deliver = deliver

    def schedule(self, key: int, due_us: int) -> None:
        """Arm or re-arm the timer of `key`; on the pump thread."""
        self.wheel.schedule(key, due_us)

    def cancel(self, key: int) -> None:
        """Disarm the timer of `key`, if there is one; on the pump thread."""
        self.wheel.cancel(key)

    def advance(self, now_us: int) -> int:
        """Deliver every timer with `due_us <= now_us`; on the pump thread.

        Returns:
            How many timers fired.
        """
        due = self.wheel.advance(now_us)
        deliver = self._deliver
        for due_us, key in due:
            deliver(key, due_us)
        return len(due)

    def on_receive(self, message: Any) -> Any:
        """Take an `Advance`; anything else is logged as unexpected."""
        if isinstance(message, Advance):
            return self.advance(message.now_us)
        return super().on_receive(message)

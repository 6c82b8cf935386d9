"""What the operators of a world ask of it, beside what its game does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TypeVar

from ..workflows.builtin import DAY_S, cleanup_old_workflows, manual_timer_tick
from ..workflows.signal import Signal
from .asking import Asking

T = TypeVar("T")


class Upkeep(Asking):
    """The part of `Runtime` that operators use. Everything may be called from any thread."""

    def signal_class(self, name: str) -> type[Signal]:
        """Return the class of a signal that is known by name: `Dispel`, or `dispel`.

        Raises:
            UnknownSignalError: no registered workflow accepts one of this name.
        """
        return self._engine.registry.signal_class(name)

    def retry_many(self, workflow_ids: Iterable[int]) -> int:
        """Retry many workflows in the next turn; all of them or, where one is unknown, none. See `retry`.

        Returns:
            The turn that will take it.

        Raises:
            UnknownWorkflowError: there is none of one of these ids.
        """
        self._engine.require_room()
        return self._engine.intake.retry_many(workflow_ids)

    def cleanup(self, older_than: float, *, sender: str = "game", input_id: str | None = None) -> Future[int]:
        """Delete, in the next turn, the workflows that ended more than `older_than` seconds of world time ago.

        The names of inputs that were accepted before are forgotten too. It calls the reducer `cleanup_old_workflows`.

        Returns:
            A future of how many it deleted.

        Raises:
            ValueError: `older_than` is no number of seconds from 0.0 up.
        """
        if isinstance(older_than, bool) or not isinstance(older_than, int | float) or not older_than >= 0:
            raise ValueError(f"older_than is a number of seconds from 0.0 up, not {older_than!r}")
        return self.call(cleanup_old_workflows.name, older_than / DAY_S, sender=sender, input_id=input_id)

    def fire_timers(self, *, sender: str = "game", input_id: str | None = None) -> Future[int]:
        """Fire the next timer of every workflow in the next turn, even before its time: for debugging.

        Due timers fire in each turn by themselves. It calls the reducer `manual_timer_tick`.

        Returns:
            A future of how many workflows had one.
        """
        return self.call(manual_timer_tick.name, sender=sender, input_id=input_id)

    def between_turns(self, function: Callable[[], T]) -> Future[T]:
        """Have the next pump call a function before its turn, on the thread that pumps.

        For what must not meet a turn, such as `reload`, where another thread wants it.

        Returns:
            A future of what it returns or raises.
        """
        self._engine.require_open()
        return self._engine.between.add(function)

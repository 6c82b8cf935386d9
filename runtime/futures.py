"""Futures of what only a pump can bring about."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from ..workflows.errors import WrongThreadError

T = TypeVar("T")


class PumpFuture(Future[T]):
    """A future that pumps resolve, so that the thread which pumps must not wait for it.

    `await asyncio.wrap_future(...)`, callbacks and waiting in other threads are as with any future.
    """

    def __init__(self, what: str, is_pump_thread: Callable[[], bool]) -> None:
        """Create it.

        Args:
            what: it is done when..., for the error.
            is_pump_thread: whether the calling thread is the one that pumps.
        """
        super().__init__()
        self._what = what
        self._is_pump_thread = is_pump_thread

    def result(self, timeout: float | None = None) -> T:
        """Wait for the result.

        Raises:
            WrongThreadError: on the thread that pumps, while it is not done.
            TimeoutError: it took longer than `timeout` seconds.
        """
        self._check()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the end, and return the exception or None; raises as `result` does."""
        self._check()
        return super().exception(timeout)

    def _check(self) -> None:
        if not self.done() and self._is_pump_thread():
            raise WrongThreadError(
                f"{self._what} in a pump, and this thread is the one that pumps: pump first, or wait in another thread"
            )

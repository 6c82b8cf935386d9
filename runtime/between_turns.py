"""What other threads want done between two turns, on the thread that pumps.

A reload must not meet a turn, and only the thread that pumps knows when there is none: a thread that tried at a good
moment would make the game's next pump fail with `WrongThreadError`. So it leaves a function here, and the next pump
calls it before its turn begins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from ..workflows.errors import RuntimeClosedError
from .futures import PumpFuture

T = TypeVar("T")


class BetweenTurns:
    """Functions that wait for the next pump, each with the future of its result."""

    __slots__ = ("_closed", "_is_pump_thread", "_waiting")

    def __init__(self, is_pump_thread: Callable[[], bool]) -> None:
        """Create it; `is_pump_thread` is as in `PumpFuture`."""
        self._is_pump_thread = is_pump_thread
        self._waiting: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._closed = ""

    def add(self, function: Callable[[], T]) -> Future[T]:
        """Leave a function to the next pump, and return a future of its result."""
        future: PumpFuture[T] = PumpFuture("what is done between turns is done", self._is_pump_thread)
        self._waiting.append((function, future))
        if self._closed:
            self.abandon(self._closed)
        return future

    def run(self) -> None:
        """Call what waits, in order. What a function raises goes to its future, and hurts nobody else."""
        for _ in range(len(self._waiting)):
            function, future = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = function()
            except Exception as error:  # noqa: BLE001 - its own caller's.
                future.set_exception(error)
            except BaseException as interrupt:
                future.set_exception(interrupt)
                raise
            else:
                future.set_result(result)

    def abandon(self, why: str) -> None:
        """Fail what waits: no pump will come."""
        self._closed = why
        while self._waiting:
            _, future = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                future.set_exception(RuntimeClosedError(why))

"""Answers: what asks and calls from outside wait for, until the turn that gave it is durable."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from ..workflows.errors import RuntimeClosedError
from ..workflows.outbox import Answer
from ..workflows.values import engine_codec
from .futures import PumpFuture


class Answers:
    """Futures by ticket. An answer for which nobody waits (any more) is dropped."""

    def __init__(self, is_pump_thread: Callable[[], bool]) -> None:
        """Create it; `is_pump_thread` is as in `PumpFuture`."""
        self._is_pump_thread = is_pump_thread
        self._lock = threading.Lock()
        # Of its own: another thread may be packing with the world's.
        self._codec = engine_codec()
        self._decoding = threading.Lock()
        self._waiting: dict[int, list[tuple[Future[Any], Callable[[Answer], BaseException]]]] = {}
        self._given: list[tuple[int, Answer]] = []
        self._done: list[tuple[Future[Any], Callable[[Answer], BaseException], Answer]] = []
        self._closed = ""

    def expect(
        self,
        ticket: int,
        what: str,
        failure: Callable[[Answer], BaseException],
        known: Answer | None = None,
    ) -> Future[Any]:
        """Return a future that is done once the answer is durable.

        Args:
            ticket: of the ask or call.
            what: it is done when..., for errors.
            failure: makes the exception of an answer without a value.
            known: the answer that a finished turn gave already.
        """
        future: PumpFuture[Any] = PumpFuture(what, self._is_pump_thread)
        with self._lock:
            if self._closed:
                future.set_exception(RuntimeClosedError(self._closed))
            elif known is None or any(given == ticket for given, _ in self._given):
                self._waiting.setdefault(ticket, []).append((future, failure))
            else:
                self._give(future, known, failure)
        return future

    def reload(self) -> None:
        """Give answers of classes that have been loaded anew."""
        with self._decoding:
            self._codec.forget()

    def collect(self, given: Iterable[tuple[int, Answer]]) -> None:
        """Take the answers of a turn that is not durable yet."""
        self._given += given

    def note_durable(self) -> None:
        """Take note that what was collected is durable."""
        given, self._given = self._given, []
        with self._lock:
            for ticket, answer in given:
                self._done += [(*waiting, answer) for waiting in self._waiting.pop(ticket, [])]

    def resolve(self) -> None:
        """Give out what is durable; outside of a turn, since callbacks of futures are the user's."""
        with self._lock:
            done, self._done = self._done, []
        for future, failure, answer in done:
            self._give(future, answer, failure)

    def _give(self, future: Future[Any], answer: Answer, failure: Callable[[Answer], BaseException]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        if answer.value is None:
            error = failure(answer)
            error.__cause__ = answer.error
            future.set_exception(error)
            return
        try:
            with self._decoding:
                value = self._codec.unpack(answer.value)
        except Exception as error:  # noqa: BLE001 - a class of the value is not loaded.
            future.set_exception(error)
        else:
            future.set_result(value)

    def abandon(self, why: str) -> None:
        """Fail everybody who waits: no answer will come."""
        with self._lock:
            self._closed = why
            waiting, self._waiting = self._waiting, {}
        for futures in waiting.values():
            for future, _ in futures:
                if future.set_running_or_notify_cancel():
                    future.set_exception(RuntimeClosedError(why))

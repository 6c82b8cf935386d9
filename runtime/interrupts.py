"""Interrupts: Ctrl-C waits for the end of the turn.

A signal handler's exception may come out of any line, between a row and its message too. So while a turn or a commit
is under way the process's own Python handlers of SIGINT and SIGTERM are held back, and run right after it. A second
signal means it: its handler runs at once, the turn ends in the middle, and the world is given up as by a crash.

Only the main thread runs handlers; a pump on another thread has nothing to hold back.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]

_HELD = (signal.SIGINT, signal.SIGTERM)


class InterruptShield:
    """Holds signals back inside a `with`; one object for each use."""

    __slots__ = ("_came", "_handlers")

    def __init__(self) -> None:
        self._handlers: dict[int, Handler] = {}
        self._came: tuple[int, FrameType | None] | None = None

    def __enter__(self) -> None:
        """Begin to hold back; a signal without a Python handler keeps doing what it does."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _HELD:
            handler = signal.getsignal(number)
            if callable(handler):
                self._handlers[number] = handler
                signal.signal(number, self._hold)

    def __exit__(self, *_: object) -> None:
        """Put the handlers back, and run the one whose signal came."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._came is not None:
            number, frame = self._came
            self._handlers[number](number, frame)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        if self._came is None:
            self._came = number, frame
        else:
            self._came = None
            self._handlers[number](number, frame)

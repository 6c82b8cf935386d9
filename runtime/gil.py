"""A short switch interval while rows go to LMDB.

py-lmdb gives the GIL away at every put. Where another Python thread is busy, the committing thread then waits for
it at each row, up to a switch interval of 5 ms: a thousand rows take a second. With an interval of microseconds
it has the GIL back at once, and the busy thread loses some speed for just that while. The figures, and what else
was tried, are in docs/explanation/gil.md.

The interval belongs to the process, so concurrent users of this module share one change of it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

SWITCH_S = 20e-6

_lock = threading.Lock()
_users = 0
_usual_s = 0.0


@contextlib.contextmanager
def short_switches() -> Iterator[None]:
    """Let waiting threads ask for the GIL after `SWITCH_S`, and put the interval back afterwards."""
    global _users, _usual_s  # noqa: PLW0603 - as global as the interval they guard.
    with _lock:
        _users += 1
        if _users == 1:
            _usual_s = sys.getswitchinterval()
            _set(min(_usual_s, SWITCH_S))
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _set(_usual_s)


def _set(interval_s: float) -> None:
    # CPython cuts to whole microseconds: without the half, what it gave would come back one microsecond less.
    sys.setswitchinterval(interval_s + 0.5e-6)


def _restore_in_child() -> None:
    """A thread of the parent's that was inside does not exist in the child, to put the interval back."""
    global _lock, _users  # noqa: PLW0603
    _lock = threading.Lock()
    if _users:
        _users = 0
        _set(_usual_s)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restore_in_child)

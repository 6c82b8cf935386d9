"""The watchdog: a thread that reports a step which still runs after a while.

A workflow that blocks, in a web call or an endless loop, stops the whole game, and whoever looks at the frozen game
wants to know which one it is while it lasts. The steps themselves do nothing for it: the watchdog looks at the stack of
the pump's thread from outside, a few times in each such while. Two looks that find a step under way, and no step ended
in between, have found the same one.

The thread starts with the first turn and stops before a fork, so that no child is forked from a process that has one;
it comes back with the next turn.
"""

from __future__ import annotations

import inspect
import math
import sys
import threading
import time
from collections.abc import Iterable
from types import FrameType
from typing import Any, NamedTuple

from ..actors import ActorSystem
from ..workflows.instance import Instance
from ..workflows.stepper import Stepper

LOOKS = 4
"""How often it looks in the time after which a step is slow: a report is late by at most one part of so many."""

_STEP = Stepper._run.__code__


class Watchdog:
    """Reports slow steps of one world, as `slow_step` in the log: once, and again each time their age has doubled."""

    def __init__(self, system: ActorSystem, slow_s: float | None, log: Any) -> None:
        """Create a watchdog that does not watch yet.

        Args:
            system: what runs the steps.
            slow_s: seconds after which a step is slow; None never watches.
            log: a structlog logger.
        """
        self._system = system
        self._slow_s = slow_s
        self._log = log
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def start(self) -> None:
        """Watch from now on, if it does not already."""
        if self._thread is None and self._slow_s is not None:
            self._stopped = threading.Event()
            arguments = (self._system, self._slow_s, self._log, self._stopped)
            self._thread = threading.Thread(
                target=_watch, args=arguments, name="deathless-watchdog", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Stop the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopped.set()
            # It may be writing a report to a log that waits for this very thread.
            thread.join(timeout=1.0)


class _Sight(NamedTuple):
    """A step that a look has found: which one, and where it is."""

    ended: int
    workflow_id: int
    type_name: str
    entity_id: int | None
    file: str
    line: int


def _watch(system: ActorSystem, slow_s: float, log: Any, stopped: threading.Event) -> None:
    step: tuple[int, int] | None = None
    since_s = 0.0
    report_s = math.inf
    while not stopped.wait(slow_s / LOOKS):
        sight = _look(system)
        now_s = time.monotonic()
        if sight is None or sight[:2] != step:
            step = None if sight is None else sight[:2]
            since_s, report_s = now_s, slow_s
        elif now_s - since_s >= report_s:
            report_s *= 2
            log.warning(
                "slow_step",
                workflow_id=sight.workflow_id,
                workflow_type=sight.type_name,
                entity_id=sight.entity_id,
                seconds=round(now_s - since_s, 3),
                file=sight.file,
                line=sight.line,
            )


def _look(system: ActorSystem) -> _Sight | None:
    """Return the step that runs now, None where none does."""
    owner = system.scheduler.owner
    ended = system.steps
    frame = None if owner is None else sys._current_frames().get(owner.ident or 0)
    inner: list[FrameType] = []
    while frame is not None and frame.f_code is not _STEP:
        inner.append(frame)
        frame = frame.f_back
    instance = None if frame is None else frame.f_locals.get("instance")
    if not isinstance(instance, Instance):
        return None
    file, line = _place(instance, reversed(inner))
    return _Sight(ended, instance.workflow_id, instance.type_name, instance.entity_id, file, line)


def _place(instance: Instance, inner: Iterable[FrameType]) -> tuple[str, int]:
    """Return file and line of the workflow's own code: in the innermost of its function and the routines below.

    Args:
        instance: the workflow.
        inner: what its step has called, outermost first.
    """
    place = "", 0
    for frame in inner:
        if not frame.f_code.co_flags & inspect.CO_COROUTINE:
            break
        place = frame.f_code.co_filename, frame.f_lineno
    suspended: Any = getattr(instance.coroutine, "cr_frame", None)
    if place == ("", 0) and suspended is not None:
        # The code has ended its part, and its values are being stored.
        place = suspended.f_code.co_filename, suspended.f_lineno
    return place

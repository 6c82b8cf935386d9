"""Activities: outside work, begun after the commit that asked for it, in a pool of threads.

What is asked for is a row of table `activity` until its result is committed, so that a crash begins it again. Each try
has its own thread of the pool, its own time limit and the same idempotency key; pauses between tries are real time.
The result is an input like any other, delivered once.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from ..workflows.activity import Activity, ActivityContext
from ..workflows.codec import Codec
from ..workflows.errors import text_of
from ..workflows.outbox import ActivityRecord
from ..workflows.registry import Registry
from ..workflows.values import engine_codec
from .log import get_logger

Deliver = Callable[[int, int, bytes | None, str], None]
"""(activity_id, workflow_id, packed result or None, problem): hands a result to the world."""
JOIN_S = 1.0
"""Seconds for which `close` waits for tries that take note of being cancelled."""


class _Try(NamedTuple):
    """One try of an activity, in the order of its time."""

    at_s: float
    order: int
    job: _Job
    attempt: int


class _Cancellation(threading.Event):
    """An event that also calls somebody, for who cannot wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._callback: Callable[[], object] | None = None

    def call(self, callback: Callable[[], object] | None) -> None:
        """Call back when it is set, at once if it is; None for nobody any more."""
        with self._lock:
            self._callback = callback
            if callback is not None and self.is_set():
                callback()

    def set(self) -> None:
        """Set it."""
        with self._lock:
            super().set()
            if self._callback is not None:
                self._callback()


class _Job:
    """An activity that was asked for, until it has ended one way or the other."""

    __slots__ = ("activity_id", "cancelled", "over", "record")

    def __init__(self, activity_id: int, record: ActivityRecord) -> None:
        self.activity_id = activity_id
        self.record = record
        # Of the try that runs now, or the next one.
        self.cancelled = _Cancellation()
        self.over = False


class Activities:
    """Runs the activities of a world, at most `workers` at a time; a further one waits for its turn."""

    def __init__(self, registry: Registry, deliver: Deliver, *, workers: int, payload: int) -> None:
        """Create it; no thread is started before the first activity.

        Args:
            registry: where activities are found by name.
            deliver: called from the pool's threads.
            workers: threads at most.
            payload: bytes of a packed result at most.
        """
        self._registry = registry
        self._deliver = deliver
        self._payload = payload
        self._workers = workers
        self._log = get_logger()
        self._changed = threading.Condition()
        self._jobs: dict[int, _Job] = {}
        self._ready: deque[_Try] = deque()
        self._later: list[_Try] = []
        self._held: list[_Try] = []
        self._order = itertools.count()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        # Threads that have been started and have not looked for work yet.
        self._coming = 0
        self._closed = False

    def reload(self, registry: Registry) -> None:
        """Find activities in other code from now on."""
        self._registry = registry
        with self._changed:
            held, self._held = self._held, []
            for attempted in held:
                if not attempted.job.over:
                    self._put(attempted.job, attempted.attempt, 0.0)

    def launch(self, activity_id: int, record: ActivityRecord) -> None:
        """Begin an activity; what it asks for is durable."""
        with self._changed:
            if self._closed:
                return
            job = self._jobs[activity_id] = _Job(activity_id, record)
            self._put(job, 1, 0.0)

    def cancel(self, activity_id: int) -> None:
        """Give an activity up: no try begins any more, and a running one is told."""
        with self._changed:
            job = self._jobs.pop(activity_id, None)
            if job is not None:
                job.over = True
                job.cancelled.set()

    @property
    def running(self) -> int:
        """How many activities have not ended, but for those that wait for code."""
        return len(self._jobs) - len(self._held)

    def wait_any(self, timeout: float | None = None) -> bool:
        """Wait until one of those that run has ended; return whether it did."""
        with self._changed:
            before = self.running
            return before == 0 or self._changed.wait_for(lambda: self.running < before, timeout)

    def wait_all(self, timeout: float) -> bool:
        """Wait until none runs; return whether it came to that."""
        with self._changed:
            return self._changed.wait_for(lambda: self.running == 0, timeout)

    def close(self) -> None:
        """Begin nothing more, tell what runs, and leave it behind after a moment."""
        with self._changed:
            self._closed = True
            for job in self._jobs.values():
                job.over = True
                job.cancelled.set()
            self._jobs.clear()
            self._ready.clear()
            self._later.clear()
            self._changed.notify_all()
        end = time.monotonic() + JOIN_S
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, end - time.monotonic()))

    # -- the pool ------------------------------------------------------------------------------------------

    def _put(self, job: _Job, attempt: int, pause_s: float) -> None:
        """Queue a try; the caller holds the lock."""
        attempted = _Try(time.monotonic() + pause_s, next(self._order), job, attempt)
        if pause_s > 0:
            heapq.heappush(self._later, attempted)
        else:
            self._ready.append(attempted)
        self._staff()

    def _staff(self) -> None:
        """See that somebody takes what is ready, and wake who waits; the caller holds the lock."""
        wanted = max(len(self._ready), 1 if self._later else 0)
        while wanted > self._idle + self._coming and len(self._threads) < self._workers:
            self._coming += 1
            # A daemon: a web call that hangs must not keep the game from ending.
            thread = threading.Thread(
                target=self._work, name=f"deathless-activity-{len(self._threads)}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        codec = engine_codec()
        first = True
        while True:
            attempted = self._take(first=first)
            first = False
            if attempted is None:
                return
            try:
                self._attempt(attempted, codec)
            except Exception:  # noqa: BLE001 - a thread of the pool must live on.
                self._log.exception("activity_lost", activity_id=attempted.job.activity_id)

    def _take(self, *, first: bool) -> _Try | None:
        with self._changed:
            self._coming -= first
            while not self._closed:
                now = time.monotonic()
                while self._later and self._later[0].at_s <= now:
                    self._ready.append(heapq.heappop(self._later))
                if len(self._ready) > 1:
                    self._staff()
                while self._ready:
                    attempted = self._ready.popleft()
                    if not attempted.job.over:
                        return attempted
                self._idle += 1
                try:
                    self._changed.wait(self._later[0].at_s - now if self._later else None)
                finally:
                    self._idle -= 1
            return None

    # -- one try -------------------------------------------------------------------------------------------

    def _attempt(self, attempted: _Try, codec: Codec) -> None:
        job = attempted.job
        record = job.record
        activity = self._registry.activities.get(record.name)
        if activity is None:
            # Held, as a workflow would be, until code comes that has it.
            self._log.warning("activity_held", activity_id=job.activity_id, activity=record.name)
            with self._changed:
                self._held.append(attempted)
                self._changed.notify_all()
            return
        cancelled = job.cancelled
        timer = (
            threading.Timer(record.timeout_s, self._time_out, (attempted, cancelled))
            if record.timeout_s
            else None
        )
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            context = ActivityContext(
                f"{record.workflow_id}-{job.activity_id}",
                attempt=attempted.attempt,
                workflow_id=record.workflow_id,
                entity_id=record.entity_id,
                cancelled=cancelled,
            )
            packed = codec.pack(self._run(activity, context, codec, record, cancelled))
            if len(packed) > self._payload:
                raise ValueError(f"its result is {len(packed)} bytes, over the limit of {self._payload}")  # noqa: TRY301 - as any other failure.
        except BaseException as error:  # noqa: BLE001 - whatever it raises is the failure of this try.
            self._end_try(attempted, cancelled, None, text_of(error))
        else:
            self._end_try(attempted, cancelled, packed, "")
        finally:
            if timer is not None:
                timer.cancel()

    @staticmethod
    def _run(
        activity: Activity[Any, Any],
        context: ActivityContext,
        codec: Codec,
        record: ActivityRecord,
        cancelled: _Cancellation,
    ) -> Any:
        args, kwargs = codec.unpack(record.arguments)
        result = activity.function(context, *args, **kwargs)
        if not activity.is_async:
            return result
        import asyncio  # noqa: PLC0415 - 50 ms of every start of a world, for who has async activities.

        async def cancellable() -> Any:
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            assert task is not None, "asyncio.run runs a task"
            cancelled.call(lambda: loop.call_soon_threadsafe(task.cancel))
            try:
                return await result
            finally:
                cancelled.call(None)

        return asyncio.run(cancellable())

    def _time_out(self, attempted: _Try, cancelled: _Cancellation) -> None:
        problem = f"TimeoutError: it took longer than {attempted.job.record.timeout_s} seconds"
        self._end_try(attempted, cancelled, None, problem)

    def _end_try(self, attempted: _Try, cancelled: _Cancellation, packed: bytes | None, problem: str) -> None:
        """Deliver the result of a try, or try again; only the first end of a try counts."""
        job = attempted.job
        with self._changed:
            if job.over or job.cancelled is not cancelled:
                return
            cancelled.set()
            pause_s = None if packed is not None else job.record.retry.pause_s(attempted.attempt)
            if pause_s is not None:
                job.cancelled = _Cancellation()
                self._put(job, attempted.attempt + 1, pause_s)
                return
            job.over = True
        self._deliver(job.activity_id, job.record.workflow_id, packed, problem)
        with self._changed:
            # Only now: whoever waits for it to end finds its result among the inputs.
            self._jobs.pop(job.activity_id, None)
            self._changed.notify_all()

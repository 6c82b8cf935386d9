"""A world in a process of its own, which can be killed at any instant and opened again."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import msgpack

from ...workflows.errors import DeathlessError
from .frames import Ended, Frame, Opened, Task
from .inputs import Input
from .world_process import READ

OPEN_WITHIN_S = 600.0
"""A world that is not open by then will not be."""
END_WITHIN_S = 600.0
LAST_WORDS_S = 5.0
"""A pipe of a dead process ends at once, unless a process of its own holds it open."""
POLL_S = 0.002
"""How long a step waits for a frame at most, and an input that is due therefore."""

_OWN_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Of Windows, which has no sessions.


class WorldProcessError(DeathlessError, RuntimeError):
    """The process of the world could not do what it is there for."""


class WorldClient:
    """A `World` in a child process."""

    def __init__(self, task: Task, log: Path) -> None:
        """Prepare one.

        Args:
            task: what it is told.
            log: a file for what the process writes to standard error.
        """
        self._task = task
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._sender: _Sender | None = None

    def open(self) -> Opened:
        """Begin the process, and wait until its world is open.

        Raises:
            WorldProcessError: it did not come to that; the message is its last word.
        """
        self._heard = queue.SimpleQueue()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this very interpreter.
                [sys.executable, "-m", f"{__package__}.world_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C in the terminal is for this process alone, which then ends that one in good order.
                start_new_session=True,
                creationflags=_OWN_GROUP,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._sender = _Sender(self._process.stdin)
        threading.Thread(
            target=_listen, args=(self._process.stdout, self._heard), daemon=True, name="loadtest world"
        ).start()
        self._sender.send(asdict(self._task))
        _, *values = self._next("open", OPEN_WITHIN_S)
        return Opened(*values)

    def pace(self) -> None:
        """Wait for nothing: the process keeps its own pace, and inputs may come at any time."""

    def step(self, inputs: Sequence[Input]) -> list[Frame]:
        """Send inputs, and return the frames that are over."""
        assert self._sender is not None
        if inputs or self._task.virtual:
            self._sender.send(list(inputs))
        if self._task.virtual:
            return [Frame.unpacked(self._next("frame", OPEN_WITHIN_S)[1:])]
        frames = []
        try:
            message = self._heard.get(timeout=POLL_S)
            while True:
                frames.append(Frame.unpacked(self._checked("frame", message)[1:]))
                message = self._heard.get_nowait()
        except queue.Empty:
            return frames

    def end(self, *, digest: bool) -> Ended:
        """Let the process close its world and end."""
        assert self._sender is not None
        assert self._process is not None
        self._sender.send(digest)
        until_s = time.monotonic() + END_WITHIN_S
        while True:
            message = self._next(None, until_s - time.monotonic())
            if message[0] == "end":
                self._process.wait()
                self._close()
                return Ended(*message[1:])

    def kill(self) -> list[Frame]:
        """Kill the process with SIGKILL, and return the frames that it told of and nobody has heard yet.

        What it acknowledges with its last breath binds it as much as all before: a world that says so before its
        commit is durable is found out by just these. What the kill cut short was not said.
        """
        if self._process is None:
            return []
        self._process.kill()
        self._process.wait()
        self._close()
        frames = []
        with contextlib.suppress(queue.Empty):
            while (message := self._heard.get(timeout=LAST_WORDS_S)) is not None:
                if message[0] == "frame":
                    frames.append(Frame.unpacked(message[1:]))
        return frames

    def _close(self) -> None:
        if self._sender is not None:
            self._sender.close()
        self._process = self._sender = None

    def _next(self, wanted: str | None, within_s: float) -> list[Any]:
        """Wait for the next message."""
        try:
            return self._checked(wanted, self._heard.get(timeout=max(0.0, within_s)))
        except queue.Empty:
            self.kill()
            raise WorldProcessError(f"the world's process said nothing for {within_s:.0f} seconds") from None

    def _checked(self, wanted: str | None, message: Any) -> list[Any]:
        if message is None or message[0] == "error":
            assert self._process is not None
            code = self._process.wait()
            self._close()
            why = message[1] if message else self._last_words()
            raise WorldProcessError(f"the world's process ended by itself (exit code {code}): {why}")
        assert wanted in (None, message[0]), f"the world's process said {message[0]}, not {wanted}"
        found: list[Any] = message
        return found

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it did not say why")


class _Sender:
    """Writes messages from a thread of its own: a pipe that is full must not keep anybody from listening."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True, name="loadtest inputs")
        self._thread.start()

    def send(self, message: Any) -> None:
        packed: Any = msgpack.packb(message)
        self._messages.put(packed)

    def close(self) -> None:
        """End the thread and the pipe, whose other end has gone."""
        self._messages.put(None)
        self._thread.join()

    def _run(self) -> None:
        descriptor = self._pipe.fileno()
        try:
            while (data := self._messages.get()) is not None:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
        except OSError:
            pass  # It was killed; what was not read is sent again to the next one.
        finally:
            # Nothing is buffered in it: it was written to by its descriptor.
            self._pipe.close()


def _listen(pipe: IO[bytes], heard: queue.SimpleQueue[Any]) -> None:
    """Put what a process says into a queue, then None. What a kill cut short was not said."""
    unpacker = msgpack.Unpacker(max_buffer_size=2**31 - 1)
    with pipe:
        while data := os.read(pipe.fileno(), READ):
            unpacker.feed(data)
            for value in unpacker:
                heard.put(value)
    heard.put(None)

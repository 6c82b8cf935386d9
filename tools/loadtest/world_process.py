"""The process in which a world runs that is to be killed: `python -m deathless.tools.loadtest.world_process`.

It reads msgpack values from standard input and writes msgpack values to standard output:

    in   the `Task`, then lists of inputs, then at the end True or False: close, with a digest or without
    out  ["open", *Opened], then ["frame", *Frame] for each frame, then ["end", digest]; ["error", text] at any time

With a virtual clock each list of inputs is one frame. Where the input ends without a word, whoever began this has died,
and it dies too.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgpack

from ...workflows.errors import DeathlessError
from ..output import BadInput, silence_log
from .frames import Task
from .game_loop import GameLoop
from .inputs import Input

READ = 1 << 16


def main() -> int:
    """Run a world until it is told to end."""
    silence_log()
    # What a workflow prints must not get between the values.
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    told = Told(sys.stdin.fileno())
    sys.path.insert(0, str(Path.cwd()))
    try:
        run(Task(**told.next()), told, said)
    except (DeathlessError, BadInput, OSError) as error:
        say(said, "error", error.message if isinstance(error, BadInput) else str(error))
        return 1
    return 0


class Told:
    """What the process is told.

    A thread of its own does nothing but read, so that the end of whoever tells is seen at once. Values are unpacked by
    whoever asks for them: a second thread at work would take the interpreter from a commit, at each of its rows.
    """

    def __init__(self, descriptor: int) -> None:
        self._data: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._unpacker = msgpack.Unpacker(max_buffer_size=2**31 - 1)
        threading.Thread(target=self._read, args=(descriptor,), daemon=True).start()

    def next(self) -> Any:
        """Wait for the next value."""
        while True:
            for value in self._unpacker:
                return value
            self._unpacker.feed(self._data.get())

    def waiting(self) -> Iterator[Any]:
        """Give the values that are there."""
        while not self._data.empty():
            self._unpacker.feed(self._data.get())
        yield from self._unpacker

    def _read(self, descriptor: int) -> None:
        while data := os.read(descriptor, READ):
            self._data.put(data)
        os._exit(1)


def say(file: BinaryIO, *values: Any) -> None:
    """Write one value, whole."""
    packed: Any = msgpack.packb(values)
    file.write(packed)
    file.flush()


def run(task: Task, told: Told, said: BinaryIO) -> None:
    """Run frames until the end is told."""
    loop = GameLoop(task)
    say(said, "open", *loop.opened)
    try:
        while True:
            loop.pace()
            for message in [told.next()] if task.virtual else told.waiting():
                if isinstance(message, bool):
                    digest = loop.digest() if message else None
                    loop.close()
                    say(said, "end", digest)
                    return
                loop.take(Input(*item) for item in message)
            say(said, "frame", *loop.frame().packed())
    finally:
        loop.close()


if __name__ == "__main__":
    sys.exit(main())

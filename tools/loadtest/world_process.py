"""The process in which a world runs that is to be killed: `python -m deathless.tools.loadtest.world_process`.

It reads msgpack values from standard input and writes msgpack values to standard output:

    in   the `Task`, then lists of inputs, then at the end True or False: close, with a digest or without
    out  ["open", *Opened], then ["frame", *Frame] for each frame, then ["end", digest]; ["error", text] at any time

With a virtual clock each list of inputs is one frame. Where the input ends without a word, whoever began this has died,
and it dies too. It has no other way to end: Ctrl-C is for the tester, who decides.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import msgpack
import structlog

from ...workflows.errors import DeathlessError
from ..output import BadInput
from .frames import Task
from .game_loop import GameLoop
from .inputs import Input

READ = 1 << 16


def main() -> int:
    """Run a world until it is told to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    # What a workflow prints must not get between the values.
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(sys.stdin.buffer, told), daemon=True).start()
    task = Task(**told.get())
    sys.path.insert(0, str(Path.cwd()))
    try:
        run(task, told, said)
    except (DeathlessError, BadInput, OSError) as error:
        text = error.message if isinstance(error, BadInput) else str(error)
        say(said, "error", text)
        return 1
    return 0


def listen(file: BinaryIO, told: queue.SimpleQueue[Any]) -> None:
    """Put what is told into a queue; end the process where nobody is left to tell."""
    unpacker = msgpack.Unpacker(max_buffer_size=2**31 - 1)
    descriptor = file.fileno()
    while data := os.read(descriptor, READ):
        unpacker.feed(data)
        for value in unpacker:
            told.put(value)
            if isinstance(value, bool):
                return
    os._exit(1)


def say(file: BinaryIO, *values: Any) -> None:
    """Write one value, whole."""
    packed: Any = msgpack.packb(values)
    file.write(packed)
    file.flush()


def run(task: Task, told: queue.SimpleQueue[Any], said: BinaryIO) -> None:
    """Run frames until the end is told."""
    loop = GameLoop(task)
    say(said, "open", *loop.opened)
    try:
        while True:
            loop.pace()
            messages = [told.get()] if task.virtual else _waiting(told)
            for message in messages:
                if isinstance(message, bool):
                    digest = loop.digest() if message else None
                    loop.close()
                    say(said, "end", digest)
                    return
                loop.take(Input(*item) for item in message)
            say(said, "frame", *loop.frame().packed())
    finally:
        loop.close()


def _waiting(told: queue.SimpleQueue[Any]) -> list[Any]:
    messages = []
    while not told.empty():
        messages.append(told.get())
    return messages


if __name__ == "__main__":
    sys.exit(main())

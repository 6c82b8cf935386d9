"""Worker processes with different hash seeds, between which suspended programs hop.

Every segment of a program runs in another process, with another PYTHONHASHSEED, than the segment before it.
Run as a script this file is the worker: it reads batches of tasks from its standard input and answers with
where each program stands now. A program that fails there is reported as text.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import warnings
from collections.abc import Iterable
from typing import Any, BinaryIO

import msgpack

HASH_SEEDS = (0, 1, 4242)
LENGTH = struct.Struct("<I")


def send(stream: BinaryIO, message: Any) -> None:
    body = msgpack.packb(message)
    stream.write(LENGTH.pack(len(body)) + body)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError("a worker ended")
    return msgpack.unpackb(stream.read(LENGTH.unpack(head)[0]), strict_map_key=False)


class Workers:
    """The pool. `hop` runs one segment of each of many programs, each in the worker after its last one."""

    def __init__(self) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONHASHSEED": str(seed)},
            )
            for seed in HASH_SEEDS
        ]
        self._known: list[set[int]] = [set() for _ in HASH_SEEDS]

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self._processes:
            process.stdin.close()
            process.wait()
            process.stdout.close()

    def hop(self, tasks: dict[int, tuple[str, list[Any] | None]]) -> dict[int, list[Any]]:
        """Take `seed -> (source, place)` and give `seed -> [how, ...]` as `work` describes."""
        batches: list[list[Any]] = [[] for _ in self._processes]
        for seed, (source, place) in tasks.items():
            worker = (seed + (place[0] if place else 0)) % len(self._processes)
            batches[worker].append([seed, None if seed in self._known[worker] else source, place])
            self._known[worker].add(seed)
        for process, batch in zip(self._processes, batches, strict=True):
            send(process.stdin, batch)
        answers: dict[int, list[Any]] = {}
        for process in self._processes:
            answers.update(receive(process.stdout))
        return answers

    def forget(self, seeds: Iterable[int]) -> None:
        """Drop programs that are done, so that a long run does not keep them all."""
        for known in self._known:
            known.difference_update(seeds)


def work(loaded: Any, seed: int, place: list[Any] | None) -> list[Any]:
    """Run one segment: `["place", *Place]`, `["outcome", *Outcome]` or `["error", text]`."""
    import coroutine_runs as runs

    try:
        reached = runs.segment(
            loaded, runs.Script(seed, seed % len(runs.THROWING)), runs.Place(*place) if place else None
        )
    except Exception as error:
        return ["error", f"{type(error).__name__}: {error}"]
    if isinstance(reached, runs.Outcome):
        return ["outcome", reached.trace, reached.result, reached.lines]
    return ["place", reached.position, reached.label, reached.trace, reached.stack]


def main() -> None:
    import coroutine_runs as runs

    warnings.simplefilter("error")
    loaded: dict[int, Any] = {}
    while True:
        try:
            batch = receive(sys.stdin.buffer)
        except EOFError:
            return
        answers = {}
        for seed, source, place in batch:
            if source is not None:
                loaded[seed] = runs.load(source, str(seed), durable=True)
            answers[seed] = work(loaded[seed], seed, place)
            if answers[seed][0] != "place":
                del loaded[seed]
        send(sys.stdout.buffer, answers)


if __name__ == "__main__":
    main()

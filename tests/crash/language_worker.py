"""The process that the crash test of the language kills: it does what it is told, line by line, and says what is durable.

It reads JSON lists [input_id, kind, *arguments] and writes [input_id, answer] once that input is acknowledged.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import deque
from concurrent.futures import Future
from typing import Any

import structlog
from crash_faults import Fault
from language_flows import TYPES, Noise, Price, job, singleton, transfer

from deathless import CallFailed, GameClock, Runtime

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


class Server:
    """Takes inputs, each under its name, and acknowledges them when they are durable."""

    def __init__(self, world: Runtime, said: Any) -> None:
        self.world = world
        self.said = said
        self.waiting: list[tuple[str, Future[Any], Any]] = []

    def take(self, input_id: str, kind: str, *args: Any) -> None:
        getattr(self, f"take_{kind}")(input_id, *args)

    def take_transfer(self, input_id: str, payer: int, payee: int, amount: int) -> None:
        future = self.world.call(transfer, payer, payee, amount, input_id=input_id)
        self.waiting.append((input_id, future, None))

    def take_publish(self, input_id: str, zone: int, amount: int) -> None:
        turn = self.world.publish(Noise(zone, amount), input_id=input_id)
        self.waiting.append((input_id, self.world.committed(turn), "published"))

    def take_ask(self, input_id: str) -> None:
        future = self.world.ask(Price("axe"), correlation_id="shop", input_id=input_id)
        self.waiting.append((input_id, future, None))

    def take_job(self, input_id: str, number: int) -> None:
        handle = self.world.start(job(number), entity_id=number, input_id=input_id)
        self.waiting.append((input_id, handle.committed, handle.id))

    def take_singleton(self, input_id: str, name: str) -> None:
        handle = self.world.start(
            singleton(name), correlation_id=name, on_conflict="existing", input_id=input_id
        )
        self.waiting.append((input_id, handle.committed, handle.id))

    def idle(self) -> bool:
        """Say whether everything is acknowledged, and every job has had its result."""
        return not self.waiting and not self.world.workflows(type="job", status="Suspended")

    def acknowledge(self) -> None:
        still = []
        for input_id, future, answer in self.waiting:
            if not future.done():
                still.append((input_id, future, answer))
                continue
            error = future.exception()
            if error is not None and not isinstance(error, CallFailed):
                raise error
            given = "failed" if error is not None else future.result() if answer is None else answer
            self.said.write(json.dumps([input_id, given]) + "\n")
        self.said.flush()
        self.waiting = still


PATIENCE = 20_000
"""Turns without anything to do."""


def main() -> None:
    task = json.loads(sys.argv[1])
    said = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    fault = Fault(task["place"], task["visits"])
    fault.install()
    lines: deque[str] = deque()
    ended = threading.Event()

    def read() -> None:
        for line in sys.stdin:
            lines.append(line)
        ended.set()

    with Runtime(
        task["world"], TYPES, clock=GameClock(), durability=task["durability"], **task["options"]
    ) as world:
        threading.Thread(target=read, daemon=True).start()
        server = Server(world, said)
        said.write('["open"]\n')
        said.flush()
        idle = 0
        while not (ended.is_set() and not lines and server.idle()) and idle < PATIENCE:
            # Whoever was to die at some place, and has not come by it, must not wait for ever.
            idle = 0 if lines or server.waiting else idle + 1
            for _ in range(min(len(lines), 50)):
                server.take(*json.loads(lines.popleft()))
            fault.armed = len(server.waiting) > 0
            world.advance(0.01)
            server.acknowledge()


if __name__ == "__main__":
    main()

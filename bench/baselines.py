"""The same NPC without a runtime: in plain pykka, and as a task of asyncio, neither of which keeps anything.

Each is the measured buff, ten locals and a deadline that each signal re-arms, and takes its signals a batch at a
time, in shuffled order. Each case runs in a process of its own, a run of each in turn, and the floor between them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import pykka
from floor import Floor
from processes import Child, serve
from report import Section, Spread
from steps import Load
from workloads import BATCH, FAR_S, Dispel, Stack, batches, shuffled


class PykkaBuff(pykka.ThreadingActor):
    """A thread of its own. Its deadline is a number: whoever would watch over the deadlines costs nothing here."""

    use_daemon_thread = True

    def __init__(self, duration: float, took: count[int], done: threading.Semaphore) -> None:
        super().__init__()
        self.duration, self.due_s = duration, time.monotonic() + duration
        self.took, self.done = took, done
        self.effect, self.stacks = "slow", 1
        self.name, self.team, self.health, self.speed = "orc", 3, 100, 1.5
        self.place, self.carries = [1.0, 2.0], {"gold": 3, "arrows": 12}
        self.tags = ["slow", "cold", "undead"]

    def on_receive(self, message: Any) -> None:
        match message:
            case Stack(amount):
                self.stacks += amount
                self.due_s = time.monotonic() + self.duration
            case Dispel():
                self.stop()
        if next(self.took) % BATCH == 0:
            self.done.release()


class Pykka:
    """All actors of one process, and a batch of messages at a time to them."""

    def __init__(self, population: int) -> None:
        self._done = threading.Semaphore(0)
        # Its `next` is one instruction, so that no message is lost to another thread's.
        took = count(1)
        self._actors = [PykkaBuff.start(FAR_S, took, self._done) for _ in range(population)]
        self._batches = batches(shuffled(population))
        self.run(max(2, -(-population // BATCH)))

    def run(self, pumps: int) -> float:
        began = time.perf_counter()
        for _ in range(pumps):
            for entity in next(self._batches):
                self._actors[entity].tell(Stack(1))
            self._done.acquire()
        return pumps * BATCH / (time.perf_counter() - began)


class Asyncio:
    """A task for each, with a queue and a timeout around each wait."""

    def __init__(self, population: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._took, self._done = 0, asyncio.Event()
        self._queues: list[asyncio.Queue[Any]] = [asyncio.Queue() for _ in range(population)]
        self._tasks = [self._loop.create_task(self._buff(queue, FAR_S, "slow")) for queue in self._queues]
        self._batches = batches(shuffled(population))
        self.run(max(2, -(-population // BATCH)))

    def run(self, pumps: int) -> float:
        return self._loop.run_until_complete(self._run(pumps))

    async def _run(self, pumps: int) -> float:
        began = time.perf_counter()
        for _ in range(pumps):
            self._done.clear()
            for entity in next(self._batches):
                self._queues[entity].put_nowait(Stack(1))
            await self._done.wait()
        return pumps * BATCH / (time.perf_counter() - began)

    async def _buff(self, queue: asyncio.Queue[Any], duration: float, effect: str) -> list[Any]:
        stacks = 1
        name, team, health, speed = "orc", 3, 100, 1.5
        place, carries, tags = [1.0, 2.0], {"gold": 3, "arrows": 12}, ["slow", "cold", "undead"]
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(duration):
                    message = await queue.get()
                match message:
                    case Stack(amount):
                        stacks += amount
                    case Dispel():
                        break
                self._took += 1
                if self._took % BATCH == 0:
                    self._done.set()
        return [effect, stacks, name, team, health, speed, place, carries, tags]


IN_MEMORY = {"plain pykka, a thread each": Pykka, "asyncio, a task each": Asyncio}
DURABLE = ("process", "power")


def measure(scratch: Path, *, rounds: int, pumps: int, populations: tuple[int, ...]) -> Section:
    section = Section(
        f"baselines: the same buff without durability, and with; {BATCH:,} signals at a time",
        ["NPCs", "", "messages/s", "us a message", "of the floor"],
    )
    for population in populations:
        floor = Floor(scratch / f"floor{population}")
        names = (*IN_MEMORY, *DURABLE)
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        with contextlib.ExitStack() as stack:
            children = {
                name: stack.enter_context(Child(__file__, name, scratch / f"{name}{population}", population))
                for name in names
            }
            for _ in range(rounds):
                for name, child in children.items():
                    rows = floor.run(pumps)
                    rate = child.ask(str(pumps))
                    runs[name].append((rate, rate / rows))
        floor.close()
        kept: dict[str, Any] = {"floor": Spread.of(floor.runs).as_json()}
        for name, measured in runs.items():
            rate, ratio = (Spread.of(column) for column in zip(*measured, strict=True))
            section.add(f"{population:,}", name, rate.rate(), f"{1e6 / rate.median:.1f}", ratio.ratio())
            kept[name] = {"messages_per_s": rate.as_json(), "of_floor": ratio.as_json()}
        section.data[str(population)] = kept
    return section


def child(name: str, place: Path, population: int) -> None:
    if name in IN_MEMORY:
        load = IN_MEMORY[name](population)
    else:
        load = Load.on_new_world(place, name, population)
    serve(True, lambda pumps: load.run(int(pumps)))
    if isinstance(load, Load):
        load.close()
    sys.stdout.flush()
    # Ten thousand threads, or tasks that still wait, have nothing to tidy up.
    os._exit(0)


if __name__ == "__main__":
    child(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))

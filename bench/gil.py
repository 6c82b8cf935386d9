"""What a commit costs while another Python thread is busy, and what helps.

py-lmdb gives the GIL away at every put. Beside one busy thread the committing thread then waits at each row until
it gets the GIL back, up to a switch interval. This script measures the ways out: `python bench/gil.py`. The
decision that rests on its figures is in docs/explanation/gil.md.

Judge by ratios within one run: the machine's own noise is in every figure.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lmdb
import msgpack

KEYS = 10_000
BATCH = 1_024
MAP_SIZE = 4 << 30
COMPUTE_US = 13  # Python of one step, in microseconds.
FRAME_ROWS = 167
FRAME_S = 1 / 60

Rows = list[tuple[bytes, bytes]]
Commit = Callable[[Rows], None]


# -- ways to commit ----------------------------------------------------------------------------------------------


class Inline:
    """Put row by row, or all at once, on the calling thread, with a switch interval for the while."""

    def __init__(self, path: Path, *, sync: bool, many: bool = False, interval: float | None = None) -> None:
        path.mkdir()
        self.env = lmdb.open(str(path), map_size=MAP_SIZE, max_dbs=4, sync=sync)
        self.db = self.env.open_db(b"workflow")
        self.many = many
        self.interval = interval

    def commit(self, rows: Rows) -> None:
        rows.sort()
        usual = sys.getswitchinterval()
        if self.interval is not None:
            sys.setswitchinterval(self.interval)
        try:
            self.write(rows)
        finally:
            sys.setswitchinterval(usual)

    def write(self, rows: Rows) -> None:
        with self.env.begin(write=True) as transaction:
            if self.many:
                with transaction.cursor(db=self.db) as cursor:
                    cursor.putmulti(rows)
            else:
                put, db = transaction.put, self.db
                for key, value in rows:
                    put(key, value, db=db)

    def close(self) -> None:
        self.env.close()


class OneBlob(Inline):
    """Put the whole commit as one value: the least that can be put, and no rows to read or change after."""

    def write(self, rows: Rows) -> None:
        with self.env.begin(write=True) as transaction:
            transaction.put(rows[0][0], msgpack.packb(rows), db=self.db)


class Buckets(Inline):
    """Sixteen neighbouring rows to a value: fewer puts, but each changes rows that nobody touched."""

    def __init__(self, path: Path, *, sync: bool) -> None:
        super().__init__(path, sync=sync)
        self.buckets: dict[int, dict[bytes, bytes]] = {}

    def write(self, rows: Rows) -> None:
        touched = set()
        for key, value in rows:
            number = int.from_bytes(key, "big") >> 4
            self.buckets.setdefault(number, {})[key] = value
            touched.add(number)
        packed = [
            (number.to_bytes(8, "big"), msgpack.packb(self.buckets[number])) for number in sorted(touched)
        ]
        super().write(packed)


class Thread(Inline):
    """Put on a thread of its own; the caller waits for the commit before."""

    def __init__(self, path: Path, *, sync: bool, interval: float | None = None) -> None:
        super().__init__(path, sync=sync, interval=interval)
        self.waiting: Rows = []
        self.go, self.done = threading.Semaphore(0), threading.Semaphore(1)
        self.stop = False
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self) -> None:
        while self.go.acquire() and not self.stop:
            super().commit(self.waiting)
            self.done.release()

    def commit(self, rows: Rows) -> None:
        self.done.acquire()
        self.waiting = rows
        self.go.release()

    def flush(self) -> None:
        self.done.acquire()
        self.done.release()

    def close(self) -> None:
        self.flush()
        self.stop = True
        self.go.release()
        self.thread.join()
        super().close()


class Process:
    """Send each commit to a process that does nothing else; the caller waits for it, or for the one before."""

    def __init__(self, path: Path, *, sync: bool, ahead: bool) -> None:
        self.child = subprocess.Popen(
            [sys.executable, __file__, "--writer", str(path), *(["--sync"] if sync else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        assert self.child.stdin
        assert self.child.stdout
        self.to, self.answers = self.child.stdin.fileno(), self.child.stdout.fileno()
        with contextlib.suppress(ImportError, AttributeError, OSError):
            import fcntl  # noqa: PLC0415 - Linux only, and only to be fair to this way.

            fcntl.fcntl(self.to, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.ahead = ahead
        self.pending = False
        os.read(self.answers, 1)

    def commit(self, rows: Rows) -> None:
        rows.sort()
        blob = msgpack.packb(rows)
        self.flush()
        message = memoryview(struct.pack("<I", len(blob)) + blob)
        while message:
            message = message[os.write(self.to, message) :]
        self.pending = True
        if not self.ahead:
            self.flush()

    def flush(self) -> None:
        if self.pending:
            assert os.read(self.answers, 1) == b"+"
            self.pending = False

    def close(self) -> None:
        self.flush()
        assert self.child.stdin
        self.child.stdin.close()
        self.child.wait()


def writer(path: Path, *, sync: bool) -> None:
    """Be the writer process: read blobs, commit each, answer."""
    store = Inline(path, sync=sync)
    os.write(1, b"+")
    source = sys.stdin.buffer
    while head := source.read(4):
        store.write([tuple(row) for row in msgpack.unpackb(source.read(struct.unpack("<I", head)[0]))])
        os.write(1, b"+")
    store.close()


# -- the load ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def spinning(*, busy: bool) -> Iterator[None]:
    """Keep one Python thread busy meanwhile."""
    running = busy

    def spin() -> None:
        while running:
            pass

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        running = False
        thread.join()


def batches(size: int, *, rows: int, seed: int = 1) -> Iterator[Rows]:
    """Give batches of packed rows over shuffled keys, packing them with one packer as they are asked for."""
    chooser = random.Random(seed)
    keys = [number.to_bytes(8, "big") for number in range(KEYS)]
    pack = msgpack.Packer().pack
    state = [3, 1_234_567, 0, "patrol", [1.5, 2.5], b""]
    state[-1] = bytes(size - len(pack(state)) - (0 if size < 256 else 2))
    count = 0
    while True:
        chooser.shuffle(keys)
        for at in range(0, KEYS - rows + 1, rows):
            batch = []
            for key in keys[at : at + rows]:
                count += 1
                state[2] = count & 127
                batch.append((key, pack(state)))
            yield batch


def compute(microseconds: float) -> Callable[[], None]:
    """Make a piece of plain Python that takes so long when nobody else wants the GIL."""

    def work(n: int) -> int:
        total = 0
        for i in range(n):
            total += i * i & 255
        return total

    rounds = 1_000
    best = min(_timed(lambda: work(rounds)) for _ in range(50))
    n = max(1, round(rounds * microseconds * 1e-6 / best))
    return lambda: work(n) and None


def _timed(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


# -- measurements ------------------------------------------------------------------------------------------------


def fill(store: Any, size: int) -> None:
    source = batches(size, rows=1000)
    for _ in range(10):
        store.commit(next(source))
    flush(store)


def flush(store: Any) -> None:
    getattr(store, "flush", lambda: None)()


def rate(store: Any, size: int, *, busy: bool, seconds: float, step: Callable[[], None] | None) -> float:
    """Rows a second, made and durable."""
    source = batches(size, rows=BATCH, seed=2)
    with spinning(busy=busy):
        start, rows = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            batch = next(source)
            if step:
                for _ in batch:
                    step()
            store.commit(batch)
            rows += BATCH
        flush(store)
        return rows / (time.perf_counter() - start)


def pace(store: Any, size: int, *, busy: bool, seconds: float) -> list[float]:
    """Commit as a game at 60 Hz does; give the caller's times in a commit, in ms."""
    source = batches(size, rows=FRAME_ROWS, seed=3)
    took = []
    with spinning(busy=busy):
        due = time.perf_counter()
        for _ in range(round(seconds / FRAME_S)):
            batch = next(source)
            start = time.perf_counter()
            store.commit(batch)
            took.append(1e3 * (time.perf_counter() - start))
            due = max(due + FRAME_S, time.perf_counter())
            time.sleep(max(0.0, due - time.perf_counter()))
        flush(store)
    return took


class Ours:
    """The project's own store."""

    def __init__(self, path: Path, *, sync: bool) -> None:
        from deathless.runtime.storage.store import Store  # noqa: PLC0415 - the rest runs without the package.

        self.store = Store.open(path, durability="power" if sync else "process")

    def commit(self, rows: Rows) -> None:
        self.store.commit({"workflow": dict(rows)})

    def close(self) -> None:
        self.store.close()


def switching(interval_us: float, *, many: bool = False) -> Callable[[Path, bool], Any]:
    return lambda path, sync: Inline(path, sync=sync, many=many, interval=interval_us * 1e-6)


WAYS: dict[str, Callable[[Path, bool], Any]] = {
    "put loop": lambda path, sync: Inline(path, sync=sync),
    "putmulti": lambda path, sync: Inline(path, sync=sync, many=True),
    **{f"put loop, switch {interval} us": switching(interval) for interval in (500, 100, 50, 20, 5, 1)},
    "putmulti, switch 20 us": switching(20, many=True),
    "thread": lambda path, sync: Thread(path, sync=sync),
    "thread, switch 20 us": lambda path, sync: Thread(path, sync=sync, interval=20e-6),
    "process": lambda path, sync: Process(path, sync=sync, ahead=False),
    "process, one ahead": lambda path, sync: Process(path, sync=sync, ahead=True),
    "16 rows a value": lambda path, sync: Buckets(path, sync=sync),
    "one blob": lambda path, sync: OneBlob(path, sync=sync),
    "Store.commit": lambda path, sync: Ours(path, sync=sync),
}


class Bench:
    """Run the chosen ways, each in a new world, round by round, so that a noisy minute hits all of them."""

    def __init__(self, scratch: Path, chosen: list[str], *, rounds: int, seconds: float) -> None:
        self.scratch = scratch
        self.chosen = chosen
        self.rounds = rounds
        self.seconds = seconds
        self.worlds = 0

    def run(self, size: int, what: Callable[[Any, bool], Any]) -> Iterator[tuple[str, list[list[Any]]]]:
        """Give for each way its figures of all rounds: power quiet and busy, process quiet and busy."""
        cases = [(sync, busy) for sync in (True, False) for busy in (False, True)]
        figures: dict[str, list[list[Any]]] = {name: [[] for _ in cases] for name in self.chosen}
        for _ in range(self.rounds):
            for name in self.chosen:
                for (sync, busy), column in zip(cases, figures[name], strict=True):
                    self.worlds += 1
                    store = WAYS[name](self.scratch / str(self.worlds), sync)
                    try:
                        fill(store, size)
                        column.append(what(store, busy))
                    finally:
                        store.close()
        yield from figures.items()

    def rates(self, size: int, step: Callable[[], None] | None) -> None:
        columns = [f"{d} {b}" for d in ("power", "process") for b in ("quiet", "busy", "worst", "ratio")]
        print(f"{'':24}" + "".join(f"{column:>15}" for column in columns))
        for name, (power, power_busy, process, process_busy) in self.run(
            size, lambda store, busy: rate(store, size, busy=busy, seconds=self.seconds, step=step)
        ):
            line = ""
            for quiet, busy in ((power, power_busy), (process, process_busy)):
                usual, beside = statistics.median(quiet), statistics.median(busy)
                line += f"{usual:15,.0f}{beside:15,.0f}{min(busy):15,.0f}{usual / beside:15.1f}"
            print(f"{name:24}{line}")

    def paces(self, size: int) -> None:
        columns = [
            f"{d} {b} {q}" for d in ("power", "process") for b in ("quiet", "busy") for q in ("p50", "p99")
        ]
        print(f"{'':24}" + "".join(f"{column:>19}" for column in columns))
        for name, columns_of in self.run(
            size, lambda store, busy: pace(store, size, busy=busy, seconds=self.seconds)
        ):
            line = ""
            for rounds in columns_of:
                took = sorted(itertools.chain.from_iterable(rounds))
                line += f"{took[len(took) // 2]:19.2f}{took[int(len(took) * 0.99)]:19.2f}"
            print(f"{name:24}{line}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=0.5, help="for each figure of each round (0.5)")
    parser.add_argument("--rounds", type=int, default=5, help="whose median is printed (5)")
    parser.add_argument("--only", default="", help="ways whose name contains one of these, separated by ;")
    parser.add_argument("--parts", default="raw,steps,pace", help="which tables (raw,steps,pace)")
    parser.add_argument("--directory", help="where the worlds are made (the system's temporary directory)")
    parser.add_argument("--writer", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--sync", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.writer:
        writer(options.writer, sync=options.sync)
        return
    chosen = [name for name in WAYS if any(part in name for part in options.only.split(";"))]
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, py-lmdb {lmdb.__version__}")
    step = compute(COMPUTE_US)
    with tempfile.TemporaryDirectory(dir=options.directory) as scratch:
        bench = Bench(Path(scratch), chosen, rounds=options.rounds, seconds=options.seconds)
        for size in (150, 250) if "raw" in options.parts else ():
            print(f"\nrows/s, {size}-byte rows, a commit per {BATCH:,} of {KEYS:,} shuffled keys")
            bench.rates(size, None)
        if "steps" in options.parts:
            print(f"\nsteps/s, {COMPUTE_US} us of Python and one 150-byte row each, a commit per {BATCH:,}")
            bench.rates(150, step)
        if "pace" in options.parts:
            print(f"\nms the caller spends in a commit of {FRAME_ROWS} random 250-byte rows, 60 a second")
            bench.seconds *= 4
            bench.paces(250)


if __name__ == "__main__":
    main()

"""What a commit costs while another Python thread is busy, and what helps.

py-lmdb gives the GIL away at every put. Beside one busy thread the committing thread then waits at each row until
it gets the GIL back, up to a switch interval. This script measures the ways out: `python bench/gil.py`. The
decision that rests on its figures is in docs/explanation/gil.md.

Judge by ratios within one run: the machine's own noise is in every figure.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
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


def rate(
    store: Any, size: int, *, busy: bool, seconds: float, step: Callable[[], None] | None = None
) -> float:
    """Rows a second, made and durable, the best of three parts of the time."""
    source = batches(size, rows=BATCH, seed=2)
    rates = []
    with spinning(busy=busy):
        for _ in range(3):
            start, rows = time.perf_counter(), 0
            while time.perf_counter() - start < seconds / 3:
                batch = next(source)
                if step:
                    for _ in batch:
                        step()
                store.commit(batch)
                rows += BATCH
            flush(store)
            rates.append(rows / (time.perf_counter() - start))
    return sorted(rates)[1]


def pace(store: Any, size: int, *, busy: bool, seconds: float) -> tuple[float, float, float]:
    """Commit as a game at 60 Hz does; give the caller's time in a commit in ms: median, p99, greatest."""
    source = batches(size, rows=FRAME_ROWS, seed=3)
    took = []
    with spinning(busy=busy):
        due = time.perf_counter()
        for _ in range(round(seconds / FRAME_S)):
            batch = next(source)
            took.append(1e3 * _timed(lambda: store.commit(batch)))  # noqa: B023 - called at once.
            due = max(due + FRAME_S, time.perf_counter())
            time.sleep(max(0.0, due - time.perf_counter()))
        flush(store)
    took.sort()
    return took[len(took) // 2], took[int(len(took) * 0.99)], took[-1]


def ways() -> dict[str, Callable[[Path, bool], Any]]:
    return {
        "put loop": lambda path, sync: Inline(path, sync=sync),
        "putmulti": lambda path, sync: Inline(path, sync=sync, many=True),
        **{
            f"put loop, switch {interval * 1e6:g} us": (
                lambda path, sync, interval=interval: Inline(path, sync=sync, interval=interval)
            )
            for interval in (500e-6, 200e-6, 100e-6, 50e-6, 20e-6, 10e-6, 5e-6, 1e-6)
        },
        "putmulti, switch 50 us": lambda path, sync: Inline(path, sync=sync, many=True, interval=50e-6),
        "putmulti, switch 5 us": lambda path, sync: Inline(path, sync=sync, many=True, interval=5e-6),
        "thread": lambda path, sync: Thread(path, sync=sync),
        "thread, switch 50 us": lambda path, sync: Thread(path, sync=sync, interval=50e-6),
        "process": lambda path, sync: Process(path, sync=sync, ahead=False),
        "process, one ahead": lambda path, sync: Process(path, sync=sync, ahead=True),
        "16 rows a value": lambda path, sync: Buckets(path, sync=sync),
        "one blob": lambda path, sync: OneBlob(path, sync=sync),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=1.5, help="for each figure (1.5)")
    parser.add_argument("--only", default="", help="ways whose name contains this")
    parser.add_argument("--parts", default="raw,steps,pace", help="raw,steps,pace")
    parser.add_argument("--writer", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--sync", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--directory", help="where the worlds are made (the system's temporary directory)")
    options = parser.parse_args()
    if options.writer:
        writer(options.writer, sync=options.sync)
        return
    chosen = {name: make for name, make in ways().items() if options.only in name}
    step = compute(COMPUTE_US)
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, py-lmdb {lmdb.__version__}")
    with tempfile.TemporaryDirectory(dir=options.directory) as scratch:
        count = 0

        def measure(
            make: Callable[[Path, bool], Any], sync: bool, size: int, what: Callable[[Any], Any]
        ) -> Any:
            nonlocal count
            count += 1
            store = make(Path(scratch) / str(count), sync)
            try:
                fill(store, size)
                return what(store)
            finally:
                store.close()

        for size in (150, 250) if "raw" in options.parts else ():
            print(
                f"\nrows/s, {size}-byte rows, commit per {BATCH:,} of {KEYS:,} shuffled keys: quiet, busy thread"
            )
            print(f"{'':26}{'power':>10}{'':>10}{'process':>12}")
            for name, make in chosen.items():
                figures = []
                for sync in (True, False):
                    for busy in (False, True):
                        figures.append(
                            measure(
                                make,
                                sync,
                                size,
                                lambda s, b=busy: rate(s, size, busy=b, seconds=options.seconds),
                            )
                        )
                print(f"{name:26}" + "".join(f"{figure:10,.0f}" for figure in figures), flush=True)

        if "steps" in options.parts:
            print(
                f"\nsteps/s, {COMPUTE_US} us of Python and one 150-byte row each: quiet, busy thread, slowdown"
            )
            for name, make in chosen.items():
                line = ""
                for sync in (True, False):
                    quiet, busy = (
                        measure(
                            make,
                            sync,
                            150,
                            lambda s, b=b: rate(s, 150, busy=b, seconds=options.seconds, step=step),
                        )
                        for b in (False, True)
                    )
                    line += f"{quiet:10,.0f}{busy:10,.0f}{quiet / busy:7.1f}x"
                print(f"{name:26}{line}", flush=True)

        if "pace" in options.parts:
            print(
                f"\nms in a commit of {FRAME_ROWS} random 250-byte rows, 60 a second: median, p99, greatest"
            )
            for name, make in chosen.items():
                for sync in (True, False):
                    line = ""
                    for busy in (False, True):
                        figures = measure(
                            make,
                            sync,
                            250,
                            lambda s, b=busy: pace(s, 250, busy=b, seconds=3 * options.seconds),
                        )
                        line += f"  {'busy' if busy else 'quiet'}" + "".join(f"{f:8.2f}" for f in figures)
                    print(f"{name:26}{'power' if sync else 'process':8}{line}", flush=True)


if __name__ == "__main__":
    main()

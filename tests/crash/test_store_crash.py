"""The store against real kills and a disk without room."""

import os
import random
import signal
import subprocess
import sys

import pytest

from deathless.runtime.storage.store import Store

pytestmark = pytest.mark.crash

KEYS = 500

# Each batch writes its number to every key, and says so when it is committed.
WRITER = """
import sys
from deathless.runtime.storage.store import Store
path, durability = sys.argv[1:]
keys = [n.to_bytes(8, "big") for n in range(500)]
with Store.open(path, durability=durability, map_size=1 << 20) as store:
    batch = int(store.get("turn", b"batch") or b"0")
    while True:
        batch += 1
        value = str(batch).encode()
        rows = {key: value * (1 + (batch * i) % 40) for i, key in enumerate(keys)}
        store.commit({"workflow": rows, "turn": {b"batch": value}})
        print(batch, flush=True)
"""


@pytest.mark.parametrize("durability", ["process", "power"])
def test_after_kill_9_the_world_is_a_whole_batch(durability, request, tmp_path):
    """And one no older than the last that was acknowledged."""
    seed = request.config.getoption("--seed")
    chooser = random.Random(f"{seed} {durability}")
    world = str(tmp_path / "world")
    reached = 0
    for round_number in range(request.config.getoption("--rounds")):
        acknowledged = kill_after(chooser.randrange(1, 40), chooser, world, durability)
        with Store.open(world, create=False) as store:
            batch = int(store.get("turn", b"batch"))
            where = f"round {round_number}; repeat with: pytest {__file__} --seed {seed}"
            assert acknowledged <= batch <= acknowledged + 1, where
            assert batch > reached, where
            value = str(batch).encode()
            expected = {n.to_bytes(8, "big"): value * (1 + (batch * n) % 40) for n in range(KEYS)}
            assert dict(store.scan("workflow")) == expected, where
        reached = batch


def kill_after(batches, chooser, world, durability):
    """Let a writer acknowledge so many batches, kill it somewhere in a later one, give the last acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, world, durability], stdout=subprocess.PIPE, text=True
    ) as process:
        for _ in range(batches):
            line = process.stdout.readline()
            assert line, "the writer ended by itself"
        for _ in range(chooser.randrange(20_000)):
            pass  # Some way into the next commit; a sleep would mostly hit the same place.
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")
    # A line cut short by the kill was not acknowledged.
    return int(([line] + [number for number in rest[:-1] if number])[-1])


def test_killed_while_being_made_a_world_can_be_opened(tmp_path):
    """The maker is killed at each step that Python's audit sees: each directory, file and rename."""
    killed = 0
    for step in range(1, 30):
        world = tmp_path / f"world{step}"
        ended = make_and_die(world, step)
        with Store.open(world) as store:
            store.commit({"turn": {b"k": b"v"}})
        with Store.open(world, create=False) as store:
            assert store.get("turn", b"k") == b"v"
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        killed += 1
    assert killed >= 5


def make_and_die(world, step):
    """Make a world in a forked child that is killed at the given step; give the child's exit code."""
    child = os.fork()
    if child == 0:
        seen = 0

        def audit(event, _):
            nonlocal seen
            if event in ("os.mkdir", "open", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"):
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(audit)
        Store.open(world)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_disk_without_room_loses_nothing(tmp_path):
    """The limit on file size stands for the full disk: what fails, and how, is the same."""
    code = """
import resource, signal, sys
from deathless.runtime.storage.store import Store
from deathless.workflows.errors import WorldFull
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def rows(first): return {n.to_bytes(8, "big"): bytes(900) for n in range(first, first + 500)}
with Store.open(sys.argv[1], durability=sys.argv[2]) as store:
    store.commit({"workflow": rows(0), "turn": {b"t": b"1"}})
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for room in (0, 100, 4096, 50_000):
        digest = store.digest()
        resource.setrlimit(resource.RLIMIT_FSIZE, (store.stats().file_bytes + room, hard))
        changes = {"workflow": rows(500), "turn": {b"t": b"2"}}
        for _ in range(3):
            try:
                store.commit(changes)
            except WorldFull as error:
                assert "no room" in str(error), error
            else:
                raise AssertionError("it fitted")
            assert store.digest() == digest
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    store.commit(changes)
    assert store.get("turn", b"t") == b"2"
    assert store.stats().entries["workflow"] == 1000
"""
    for durability in ("process", "power"):
        world = str(tmp_path / durability)
        subprocess.run([sys.executable, "-c", code, world, durability], check=True)
        with Store.open(world) as store:
            assert store.stats().entries == {"meta": 2, "turn": 1, "workflow": 1000}

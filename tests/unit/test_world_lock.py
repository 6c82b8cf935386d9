"""A world has one owner, and none after the owner's end."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from deathless.runtime.storage import world_lock
from deathless.runtime.storage.store import Store
from deathless.runtime.storage.world_lock import OWNER_FILE, WorldLock, owner_of
from deathless.workflows.errors import RuntimeClosedError, WorldError, WorldInUse

OWNER = """
import sys
import threading
from deathless.runtime.storage.store import Store
store = Store.open(sys.argv[1])
store.commit({"turn": {b"k": b"v"}})
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def owner(tmp_path):
    """A second process that has the world open until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "world")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def test_another_process_is_named(owner, tmp_path):
    with pytest.raises(WorldInUse, match=f"owned by process {owner.pid};"):
        Store.open(tmp_path / "world")


def test_kill_9_of_the_owner_releases_the_world(owner, tmp_path):
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    with Store.open(tmp_path / "world") as store:
        assert store.get("turn", b"k") == b"v"


def test_the_owner_may_come_back_after_a_refused_second(owner, tmp_path):
    with pytest.raises(WorldInUse):
        Store.open(tmp_path / "world")
    assert (tmp_path / "world" / OWNER_FILE).read_text().startswith(f"{owner.pid} ")
    owner.communicate()
    Store.open(tmp_path / "world").close()


def test_an_owner_on_another_host_is_named(tmp_path, monkeypatch):
    lock = WorldLock(tmp_path)
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    with pytest.raises(WorldInUse, match=f"process {os.getpid()} on host "):
        WorldLock(tmp_path)
    lock.release()


def test_a_lock_file_without_a_text_still_locks(tmp_path):
    lock = WorldLock(tmp_path)
    (tmp_path / OWNER_FILE).write_bytes(b"")
    with pytest.raises(WorldInUse, match="another process"):
        WorldLock(tmp_path)
    lock.release()
    lock.release()
    WorldLock(tmp_path).release()


def test_a_lock_file_that_cannot_be_opened_is_a_clear_error(tmp_path):
    (tmp_path / OWNER_FILE).mkdir()
    with pytest.raises(WorldError, match=OWNER_FILE):
        WorldLock(tmp_path)


def test_a_forked_child_cannot_use_the_store(tmp_path):
    with Store.open(tmp_path / "world") as store:
        store.commit({"turn": {b"k": b"v"}})
        child = os.fork()
        if child == 0:
            refused = 0
            for call in (
                lambda: store.get("turn", b"k"),
                lambda: store.commit({"turn": {b"k": b"child"}}),
                lambda: list(store.scan("turn")),
                store.stats,
            ):
                try:
                    call()
                except RuntimeClosedError as error:
                    refused += "forked" in str(error)
            store.close()
            os._exit(refused)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4
        # And the child's end, and its close, took nothing from the parent.
        store.commit({"turn": {b"k": b"w"}})
        assert store.get("turn", b"k") == b"w"
        with pytest.raises(WorldInUse):
            Store.open(tmp_path / "world")


def test_a_forked_child_does_not_keep_the_world(tmp_path):
    """The owner forks and dies by SIGKILL; the child lives on, and the world is free."""
    code = """
import os, signal, sys
from deathless.runtime.storage.store import Store
store = Store.open(sys.argv[1])
if os.fork() == 0:
    print("forked", flush=True)
    sys.stdin.read()
    os._exit(0)
signal.pause()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "world")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "forked\n"
        process.kill()
        process.wait()
        Store.open(tmp_path / "world").close()


def test_a_child_that_exits_normally_runs_no_destructor_of_the_parents_world(tmp_path):
    code = """
import os, sys
from deathless.runtime.storage.store import Store
with Store.open(sys.argv[1]) as store:
    store.commit({"turn": {b"k": b"v"}})
    child = os.fork()
    if child == 0:
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    store.commit({"turn": {b"k": b"w"}})
    assert store.get("turn", b"k") == b"w"
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "world")], check=True)


def test_those_who_ask_for_the_owner_keep_nobody_from_opening(tmp_path):
    world = tmp_path / "world"
    Store.open(world).close()
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            owner_of(world)

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    for _ in range(100):
        WorldLock(world).release()
    stop.set()
    for thread in asking:
        thread.join()
    assert owner_of(world) is None
    lock = WorldLock(world)
    assert owner_of(world).pid == os.getpid()
    lock.release()


def test_who_waited_for_a_file_that_is_discarded_locks_the_one_that_others_see(tmp_path, monkeypatch):
    making, lock_soon = WorldLock(tmp_path), world_lock._lock_soon

    def after_the_other(fd):
        monkeypatch.setattr(world_lock, "_lock_soon", lock_soon)
        making.discard()
        lock_soon(fd)

    monkeypatch.setattr(world_lock, "_lock_soon", after_the_other)
    lock = WorldLock(tmp_path)
    try:
        assert owner_of(tmp_path) is not None
        with pytest.raises(WorldInUse):
            WorldLock(tmp_path)
    finally:
        lock.release()

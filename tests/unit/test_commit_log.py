"""What the log makes possible to go wrong: interrupts in the midst of a commit, readers beside one, numbers."""

import shutil
import threading

import pytest

from deathless.runtime import Store
from deathless.runtime.storage.commit_log import CYCLE, LARGEST_ENTRY


def key(number):
    return number.to_bytes(8, "big")


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "world", durability="process") as opened:
        yield opened


@pytest.fixture
def interrupted(monkeypatch):
    """Let Ctrl-C strike when a transaction has been committed, and nobody has taken note of it."""

    def commit(store, changes):
        write = Store._write

        def and_ctrl_c(*args):
            write(*args)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Store, "_write", and_ctrl_c)
            with pytest.raises(KeyboardInterrupt):
                store.commit(changes)

    return commit


SMALL, LARGE = b"new", bytes(LARGEST_ENTRY)


@pytest.mark.parametrize("value", [SMALL, LARGE])
def test_a_commit_that_was_interrupted_after_it_was_made_is_made(store, interrupted, value):
    store.commit({"workflow": {key(1): b"old", key(2): b"old"}})
    interrupted(store, {"workflow": {key(1): value}})
    assert store.get("workflow", key(1)) == value
    assert dict(store.scan("workflow")) == {key(1): value, key(2): b"old"}
    store.close()
    with Store.open(store.path) as again:
        assert dict(again.scan("workflow")) == {key(1): value, key(2): b"old"}


@pytest.mark.parametrize("value", [SMALL, LARGE])
def test_a_commit_after_one_that_was_interrupted_is_not_lost(store, interrupted, tmp_path, value):
    store.commit({"workflow": {key(1): b"old"}})
    interrupted(store, {"workflow": {key(1): value}})
    store.commit({"workflow": {key(2): b"after"}})
    shutil.copytree(store.path, tmp_path / "as a kill leaves it")
    with Store.open(tmp_path / "as a kill leaves it") as again:
        assert dict(again.scan("workflow")) == {key(1): value, key(2): b"after"}


def test_what_is_read_while_a_commit_is_noted_is_read_again(store):
    store.commit({"workflow": {key(number): b"old" for number in range(3)}})
    seen = []

    def read(transaction, tables):
        if not seen:
            changes = {"workflow": {key(0): b"new", key(1): LARGE}}
            committing = threading.Thread(target=store.commit, args=(changes,))
            committing.start()
            committing.join()
        seen.append(store._read_some("workflow", b"", None, 64, transaction, tables)[0])
        return seen[-1]

    assert dict(store._as_of_one_commit(read)) == {key(0): b"new", key(1): LARGE, key(2): b"old"}
    assert len(seen) == 2


def test_a_row_that_changes_in_each_commit_is_put_into_place_now_and_then(store):
    places = []
    for number in range(4 * CYCLE):
        store.commit({"workflow": {key(1): b"%d" % number}})
        with store._reader() as (transaction, tables):
            places.append(transaction.get(key(1), db=tables["workflow"]))
    assert store.get("workflow", key(1)) == b"%d" % (4 * CYCLE - 1)
    assert 2 < len(set(places)) < 4 * CYCLE


def test_an_entry_needs_no_pages_side_by_side(store):
    store.commit({"workflow": {key(number): bytes(100) for number in range(1000)}})
    with store._reader() as (transaction, tables):
        held = transaction.stat(tables["log"])
    assert held["overflow_pages"] <= held["entries"]
    assert held["entries"] > 20


def test_a_log_that_does_not_decode_is_a_clear_error(tmp_path, store):
    store.commit({"workflow": {key(1): b"one"}})
    with store._env.begin(write=True) as transaction:
        transaction.put(key(0), b"\xc1", db=store._tables["log"])
    shutil.copytree(store.path, tmp_path / "damaged")
    with pytest.raises(Exception, match="its table log is damaged"):
        Store.open(tmp_path / "damaged")

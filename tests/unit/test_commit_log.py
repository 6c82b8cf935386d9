"""What the log makes possible to go wrong: interrupts in the midst of a commit, readers beside one, numbers."""

import shutil
import threading

import msgpack
import pytest

from deathless import WorldCorruptError
from deathless.runtime import Store
from deathless.runtime.storage.commit_log import CYCLE, LARGEST_ENTRY
from deathless.runtime.storage.environment import open_environment
from deathless.runtime.storage.log_view import LogView
from deathless.runtime.storage.pieces import piece_key
from deathless.runtime.storage.world_reader import WorldReader


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


def lose(path, number):
    """Take an entry out of the log of a world that nobody has open."""
    with open_environment(path, map_size=1 << 20, sync=False) as environment:
        log = environment.open_db(b"log", create=False)
        with environment.begin(write=True) as transaction:
            assert transaction.delete(piece_key(number, 0), db=log)


@pytest.fixture
def killed(tmp_path, store):
    """A world with entries 0 to 5 in its log, as a kill leaves it."""
    for number in range(6):
        store.commit({"workflow": {key(number % 2): b"%d" % number}})
    return shutil.copytree(store.path, tmp_path / "killed")


@pytest.mark.parametrize("opened", [Store.open, WorldReader])
@pytest.mark.parametrize("lost", [1, 4])
def test_a_log_that_lacks_an_entry_between_two_is_refused(killed, opened, lost):
    lose(killed, lost)
    with pytest.raises(
        WorldCorruptError, match=f"entry {lost} is not there, and entry {lost + 1} is.*from a backup"
    ):
        opened(killed)


def test_a_reader_refuses_a_gap_after_what_it_has_read():
    entry = [(piece_key(number, 0), msgpack.packb([])) for number in (7, 8, 9)]
    view, log = LogView(), Cursor(entry[:1])
    view.refresh(log)
    log.rows = [entry[0], entry[2]]
    with pytest.raises(ValueError, match="entry 8 is not there, and entry 9 is"):
        view.refresh(log)


def test_a_reader_goes_on_where_a_number_is_left_out_before_the_first_entry():
    view, log = LogView(), Cursor([(piece_key(3, 0), msgpack.packb([["t", [b"k"], [b"old"]]]))])
    view.refresh(log)
    log.rows = [(piece_key(5, 0), msgpack.packb([]))]
    view.refresh(log)
    assert view.rows == {}


@pytest.mark.parametrize("stray", [b"\xff" * 8, b"\xff" * 8 + bytes(4), bytes(8) + b"\0\0\0\7"])
@pytest.mark.parametrize("others", [True, False])
def test_a_log_with_a_key_that_no_entry_has_is_refused(killed, stray, others):
    with open_environment(killed, map_size=1 << 20, sync=False) as environment:
        log = environment.open_db(b"log", create=False)
        with environment.begin(write=True) as transaction:
            if not others:
                transaction.drop(log, delete=False)
            transaction.put(stray, msgpack.packb([]), db=log)
    with pytest.raises(WorldCorruptError, match=r"its table log is damaged .*lacks a piece, or is none"):
        Store.open(killed)


class Cursor:
    """The rows of a log, as LMDB gives them."""

    def __init__(self, rows):
        self.rows = rows
        self.at = 0

    def first(self):
        return self.set_range(b"")

    def item(self):
        return self.rows[self.at]

    def set_range(self, start):
        self.at = sum(key < start for key, _ in self.rows)
        return self.at < len(self.rows)

    def __iter__(self):
        return iter(self.rows[self.at :])

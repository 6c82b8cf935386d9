"""`ReadView`: tables as of one commit, from the store and from outside."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import pytest

from deathless.runtime.storage.store import Store
from deathless.runtime.storage.world_reader import WorldReader

ROWS: dict[bytes, bytes | None] = {bytes([number]): b"first" for number in range(1, 200)}


def _expected(commits: int) -> dict[bytes, bytes]:
    found = {key: value for key, value in ROWS.items() if value is not None}
    for number in range(commits):
        found[bytes([number + 1])] = b"later"
        del found[bytes([number + 101])]
    return found


def _change(store: Store, number: int) -> None:
    store.commit({"a": {bytes([number + 1]): b"later", bytes([number + 101]): None}})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.open(tmp_path / "world", durability="process")
    store.commit({"a": ROWS, "entity": {b"x": b"", b"y": b""}})
    return store


def test_a_view_sees_what_the_log_and_the_tables_say_together(store: Store) -> None:
    for number in range(90):
        _change(store, number)
        with store.read_view() as view:
            assert dict(view.scan("a")) == _expected(number + 1)
            assert view.count("a") == len(_expected(number + 1))
            assert view.get("a", bytes([number + 1])) == b"later"
            assert view.get("a", bytes([number + 101])) is None
            assert list(view.keys("a", b"\x05", b"\x08")) == [b"\x05", b"\x06", b"\x07"]
    store.close()


def test_a_view_stays_as_it_was_while_commits_go_on(store: Store) -> None:
    with store.read_view() as view:
        for number in range(80):
            _change(store, number)
        store.commit({"new": {b"k": b"v"}})
        assert dict(view.scan("a")) == _expected(0)
        assert view.get("a", b"\x01") == b"first"
        assert list(view.scan("new")) == []
        assert "new" not in view.tables()
    with store.read_view() as view:
        assert dict(view.scan("a")) == _expected(80)
        assert view.tables() == ["a", "entity", "meta", "new"]
    store.close()


def test_views_are_of_one_commit_each_while_another_thread_commits(store: Store) -> None:
    keys = [bytes([high, low]) for high in range(4) for low in range(50)]
    store.commit({"all": dict.fromkeys(keys, b"0")})
    done = threading.Event()

    def commit() -> None:
        for number in range(400):
            store.commit(
                {"all": dict.fromkeys(keys, str(number).encode()), "now": {b"n": str(number).encode()}}
            )
        done.set()

    committing = threading.Thread(target=commit)
    committing.start()
    seen = set()
    while not done.is_set():
        with store.read_view() as view:
            number = view.get("now", b"n") or b"0"
            assert {value for _, value in view.scan("all")} == {number}
            assert {view.get("all", key) for key in keys} == {number}
            seen.add(number)
    committing.join()
    assert len(seen) > 1
    store.close()


def test_an_index_is_read_backwards(store: Store) -> None:
    with store.read_view() as view:
        assert [key for key, _ in view.backwards("entity")] == [b"y", b"x"]
        assert list(view.backwards("none")) == []
        assert view.table_bytes("none") == 0
        assert view.table_bytes("entity") >= 4096
    store.close()


def _own(path: Path, ready: object, go: object) -> None:
    store = Store.open(path, durability="process")
    for number in range(30):
        _change(store, number)
    ready.set()  # type: ignore[attr-defined]
    go.wait()  # type: ignore[attr-defined]
    for number in range(30, 60):
        _change(store, number)
    store.commit({"new": {b"k": b"v"}})
    ready.set()  # type: ignore[attr-defined]


def test_a_view_from_outside_is_of_one_commit_too(store: Store) -> None:
    store.close()
    spawn = multiprocessing.get_context("spawn")
    ready, go = spawn.Event(), spawn.Event()
    owner = spawn.Process(target=_own, args=(store.path, ready, go))
    owner.start()
    ready.wait()
    with WorldReader(store.path) as reader:
        with reader.read_view() as view:
            ready.clear()
            go.set()
            ready.wait()
            assert dict(view.scan("a")) == _expected(30)
            assert view.tables() == ["a", "entity", "meta"]
        with reader.read_view() as view:
            assert dict(view.scan("a")) == _expected(60)
            assert view.get("new", b"k") == b"v"
    owner.join()
    assert owner.exitcode == 0

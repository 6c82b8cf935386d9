"""The store's promises, on real files."""

import random
import threading

import lmdb
import pytest

from deathless.runtime.storage.environment import MAX_TABLES
from deathless.runtime.storage.store import Store
from deathless.workflows.errors import (
    NotAWorldError,
    RuntimeClosedError,
    WorldCorruptError,
    WorldError,
    WorldFull,
    WorldInUse,
)


def key(number):
    return number.to_bytes(8, "big")


@pytest.fixture(params=["process", "power"])
def store(request, tmp_path):
    with Store.open(tmp_path / "world", durability=request.param) as store:
        yield store


def test_rows_are_there_after_a_commit(store):
    store.commit({"workflow": {key(1): b"one", key(2): b"two"}, "turn": {b"t": b"3"}})
    assert store.get("workflow", key(1)) == b"one"
    assert store.get("turn", b"t") == b"3"
    assert store.get("turn", b"absent") is None
    assert store.get("no such table", b"t") is None


def test_rows_are_there_after_reopening(tmp_path):
    with Store.open(tmp_path / "world") as store:
        assert store.created
        store.commit({"workflow": {key(1): b"one"}})
    with Store.open(tmp_path / "world", create=False) as store:
        assert not store.created
        assert store.get("workflow", key(1)) == b"one"


def test_none_deletes_and_deleting_what_is_absent_does_nothing(store):
    store.commit({"workflow": {key(1): b"one", key(2): b"two"}})
    store.commit({"workflow": {key(1): None, key(9): None}})
    assert dict(store.scan("workflow")) == {key(2): b"two"}


def test_a_commit_of_nothing_makes_no_table(store):
    store.commit({})
    store.commit({"turn": {}})
    assert store.stats().entries == {"meta": 2}


def test_empty_values_are_values(store):
    store.commit({"turn": {b"k": b""}})
    assert store.get("turn", b"k") == b""


def test_a_scan_gives_keys_in_order_from_its_start(store, monkeypatch):
    monkeypatch.setattr("deathless.runtime.storage.store.SCAN_BATCH", 16)
    numbers = list(range(0, 200, 2))
    random.Random(1).shuffle(numbers)
    store.commit({"workflow": {key(n): str(n).encode() for n in numbers}})
    assert [k for k, _ in store.scan("workflow")] == [key(n) for n in range(0, 200, 2)]
    assert [k for k, _ in store.scan("workflow", key(151))] == [key(n) for n in range(152, 200, 2)]
    assert list(store.scan("workflow", key(500))) == []
    assert list(store.scan("no such table")) == []


def test_a_scan_of_exactly_whole_batches_ends(store, monkeypatch):
    monkeypatch.setattr("deathless.runtime.storage.store.SCAN_BATCH", 16)
    store.commit({"workflow": {key(n): b"" for n in range(32)}})
    assert len(list(store.scan("workflow"))) == 32


def test_a_scan_left_standing_holds_no_reader(tmp_path, monkeypatch):
    monkeypatch.setattr("deathless.runtime.storage.store.SCAN_BATCH", 4)
    with Store.open(tmp_path / "world") as store:
        store.commit({"workflow": {key(n): b"a" for n in range(10)}})
    with Store.open(tmp_path / "world") as store:
        scan = store.scan("workflow")
        next(scan)
        store.commit({"workflow": {key(7): b"changed"}})
        assert dict(scan)[key(7)] == b"changed"


def test_the_digest_is_of_rows_not_of_how_they_came_to_be(tmp_path):
    with Store.open(tmp_path / "a") as a, Store.open(tmp_path / "b", durability="process") as b:
        a.commit({"workflow": {key(1): b"one", key(2): b"two"}, "turn": {b"t": b"3"}})
        b.commit({"gone": {b"x": b"y"}})
        b.commit({"turn": {b"t": b"0"}})
        b.commit({"workflow": {key(2): b"two"}, "gone": {b"x": None}})
        assert a.digest() != b.digest()
        b.commit({"workflow": {key(1): b"one"}, "turn": {b"t": b"3"}})
        assert a.digest() == b.digest()
        b.commit({"turn": {b"t": b"4"}})
        assert a.digest() != b.digest()
        assert a.digest(["workflow"]) == b.digest(["workflow"])
        assert a.digest(["workflow", "no such table"]) == a.digest(["workflow"])


def test_the_digest_tells_tables_keys_and_values_apart(tmp_path):
    digests = set()
    for n, changes in enumerate(
        (
            {"a": {b"bc": b"d"}},
            {"a": {b"b": b"cd"}},
            {"ab": {b"c": b"d"}},
            {"a": {b"b": b"c", b"d": b"e"}},
            {"a": {b"b": b"c"}, "d": {b"e": b"f"}},
            {"a": {b"b": b"c"}, "d": {b"e": b""}},
        )
    ):
        with Store.open(tmp_path / str(n), durability="process") as store:
            store.commit(changes)
            digests.add(store.digest())
    assert len(digests) == 6


def test_stats_count_rows_and_bytes(store):
    store.commit({"workflow": {key(n): bytes(100) for n in range(1000)}})
    stats = store.stats()
    assert stats.entries == {"meta": 2, "workflow": 1000}
    assert 100_000 < stats.used_bytes <= stats.file_bytes < stats.map_size


def test_a_world_outgrows_its_map_by_itself(tmp_path):
    with Store.open(tmp_path / "world", durability="process", map_size=1 << 20) as store:
        for batch in range(8):
            store.commit(
                {"workflow": {key(n): bytes(1000) for n in range(batch * 1000, batch * 1000 + 1000)}}
            )
        assert store.stats().map_size >= 8 << 20
        assert len(list(store.scan("workflow"))) == 8000


def test_reads_from_other_threads_survive_growth(tmp_path):
    """Reading memory that was unmapped would end the interpreter."""
    with Store.open(tmp_path / "world", durability="process", map_size=1 << 20) as store:
        store.commit({"turn": {b"k": b"v"}})
        growing = True
        seen = set()

        def read():
            while growing:
                seen.add(store.get("turn", b"k"))
                seen.update(value for _, value in store.scan("turn"))

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for batch in range(6):
            store.commit({"workflow": {key(n): bytes(4000) for n in range(batch * 500, batch * 500 + 500)}})
        growing = False
        for thread in threads:
            thread.join()
        assert seen == {b"v"}


def test_a_full_map_changes_nothing_and_the_commit_can_be_repeated(tmp_path):
    path = tmp_path / "world"
    changes = {"workflow": {key(n): bytes(1000) for n in range(3000)}, "turn": {b"t": b"2"}}
    with Store.open(path, map_size=1 << 20, map_limit=1 << 20) as store:
        store.commit({"turn": {b"t": b"1"}})
        for _ in range(2):
            with pytest.raises(WorldFull, match="map_limit"):
                store.commit(changes)
        assert store.get("turn", b"t") == b"1"
        assert list(store.scan("workflow")) == []
        store.commit({"turn": {b"t": b"smaller"}})
    with Store.open(path, map_size=1 << 20) as store:
        store.commit(changes)
        assert store.get("turn", b"t") == b"2"
        assert store.stats().entries["workflow"] == 3000


@pytest.mark.parametrize("between", [0, 5, 18, 19, 40])
def test_room_that_deleted_rows_took_is_there_for_the_next_large_commit(between, tmp_path):
    """Whether they are still in the log, or out of their places since the last commit."""
    path, size = tmp_path / "world", 6 << 20
    rows = {key(n): bytes(1000) for n in range(2000)}
    with Store.open(path, map_size=size, map_limit=size) as store:
        store.commit({"workflow": rows})
    with Store.open(path, map_size=size, map_limit=size) as store:
        store.commit({"workflow": dict.fromkeys(rows)})
        for turn in range(between):
            store.commit({"turn": {b"t": b"%d" % turn}})
        more = {key(n): bytes(1000) for n in range(2600)}
        store.commit({"workflow": more})
        assert dict(store.scan("workflow")) == more


def test_a_commit_that_fails_midway_changes_nothing(store):
    """LMDB takes keys of at most 511 bytes; the one in the middle is longer."""
    store.commit({"workflow": {key(1): b"one"}})
    with pytest.raises(WorldError):
        store.commit({"workflow": {key(1): b"other", key(2): b"two"}, "turn": {b"a" * 600: b""}})
    assert dict(store.scan("workflow")) == {key(1): b"one"}
    store.commit({"workflow": {key(1): b"other"}})
    assert store.get("workflow", key(1)) == b"other"


def test_more_tables_than_the_limit_are_refused(store):
    with pytest.raises(WorldError):
        store.commit({f"table{n}": {b"k": b"v"} for n in range(MAX_TABLES)})
    assert store.get("table0", b"k") is None


def test_many_tables_with_long_names_are_found_again(tmp_path):
    names = [f"{n:03}" + "x" * 400 for n in range(30)]
    with Store.open(tmp_path / "world", durability="process") as store:
        store.commit({name: {b"k": name.encode()} for name in names})
    with Store.open(tmp_path / "world") as store:
        assert [store.get(name, b"k") for name in names] == [name.encode() for name in names]


def test_commits_from_many_threads_all_arrive(store):
    def work(thread):
        for n in range(20):
            store.commit({"workflow": {key(thread * 100 + n): b"v"}})

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.stats().entries["workflow"] == 80


def test_a_second_open_in_one_process_is_refused_under_any_spelling(tmp_path, monkeypatch):
    path = tmp_path / "world"
    (tmp_path / "link").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    with Store.open(path) as store:
        for spelling in (path, "world", tmp_path / "x" / ".." / "world", tmp_path / "link"):
            (tmp_path / "x").mkdir(exist_ok=True)
            with pytest.raises(WorldInUse, match="this process"):
                Store.open(spelling)
        store.commit({"turn": {b"k": b"v"}})
    Store.open(tmp_path / "link").close()


def test_a_world_that_failed_to_open_is_not_left_locked(tmp_path):
    path = tmp_path / "world"
    Store.open(path).close()
    whole = (path / "data.mdb").read_bytes()
    (path / "data.mdb").write_bytes(whole[:100])
    with pytest.raises(WorldCorruptError):
        Store.open(path)
    (path / "data.mdb").write_bytes(whole)
    Store.open(path).close()


def test_calls_after_close_are_refused(tmp_path):
    store = Store.open(tmp_path / "world")
    store.commit({"turn": {b"k": b"v"}})
    scan = store.scan("turn")
    store.close()
    store.close()
    for call in (
        lambda: store.get("turn", b"k"),
        lambda: store.commit({"turn": {b"k": b"w"}}),
        lambda: next(scan),
        store.digest,
        store.stats,
        store.check_readers,
        lambda: store.backup(tmp_path / "backup"),
    ):
        with pytest.raises(RuntimeClosedError, match="closed"):
            call()


def test_a_backup_is_a_world_with_the_same_rows(store, tmp_path):
    store.commit({"workflow": {key(n): bytes(n) for n in range(500)}})
    store.commit({"workflow": {key(n): None for n in range(0, 500, 2)}})
    store.backup(tmp_path / "backups" / "monday")
    assert [entry.name for entry in (tmp_path / "backups" / "monday").iterdir()] == ["data.mdb"]
    digest = store.digest()
    store.commit({"workflow": {key(1): b"later"}})
    with Store.open(tmp_path / "backups" / "monday", create=False) as copy:
        assert copy.digest() == digest


def test_a_backup_does_not_overwrite(store, tmp_path):
    (tmp_path / "file.txt").touch()
    for target in (tmp_path, tmp_path / "file.txt", store.path):
        with pytest.raises(WorldError):
            store.backup(target)


def test_an_unknown_durability_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(ValueError, match="'always'"):
        Store.open(tmp_path / "world", durability="always")
    assert not (tmp_path / "world").exists()


def test_an_absent_world_is_not_made_without_create(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "world", tmp_path / "empty"):
        with pytest.raises(NotAWorldError, match="create"):
            Store.open(path, create=False)
    assert not (tmp_path / "world").exists()


def test_another_program_can_read_the_world(tmp_path):
    """A stranger with LMDB and msgpack finds plain tables."""
    with Store.open(tmp_path / "world") as store:
        store.commit({"workflow": {key(1): b"one"}})
    with lmdb.open(str(tmp_path / "world"), readonly=True, max_dbs=8) as env, env.begin() as transaction:
        assert transaction.get(key(1), db=env.open_db(b"workflow", txn=transaction)) == b"one"
        assert transaction.get(b"magic", db=env.open_db(b"meta", txn=transaction)) == b"\xa9deathless"
        assert transaction.get(b"format", db=env.open_db(b"meta", txn=transaction)) == b"\x04"

"""Worlds read from outside: while their owner writes, while they grow, and not at all where that cannot be."""

import subprocess
import sys

import lmdb
import pytest

from deathless import (
    NotAWorldError,
    RuntimeClosedError,
    WorldCorruptError,
    WorldError,
    WorldInUse,
    WorldVersionError,
)
from deathless.runtime import Store
from deathless.runtime.storage import world_reader
from deathless.runtime.storage.commit_log import LARGEST_ENTRY
from deathless.runtime.storage.store import SCAN_BATCH
from deathless.runtime.storage.world_reader import WorldReader

# The owner commits what each line of its input says: a table, how many rows, and the bytes of each.
OWNER = """
import sys
from deathless.runtime import Store
with Store.open(sys.argv[1], map_size=1 << 16, durability="process") as store:
    print("open", flush=True)
    for line in sys.stdin:
        table, rows, size = line.split()
        store.commit({table: {number.to_bytes(8, "big"): bytes(int(size)) for number in range(int(rows))}})
        print("done", flush=True)
"""


class Owner:
    """Another process that owns a world."""

    def __init__(self, path):
        run = [sys.executable, "-c", OWNER, str(path)]
        self.process = subprocess.Popen(run, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "open\n"

    def write(self, table, rows, size):
        print(table, rows, size, file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "done\n"

    def close(self):
        self.process.communicate()
        assert self.process.returncode == 0


@pytest.fixture
def path(tmp_path):
    with Store.open(tmp_path / "world") as store:
        store.commit({"t": {b"a": b"1", b"b": b"2"}})
    return tmp_path / "world"


@pytest.fixture
def owner(path):
    made = Owner(path)
    yield made
    made.close()


def test_it_reads_what_the_owner_has_committed_since(path, owner):
    with WorldReader(path) as reader:
        assert (reader.get("t", b"a"), reader.get("t", b"c"), reader.get("new", b"a")) == (b"1", None, None)
        assert list(reader.scan("t", b"b")) == [(b"b", b"2")]
        assert list(reader.scan("new")) == []
        owner.write("new", 3, 10)
        assert len(list(reader.scan("new"))) == 3
        assert reader.get("new", bytes(8)) == bytes(10)


def test_it_follows_a_world_that_outgrows_its_map(path, owner, monkeypatch):
    monkeypatch.setattr(world_reader, "DEFAULT_MAP_SIZE", 1 << 16)
    with WorldReader(path) as reader:
        assert reader.get("t", b"a") == b"1"
        for rows in (2_000, 8_000):
            owner.write("t", rows, 500)
            assert reader.get("t", b"a") == b"1"
            assert sum(len(value) for _, value in reader.scan("t")) == rows * 500 + 2


def test_a_scan_that_is_left_standing_holds_no_reader_open(path, owner):
    # So much that it is put into its place at once.
    owner.write("many", SCAN_BATCH + 5, LARGEST_ENTRY // SCAN_BATCH)
    with WorldReader(path) as reader:
        scan = reader.scan("many")
        next(scan)
        owner.write("many", SCAN_BATCH + 9, 20)
        rest = list(scan)
        assert len(rest) == SCAN_BATCH + 8
        assert {len(value) for _, value in rest[SCAN_BATCH:]} == {20}


def test_neither_the_world_nor_its_owner_notices(path):
    (path / "owner.lock").write_text("somebody")
    before = (path / "data.mdb").read_bytes()
    with WorldReader(path), WorldReader(copied(path)):
        pass
    assert (path / "data.mdb").read_bytes() == before
    assert (path / "owner.lock").read_text() == "somebody"
    with Store.open(path) as store:
        assert store.get("t", b"a") == b"1"


def copied(path):
    target = path.parent / "copy"
    target.mkdir()
    (target / "data.mdb").write_bytes((path / "data.mdb").read_bytes())
    return target


def test_a_world_that_is_open_in_this_process_is_refused(path):
    with Store.open(path) as store:
        with pytest.raises(WorldInUse, match="already open in this process"):
            WorldReader(path)
        assert store.get("t", b"a") == b"1"


def test_what_is_no_world_is_refused_and_nothing_is_made_there(tmp_path):
    (tmp_path / "file").write_text("hello")
    (tmp_path / "folder").mkdir()
    (tmp_path / "other").mkdir()
    with lmdb.open(str(tmp_path / "other"), lib_version=0) as env, env.begin(write=True) as transaction:
        transaction.put(b"a", b"b")
    (tmp_path / "text").mkdir()
    (tmp_path / "text/data.mdb").write_text("hello" * 5_000)
    before = sorted(tmp_path.rglob("*"))
    for name in ("file", "folder", "other", "text", "absent"):
        with pytest.raises(NotAWorldError):
            WorldReader(tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_newer_format_is_refused(path):
    with Store.open(path) as store:
        store.commit({"meta": {b"format": b"\x7f"}})
    with pytest.raises(WorldVersionError, match="use a newer Deathless"):
        WorldReader(path)


def test_a_truncated_file_is_refused_wherever_it_ends(path):
    with Store.open(path) as store:
        store.commit({"t": {number.to_bytes(8, "big"): bytes(900) for number in range(300)}})
    data = path / "data.mdb"
    whole = data.read_bytes()
    for size in (0, 1, 4_096, 8_191, 8_192, 12_288, len(whole) // 2, len(whole) - 4_096):
        data.write_bytes(whole[:size])
        with pytest.raises((WorldCorruptError, NotAWorldError)):
            WorldReader(path)
    data.write_bytes(whole)
    with WorldReader(path) as reader:
        assert len(list(reader.scan("t"))) == 302


def test_pages_that_were_never_written_are_refused(path):
    with Store.open(path) as store:
        store.commit({"t": {number.to_bytes(8, "big"): bytes(900) for number in range(300)}})
    data = path / "data.mdb"
    whole = data.read_bytes()
    for page in range(2):
        zeroed = bytearray(whole)
        zeroed[page * 4_096 : (page + 1) * 4_096] = bytes(4_096)
        data.write_bytes(zeroed)
        with pytest.raises((WorldCorruptError, NotAWorldError)):
            WorldReader(path)
    data.write_bytes(whole[: 2 * 4_096] + bytes(len(whole) - 2 * 4_096))
    with pytest.raises(WorldCorruptError, match="damaged"):
        WorldReader(path)


def test_a_closed_reader_says_so(path):
    reader = WorldReader(path)
    reader.close()
    reader.close()
    with pytest.raises(RuntimeClosedError, match="the world is closed"):
        reader.get("t", b"a")


def test_a_file_that_cannot_be_read_is_a_world_error(path):
    (path / "data.mdb").rename(path / "kept")
    (path / "data.mdb").mkdir()
    with pytest.raises(WorldError):
        WorldReader(path)


def test_a_reader_follows_a_world_that_was_restored_from_a_backup(path, tmp_path):
    with Store.open(path, durability="process") as store:
        for number in range(30):
            store.commit({"t": {b"a": b"%d" % number}})
        store.backup(tmp_path / "copy")
    with WorldReader(tmp_path / "copy") as reader:
        assert reader.get("t", b"a") == b"29"
        for size in (3, 4, 5):
            owner = Owner(tmp_path / "copy")
            owner.write("many", 1, size)
            assert reader.get("many", bytes(8)) == bytes(size)
            owner.close()

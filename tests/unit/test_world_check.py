"""No file, however bad, ends the interpreter; each gets the error that fits.

Bad files are opened in a second process, so that a SIGBUS would fail a test and not end the run.
"""

import json
import os
import random
import struct
import subprocess
import sys

import lmdb
import msgpack
import pytest

from deathless.runtime.storage.store import Store
from deathless.runtime.storage.world_check import check_world_file
from deathless.workflows.errors import NotAWorldError, WorldCorruptError, WorldError, WorldVersionError

PAGE = 4096

OPEN_ALL = """
import json, sys
from pathlib import Path
from deathless.runtime.storage.store import Store
from deathless.workflows.errors import WorldError
outcomes = {}
for world in sorted(Path(sys.argv[1]).iterdir()):
    try:
        with Store.open(world, durability="process", map_size=1 << 30) as store:
            for table in store.stats().entries:
                for _ in store.scan(table):
                    pass
            store.commit({"workflow": {n.to_bytes(8, "big"): bytes(150) for n in range(0, 300, 7)}})
        outcomes[world.name] = "sound"
    except WorldError as error:
        outcomes[world.name] = type(error).__name__
print(json.dumps(outcomes))
"""


def open_all(directory):
    """Open every world in a directory in a second process; give what came of each."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ALL, str(directory)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The bytes of a world with inner pages, large values and a free list."""
    path = tmp_path_factory.mktemp("sound") / "world"
    chooser = random.Random(5)
    with Store.open(path, durability="process") as store:
        for turn in range(30):
            rows = {
                chooser.randrange(2000).to_bytes(8, "big"): bytes(chooser.randrange(300)) for _ in range(150)
            }
            gone = {chooser.randrange(2000).to_bytes(8, "big"): None for _ in range(20)}
            store.commit({"workflow": rows | gone, "turn": {b"%d" % turn: bytes(chooser.choice([20, 9000]))}})
    return (path / "data.mdb").read_bytes()


def lay(directory, name, data):
    (directory / name).mkdir()
    (directory / name / "data.mdb").write_bytes(data)


def test_the_sound_world_is_sound(sound, tmp_path):
    lay(tmp_path, "world", sound)
    assert open_all(tmp_path) == {"world": "sound"}
    assert check_world_file(tmp_path / "world" / "data.mdb") == {"meta", "workflow", "turn", "log"}


def test_a_truncated_world_is_corrupt_at_every_length(sound, tmp_path):
    lengths = {
        0,
        1,
        100,
        PAGE - 1,
        PAGE,
        PAGE + 100,
        2 * PAGE - 1,
        2 * PAGE,
        len(sound) - 1,
        len(sound) - PAGE,
    }
    lengths |= set(range(3 * PAGE, len(sound), 17 * PAGE)) | {
        random.Random(1).randrange(len(sound)) for _ in range(20)
    }
    for length in lengths:
        lay(tmp_path, str(length), sound[:length])
    assert open_all(tmp_path) == {str(length): "WorldCorruptError" for length in lengths}


def test_zeroed_pages_are_corrupt_or_unused(sound, tmp_path):
    """What a power cut leaves where a page was never written."""
    for number in range(0, len(sound) // PAGE, 3):
        lay(tmp_path, str(number), sound[: number * PAGE] + bytes(PAGE) + sound[(number + 1) * PAGE :])
    outcomes = open_all(tmp_path)
    assert outcomes.pop("0") == "NotAWorldError"
    assert set(outcomes.values()) == {"WorldCorruptError", "sound"}


@pytest.mark.parametrize("seed", range(3))
def test_random_damage_to_meta_pages_is_survived(seed, sound, tmp_path):
    chooser = random.Random(seed)
    for n in range(100):
        damaged = bytearray(sound)
        for _ in range(chooser.randrange(1, 4)):
            damaged[chooser.randrange(2) * PAGE + chooser.randrange(152)] = chooser.randrange(256)
        lay(tmp_path, f"{n:03}", damaged)
    assert len(open_all(tmp_path)) == 100


@pytest.mark.parametrize("page", [0, 1])
def test_one_bad_meta_page_is_corrupt(page, sound, tmp_path):
    """Which of the two was the later one can no longer be told, so neither is guessed at."""
    at = page * PAGE
    for name, offset, value in (
        ("number", 0, struct.pack("<Q", 7)),
        ("flags", 10, b"\0\0"),
        ("page size", 40, struct.pack("<I", 1000)),
        ("last page", 136, struct.pack("<Q", 0)),
    ):
        lay(tmp_path, name, sound[: at + offset] + value + sound[at + offset + len(value) :])
    assert set(open_all(tmp_path).values()) == {"WorldCorruptError"}


def test_both_metas_beyond_the_file_are_corrupt(sound, tmp_path):
    huge = struct.pack("<Q", 1 << 60)
    damaged = bytearray(sound)
    for page in (0, 1):
        damaged[page * PAGE + 136 : page * PAGE + 144] = huge
    lay(tmp_path, "last page", damaged)
    damaged = bytearray(sound)
    for page in (0, 1):
        damaged[page * PAGE + 128 : page * PAGE + 136] = huge
    lay(tmp_path, "root", damaged)
    assert set(open_all(tmp_path).values()) == {"WorldCorruptError"}


def test_other_files_are_not_worlds(tmp_path):
    chooser = random.Random(1)
    lay(tmp_path, "text", b"hello, this is not LMDB\n" * 1000)
    lay(tmp_path, "random", chooser.randbytes(40_000))
    lay(tmp_path, "zeros", bytes(40_000))
    (tmp_path / "file").write_bytes(b"a file")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "photo.jpg").touch()
    assert set(open_all(tmp_path).values()) == {"NotAWorldError"}
    assert os.listdir(tmp_path / "full") == ["photo.jpg"]


def test_foreign_lmdb_files_are_not_worlds(tmp_path):
    for name, tables in (("empty", ()), ("foreign", (b"users",)), ("with meta", (b"meta",))):
        with lmdb.open(str(tmp_path / name), max_dbs=4) as env:
            for table in tables:
                with env.begin(write=True, db=env.open_db(table)) as transaction:
                    transaction.put(b"k", b"v")
    with lmdb.open(str(tmp_path / "flat")) as env, env.begin(write=True) as transaction:
        for n in range(1000):
            transaction.put(b"%d" % n, bytes(100))
    assert set(open_all(tmp_path).values()) == {"NotAWorldError"}


@pytest.mark.parametrize("magic", [b"", b"\xc1", msgpack.packb("other"), msgpack.packb(3)])
def test_a_meta_table_of_another_program_is_not_ours(magic, tmp_path):
    Store.open(tmp_path / "world").close()
    change_meta(tmp_path / "world", b"magic", magic)
    with pytest.raises(NotAWorldError):
        Store.open(tmp_path / "world")


@pytest.mark.parametrize(
    ("version", "remedy"), [(5, "a newer"), (1, "an older"), (99, "a newer"), (0, "an older")]
)
def test_another_format_is_refused_by_number(version, remedy, tmp_path):
    Store.open(tmp_path / "world").close()
    change_meta(tmp_path / "world", b"format", msgpack.packb(version))
    with pytest.raises(WorldVersionError, match=f"format is {version}, .* reads format 4; use {remedy} "):
        Store.open(tmp_path / "world")


def change_meta(path, key, value):
    with (
        lmdb.open(str(path), max_dbs=4) as env,
        env.begin(write=True, db=env.open_db(b"meta")) as transaction,
    ):
        transaction.put(key, value)


def test_a_file_that_ends_with_free_pages_is_sound(tmp_path):
    """LMDB counts pages that it never wrote, where one transaction took and freed them: short is not truncated."""
    found = 0
    for seed in range(12):
        path = tmp_path / str(seed)
        Store.open(path).close()
        chooser = random.Random(seed)
        with lmdb.open(str(path), map_size=1 << 30, max_dbs=4, sync=False) as env:
            tables = [env.open_db(b"workflow"), env.open_db(b"turn")]
            for _ in range(60):
                with env.begin(write=True) as transaction:
                    for _ in range(chooser.choice([1, 5, 50])):
                        row, table = chooser.randrange(50).to_bytes(8, "big"), chooser.choice(tables)
                        if chooser.random() < 0.6:
                            transaction.put(row, bytes(chooser.randrange(20_000)), db=table)
                        if chooser.random() < 0.6:
                            transaction.delete(row, db=table)
                short = (env.info()["last_pgno"] + 1) * PAGE > (path / "data.mdb").stat().st_size
                if short:
                    found += 1
                    assert check_world_file(path / "data.mdb") == {"meta", "log", "workflow", "turn"}
    assert found


def test_a_world_whose_data_is_gone_is_not_made_anew(tmp_path):
    path = tmp_path / "world"
    Store.open(path).close()
    (path / "data.mdb").unlink()
    with pytest.raises(WorldCorruptError, match="data.mdb is gone"):
        Store.open(path)


def test_a_making_cut_short_at_any_stage_is_made_again(tmp_path):
    """Each stage is what a kill leaves behind, in the order in which the files come to be."""
    whole = tmp_path / "whole"
    Store.open(whole).close()
    data = (whole / "data.mdb").read_bytes()
    stages = [
        {},
        {"owner.lock": b""},
        {"owner.lock": b"1 host\n", ".new/": b""},
        {"owner.lock": b"1 host\n", ".new/lock.mdb": b""},
        {"owner.lock": b"1 host\n", ".new/lock.mdb": b"half", ".new/data.mdb": b""},
        {"owner.lock": b"1 host\n", ".new/data.mdb": data[: 2 * PAGE]},
        {"owner.lock": b"1 host\n", ".new/data.mdb": data[:-1]},
        {"owner.lock": b"1 host\n", ".new/data.mdb": data},
        {"owner.lock": b"1 host\n", ".new/lock.mdb": b"", "data.mdb": data},
    ]
    for n, files in enumerate(stages):
        world = tmp_path / str(n)
        world.mkdir()
        for name, content in files.items():
            (world / name).parent.mkdir(exist_ok=True)
            if not name.endswith("/"):
                (world / name).write_bytes(content)
            else:
                (world / name).mkdir()
        with Store.open(world) as store:
            assert store.created == ("data.mdb" not in files)
            store.commit({"turn": {b"k": b"v"}})
        with Store.open(world, create=False) as store:
            assert store.get("turn", b"k") == b"v"


def test_places_where_no_world_can_be_made_are_clear_errors(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotAWorldError, match="a file, where a world is a directory"):
        Store.open(tmp_path / "file")
    for path in (tmp_path / "file" / "world", tmp_path / "absent" / "world", tmp_path / ("n" * 300)):
        with pytest.raises(WorldError, match="cannot be made or read"):
            Store.open(path)


def test_refused_permissions_are_clear_errors(tmp_path, monkeypatch):
    """Refused by hand, since the run may be root's, to whom nothing is refused."""

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch, pytest.raises(WorldError, match="Permission denied"):
        patch.setattr("pathlib.Path.mkdir", refuse)
        Store.open(tmp_path / "world")
    Store.open(tmp_path / "world").close()
    with monkeypatch.context() as patch, pytest.raises(WorldError, match="Permission denied"):
        patch.setattr("pathlib.Path.open", refuse)
        Store.open(tmp_path / "world")
    with monkeypatch.context() as patch, pytest.raises(WorldError, match="Permission denied"):
        patch.setattr("os.open", refuse)
        Store.open(tmp_path / "world")
    Store.open(tmp_path / "world").close()

"""Backups and restores: whole or not there, and the same world."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from garden import open_garden

from deathless import Runtime, WorldCorruptError, WorldError, WorldInUse
from deathless.runtime.storage.store import Store
from deathless.runtime.storage.world_files import build_new
from deathless.runtime.storage.world_reader import WorldReader
from deathless.runtime.world_state import load_state
from deathless.tools.doctor import examine_world
from deathless.tools.transfer import backup_world, export_world, restore_world


def test_a_backup_is_the_same_world(garden, tmp_path, digest):
    report = backup_world(garden, tmp_path / "copies" / "monday")
    with WorldReader(garden) as world:
        assert report.turn == load_state(world).turn
    assert report.bytes == (report.path / "data.mdb").stat().st_size
    assert sorted(os.listdir(report.path)) == ["data.mdb"]
    assert digest(report.path) == digest(garden)
    assert examine_world(report.path) == []


def test_a_running_world_is_backed_up(running, tmp_path, run):
    code, out, err = run("backup", running, tmp_path / "copy", "--json")
    report = json.loads(out)
    assert (code, err, report["turn"]) == (0, "", 5)
    assert examine_world(tmp_path / "copy") == []
    with open_garden(tmp_path / "copy") as world:
        assert world.turn == 5
        assert world.advance(1.0).steps > 0


def test_the_log_of_commits_is_in_a_backup(running, tmp_path):
    with WorldReader(running) as world, world.read_view() as view:
        assert view.count("log") > 1
        rows = {table: dict(view.scan(table)) for table in view.tables()}
    backup_world(running, tmp_path / "copy")
    with WorldReader(tmp_path / "copy") as world, world.read_view() as view:
        assert view.count("log") > 1
        assert {table: dict(view.scan(table)) for table in view.tables()} == rows


def test_a_world_of_this_process_says_what_to_call(garden, tmp_path):
    with open_garden(garden), pytest.raises(WorldInUse, match="open in this process"):
        backup_world(garden, tmp_path / "copy")


def test_a_backup_over_something_is_refused(garden, tmp_path, run):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "letters").write_text("dear")
    assert run("backup", garden, tmp_path / "copy") == (
        2,
        "",
        f"Error: {tmp_path / 'copy'}: not empty; give a new directory\n",
    )
    assert os.listdir(tmp_path / "copy") == ["letters"]


def test_a_backup_that_fails_leaves_nothing(garden, tmp_path, monkeypatch):
    def fail(*_):
        raise WorldError("copy", "no room")

    monkeypatch.setattr(WorldReader, "copy", fail)
    with pytest.raises(WorldError, match="no room"):
        backup_world(garden, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_long_copy_says_how_far_it_is(garden, tmp_path, monkeypatch):
    from deathless.tools.transfer import backup

    copy, told = WorldReader.copy, []

    def tell(done, of):
        told.append((done, of))

    def slow(world, place):
        while not told:
            pass
        copy(world, place)

    monkeypatch.setattr(backup, "LOOK_S", 0.001)
    monkeypatch.setattr(WorldReader, "copy", slow)
    backup_world(garden, tmp_path / "copy", tell=tell)
    assert told[0] == (0, (garden / "data.mdb").stat().st_size)


def test_a_backup_is_restored_to_a_new_place(garden, tmp_path, digest):
    backup = backup_world(garden, tmp_path / "copy")
    report = restore_world(tmp_path / "copy", tmp_path / "again")
    assert (report.turn, report.kept) == (backup.turn, None)
    assert digest(tmp_path / "again") == digest(garden) == digest(tmp_path / "copy")


def test_a_world_that_is_there_is_replaced_only_if_asked_and_kept(garden, tmp_path, run, digest):
    backup_world(garden, tmp_path / "copy")
    with open_garden(garden) as world:
        world.advance(50.0)
    after = digest(garden)
    code, _, err = run("restore", tmp_path / "copy", garden)
    assert code == 2
    assert err.startswith(f"Error: {garden}: there is something already; give --replace")
    assert digest(garden) == after
    code, out, _ = run("restore", tmp_path / "copy", garden, "--replace")
    kept = tmp_path / "garden.deathless.before-restore-1"
    assert code == 0
    assert out.splitlines()[1] == f"the world that was there is kept: {kept}"
    assert digest(kept) == after
    assert digest(garden) == digest(tmp_path / "copy")
    code, out, _ = run("restore", kept, garden, "--replace", "--json")
    assert json.loads(out)["kept"].endswith(".before-restore-2")
    assert digest(garden) == after


def test_a_running_world_is_not_replaced(running, sown, tmp_path):
    with pytest.raises(WorldInUse):
        restore_world(sown, running, replace=True)
    assert not running.with_name(running.name + ".restoring").exists()


def test_a_damaged_world_is_replaced(garden, tmp_path, digest):
    backup_world(garden, tmp_path / "copy")
    (garden / "data.mdb").write_bytes(b"nothing of a world")
    restore_world(tmp_path / "copy", garden, replace=True)
    assert digest(garden) == digest(tmp_path / "copy")


def test_what_an_interrupted_restore_left_is_no_obstacle(garden, tmp_path, digest):
    backup_world(garden, tmp_path / "copy")
    shutil.copytree(garden, garden.with_name(garden.name + ".restoring"))
    restore_world(tmp_path / "copy", garden, replace=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "copy",
        "garden.deathless",
        "garden.deathless.before-restore-1",
    ]


def test_something_else_is_never_replaced(garden, tmp_path):
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "one").write_text("dear")
    with pytest.raises(WorldError, match="a directory of something else, which is not replaced"):
        restore_world(garden, letters, replace=True)
    with pytest.raises(WorldError, match="the backup itself"):
        restore_world(garden, garden, replace=True)


def test_a_damaged_backup_is_refused_before_anything_happens(garden, tmp_path):
    backup_world(garden, tmp_path / "copy")
    with Store.open(tmp_path / "copy", create=False) as store:
        store.commit({"workflow": {(8).to_bytes(8, "big"): b"garbage"}})
    with pytest.raises(WorldCorruptError, match="no backup to go back to: workflow 8"):
        restore_world(tmp_path / "copy", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_runtime_of_this_process_makes_the_same_backup(garden, tmp_path, digest):
    with open_garden(garden) as world:
        assert isinstance(world, Runtime)
        world.backup(tmp_path / "copy")
        (tmp_path / "half").mkdir()
        (tmp_path / "half" / "file").write_text("")
        with pytest.raises(WorldError, match="not empty"):
            world.backup(tmp_path / "half")
    assert examine_world(tmp_path / "copy") == []


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_name_that_no_directory_can_have_is_refused_in_one_line(garden, tmp_path, run, command):
    code, _, err = run(command, garden, tmp_path / ("n" * 300))
    assert (code, len(err.splitlines())) == (2, 1)


KILLED = """
import os, sys
from deathless.runtime.storage.store import Store
from deathless.runtime.storage.world_reader import WorldReader
from deathless.tools.cli import main

def half(*_):
    os.write(os.open(os.path.join(sys.argv[3], ".new", "data.mdb"), os.O_WRONLY | os.O_CREAT), b"half a world")
    os._exit(9)

WorldReader.copy = Store.commit = half
main(sys.argv[1:4])
"""


@pytest.fixture
def copies(garden, tmp_path):
    """What a world can be made of, by the name of the command that does."""
    export_world(garden, tmp_path / "world.jsonl")
    return {"backup": garden, "restore": garden, "import": tmp_path / "world.jsonl"}


@pytest.mark.parametrize("again", ["backup", "restore", "restore --replace", "import"])
@pytest.mark.parametrize("killed", ["backup", "restore", "import"])
def test_what_a_killed_process_left_is_no_obstacle(killed, again, copies, garden, tmp_path, run, digest):
    target = tmp_path / "copy"
    ended = subprocess.run([sys.executable, "-c", KILLED, killed, copies[killed], target], check=False)
    assert ended.returncode == 9
    assert sorted(os.listdir(target)) == [".new", "owner.lock"]
    command, *options = again.split()
    code, _, err = run(command, copies[command], target, *options)
    assert (code, err) == (0, "")
    assert os.listdir(target) == ["data.mdb"]
    assert digest(target) == digest(garden)


def test_two_do_not_make_a_world_in_one_place(garden, tmp_path, monkeypatch, digest):
    copy, refused = WorldReader.copy, []

    def and_another(world, place):
        copy(world, place)
        with pytest.raises(WorldInUse) as caught:
            build_new(tmp_path / "copy", lambda _: None)
        refused.append(caught.value.path)

    monkeypatch.setattr(WorldReader, "copy", and_another)
    backup_world(garden, tmp_path / "copy")
    assert refused == [str(tmp_path / "copy")]
    assert digest(tmp_path / "copy") == digest(garden)


FULL = """
import resource, signal, sys
from deathless.tools.cli import main

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5 * 4096, resource.RLIM_INFINITY))
sys.exit(main(sys.argv[1:4]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("command", ["backup", "import"])
def test_a_full_disk_is_told_of_the_target(command, copies, tmp_path):
    arguments = [sys.executable, "-c", FULL, command, copies[command], tmp_path / "copy"]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"Error: {tmp_path / 'copy'}: no room on the disk"), ended.stderr
    assert not (tmp_path / "copy").exists()

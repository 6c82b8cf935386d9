"""Exports and imports: readable, and the same world again, or a line that says where it went wrong."""

import gzip
import hashlib
import io
import json
import os
import sys

import pytest
from garden import TYPES, open_garden

from deathless.runtime.registration import registry_of
from deathless.runtime.storage.store import Store
from deathless.tools.cli import main
from deathless.tools.doctor import examine_world
from deathless.tools.output import BadInput
from deathless.tools.transfer import export_world, import_world, world_file


@pytest.fixture
def lines(garden, tmp_path):
    """The lines of an export."""
    export_world(garden, tmp_path / "world.jsonl")
    return (tmp_path / "world.jsonl").read_bytes().splitlines()


@pytest.fixture
def refused(tmp_path):
    """Return why these lines are no world; nothing is left of the attempt."""

    def why(lines):
        (tmp_path / "bad.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        with pytest.raises(BadInput) as caught:
            import_world(tmp_path / "bad.jsonl", tmp_path / "bad")
        assert not (tmp_path / "bad").exists()
        return caught.value.message.removeprefix(str(tmp_path / "bad.jsonl"))

    return why


def sealed(lines):
    """Return lines with an end that says they are right."""
    digest = hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()
    rows = sum(b'"table": ' in line for line in lines[1:])
    return [*lines, json.dumps({"rows": rows, "sha256": digest}).encode()]


@pytest.mark.parametrize("name", ["world.jsonl", "world.jsonl.gz"])
def test_an_import_is_the_same_world(name, garden, tmp_path, digest):
    written = export_world(garden, tmp_path / name)
    read = import_world(tmp_path / name, tmp_path / "again")
    assert (read.turn, read.rows, read.sha256) == (written.turn, written.rows, written.sha256)
    assert digest(tmp_path / "again") == digest(garden)
    assert examine_world(tmp_path / "again", registry_of(TYPES).workflows) == []
    export_world(tmp_path / "again", tmp_path / f"twice.{name}")
    assert (tmp_path / f"twice.{name}").read_bytes() == (tmp_path / name).read_bytes()


def test_both_worlds_go_on_alike(garden, tmp_path):
    export_world(garden, tmp_path / "world.jsonl")
    import_world(tmp_path / "world.jsonl", tmp_path / "again")
    digests = []
    for path in (garden, tmp_path / "again"):
        with open_garden(path) as world:
            for _ in range(5):
                world.advance(9.0)
            digests.append(world.digest())
    assert digests[0] == digests[1]


def test_a_running_world_is_exported(running, tmp_path, run):
    code, out, err = run("export", running, tmp_path / "world.jsonl", "--json")
    assert (code, err, json.loads(out)["turn"]) == (0, "", 5)
    import_world(tmp_path / "world.jsonl", tmp_path / "again")
    assert run("replay", "diff", running, tmp_path / "again")[:2] == (0, "no difference\n")


def test_standard_output_and_input(garden, tmp_path, capfdbinary, monkeypatch, digest):
    assert main(["export", str(garden), "-"]) == 0
    lines = capfdbinary.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert main(["import", "-", str(tmp_path / "again")]) == 0
    assert digest(tmp_path / "again") == digest(garden)


@pytest.mark.parametrize("name", ["world.jsonl", "world.jsonl.gz"])
def test_an_export_is_on_disk_before_it_has_its_name_and_so_is_its_name(name, garden, tmp_path, monkeypatch):
    target, done = tmp_path / name, []

    def sync_file(path):
        done.append((path.parent, path.stat().st_size, target.exists()))

    def sync_directory(path):
        done.append((path, target.stat().st_size, target.exists()))

    monkeypatch.setattr(world_file, "sync_file", sync_file)
    monkeypatch.setattr(world_file, "sync_directory", sync_directory)
    export_world(garden, target)
    assert done == [(tmp_path, target.stat().st_size, there) for there in (False, True)]


def test_an_export_leaves_the_unfinished_file_of_another_process_alone(garden, tmp_path):
    others = [tmp_path / "world.jsonl.part", tmp_path / "world.jsonl.1.part"]
    for other in others:
        other.write_bytes(b"half")
    export_world(garden, tmp_path / "world.jsonl")
    assert [other.read_bytes() for other in others] == [b"half", b"half"]
    assert sorted(tmp_path.glob("world.jsonl*")) == sorted([*others, tmp_path / "world.jsonl"])


def test_lines_are_readable(lines):
    parsed = [json.loads(line) for line in lines]
    head, rows, end = parsed[0], parsed[1:-1], parsed[-1]
    assert (head["deathless"], head["format"], head["world_format"]) == ("world", 1, 4)
    assert head["tables"]["workflow"] == 11
    assert end["rows"] == len(rows) == sum(head["tables"].values())
    found = {(row["table"], json.dumps(row["key"])): row.get("row") for row in rows}
    sleeper = found["workflow", "8"]
    assert (sleeper["type"], sleeper["entity"], sleeper["due"], sleeper["outcome"]) == (
        "sleeper",
        9,
        30_000_000,
        None,
    )
    assert sleeper["unread"][0] == [1, 200_000, "Water", {"msgpack": [2, 0]}, "amount,bed"]
    # A dict with a whole number for a key, and no value that JSON has.
    assert {"map": [[3, {"float": "inf"}]]} in found["workflow", "2"]["stack"][0][2]
    assert found["table:stock", '[1, "earth"]'] == 2.5
    assert found["activity", "12"]["name"] == "weigh"
    assert found["input", '"watered"']["kind"] == "signal"
    assert found["ended", "[2, 3]"] == {"number": 1_200_000}
    assert found["entity", "[9, 0, 8]"] is None


def test_a_line_that_was_changed_is_named(lines, refused):
    at = next(n for n, line in enumerate(lines) if b'"rose 1"' in line)
    changed = [*lines]
    changed[at] = lines[at].replace(b'"rose 1"', b'"rose 7"')
    assert refused(changed) == (
        f" was changed between lines 1 and {len(lines)} since it was written; export the world again"
    )
    changed[at] = lines[at][:-2]
    assert refused(changed).startswith(f", line {at + 1}: no line of a world file")
    changed[at] = b'{"table": "workflow", "key": "seven", "row": {}}'
    assert refused(changed).startswith(f", line {at + 1}: no row of table 'workflow'")
    changed[at] = b'["table"]'
    assert refused(changed).startswith(f", line {at + 1}: no line of a world file")
    at = next(n for n, line in enumerate(lines) if b'["bed 0", 1, 3]' in line)
    changed = [*lines]
    changed[at - 1 : at + 1] = lines[at], lines[at - 1]
    assert refused(changed).startswith(f", line {at + 1}: a row of table 'group' that is out of order")


def test_a_change_is_known_at_the_next_hash(garden, tmp_path, refused, monkeypatch):
    monkeypatch.setattr(world_file, "CHECK_ROWS", 10)
    export_world(garden, tmp_path / "hashes.jsonl")
    lines = (tmp_path / "hashes.jsonl").read_bytes().splitlines()
    import_world(tmp_path / "hashes.jsonl", tmp_path / "again")
    at = next(n for n, line in enumerate(lines) if b'["bed 1", 1, 4]' in line)
    lines[at] = lines[at].replace(b"bed 1", b"bed 2")
    # The head is the first line, and each eleventh after it has a hash.
    blocks = (at - 1) // 11
    first, last = 11 * blocks + 2, 11 * blocks + 12
    assert refused(lines).startswith(f" was changed between lines {first} and {last} since")


def test_a_file_that_was_cut_off_is_refused_at_its_end(lines, refused, tmp_path, garden):
    assert refused(lines[:-1]).startswith(f", line {len(lines)}: the file is cut off here")
    assert refused([]).startswith(", line 1: the file is cut off here")
    whole = b"".join(line + b"\n" for line in lines)
    (tmp_path / "cut.jsonl").write_bytes(whole[:-5])
    with pytest.raises(BadInput, match=f"line {len(lines)}: the file is cut off here"):
        import_world(tmp_path / "cut.jsonl", tmp_path / "bad")
    packed = gzip.compress(whole)
    (tmp_path / "cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(BadInput, match="it cannot be read .Compressed file ended"):
        import_world(tmp_path / "cut.jsonl.gz", tmp_path / "bad")
    (tmp_path / "plain.jsonl.gz").write_bytes(whole)
    with pytest.raises(BadInput, match="line 1: it cannot be read .Not a gzipped file"):
        import_world(tmp_path / "plain.jsonl.gz", tmp_path / "bad")


def test_what_follows_the_end_is_refused(lines, refused):
    assert refused([*lines, lines[3]]).startswith(f" goes on after its end in line {len(lines)}")


def test_a_file_that_is_whole_and_not_what_its_head_says_is_refused(lines, refused):
    assert "has 10 rows of table 'workflow', where its head counts 11" in refused(sealed([*lines[:-2]]))
    wrong = lines[-1].replace(b'"rows": ', b'"rows": 1')
    assert f"line {len(lines)}: {len(lines) - 2} rows are before it" in refused([*lines[:-1], wrong])


def test_files_of_others_and_of_other_formats_are_refused(lines, refused):
    assert refused([b'{"some": "thing"}']) == " is no world file; `deathless export` makes one"
    assert (
        refused([b'{"deathless": "replay", "format": 1}'])
        == " is no world file; `deathless export` makes one"
    )
    newer = lines[0].replace(b'"format": 1', b'"format": 2')
    assert refused([newer]).startswith(
        " has format 2, and this version of Deathless reads 1; it was written by"
    )
    other = lines[0].replace(b'"world_format": 4', b'"world_format": 3')
    assert refused([other]).startswith(" has world_format 3, and this version of Deathless reads 4")


def test_lines_of_windows_are_the_same_lines(lines, tmp_path, garden, digest):
    (tmp_path / "dos.jsonl").write_bytes(b"".join(line + b"\r\n" for line in lines))
    import_world(tmp_path / "dos.jsonl", tmp_path / "again")
    assert digest(tmp_path / "again") == digest(garden)


def test_a_world_that_never_ran_goes_round(tmp_path, digest):
    with Store.open(tmp_path / "world"):
        pass
    assert export_world(tmp_path / "world", tmp_path / "world.jsonl").turn == 0
    import_world(tmp_path / "world.jsonl", tmp_path / "again")
    assert digest(tmp_path / "again") == digest(tmp_path / "world")


def test_a_file_that_is_there_is_not_written_over(garden, tmp_path, run):
    (tmp_path / "letters").write_text("dear")
    code, out, err = run("export", garden, tmp_path / "letters")
    assert (code, out) == (2, "")
    assert err == f"Error: {tmp_path / 'letters'} is there already; give another name, or remove it\n"
    assert (tmp_path / "letters").read_text() == "dear"
    assert run("export", garden, tmp_path / "no" / "folder")[2].count("\n") == 1
    assert run("import", tmp_path / "nothing", tmp_path / "again")[0] == 2
    assert run("export", garden, "-", "--json")[0] == 2
    assert run("export", tmp_path / "nowhere", tmp_path / "x")[0] == 2
    assert not (tmp_path / "x").exists()


def test_an_export_that_fails_leaves_nothing(garden, tmp_path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(world_file.LineWriter, "end", fail)
    with pytest.raises(KeyboardInterrupt):
        export_world(garden, tmp_path / "world.jsonl")
    assert [entry.name for entry in tmp_path.iterdir()] == ["garden.deathless"]


@pytest.mark.parametrize("name", [".", "n" * 300, "taken"])
def test_a_name_that_no_file_can_have_is_refused_in_one_line(garden, tmp_path, run, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    part = tmp_path / f"taken.{os.getpid()}.part"
    part.mkdir()
    code, _, err = run("export", garden, name)
    assert (code, len(err.splitlines())) == (2, 1)
    assert part.is_dir()


def test_a_world_with_a_damaged_form_of_a_table_goes_round(garden, tmp_path, digest):
    with Store.open(garden, create=False) as store:
        store.commit({"meta": {b"table:stock": b"\xa3iNt"}})
    export_world(garden, tmp_path / "world.jsonl")
    import_world(tmp_path / "world.jsonl", tmp_path / "again")
    assert digest(tmp_path / "again") == digest(garden)

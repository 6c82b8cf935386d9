"""Replay files: what is written is read again, and no other file is."""

import json

import pytest
from recorded_games import play, replay_of

import deathless
from deathless.tools.cli import main
from deathless.tools.output import BadInput
from deathless.tools.replay.replay_file import read_replay, write_replay
from deathless.workflows.messages import SIGNAL, START, TICK


@pytest.fixture
def replay(tmp_path, game):
    return replay_of(play(tmp_path / "world", game))


@pytest.fixture
def file(tmp_path, replay):
    path = tmp_path / "guard.replay"
    write_replay(replay, path)
    return path


def test_what_is_read_is_what_was_written(replay, file):
    assert read_replay(file) == replay
    assert read_replay(file).version == deathless.__version__


def test_the_last_failing_step_is_in_it(replay):
    assert b"dead, with 40 gold" in replay.steps[-1].after


def test_it_is_lines_of_json_that_say_what_a_step_was(file):
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines[0]["deathless"] == "replay"
    assert (lines[0]["type"], lines[0]["workflow"], lines[0]["seed"]) == ("guard", 1, 5)
    assert [line["name"] for line in lines if "code" in line] == ["guard"]
    steps = [line for line in lines if "turn" in line]
    assert [step["message"] and step["message"][0] for step in steps] == [
        None,
        START,
        TICK,
        TICK,
        SIGNAL,
        TICK,
        TICK,
        SIGNAL,
    ]
    assert lines[-1].keys() == {"sha256"}


def test_a_file_cut_anywhere_is_bad_input_or_the_same(tmp_path, file, game, capsys):
    stored, cut = file.read_bytes(), tmp_path / "cut.replay"
    whole = read_replay(file)
    for length in range(len(stored)):
        cut.write_bytes(stored[:length])
        code = main(["replay", "test", str(cut), "--code", "game"])
        done = capsys.readouterr()
        if length == len(stored) - 1:
            # All that is gone is the end of the last line.
            assert (code, read_replay(cut)) == (0, whole)
        else:
            assert code == 2, length
            assert done.err.startswith("Error: ")
            assert done.err.count("\n") == 1


def test_a_file_with_one_other_byte_is_bad_input_or_the_same(tmp_path, file):
    stored, other = file.read_bytes(), tmp_path / "other.replay"
    whole = read_replay(file)
    for at in range(len(stored)):
        other.write_bytes(stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :])
        try:
            read = read_replay(other)
        except BadInput:
            continue
        assert read == whole, at


def test_a_file_whose_lines_end_as_on_windows_is_the_same(tmp_path, file):
    (tmp_path / "dos.replay").write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert read_replay(tmp_path / "dos.replay") == read_replay(file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no replay file"),
        (b"\x00\xff\xfe" * 50, "no replay file"),
        (b"[" * 100_000, "no replay file"),
        (b'{"deathless": "world"}\n', "no replay file"),
        (b'["deathless"]\n', "no replay file"),
        (b'{"deathless": "replay", "format": 2, "version": "9.1"}\n', "written by Deathless 9.1"),
        (b'{"deathless": "replay", "format": 1}\n', "cut off"),
    ],
)
def test_a_foreign_or_newer_file_is_refused_with_the_reason(tmp_path, content, said):
    path = tmp_path / "other.replay"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=said) as refused:
        read_replay(path)
    assert str(path) in refused.value.message


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read_replay(tmp_path / "none.replay")


def test_a_file_is_never_written_over_another(replay, file):
    stored = file.read_bytes()
    with pytest.raises(BadInput, match="is there already"):
        write_replay(replay, file)
    assert file.read_bytes() == stored

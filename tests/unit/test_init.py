"""`deathless init` makes a game that runs, tests, and goes on after kill -9."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deathless.tools import starter
from deathless.tools.cli import main
from deathless.tools.output import BadInput
from deathless.tools.starter import create_game, creation

PICTURE = re.compile(
    r"(\d+):(\d\d)  gate \S+ tower \S+ well \S+  hp ([#.]{10})[+ ]  potions (\d)  beaten (\d+)"
)


@pytest.fixture
def game(tmp_path):
    return create_game("night_watch", tmp_path)


def run(place, *command, expect=0):
    done = subprocess.run([sys.executable, *command], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def deathless(place, *command):
    return run(place, "-m", "deathless.tools", *command)


def everything_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# -- what is made ----------------------------------------------------------------------------------------------


def test_its_own_tests_pass(game):
    assert re.search(r"^7 passed", run(game, "-m", "pytest", "-q", "-p", "no:cacheprovider"), re.M)


def test_it_goes_on_after_kill_9_where_it_stood(game):
    with Played(game) as first:
        assert first.line().startswith("a new world;")
        pictures = [first.picture() for _ in range(3)]
        assert [picture["second"] for picture in pictures] == [0, 1, 2]
        first.kill()
    with Played(game) as second:
        began = re.match(r"on from (\d+):(\d\d);", second.line())
        picture = second.picture()
        # The kill came after the last picture: at most a frame short of the next.
        assert int(began[2]) in (2, 3)
        assert picture["second"] == int(began[2])
        assert picture["beaten"] >= pictures[-1]["beaten"]


def test_it_ends_by_itself_after_so_many_seconds_and_says_how_to_go_on(game):
    lines = run(game, "-m", "night_watch", "--seconds", "0.2").splitlines()
    assert lines[-1] == "stopped at 0:00; run it again to go on"


def test_types_and_check_find_its_workflows(game):
    assert {"guard", "regeneration", "shop"} <= set(deathless(game, "types", "night_watch").split())
    run(game, "-m", "night_watch", "--seconds", "0.2")
    assert "guard" in deathless(game, "check", "night_watch.deathless", "night_watch")


def test_its_load_test_passes(game):
    report = deathless(game, "loadtest", "loadtest.toml", "--seconds", "1", "--clock", "virtual", "--plain")
    assert report.splitlines()[-1] == "PASSED"


@pytest.mark.parametrize("name", ["ab", "night_watch", "as_long_as_a_name_may_be_01234"])
def test_it_is_formatted_and_without_findings_whatever_its_name(name, tmp_path):
    place = create_game(name, tmp_path)
    run(place, "-m", "ruff", "check", "--no-cache", ".")
    run(place, "-m", "ruff", "format", "--no-cache", "--check", ".")


def test_nothing_of_the_templates_own_name_is_left(game):
    paths = everything_below(game)
    assert {".gitignore", "pyproject.toml", "README.md", "loadtest.toml", "night_watch/__main__.py"} <= set(
        paths
    )
    for path in paths:
        assert "starter_game" not in path
        if (game / path).is_file():
            assert "starter_game" not in (game / path).read_text(encoding="utf-8")


def test_the_files_that_its_readme_names_are_there(game):
    named = re.findall(r"^\| `([^`]+)`", (game / "README.md").read_text(encoding="utf-8"), re.M)
    assert len(named) == 7
    assert all((game / name).is_file() for name in named)


# -- the command -----------------------------------------------------------------------------------------------


def test_the_command_ends_with_the_next_three(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "night_watch"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "night_watch is a game. Now:",
        "  cd night_watch",
        "  python -m night_watch",
        "  python -m pytest",
    ]
    assert (tmp_path / "night_watch/night_watch/guard.py").is_file()


def test_into_says_where(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my games").mkdir()
    assert main(["init", "night_watch", "--into", "my games"]) == 0
    quote = '"' if os.name == "nt" else "'"
    assert f"  cd {quote}{Path('my games/night_watch')}{quote}" in capsys.readouterr().out
    assert (tmp_path / "my games/night_watch/README.md").is_file()


def test_an_empty_directory_of_the_name_is_taken(tmp_path):
    (tmp_path / "night_watch").mkdir()
    assert (create_game("night_watch", tmp_path) / "pyproject.toml").is_file()


# -- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "problem", "remedy"),
    [
        ("night-watch", "letters, digits and _", "try 'night_watch'"),
        ("../watch", "letters, digits and _", "try 'watch'"),
        ("", "letters, digits and _", "try 'my_game'"),
        ("9lives", "a letter first", "try 'lives'"),
        ("nächte", "letters, digits and _", "try 'n_chte'"),
        ("watch_", "no _ last", "try 'watch'"),
        ("w" * 31, "up to 30", f"try {'w' * 30!r}"),
        ("class", "a word of the language", "try 'class_game'"),
        ("match", "a word of the language", "try 'match_game'"),
        ("Queue", "a module of Python's own", "try 'queue_game'"),
        ("deathless", "is installed here", "try 'deathless_game'"),
        ("pytest", "is installed here", "try 'pytest_game'"),
        ("tests", "its tests are in a folder", "try 'tests_game'"),
        ("CON", "Windows has a device", "try 'con_game'"),
    ],
)
def test_a_name_that_will_not_do_is_refused_with_one_that_will(name, problem, remedy, tmp_path, capsys):
    assert main(["init", name, "--into", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"Error: {name!r} cannot be the name of ")
    assert problem in line
    assert line.endswith(remedy)
    assert everything_below(tmp_path) == []


def test_a_directory_with_something_in_it_is_left_as_it_is(tmp_path, capsys):
    (tmp_path / "night_watch").mkdir()
    (tmp_path / "night_watch/mine.txt").write_text("mine")
    assert main(["init", "night_watch", "--into", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("exists and is not empty; take another name, or move it away")
    assert everything_below(tmp_path) == ["night_watch", "night_watch/mine.txt"]


def test_a_file_of_the_name_is_left_as_it_is(tmp_path):
    (tmp_path / "night_watch").write_text("mine")
    with pytest.raises(BadInput, match="exists and is no directory"):
        create_game("night_watch", tmp_path)
    assert (tmp_path / "night_watch").read_text() == "mine"


def test_a_directory_to_make_it_in_must_be_there(tmp_path, capsys):
    assert main(["init", "night_watch", "--into", str(tmp_path / "games")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("games: there is no such directory; make it first, or name another with --into")
    assert everything_below(tmp_path) == []


def test_a_full_disk_leaves_nothing_half_made(tmp_path, monkeypatch, capsys):
    written = []

    def fails_at_the_third(path, *args, **kwargs):
        written.append(path)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        write(path, *args, **kwargs)

    write = Path.write_text
    monkeypatch.setattr(creation.Path, "write_text", fails_at_the_third)
    assert main(["init", "night_watch", "--into", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"Error: night_watch cannot be made in {tmp_path}: No space left on device"
    assert everything_below(tmp_path) == []


def test_the_template_is_a_game_of_its_own_name():
    """So that it can be run, tested and linted in the checkout."""
    template = Path(starter.__file__).parent / creation.TEMPLATE
    assert (template / creation.TEMPLATE_NAME / "__main__.py").is_file()


class Played:
    """The game in a process of its own."""

    def __init__(self, place):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "night_watch"], cwd=place, stdout=subprocess.PIPE, text=True
        )

    def line(self):
        line = self.process.stdout.readline()
        assert line, "it ended"
        return line

    def picture(self):
        line = self.line()
        found = PICTURE.match(line)
        assert found, line
        minutes, seconds, health, potions, beaten = found.groups()
        return {
            "second": 60 * int(minutes) + int(seconds),
            "health": health.count("#"),
            "potions": int(potions),
            "beaten": int(beaten),
        }

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.stdout.close()

"""The tutorial does what it says, from the first file to the kill and the test."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/tutorial/first-game.md"
APPENDED = ", at its end"


@pytest.fixture
def place(tmp_path):
    """Return a directory with all files of the tutorial in it."""
    for source in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S):
        heading, _, body = source.removeprefix("# ").partition("\n")
        file = tmp_path / heading.removesuffix(APPENDED)
        kept = file.read_text(encoding="utf-8") if heading.endswith(APPENDED) else ""
        file.write_text(kept + body, encoding="utf-8")
    return tmp_path


def shown_by(command):
    """Return the lines that the page shows below a command, one list for each time that it stands there."""
    consoles = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    return [
        lines.splitlines()
        for console in consoles
        for line, lines in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", console, re.M)
        if line == command
    ]


def run(place, *command):
    done = subprocess.run([sys.executable, *command], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "[info " not in line]


def test_the_first_world_prints_what_the_page_shows(place):
    assert [run(place, "evening.py")] == shown_by("python evening.py")


def test_the_game_goes_on_after_kill_9_as_the_page_shows(place):
    hasten(place / "game.py")
    first, second = shown_by("python game.py")
    with Game(place) as game:
        for line in first:
            if line == "wood":
                game.say(line)
            else:
                assert game.line() == line
        game.kill()
    with Game(place) as game:
        # Where the fire stood at the kill, or one log less if that burnt down just then.
        assert game.line() in (first[-1], second[0])
        lines = [game.line()]
        while not lines[-1].startswith("eaten"):
            lines.append(game.line())
        assert lines[-1] == second[-1]
        assert [line for line in lines if line.startswith("dark")]
        assert game.process.wait() == 0


def test_the_test_of_the_page_passes(place):
    (shown,) = shown_by("python -m pytest -q test_camp.py")
    printed = run(place, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_camp.py")
    assert printed[-1].startswith(shown[-1])


def hasten(game):
    """Let a frame of the game be worth five, so that the night is not as long as for a reader."""
    text = game.read_text(encoding="utf-8")
    assert text.count("world.advance(FRAME,") == 1
    game.write_text(text.replace("world.advance(FRAME,", "world.advance(5 * FRAME,"), encoding="utf-8")


class Game:
    """The game in a process of its own."""

    def __init__(self, place):
        self.process = subprocess.Popen(
            [sys.executable, "game.py"], cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def line(self):
        while True:
            line = self.process.stdout.readline()
            assert line, "it ended"
            if "[info " not in line:
                return line.rstrip("\n")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.stdin.close()
        self.process.stdout.close()

"""The command line as a user runs it."""

import subprocess
import sys

import deathless


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "deathless.tools", *arguments], capture_output=True, text=True, check=False
    )


def test_the_version_is_the_packages():
    done = run("--version")
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["deathless", deathless.__version__])


def test_without_arguments_it_shows_help():
    done = run()
    assert done.returncode == 0
    assert "usage: deathless" in done.stdout


def test_an_unknown_option_ends_with_exit_code_2():
    assert run("--nonsense").returncode == 2

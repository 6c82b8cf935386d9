"""The command line as a user runs it."""

import subprocess
import sys

import pytest

import deathless
from deathless.tools.cli import COMMANDS, main


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
    assert "Usage: deathless" in done.stdout


def test_an_unknown_option_ends_with_exit_code_2():
    assert run("--nonsense").returncode == 2


def test_help_imports_no_command():
    script = (
        "import sys; from deathless.tools.cli import main; main(['--help'])\n"
        "print([name for name in sys.modules if name.startswith('deathless.tools.commands')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_that_help_lists_is_there_with_examples(name, capsys):
    assert main([name, "--help"]) == 0
    printed = capsys.readouterr().out
    assert f"Usage: deathless {name}" in printed
    assert f"  deathless {name} " in printed.partition("Examples:")[2]

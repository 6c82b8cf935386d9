"""Starts the example programs as a user would, for the tests of the examples."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1"}


def command(program, *arguments):
    return [sys.executable, str(EXAMPLES / program), *map(str, arguments)]


@contextmanager
def heeding_ctrl_c():
    """Let a program that is started heed Ctrl-C: in the background it would inherit that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def started(program, *arguments):
    """Start an example, and leave nothing of it behind."""
    with heeding_ctrl_c():
        process = subprocess.Popen(
            command(program, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def finished(program, *arguments, typed=""):
    """Run an example to its end."""
    return subprocess.run(
        command(program, *arguments),
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        env=ENVIRONMENT,
        check=False,
    )


def read_until(process, start):
    """Return the first line that begins so."""
    for line in process.stdout:
        if line.startswith(start):
            return line.strip()
    raise AssertionError(f"it ended before a line began with {start!r}: {process.stderr.read()}")

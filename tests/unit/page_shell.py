"""A shell for the console blocks of a page: runs their commands one after the other in one directory."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_S = 60.0
"""For a world to listen, or a process to end, on a machine that has much else to do."""
COMMAND_S = 120.0
RULE = re.compile(r"[─━\s]*")
"""A line of a table that only draws it."""


def commands_of(block):
    """Yield the commands of a console block, each with the lines that are shown below it."""
    lines = block.splitlines()
    while lines:
        first = lines.pop(0)
        assert first.startswith("$ "), first
        command = first[2:]
        while not is_whole(command):
            command += "\n" + lines.pop(0)
        shown = []
        while lines and not lines[0].startswith("$ "):
            shown.append(lines.pop(0))
        yield command, shown


def is_whole(command):
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return False
    return not command.endswith("\\")


def check_output(command, shown, printed):
    """Require that a command printed what is shown: `...` stands for anything, a line of it for any lines."""
    lines = [line for line in printed.splitlines() if not RULE.fullmatch(line)]
    text = "".join(" ".join(line.split()) + "\n" for line in lines)
    pattern = ""
    for line in shown:
        parts = map(re.escape, " ".join(line.split()).split("..."))
        pattern += r"(?:.*\n)*" if line == "..." else ".*".join(parts) + r"\n"
    assert re.fullmatch(pattern, text), f"$ {command}\n{printed}\nand not\n" + "\n".join(shown)


class PageShell:
    """Runs commands in a directory that is its home, and worlds in the background."""

    def __init__(self, place, changed):
        """Create it.

        Args:
            place: the directory.
            changed: parts of commands that cannot be so here, each with a function that gives what stands for it.
        """
        self.place = place
        self.changed = changed
        self.jobs = []
        folder = str(Path(sys.executable).parent)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DEATHLESS_")}
        self.environment = {
            **kept,
            "HOME": str(place),
            "PATH": folder + os.pathsep + kept["PATH"],
            "COLUMNS": "500",
        }

    def run(self, command):
        """Run a command, and return its exit code and what it printed."""
        for part, replacement in self.changed.items():
            if part in command:
                command = command.replace(part, replacement(self))
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            self.environment[name] = value
            return 0, ""
        if command.startswith("kill "):
            return self.kill(*command.split()[1:]), ""
        if command.endswith(" &"):
            self.start(command.removesuffix(" &"))
            return 0, ""
        if command.endswith(" --follow"):
            return self.follow(command)
        process = self.popen(command)
        printed, _ = process.communicate(timeout=COMMAND_S)
        return process.returncode, printed

    def popen(self, command):
        # The shell becomes the command where it is one, so that a signal gets there.
        return subprocess.Popen(
            ["bash", "-c", f"set -o pipefail\n{command}"],
            cwd=self.place,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def start(self, command):
        """Start a world as the next job, and wait until it takes commands."""
        log = (self.place / f"job{len(self.jobs) + 1}.log").open("w")
        with log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.place,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.jobs.append(process)
        ends = time.monotonic() + PATIENCE_S
        while self.endpoint(process) is None:
            assert process.poll() is None, f"$ {command}\n{Path(log.name).read_text()}"
            assert time.monotonic() < ends, f"$ {command}\ndoes not listen"
            time.sleep(0.02)

    def endpoint(self, process):
        """Return what a world says of how it is asked, None before it does."""
        for file in self.place.glob("**/control.json"):
            try:
                found = json.loads(file.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if found["pid"] == process.pid:
                return found
        return None

    def kill(self, *words):
        """Do `kill %%` or `kill -9 %%`, and wait for the end; a world that is told to end does so in order.

        `%N` is not for a page: a shell gives the number of a job that has ended to the next one.
        """
        assert words[-1] == "%%"
        process = self.jobs[-1]
        assert process.poll() is None
        process.send_signal(signal.SIGKILL if words[0] == "-9" else signal.SIGTERM)
        code = process.wait(timeout=PATIENCE_S)
        assert code == (-signal.SIGKILL if words[0] == "-9" else 0)
        return 0

    def follow(self, command):
        """Read a line of a command that goes on, and interrupt it."""
        process = self.popen(f"exec {command}")
        with process, process.stdout:
            printed = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            printed += process.stdout.read()
            assert process.wait(timeout=PATIENCE_S) == 130
        return 0, printed

    def close(self):
        """End what still runs."""
        for process in self.jobs:
            if process.poll() is None:
                process.kill()
                process.wait()

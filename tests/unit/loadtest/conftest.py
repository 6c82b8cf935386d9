"""What the tests of the load test share: small scenarios, and runs of the command."""

import json

import pytest

from deathless.tools.cli import main

TINY = """\
title = "Tiny"
seconds = 1
clock = "virtual"
frame_rate = 20
durability = "process"

[[workflows]]
type = "buff"
count = 20
starts_per_second = 5
arguments = { duration = { from = 0.5, to = 2.0 } }

[[workflows]]
type = "npc_patrol"
count = 10
arguments = { route = [[0.0, 0.0], [{ from = 1.0, to = 3.0 }, 1.0]], pause = 0.1 }

[signals]
per_second = 50

[[signals.mix]]
to = "buff"
signal = "Stack"

[witnesses]
count = 3

[probes]
count = 10
period = 0.2
"""


@pytest.fixture
def scenario(tmp_path):
    """Write a scenario of 30 workflows and a second of virtual time, with more lines after it."""

    def write(more="", text=TINY):
        path = tmp_path / "tiny.toml"
        path.write_text(text + more, encoding="utf-8")
        return str(path)

    write.text = TINY
    return write


@pytest.fixture
def loadtest(capsys):
    """Run the command; return its exit code, its report and what it wrote to standard error."""

    def run(*arguments):
        code = main(["loadtest", *arguments, "--json"])
        written = capsys.readouterr()
        return code, json.loads(written.out) if written.out else None, written.err

    return run

"""The page of operations has every block of the deployment guide, and each command on it works."""

import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from guide_blocks import CONDITIONS, GUIDE, METRICS  # noqa: E402 - after sys.path, as what follows.
from page_shell import PageShell, check_output, commands_of, is_whole  # noqa: E402

PAGE = (Path(__file__).parents[2] / "docs/how-to/operations.md").read_text(encoding="utf-8")
PARTS = re.findall(r"^```([\w ]+)\n(.*?)^```$", PAGE, re.M | re.S)
QUERIED = re.compile(r"SELECT\b.*?(?=;|\"|\Z)", re.S)


def installs():
    """What cannot be run here, since it installs from the network: check what it would install, and that it can be.

    That the package builds, and works where only the wheel is, is in test_packaging.
    """
    assert "operate" in metadata.metadata("deathless").get_all("Provides-Extra")
    (script,) = metadata.entry_points(group="console_scripts", name="deathless")
    assert callable(script.load())


NOT_RUN = {"pip install 'deathless[operate]'": installs, "pipx install 'deathless[operate]'": installs}
"""Commands that are not run, each with what is checked instead."""

CHANGED = {
    # Port 3000 may be taken on this machine, and nobody else should reach what a test runs.
    "0.0.0.0:3000": lambda shell: "127.0.0.1:0",
    # A second computer, and a proxy with TLS before it: the world of this one, over HTTP.
    "https://your-server.example.com": lambda shell: shell.endpoint(shell.jobs[-1])["url"],
    "DEATHLESS_TOKEN=...": lambda shell: f"DEATHLESS_TOKEN={shell.endpoint(shell.jobs[-1])['token']}",
}
"""Parts of commands that are something else here."""


@pytest.fixture
def shell(tmp_path):
    shell = PageShell(tmp_path, CHANGED)
    yield shell
    shell.close()


# -- the guide -------------------------------------------------------------------------------------------------


def test_every_block_of_the_guide_is_there_verbatim_and_in_order():
    shown = [(kind.removesuffix(" guide"), text) for kind, text in PARTS if kind.endswith(" guide")]
    assert shown == GUIDE


def test_every_shell_block_of_the_guide_has_its_commands_below():
    for (kind, text), (after, _) in zip(PARTS, PARTS[1:], strict=False):
        if kind in ("sh guide", "sql guide"):
            assert after == "console", text


def test_every_query_of_the_guide_is_run_unchanged():
    ours = "\n".join(text for kind, text in PARTS if kind == "console")
    queries = [query for kind, text in GUIDE if kind in ("sh", "sql") for query in QUERIED.findall(text)]
    assert len(queries) == 9
    for query in (*queries, *METRICS.values()):
        assert query in ours, query


def test_the_table_of_key_metrics_is_there():
    for metric, query in METRICS.items():
        assert f"| {metric} | `{query}` |" in PAGE


def test_each_condition_of_an_alert_is_there_with_what_looks_at_it():
    for condition, (query, threshold) in CONDITIONS.items():
        (ours,) = re.findall(re.escape(f"| {condition} | {query} | {threshold} | ") + "(.*) \\|", PAGE)
        assert "--" in ours


# -- the commands ----------------------------------------------------------------------------------------------


def test_each_command_of_the_page_does_what_it_shows(shell):
    for kind, text in PARTS:
        if kind == "python":
            name, _, source = text.removeprefix("# ").partition("\n")
            (shell.place / name).write_text(source, encoding="utf-8")
        elif kind == "console":
            run_block(shell, text)
    assert all(job.poll() is not None for job in shell.jobs), "a job was left to run"


def run_block(shell, text):
    code = 0
    for command, shown in commands_of(text):
        if command in NOT_RUN:
            NOT_RUN[command]()
        elif command == "echo $?":
            assert shown == [str(code)]
            code = 0
        else:
            assert code == 0, f"the page does not show that this exit code is {code}"
            code, printed = shell.run(command)
            check_output(command, shown, printed)
    assert code == 0, f"{text}\nended with {code}"


def test_what_is_not_run_or_changed_is_on_the_page():
    for part in (*NOT_RUN, *CHANGED):
        assert part in PAGE


# -- the shell of the test -------------------------------------------------------------------------------------


def test_a_command_goes_on_over_lines_that_it_needs():
    block = '$ one "\na\nb"\nshown\n$ two \\\n    three\n$ four  # it\'s a comment\n'
    assert list(commands_of(block)) == [
        ('one "\na\nb"', ["shown"]),
        ("two \\\n    three", []),
        ("four  # it's a comment", []),
    ]
    assert not is_whole("echo 'a")


@pytest.mark.parametrize("printed", ["a 2\n", "b\n", "a 1\nb\nc\n", ""])
def test_output_that_is_not_as_shown_is_noticed(printed):
    check_output("x", ["a 1", "b"], "a   1 \n───\n\nb\n")
    with pytest.raises(AssertionError, match="and not"):
        check_output("x", ["a 1", "b"], printed)

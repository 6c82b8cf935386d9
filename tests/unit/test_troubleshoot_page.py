"""The troubleshooting page has every error with the text that the code gives today, and every warning of the log."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import operator_troubles  # noqa: F401 - it adds its own.
import pytest
import troubles
from guide_blocks import QUICK_FIXES

import deathless

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/troubleshoot.md").read_text(encoding="utf-8")
HELD = "## Why a workflow is held"
NOT_SHOWN = {
    "HeldError": "never leaves the package: it becomes the text in held_reason",
    "OutOfTimeError": "never leaves the package: it becomes the text of an SqlError",
    "_ViewLostError": "an SqlError, and what the page says of that one",
    "PlaybackError": "never leaves the package: a step that runs again asked for something else",
    "RowError": "never leaves the package: it becomes WorldCorruptError, with the id of the workflow",
}
"""Errors that nobody meets, and why not."""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def quoted():
    """Return the texts in the first columns of the tables of errors and of reasons, with the classes beside them."""
    part = PAGE[PAGE.index("## Errors\n") : PAGE.index("## What the log warns of")]
    errors, reasons = part.split(HELD)
    found = {text: re.findall(r"`(\w+)`", error)[0] for text, error in first_columns(errors)}
    return found | {text: "Held" for text, _ in first_columns(reasons) if text != "held_reason"}


def first_columns(part):
    # A text with ` in it stands between two of them, and a blank where it ends with one.
    return re.findall(r"^\| (?:`(?!`)|`` ?)(.+?)(?: ``|``|`) \| (.+?) \|", part, re.M)


def plain(text):
    """Return a text without what differs from run to run: paths of sources, lines, addresses, processes."""
    text = re.sub(r"[^\s(]*troubles\.py(:|, line )\d+", r"game.py\g<1>12", text)
    text = re.sub(r"0x[0-9a-f]+", "0x7f", text)
    text = re.sub(r"(pumped for )[\d.]+", r"\g<1>0.05", text)
    return re.sub(r"(owned by (this )?process \(?)\d+", r"\g<1>4242", text)


@pytest.mark.parametrize("trouble", troubles.TROUBLES, ids=lambda function: function.__name__)
def test_the_page_quotes_what_the_code_says(trouble):
    error = troubles.raised_by(trouble)
    text, name = plain(str(error)), type(error).__name__
    if isinstance(error, troubles.Failed):
        name, _, text = text.partition(": ")
    assert quoted().get(text) == name, f"{name}: {text}"


def test_the_page_quotes_nothing_else():
    """So that each text there is one that the code was seen to give."""
    assert len(quoted()) == len(troubles.TROUBLES)


def test_every_error_of_the_package_is_on_the_page():
    for name in sorted(errors_of_the_package() - set(NOT_SHOWN)):
        assert f"`{name}`" in PAGE, f"docs/how-to/troubleshoot.md says nothing of {name}"


def test_what_is_not_shown_exists():
    assert set(NOT_SHOWN) <= errors_of_the_package()


def errors_of_the_package():
    found = set()
    for info in pkgutil.walk_packages(deathless.__path__, "deathless."):
        # The tests, programs and starter game of the checkout are no part of the package.
        if not re.match(
            r"deathless\.(workflows|actors|runtime|tools)\b(?!.*(\.template\.|__main__))", info.name
        ):
            continue
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, BaseException) and value.__module__ == info.name:
                found.add(value.__name__)
    return found


def test_every_warning_of_the_log_is_on_the_page():
    warned = set(warnings_of_the_log())
    assert {"slow_step", "world_broken", "large_state", "notice_lost"} <= warned
    for event in sorted(warned):
        assert f"| `{event}` |" in PAGE, f"docs/how-to/troubleshoot.md says nothing of {event}"


def warnings_of_the_log():
    """Yield the events that the package logs as warnings and errors, by the text of its calls."""
    called = re.compile(r"(?:\w+\.)*_?log(?:ger)?\.(?:warning|error|exception|critical)|say")
    for layer in ("workflows", "actors", "runtime", "tools"):
        for path in (ROOT / layer).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call) and called.fullmatch(ast.unparse(call.func)) and call.args:
                    event = getattr(call.args[0], "value", "")
                    # What is no name of an event is a sentence, as pykka logs.
                    if isinstance(event, str) and event.isidentifier():
                        yield event


def test_the_guides_quick_fixes_are_there_in_its_words():
    for issue, solution in QUICK_FIXES.items():
        assert f"| {issue} | {solution} |" in PAGE

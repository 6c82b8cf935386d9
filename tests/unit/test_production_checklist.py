"""The checklist has each item of the guide's, and the operators' pages name commands and options that exist."""

import re
from pathlib import Path

import click
import pytest
from guide_blocks import CHECKLIST, PRACTICES, SIZES

from deathless.tools.cli import deathless

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
PAGE = (HOW_TO / "production-checklist.md").read_text(encoding="utf-8")
NAMED = re.compile(r"deathless ([a-z]+)\b([^`\n|&]*)")
GLOBAL = {"--help", "--version"}


def test_each_item_of_the_guides_checklist_is_there():
    items = [item.replace("`", "") for item in re.findall(r"^\| (.*?) \| .* \|$", PAGE, re.M)]
    assert [item for item in items if item in CHECKLIST] == CHECKLIST


def test_each_practice_and_each_size_is_there():
    for practice, why in PRACTICES.items():
        assert f"| {practice} | {why} |" in PAGE
    for size, advice in SIZES.items():
        assert f"| {size} | {advice} |" in PAGE


@pytest.mark.parametrize("name", ["production-checklist.md", "troubleshoot.md", "operations.md"])
def test_each_command_that_the_page_names_exists_with_its_options(name):
    found = list(commands_in(HOW_TO / name))
    assert len(found) > 15
    for command, rest in found:
        options = known_options(command, rest)
        for option in re.findall(r"(?<![\w-])--[a-z-]+", rest):
            assert option in options, f"{name}: deathless {command}{rest}"


def commands_in(page):
    """Yield the commands that a page has in its text, its tables and its blocks, but not those of the guide."""
    text = re.sub(r"^```\w+ guide\n.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    text = text.replace("\\\n", " ")
    for code in re.findall(r"`([^`\n]+)`|^(?:\$ |    )(.*)$", text, re.M):
        yield from NAMED.findall("".join(code))


def known_options(name, rest):
    command = deathless.get_command(click.Context(deathless), name)
    assert command is not None, f"there is no deathless {name}"
    if isinstance(command, click.Group) and rest.split():
        command = command.get_command(click.Context(command), rest.split()[0])
    return {option for parameter in command.params for option in parameter.opts} | GLOBAL

"""`LazyGroup`: a click group whose commands are imported when they are called, and not for its `--help`."""

from __future__ import annotations

import importlib
import keyword
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """The commands by name: the module of that name in a package has the click command `command`.

    Where a name is a keyword of Python, its module has an underscore after it.
    """

    def __init__(self, *args: Any, lines: Mapping[str, str], package: str, **kwargs: Any) -> None:
        """Make a group.

        Args:
            *args: of `click.Group`.
            lines: each command with its line of help.
            package: the dotted name of the package in which the modules are.
            **kwargs: of `click.Group`.
        """
        super().__init__(*args, **kwargs)
        self._lines = lines
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature.
        """Return the names."""
        return list(self._lines)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in self._lines:
            return None
        suffix = "_" if keyword.iskeyword(cmd_name) else ""
        module = importlib.import_module(f"{self._package}.{cmd_name}{suffix}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines.items()))

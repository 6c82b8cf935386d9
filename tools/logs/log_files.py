"""The files of a log: where they lie, and their lines, oldest first."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ...runtime.storage.world_files import LOG_DIRECTORY

LOG_FILE = "deathless.jsonl"


def log_path(directory: str | os.PathLike[str]) -> Path:
    """Return where a world's log is written."""
    return Path(directory) / LOG_DIRECTORY / LOG_FILE


def log_files(path: Path) -> list[Path]:
    """Return the files of a log that there are, oldest first: those put aside, and the one that is written."""
    aside = []
    for each in path.parent.glob(f"{path.name}.*"):
        number = each.name.removeprefix(f"{path.name}.")
        if number.isdecimal():
            aside.append((int(number), each))
    found = [each for _, each in sorted(aside, reverse=True)]
    return [*found, path] if path.exists() else found


class LogLine(NamedTuple):
    """A line of a log.

    Attributes:
        text: as it stands in the file.
        fields: what it says; None for a line that is no JSON object.
    """

    text: str
    fields: dict[str, Any] | None

    @classmethod
    def parse(cls, text: str) -> LogLine:
        """Read a line."""
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            fields = None
        return cls(text, fields if isinstance(fields, dict) else None)


def read_log(
    directory: str | os.PathLike[str],
    *,
    last: int | None = None,
    wanted: Callable[[LogLine], bool] = lambda _: True,
) -> Iterator[LogLine]:
    """Go through a world's log, oldest line first, over the files that were put aside too.

    Args:
        directory: the world's.
        last: how many of the wanted lines, the newest; None for all.
        wanted: says which lines count.

    Raises:
        OSError: a file cannot be read.
    """
    files = log_files(log_path(directory))
    if last is None:
        return (line for file in files for line in _lines(file) if wanted(line))
    newest = (line for file in reversed(files) for line in reversed(list(_lines(file))) if wanted(line))
    return iter(list(islice(newest, last))[::-1])


def _lines(file: Path) -> Iterator[LogLine]:
    try:
        # What is not UTF-8 is shown as what it is not: nobody should be kept from reading the rest.
        with file.open(encoding="utf-8", errors="replace", newline="\n") as lines:
            for line in lines:
                yield LogLine.parse(line.rstrip("\r\n"))
    except FileNotFoundError:
        # It was put aside just now, under a name that has been read, or has gone.
        return

"""Following a log while it is written: over files that are put aside, cut short, or not there yet.

The file is opened for each look and closed at once, for on Windows an open one could not be put aside.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .log_files import LogLine, log_files, log_path

LOOK_EVERY_S = 0.2


def follow_log(
    directory: str | os.PathLike[str],
    *,
    wait: Callable[[], bool] | None = None,
) -> Iterator[LogLine]:
    """Go through the lines that are written to a world's log from now on.

    Args:
        directory: the world's; its log need not be there yet.
        wait: waits a moment before the next look, and says whether there is to be one; by default for ever.

    Raises:
        OSError: a file cannot be read.
    """
    return _followed(_Follower(log_path(directory)), wait or _wait)


def _followed(follower: _Follower, wait: Callable[[], bool]) -> Iterator[LogLine]:
    while wait():
        yield from follower.look()


def _wait() -> bool:
    time.sleep(LOOK_EVERY_S)
    return True


class _Follower:
    """Knows up to where a log was read: which file, as the system numbers it, and the offset in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._offset = 0
        found = _status(path)
        if found is not None:
            self._file, self._offset = found.st_ino, found.st_size

    def look(self) -> Iterator[LogLine]:
        """Go through what was written since the last look, in whole lines."""
        current = _status(self._path)
        if current is None:
            return
        if self._file is not None and current.st_ino != self._file:
            yield from self._finish_older()
        if current.st_ino != self._file or current.st_size < self._offset:
            self._offset = 0
        self._file = current.st_ino
        yield from self._read(self._path)

    def _finish_older(self) -> Iterator[LogLine]:
        """Read what was written before the file was put aside, and those that came and went since."""
        files = log_files(self._path)[:-1]
        numbers = [None if (found := _status(file)) is None else found.st_ino for file in files]
        if self._file in numbers:
            for file in files[numbers.index(self._file) :]:
                yield from self._read(file)
                self._offset = 0

    def _read(self, file: Path) -> Iterator[LogLine]:
        try:
            with file.open("rb") as opened:
                opened.seek(self._offset)
                written = opened.read()
        except FileNotFoundError:
            return
        # A line that is not whole yet is read by the next look.
        whole = written[: written.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.decode("utf-8", errors="replace").split("\n")[:-1]:
            yield LogLine.parse(line.rstrip("\r"))


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None

"""Where a running world takes commands: `control.json` in its directory.

It is written when the endpoint listens and removed when it ends. A process that was killed leaves it behind; so it
counts only as long as the process that wrote it owns the world, which the world's lock tells.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from ...runtime.storage.world_files import CONTROL_FILE, os_errors
from ...runtime.storage.world_lock import Owner


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and with what word a world takes commands.

    Attributes:
        url: its address: `http://127.0.0.1:40123`.
        token: the word that every command must show; whoever knows it may do anything with the world.
        pid, host: the process that listens.
    """

    url: str
    token: str
    pid: int
    host: str

    @classmethod
    def here(cls, url: str, token: str) -> Endpoint:
        """Return the one of this process."""
        return cls(url, token, os.getpid(), socket.gethostname())

    @classmethod
    def of(cls, world: Path, owner: Owner) -> Endpoint | None:
        """Read the endpoint of the process that owns a world; None where that has none.

        Raises:
            WorldError: the file is there and may not be read.
        """
        file = world / CONTROL_FILE
        with os_errors(file):
            try:
                text = file.read_text(encoding="utf-8")
            except FileNotFoundError:
                return None
        try:
            found = cls(**json.loads(text))
        except (ValueError, TypeError):
            return None
        return found if (found.pid, found.host) == (owner.pid, owner.host) else None

    def write(self, world: Path) -> None:
        """Write the file, whole or not at all, for the eyes of this user only."""
        file = world / CONTROL_FILE
        unfinished = file.with_suffix(".new")
        with os_errors(file):
            with contextlib.suppress(FileNotFoundError):
                unfinished.unlink()
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as opened:  # noqa: PTH123 - a descriptor is no path.
                json.dump(asdict(self), opened)
            unfinished.replace(file)

    def remove(self, world: Path) -> None:
        """Remove the file, if it is this one's."""
        file = world / CONTROL_FILE
        with contextlib.suppress(OSError, ValueError):
            if json.loads(file.read_text(encoding="utf-8")) == asdict(self):
                file.unlink()

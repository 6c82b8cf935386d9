"""The one owner of a world.

A world has one writer at a time. What says who it is: a lock of the operating system on `owner.lock`, which
ends with the process however it dies, so that no stale lock ever has to be judged. The file's text (process id
and host) only serves the message that the second comer reads.

The lock belongs to the open file, not to the process: a second open in the same process is refused like one
from outside, under whatever spelling of the path. A forked child inherits the open file, and would hold the
world beyond its parent's death: there `release` closes its copy, and leaves the parent's lock in force.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from pathlib import Path
from typing import NamedTuple

from ...workflows.errors import WorldError, WorldInUse

OWNER_FILE = "owner.lock"

if sys.platform == "win32":
    import msvcrt

    # Windows locks byte ranges, and a locked byte cannot be read: lock one beyond the text.
    _LOCKED_BYTE = 1 << 20

    def _lock(fd: int) -> None:
        os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)

    _probe = _lock

else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _probe(fd: int) -> None:
        # Shared: those who only ask do not take each other for owners.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)


_TRIES = 10
_PAUSE_S = 0.01
"""Between two tries to lock: whoever asks for the owner holds the lock for an instant."""


class WorldLock:
    """Hold a world's ownership from construction to `release`.

    Args:
        world: the world's directory, which exists.

    Raises:
        WorldInUse: another process, or another open of this one, owns the world.
        WorldError: the lock file cannot be made or opened.
    """

    def __init__(self, world: Path) -> None:
        self._path = world / OWNER_FILE
        self._fd = _locked(world, self._path)
        # Its last owner may have discarded the file just before it was locked: then another one can have its name.
        while not _is_named(self._path, self._fd):
            os.close(self._fd)
            self._fd = _locked(world, self._path)
        # The lock holds whether or not its text could be written, on a full disk for one.
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.write(self._fd, f"{os.getpid()} {socket.gethostname()}\n".encode())

    def release(self) -> None:
        """Give the world up. The file stays, to be locked again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def discard(self) -> None:
        """Give up what is only made here, and take the file away, so that a copy is what was copied and no more."""
        if os.name == "nt":
            # Windows removes no open file, and so none that another one waits for.
            self.release()
        with contextlib.suppress(OSError):
            self._path.unlink()
        self.release()


class Owner(NamedTuple):
    """Who owns a world, as its lock file says.

    Attributes:
        pid: its process id; 0 where the file does not say.
        host: the computer that it runs on.
    """

    pid: int
    host: str

    def __str__(self) -> str:
        if not self.pid:
            return "another process"
        if self.host != socket.gethostname():
            return f"process {self.pid} on host {self.host}"
        return f"this process ({self.pid})" if self.pid == os.getpid() else f"process {self.pid}"


def owner_of(world: Path) -> Owner | None:
    """Say who owns a world, or None where nobody does.

    To find out, it takes the lock for an instant, which whoever opens the world just then waits for.

    Raises:
        WorldError: the lock file cannot be opened.
    """
    path = world / OWNER_FILE
    try:
        fd = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WorldError(str(world), f"its {OWNER_FILE} cannot be opened ({error.strerror})") from error
    try:
        _probe(fd)
    except OSError:
        return _owner(fd)
    else:
        return None
    finally:
        os.close(fd)


def _locked(world: Path, path: Path) -> int:
    """Open the lock file and lock it; raises as `WorldLock` does."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    except OSError as error:
        raise WorldError(str(world), f"its {OWNER_FILE} cannot be opened ({error.strerror})") from error
    try:
        _lock_soon(fd)
    except (BlockingIOError, PermissionError) as error:
        owner = _owner(fd)
        os.close(fd)
        raise WorldInUse(str(world), f"owned by {owner}; close it there first") from error
    except OSError as error:
        os.close(fd)
        raise WorldError(str(world), f"its {OWNER_FILE} cannot be locked ({error.strerror})") from error
    return fd


def _is_named(path: Path, fd: int) -> bool:
    """Say whether an open file is still the one of this name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except FileNotFoundError:
        return False


def _lock_soon(fd: int) -> None:
    """Lock, waiting for those who only ask; raises as the system does if somebody has it for longer."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(BlockingIOError, PermissionError):
            return _lock(fd)
        time.sleep(_PAUSE_S)
    return _lock(fd)


def _owner(fd: int) -> Owner:
    """Read who wrote the lock file."""
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        pid, _, host = os.read(fd, 300).decode(errors="replace").strip().partition(" ")
    except OSError:
        pid = host = ""
    return Owner(int(pid), host) if pid.isdecimal() else Owner(0, "")

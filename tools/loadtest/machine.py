"""What a load test asks of the machine."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgpack

from ... import __version__

_STATUS = Path("/proc/self/status")
_MOUNTS = Path("/proc/self/mounts")


def describe(place: Path) -> dict[str, Any]:
    """Return what decides figures beside Deathless itself.

    Args:
        place: where the world lies; commits on a file system in memory cost nothing.
    """
    return {
        "deathless": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "file_system": file_system(place),
        "lmdb": version("lmdb"),
        "msgpack": ".".join(map(str, msgpack.version)),
    }


def anonymous_bytes() -> int | None:
    """Return the memory of this process that no file backs; resident memory counts the mapped world too.

    None where the system does not say, which is anywhere but on Linux.
    """
    try:
        status = _STATUS.read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    return None


def file_system(place: Path) -> str:
    """Return the kind of file system on which a directory lies, or "unknown"."""
    best, kind = "", "unknown"
    if sys.platform == "linux" and _MOUNTS.exists():
        for line in _MOUNTS.read_text().splitlines():
            _, mounted, found, *_ = line.split()
            if len(mounted) >= len(best) and place.resolve().is_relative_to(mounted):
                best, kind = mounted, found
    return kind

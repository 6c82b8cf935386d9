"""What the benchmarks ask of the machine: memory, a busy thread, a place on a real disk."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lmdb

CHECKOUT = Path(__file__).resolve().parent.parent


def describe() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "lmdb": lmdb.__version__,
        "msgpack": version("msgpack"),
    }


def anonymous_bytes() -> int:
    """Memory of this process that no file backs: resident memory counts the mapped world too. Linux only."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    for line in status.read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    return 0


@contextlib.contextmanager
def spinning(*, busy: bool = True) -> Iterator[None]:
    """Keep one Python thread busy meanwhile."""
    running = busy

    def spin() -> None:
        while running:
            pass

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        running = False
        thread.join()


def file_system(path: Path) -> str:
    """Say on which kind of file system a path lies, where the system tells; synced commits on a tmpfs are free."""
    mounts = Path("/proc/self/mounts")
    if sys.platform != "linux" or not mounts.exists():
        return "unknown"
    best, kind = "", "unknown"
    for line in mounts.read_text().splitlines():
        _, place, found, *_ = line.split()
        if len(place) >= len(best) and path.is_relative_to(place):
            best, kind = place, found
    return kind

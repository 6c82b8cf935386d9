"""What a running world tells of itself at its own endpoint, for those that stand beside it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

from ...runtime.world_files import CONTROL_FILE
from ...runtime.world_lock import owner_of

PATIENCE_S = 30.0
"""Seconds that a world may take to answer: its first census may take some."""


def told_by_endpoint(world: Path) -> bytes | None:
    """Return the metrics of a world that is running and takes commands; None where it does not, or does not answer."""
    owner = owner_of(world)
    if owner is None:
        return None
    try:
        found = json.loads((world / CONTROL_FILE).read_text(encoding="utf-8"))
        if (found["pid"], found["host"]) != tuple(owner):
            # Left behind by a process that was killed.
            return None
        # Straight there: whatever proxy the environment names does not know this computer's own addresses.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{found['url']}/metrics", timeout=PATIENCE_S) as answer:
            told: bytes = answer.read()
            return told
    except (OSError, ValueError, KeyError, TypeError, urllib.error.URLError):
        return None

"""What a running world tells of itself at its own endpoint, for those that stand beside it."""

from __future__ import annotations

import http.client
import urllib.request
from pathlib import Path

from ...runtime.storage.world_lock import owner_of
from ..control.endpoint import Endpoint

PATIENCE_S = 30.0
"""Seconds that a world may take to answer: its first census may take some."""


def told_by_endpoint(world: Path) -> bytes | None:
    """Return the metrics of a world that is running and takes commands; None where it does not, or does not answer."""
    owner = owner_of(world)
    if owner is None:
        return None
    endpoint = Endpoint.of(world, owner)
    if endpoint is None:
        return None
    try:
        # Straight there: whatever proxy the environment names does not know this computer's own addresses.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{endpoint.url}/metrics", timeout=PATIENCE_S) as answer:
            told: bytes = answer.read()
            return told
    except (OSError, ValueError, http.client.HTTPException):
        return None

"""What a running world tells of itself at its own endpoint, for those that stand beside it."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from pathlib import Path

from ...runtime.storage.world_lock import owner_of
from ..control.endpoint import Endpoint

PATIENCE_S = 30.0
"""Seconds that a world may take to answer: its first census may take some."""


def told_by_endpoint(world: Path, page: str = "/metrics", *, patience_s: float = PATIENCE_S) -> bytes | None:
    """Return a page of a world that is running and takes commands; None where it does not, or does not answer.

    Args:
        world: its directory.
        page: its metrics, or its health at `/health`, be that good or bad.
        patience_s: seconds that it may take to answer.
    """
    owner = owner_of(world)
    if owner is None:
        return None
    endpoint = Endpoint.of(world, owner)
    if endpoint is None:
        return None
    try:
        # Straight there: whatever proxy the environment names does not know this computer's own addresses.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{endpoint.url}{page}", timeout=patience_s) as answer:
            told: bytes = answer.read()
            return told
    except urllib.error.HTTPError as error:
        with error:
            # So is the health of a world told that is not well.
            return error.read() if error.code == http.HTTPStatus.SERVICE_UNAVAILABLE else None
    except (OSError, ValueError, http.client.HTTPException):
        return None

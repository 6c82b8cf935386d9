"""The log of a world: structlog's, configured by the game."""

from __future__ import annotations

import sys
from typing import Any


def get_logger() -> Any:
    """Return a logger; structlog is imported at the first."""
    # It imports rich, where that is installed, and takes longer than all of this package: for commands that open no
    # world, a third of their time.
    import structlog  # noqa: PLC0415

    return structlog.get_logger("deathless")


def is_configured() -> bool:
    """Say whether somebody has set structlog up."""
    structlog: Any = sys.modules.get("structlog")
    return structlog is not None and bool(structlog.is_configured())

"""What `ctx.gather` runs: a routine like any user's, so that what it has so far is part of the snapshot."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from .context import Context
from .definition import routine


@routine
async def gathered(ctx: Context, awaitables: tuple[Awaitable[Any], ...]) -> list[Any]:  # noqa: ARG001 - routines have one.
    """Await one after the other. All run meanwhile, and what is done early waits unread."""
    results: list[Any] = []
    for awaitable in awaitables:
        results.append(await awaitable)  # noqa: PERF401 - an await in a comprehension cannot be made durable.
    return results

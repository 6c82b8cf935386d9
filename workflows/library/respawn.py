"""`respawn`: bring the fallen back after a time that nothing shortens.

              cancel: refused, the time runs on
              +------+
              v      |
start ----> waiting -+---- time is up ----> ended, after Respawned to `notify`
"""

from __future__ import annotations

from typing import TypedDict

from ..context import Context
from ..definition import workflow
from ..errors import Cancelled
from ..signal import Signal
from .arguments import YEAR_S, require_number, require_point, require_text
from .notices import notify as notify_all

FARTHEST = 1e6
"""How far from 0 a coordinate may lie."""


class Respawned(Signal):
    """An entity is back: sent to the workflows of the group that `respawn` was told to notify."""

    entity_id: int | None
    x: float
    y: float


class RespawnEnd(TypedDict):
    """Where and when (world time in seconds) it is back, and how many cancels it outlived."""

    x: float
    y: float
    at: float
    refused: int


@workflow
async def respawn(
    ctx: Context, x: float, y: float, *, delay: float = 10.0, notify: str | None = None
) -> RespawnEnd:
    """Wait `delay` seconds, whoever cancels it, and say where the entity is back.

    A cancel before its first step, or a forced one, ends it all the same: there no code of a workflow runs.

    Args:
        ctx: the world.
        x: where it comes back.
        y: where it comes back.
        delay: in seconds, up to a year.
        notify: a correlation id; the workflows of that group that await `Respawned` get it.
    """
    require_point("the place of respawn", (x, y), FARTHEST)
    require_number("delay of respawn", delay, 0, YEAR_S)
    if notify is not None:
        require_text("notify of respawn", notify, 255)
    # The timer is a value: waited for again after a refused cancel, it still has its first due time.
    back = ctx.timer(delay, name="back")
    refused = 0
    waiting = True
    while waiting:
        ctx.step("waiting")
        try:
            await ctx.select(back)
            waiting = False
        except Cancelled as cancel:
            refused += 1
            ctx.log.info("cancel_refused", reason=cancel.reason)
    if notify is not None:
        notify_all(ctx, Respawned(ctx.entity_id, x, y), correlation_id=notify)
    return {"x": x, "y": y, "at": ctx.now, "refused": refused}

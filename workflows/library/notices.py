"""Notices: signals to whoever wants to know, which must not stop their sender."""

from __future__ import annotations

from ..context import Context
from ..errors import LimitError
from ..signal import Signal


def notify(
    ctx: Context, signal: Signal, *, entity_id: int | None = None, correlation_id: str | None = None
) -> None:
    """Send a signal; where a receiver reads no mail and its mailbox is full, log that it is lost."""
    try:
        ctx.signal(signal, entity_id=entity_id, correlation_id=correlation_id)
    except LimitError as error:
        ctx.log.warning("notice_lost", notice=repr(signal), reason=str(error))


def announce(ctx: Context, signal: Signal) -> None:
    """Publish a signal; where a subscriber reads no mail and its mailbox is full, log that nobody gets it."""
    try:
        ctx.publish(signal)
    except LimitError as error:
        ctx.log.warning("notice_lost", notice=repr(signal), reason=str(error))

"""How long something takes, and how long until it is due, short enough to be read while time goes by."""

from __future__ import annotations

from ...workflows.sources import US


def span_text(span_us: int) -> str:
    """Return a duration, short: `0.417 s`, `12.3 s`, `4 min`, `3.5 h`, `12 d`."""
    seconds = span_us / US
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3f} s" if abs(seconds) < 1 else f"{seconds:.3g} s"


def due_text(due_us: int, now_us: int) -> str:
    """Say when something is due: `in 0.417 s`, `due now`, `due for 2.5 s`."""
    left_us = due_us - now_us
    if abs(left_us) < US // 1000:
        return "due now"
    return f"in {span_text(left_us)}" if left_us > 0 else f"due for {span_text(-left_us)}"

"""The codec as the engine uses it: with its own kinds of values among those of Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .codec import Codec, Extension
from .codec.classes import ClassReader
from .compiler import UNBOUND
from .sources import MISSED, Beat, Child, Elapsed, Every, Running, Timer


def engine_codec(reader: ClassReader | None = None) -> Codec:
    """Return a new codec. One serves one thread at a time.

    Args:
        reader: as `Codec` takes it.
    """
    return Codec(
        reader=reader,
        extensions=[
            Extension(32, Timer, lambda timer: (timer.due_us, timer.name), lambda parts: Timer(*parts)),
            Extension(33, Every, _store_every, _load_every, by_identity=True),
            Extension(38, Running, lambda running: (running.workflow_id,), lambda parts: Running(*parts)),
            Extension(34, Child, lambda child: (child.workflow_id,), lambda parts: Child(*parts)),
            Extension(35, Elapsed, tuple, lambda parts: Elapsed(*parts)),
            Extension(36, Beat, tuple, lambda parts: Beat(*parts)),
            Extension(37, type(UNBOUND), lambda _unbound: (), lambda _parts: UNBOUND),
        ],
    )


def _store_every(every: Every) -> tuple[int, ...]:
    if every.missed == "skip" and not every.skipped:
        return every.start_us, every.period_us, every.n
    return every.start_us, every.period_us, every.n, MISSED.index(every.missed), every.skipped


def _load_every(parts: Sequence[Any]) -> Every:
    if len(parts) == 3:
        return Every(*parts)
    start_us, period_us, n, missed, skipped = parts
    return Every(start_us, period_us, n, MISSED[missed], skipped)

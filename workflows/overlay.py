"""Overlay: what was written since, over what is stored, in the order of the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import takewhile
from operator import gt, lt


def overlaid(
    stored: Iterable[tuple[bytes, bytes]],
    fresh: Mapping[bytes, bytes | None],
    start: bytes = b"",
    stop: bytes | None = None,
) -> Iterator[tuple[bytes, bytes]]:
    """Iterate over pairs in key order as if `fresh` had been stored; None in it deletes.

    Args:
        stored: ascending pairs, from `start` on.
        fresh: what was written since; as it is now.
        start: the first key.
        stop: the first key that is not wanted any more; None for no end.
    """
    newer = sorted(
        (key, value) for key, value in fresh.items() if key >= start and (stop is None or key < stop)
    )
    wanted = stored if stop is None else takewhile(lambda row: row[0] < stop, stored)
    return _merged(wanted, newer, lt)


def overlaid_backwards(
    stored: Iterable[tuple[bytes, bytes]],
    fresh: Mapping[bytes, bytes | None],
    below: bytes | None = None,
) -> Iterator[tuple[bytes, bytes]]:
    """Iterate as `overlaid` does, the other way round.

    Args:
        stored: descending pairs, from below `below` on.
        fresh: what was written since; as it is now.
        below: the first key that is too large; None for no end.
    """
    newer = sorted(
        ((key, value) for key, value in fresh.items() if below is None or key < below), reverse=True
    )
    return _merged(stored, newer, gt)


def _merged(
    stored: Iterable[tuple[bytes, bytes]],
    newer: list[tuple[bytes, bytes | None]],
    comes_before: Callable[[bytes, bytes], bool],
) -> Iterator[tuple[bytes, bytes]]:
    """Merge pairs of one order; where both have a key, the newer one counts, and None in it deletes."""
    at = 0
    for key, value in stored:
        while at < len(newer) and comes_before(newer[at][0], key):
            if newer[at][1] is not None:
                yield newer[at]  # type: ignore[misc] # Not None, as was just seen.
            at += 1
        if at < len(newer) and newer[at][0] == key:
            if newer[at][1] is not None:
                yield newer[at]  # type: ignore[misc]
            at += 1
        else:
            yield key, value
    for key, fresh_value in newer[at:]:
        if fresh_value is not None:
            yield key, fresh_value

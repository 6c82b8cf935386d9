"""Topics: what a workflow has subscribed to: a signal class, and values that some of its fields must have.

A topic is compared by packed values, so that `zone=3` matches what was sent as `zone=3` and not as `3.0`.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Topic(NamedTuple):
    """One subscription.

    Attributes:
        signal: name of the class.
        fields: (name, packed value) pairs that must match, by ascending name; empty for every signal of the class.
    """

    signal: str
    fields: tuple[tuple[str, bytes], ...]


def store_topics(topics: tuple[Topic, ...] | None) -> list[Any] | None:
    """Return the stored form: [name, [field, packed value, ...], name, ...]."""
    if not topics:
        return None
    stored: list[Any] = []
    for topic in topics:
        stored += topic.signal, [part for pair in topic.fields for part in pair]
    return stored


def load_topics(stored: list[Any] | None) -> tuple[Topic, ...] | None:
    """Return the topics of a stored list."""
    if not stored:
        return None
    return tuple(
        Topic(name, tuple(zip(pairs[::2], pairs[1::2], strict=True)))
        for name, pairs in zip(stored[::2], stored[1::2], strict=True)
    )

"""Iterators: what they run over, and how far they are.

`for unit in party:` across an await keeps `party`'s iterator. It is written as the sequence and an index, and
the sequence is the same list as elsewhere in the snapshot, so that an append during the loop is still seen.
An exhausted iterator has let go of its sequence and stays exhausted. Iterators over dicts, sets and
generators have no position that could be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..errors import DecodeError, UnstorableError
from . import wire
from .names import type_name
from .wire import Kind, tag

_ITERATOR = tag(wire.ITERATOR)

_MAX_BEYOND = 1 << 20
"""How far an iterator may stand beyond the end of a list that has shrunk under it."""

_REVERSIBLE = (tuple, str, bytes)
_SEQUENCES: dict[str, tuple[type, ...]] = {
    "list": (list,),
    "reversed list": (list,),
    "tuple": (tuple,),
    "str": (str,),
    "bytes": (bytes,),
    "reversed": _REVERSIBLE,
}


def _over(name: str) -> Callable[[Any], list[Any]]:
    def encode(value: Any) -> list[Any]:
        reduced = value.__reduce__()
        if len(reduced) == 2:  # Exhausted: it reduces to an iterator over nothing.
            return [_ITERATOR, name]
        (sequence,), index = reduced[1:]
        if index - len(sequence) > _MAX_BEYOND:
            raise UnstorableError(type_name(type(value)), why="its list has shrunk far below where it stands")
        return [_ITERATOR, name, sequence, index]

    return encode


def _reversed(value: Any) -> list[Any]:
    reduced = value.__reduce__()
    if len(reduced) == 2:
        return [_ITERATOR, "reversed"]
    (sequence,), index = reduced[1:]
    if type(sequence) not in _REVERSIBLE:
        raise UnstorableError(
            type_name(type(value)), why="it runs over a class of its own; wrap it in list(...)"
        )
    return [_ITERATOR, "reversed", sequence, index]


def _range(value: Any) -> list[Any]:
    # Only what is left counts: Pythons differ in how they remember what has gone by.
    whole, done = value.__reduce__()[1][0], (*value.__reduce__(), None)[2]
    left = whole[done or 0 :]
    if not left:
        return [_ITERATOR, "range", 0, 0, 1]
    return [_ITERATOR, "range", left.start, left.start + len(left) * left.step, left.step]


def _enumerate(value: Any) -> list[Any]:
    return [_ITERATOR, "enumerate", *value.__reduce__()[1]]


def _zip(value: Any) -> list[Any]:
    _, inner, *strict = value.__reduce__()
    return [_ITERATOR, "zip", bool(strict and strict[0]), *inner]


ITERATOR_KINDS: dict[type, Kind] = {
    type(iter([])): Kind(_over("list"), identity=True),
    type(reversed([])): Kind(_over("reversed list"), identity=True),
    type(iter(())): Kind(_over("tuple"), identity=True),
    type(iter("a")): Kind(_over("str"), identity=True),
    type(iter("\u0394")): Kind(_over("str"), identity=True),
    type(iter(b"")): Kind(_over("bytes"), identity=True),
    type(iter(range(0))): Kind(_range, identity=True),
    type(iter(range(1 << 80))): Kind(_range, identity=True),
    reversed: Kind(_reversed, identity=True),
    enumerate: Kind(_enumerate, identity=True),
    zip: Kind(_zip, identity=True),
}


# -- and back ----------------------------------------------------------------------------------------------


def to_iterator(items: list[Any]) -> Any:
    """Make an iterator from its name and what it runs over."""
    name, *rest = items
    if name == "range":
        return iter(range(*rest))
    if name == "enumerate":
        inner, count = rest
        return enumerate(_checked(inner), count)
    if name == "zip":
        return zip(*map(_checked, rest[1:]), strict=rest[0])
    make: Callable[[Any], Any] = reversed if name in ("reversed list", "reversed") else iter
    allowed = _SEQUENCES[name]
    if not rest:
        return _exhausted(make(allowed[0]()))
    sequence, index = rest
    if type(sequence) not in allowed or type(index) is not int:
        raise DecodeError(f"a {name} iterator runs over a {type_name(type(sequence))}")
    return _at(make, sequence, index)


def _at(make: Callable[[Any], Any], sequence: Any, index: int) -> Any:
    """Stand an iterator at `index`, which may lie beyond the end of a list that has shrunk meanwhile."""
    beyond = index + 1 - len(sequence)
    if beyond > _MAX_BEYOND + 1:
        raise DecodeError(f"an iterator stands at {index} of {len(sequence)} items")
    if type(sequence) is not list or beyond <= 0:
        iterator = make(sequence)
        iterator.__setstate__(index)
        return iterator
    # `__setstate__` clamps the index to the length: lend the list that length for a moment.
    sequence.extend([None] * beyond)
    try:
        iterator = make(sequence)
        iterator.__setstate__(index)
    finally:
        del sequence[-beyond:]
    return iterator


def _exhausted(iterator: Iterator[Any]) -> Iterator[Any]:
    for _ in iterator:
        raise AssertionError("made over an empty sequence")
    return iterator


def _checked(inner: Any) -> Any:
    # Anything else might bring an `__iter__` of its own, and unpacking runs no one's code.
    if type(inner) not in ITERATOR_KINDS:
        raise DecodeError(f"a {type_name(type(inner))} stands where an iterator should")
    return inner

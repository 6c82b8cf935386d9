"""Containers beyond list and dict: tuple, sets, bytearray, slice and the collections module's.

Sets go out in the order of their items' bytes, since their own order changes with the hash seed. An object
with identity has no such place (two equal ones would be told apart by where they lie in memory), so a set may
hold values only. A set is a leaf: its items have to be packed to be put in order, and to pack them a second time
would double the work with each level.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Iterable
from itertools import chain
from typing import Any

from msgpack import ExtType

from ..errors import DecodeError
from . import wire
from .wire import Kind, pairs, tag

_TUPLE = tag(wire.TUPLE)
_BYTEARRAY, _SLICE, _DEQUE = tag(wire.BYTEARRAY), tag(wire.SLICE), tag(wire.DEQUE)
_ORDERED_DICT, _DEFAULT_DICT, _COUNTER = tag(wire.ORDERED_DICT), tag(wire.DEFAULT_DICT), tag(wire.COUNTER)


def container_kinds(ordered: Callable[[Collection[Any]], bytes]) -> dict[type, Kind]:
    """Give the kinds of the containers.

    Args:
        ordered: packs the items of a set in the order of their bytes, and refuses those that have identity.
    """
    return {
        tuple: Kind(lambda value: [_TUPLE, *value]),
        set: Kind(lambda value: ExtType(wire.SET, ordered(value)), identity=True),
        frozenset: Kind(lambda value: ExtType(wire.FROZENSET, ordered(value))),
        bytearray: Kind(lambda value: [_BYTEARRAY, bytes(value)], identity=True),
        slice: Kind(lambda value: [_SLICE, value.start, value.stop, value.step]),
        deque: Kind(lambda value: [_DEQUE, value.maxlen, *value], identity=True),
        OrderedDict: Kind(lambda value: [_ORDERED_DICT, *_flat(value)], identity=True),
        defaultdict: Kind(lambda value: [_DEFAULT_DICT, value.default_factory, *_flat(value)], identity=True),
        Counter: Kind(lambda value: [_COUNTER, *_flat(value)], identity=True),
    }


def _flat(mapping: dict[Any, Any]) -> Iterable[Any]:
    return chain.from_iterable(mapping.items())


# -- and back ----------------------------------------------------------------------------------------------


def _to_bytearray(items: list[Any]) -> bytearray:
    (data,) = items
    if (
        type(data) is not bytes
    ):  # bytearray(7) would be seven zeros, and bytearray(10**12) the end of the process.
        raise DecodeError("a bytearray is not made of bytes")
    return bytearray(data)


def _to_slice(items: list[Any]) -> slice:
    start, stop, step = items
    return slice(start, stop, step)


def _to_deque(items: list[Any]) -> deque[Any]:
    found = deque(items[1:], items[0])
    if len(found) != len(items) - 1:
        raise DecodeError("a deque is longer than its maxlen")
    return found


def _to_default_dict(items: list[Any]) -> defaultdict[Any, Any]:
    factory = items[0]
    if factory is not None and not isinstance(factory, type):
        raise DecodeError("a defaultdict's factory is not a class")
    return defaultdict(factory, pairs(items[1:]))


def _to_counter(items: list[Any]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for key, count in pairs(items):
        found[key] = count
    return found


CONTAINER_TAGS: dict[int, Callable[[list[Any]], Any]] = {
    wire.TUPLE: tuple,
    wire.BYTEARRAY: _to_bytearray,
    wire.SLICE: _to_slice,
    wire.DEQUE: _to_deque,
    wire.ORDERED_DICT: lambda items: OrderedDict(pairs(items)),
    wire.DEFAULT_DICT: _to_default_dict,
    wire.COUNTER: _to_counter,
}

"""Arbitrary graphs of values come back with the same shape: same values, same types, same objects."""

import collections

from hypothesis import given, settings
from hypothesis import strategies as st
from value_graphs import ATOMS, KEYS, Stack, Unit, graphs

from deathless.workflows.codec import Codec
from deathless.workflows.errors import DeathlessError

CODEC = Codec()


def parts_of(value):
    """Open a value for the comparison below, by other means than the codec's where there are any."""
    match value:
        case list() | tuple() | collections.deque():
            return list(value)
        case dict():
            return [part for item in value.items() for part in item]
        case BaseException():
            return [value.args, value.__cause__, value.__context__, value.__dict__]
        case Unit():
            return [value.hp, value.bag]
        case Stack():
            return [value.amount]
        case enumerate() | collections.abc.Iterator():
            return list(value.__reduce__()[1:])
        case _:
            return None


def same_shape(one, other, seen):
    assert type(one) is type(other)
    parts = parts_of(one)
    if parts is None:
        assert repr(one) == repr(other) if not isinstance(one, set | frozenset | float) else one == other
        if not isinstance(one, set | bytearray):
            return
    if not isinstance(one, tuple | Stack | str | bytes):
        known = seen.setdefault(id(one), other)
        assert known is other, "what was one object is two"
        back = seen.setdefault(("back", id(other)), one)
        assert back is one, "what were two objects is one"
    if parts is not None:
        others = parts_of(other)
        seen.setdefault("alive", []).append((parts, others))
        assert len(parts) == len(others)
        for left, right in zip(parts, others, strict=True):
            same_shape(left, right, seen)


@given(graphs())
@settings(max_examples=400, deadline=None)
def test_a_graph_comes_back_with_its_shape_and_its_bytes(graph):
    data = CODEC.pack(graph)
    back = CODEC.unpack(data)
    same_shape(graph, back, {})
    assert CODEC.pack(back) == data
    assert CODEC.pack_shared(graph) == data
    assert Codec().pack(back) == data
    if CODEC.is_tree(graph) and graph:
        assert CODEC.pack_tree(graph) == data


@given(st.recursive(ATOMS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20))
@settings(max_examples=200, deadline=None)
def test_a_tree_has_the_same_bytes_by_every_way(tree):
    assert CODEC.pack(tree) == CODEC.pack_shared(tree) == CODEC.pack(CODEC.unpack(CODEC.pack(tree)))


@given(st.binary(max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_bytes_give_a_value_or_a_clear_error(data):
    try:
        CODEC.unpack(data)
    except DeathlessError:
        pass


@given(graphs(), st.data())
@settings(max_examples=400, deadline=None)
def test_damaged_bytes_give_a_value_or_a_clear_error(graph, data):
    packed = bytearray(CODEC.pack(graph))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        CODEC.unpack(packed[: data.draw(st.integers(1, len(packed)))])
    except DeathlessError:
        pass

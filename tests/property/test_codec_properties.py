"""Arbitrary graphs of values come back with the same shape: same values, same types, same objects."""

import collections
import dataclasses
import enum
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from deathless.workflows.codec import Codec
from deathless.workflows.errors import DeathlessError

CODEC = Codec()


class Side(enum.Enum):
    WEST = 1
    EAST = 2


@dataclasses.dataclass(eq=False)
class Unit:
    hp: object
    bag: object


@dataclasses.dataclass(frozen=True)
class Stack:
    amount: object


ATOMS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=4)
    | st.binary(max_size=4) | st.sampled_from([*Side, Decimal("1.0"), Decimal("1.00"), ..., int, Stack])
)  # fmt: skip
KEYS = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3) | inner.map(Stack)
    ),
    max_leaves=4,
)


@st.composite
def graphs(draw):
    """Build containers one by one, each of atoms and of earlier ones: much sharing and no cycles."""
    pool = []
    for _ in range(draw(st.integers(1, 8))):
        parts = st.lists(st.sampled_from(pool) | ATOMS if pool else ATOMS, max_size=4)
        items = draw(parts)
        kind = draw(st.integers(0, 12))
        if kind == 0:
            made = list(items)
        elif kind == 1:
            made = tuple(items)
        elif kind == 2:
            made = dict(
                zip(draw(st.lists(KEYS, max_size=4, unique_by=lambda key: (key,))), items, strict=False)
            )
        elif kind == 3:
            made = draw(st.sets(KEYS, max_size=4))
        elif kind == 4:
            made = Unit(items, tuple(items))
        elif kind == 5:
            made = Stack(items[0] if items else None)
        elif kind == 6:
            made = collections.deque(items)
        elif kind == 7:
            made = bytearray(draw(st.binary(max_size=3)))
        elif kind == 8:
            made = iter(draw(st.sampled_from([held for held in pool if type(held) is list] or [[]])))
            next(made, None)
        elif kind == 9:
            made = ValueError(*items)
            made.bag = items
        elif kind == 10:
            made = collections.OrderedDict(enumerate(items))
        elif kind == 11:
            made = enumerate(iter(items))
        else:
            made = {Unit(1, None): held for held in items}
        pool.append(made)
    return draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4))


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

"""Graphs of values of all kinds that a local may hold, with much sharing and no cycles."""

import collections
import dataclasses
import enum
from decimal import Decimal

from hypothesis import strategies as st


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

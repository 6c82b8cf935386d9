"""Differences of arbitrary values: none of a value to itself, and enough of them to make one value of the other."""

import ast
import copy

from hypothesis import given, settings
from hypothesis import strategies as st
from test_codec_properties import CODEC, graphs

from deathless.tools.replay.differences import ABSENT, value_differences

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.0, -0.0, 1.0])
    | st.text("ab", max_size=2)
)
TREES = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=4),
    max_leaves=12,
)


@given(graphs())
@settings(max_examples=200, deadline=None)
def test_a_value_does_not_differ_from_itself_nor_from_what_its_bytes_give(graph):
    assert value_differences(graph, graph) == []
    assert value_differences(graph, CODEC.unpack(CODEC.pack(graph))) == []


@given(TREES, TREES)
@settings(max_examples=500, deadline=None)
def test_the_differences_make_the_new_tree_of_the_old_one(old, new):
    found = value_differences(old, new, "v")
    # Where among the others a new key stands is not said.
    assert CODEC.pack(ordered(applied(old, found))) == CODEC.pack(ordered(new))
    assert (not found) == (CODEC.pack(old) == CODEC.pack(new))


@given(TREES, TREES)
@settings(max_examples=200, deadline=None)
def test_it_differs_at_the_same_places_both_ways(old, new):
    there = {(path, repr(was), repr(now)) for path, was, now in value_differences(old, new)}
    back = {(path, repr(now), repr(was)) for path, was, now in value_differences(new, old)}
    assert there == back


def ordered(tree):
    if isinstance(tree, dict):
        return {key: ordered(tree[key]) for key in sorted(tree)}
    return [ordered(item) for item in tree] if isinstance(tree, list) else tree


def applied(value, found):
    """Return a tree with differences applied; what is gone goes first, from the end, so that indexes hold."""
    held = {"v": copy.deepcopy(value)}
    gone = [one for one in found if one.new is ABSENT]
    for one in gone[::-1]:
        place, key = target(held, one.path)
        del place[key]
    for path, old, new in found:
        if new is ABSENT:
            continue
        if path.endswith(".keys()"):
            place, key = target(held, path.removesuffix(".keys()"))
            place[key] = {name: place[key][name] for name in new}
            continue
        place, key = target(held, path)
        if isinstance(place, list) and old is ABSENT:
            place.insert(key, new)
        else:
            place[key] = new
    return held["v"]


def target(held, path):
    """Return the container in which a path ends, and the key there."""
    keys = []
    node = ast.parse(path, mode="eval").body
    while isinstance(node, ast.Subscript):
        keys.insert(0, ast.literal_eval(node.slice))
        node = node.value
    place, last = held, node.id
    for key in keys:
        place, last = place[last], key
    return place, last

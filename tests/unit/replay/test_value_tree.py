"""Locals as a tree: parts by the paths that differences have, and marks on what changed."""

from collections import deque
from dataclasses import dataclass, replace
from typing import NamedTuple

import pytest

from deathless import Context, GameClock, Runtime, Signal, workflow
from deathless.runtime.view import FrameView
from deathless.tools.replay.differences import differences
from deathless.tools.replay.due_times import due_text, span_text
from deathless.tools.replay.value_tree import MOST_CHILDREN, Change, ValueTree, has_parts, short_text
from deathless.workflows.sources import Child, Every, Timer


class Go(Signal):
    pass


@workflow
async def waiting(ctx: Context) -> None:
    await ctx.receive(Go)


@dataclass
class Gear:
    armour: int
    charms: list


class Spot(NamedTuple):
    x: int
    y: int


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    """A view to put locals into."""
    with Runtime(tmp_path_factory.mktemp("w") / "w", [waiting], clock=GameClock()) as world:
        handle = world.start(waiting())
        world.pump()
        return world.get(handle.id)


def tree(view, before, after):
    old, new = replace(view, locals=before), replace(view, locals=after)
    return ValueTree(new, differences(old, new))


def roots(values):
    ((_, nodes),) = values.functions()
    return {node.name: node for node in nodes}


def all_nodes(values):
    found, waiting_for = [], list(roots(values).values())
    while waiting_for:
        node = waiting_for.pop()
        found.append(node)
        waiting_for += values.children(node)
    return found


def test_variables_are_marked_as_new_changed_gone_or_as_they_were(view):
    found = roots(tree(view, {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5, "d": 4}))
    assert list(found) == ["a", "b", "c", "d"]
    assert {name: node.change for name, node in found.items()} == {
        "a": Change.NONE,
        "b": Change.CHANGED,
        "c": Change.GONE,
        "d": Change.NEW,
    }
    assert (found["b"].old, found["c"].value) == (2, 3)


def test_a_change_deep_within_marks_all_that_holds_it(view):
    before = {"party": {"hero": Gear(3, ["ring"])}, "calm": [1]}
    after = {"party": {"hero": Gear(3, ["ring", "coin"])}, "calm": [1]}
    found = {node.path: node.change for node in all_nodes(tree(view, before, after))}
    assert found["locals.party"] is Change.INSIDE
    assert found["locals.party['hero']"] is Change.INSIDE
    assert found["locals.party['hero'].charms"] is Change.INSIDE
    assert found["locals.party['hero'].charms[1]"] is Change.NEW
    assert found["locals.party['hero'].charms[0]"] is Change.NONE
    assert found["locals.calm"] is Change.NONE


VALUES = [
    ([1, [2]], [1, [3]]),
    ((1, 2), (1, 3)),
    (deque([1]), deque([2])),
    ({"a": {"b": 1}}, {"a": {"b": 2}}),
    ({("k", 1): 1}, {("k", 1): 2}),
    (Gear(1, []), Gear(2, [])),
    (Spot(1, 2), Spot(1, 3)),
    ([Gear(1, [Spot(1, 2)])], [Gear(1, [Spot(9, 2)])]),
]


@pytest.mark.parametrize(("old", "new"), VALUES)
def test_every_difference_is_at_a_node_of_its_path(view, old, new):
    """The tree and the differences write paths each by itself; where they part, a mark would be lost."""
    values = tree(view, {"v": old}, {"v": new})
    wanted = {
        each.path for each in differences(replace(view, locals={"v": old}), replace(view, locals={"v": new}))
    }
    marked = {node.path for node in all_nodes(values) if node.change is Change.CHANGED}
    assert marked == wanted


def test_items_of_a_set_are_nodes_too(view):
    values = tree(view, {"seen": {"gate"}}, {"seen": {"gate", "mill"}})
    found = {node.name: node.change for node in values.children(roots(values)["seen"])}
    assert found == {"'gate'": Change.NONE, "'mill'": Change.NEW}


def test_what_is_within_a_new_value_is_new(view):
    values = tree(view, {}, {"spot": Spot(1, 2)})
    assert [(node.name, node.change) for node in values.children(roots(values)["spot"])] == [
        (".x", Change.NEW),
        (".y", Change.NEW),
    ]


def test_the_variables_of_a_routine_that_was_entered_are_new_and_come_first(view):
    frame = FrameView("game:fight", 7, {"hp": 3})
    after = replace(view, frames=(frame,))
    (name, (node,)), outer = ValueTree(after, differences(view, after)).functions()
    assert (name, node.name, node.change) == ("game:fight", "hp", Change.NEW)
    assert outer == ("waiting", [])
    stays = replace(view, frames=(replace(frame, locals={"hp": 2}),))
    (_, (node,)), _ = ValueTree(stays, differences(after, stays)).functions()
    assert (node.change, node.old) == (Change.CHANGED, 3)


def test_a_long_value_shows_its_first_parts(view):
    values = tree(view, {}, {"many": list(range(10_000))})
    assert len(values.children(roots(values)["many"])) == MOST_CHILDREN


@pytest.mark.parametrize("value", [1, "text", None, [], {}, set(), Timer(5), Every(0, 5), Child(3)])
def test_what_is_said_in_a_line_has_no_parts(value):
    assert not has_parts(value)


def test_values_are_said_in_short():
    now = 10_000_000
    assert short_text(Timer(12_500_000, "bored"), now) == "timer bored, in 2.5 s"
    assert short_text(Timer(9_000_000), now) == "timer, due for 1 s"
    assert short_text(Every(0, 4_000_000, 3), now) == "beat 3 of every 4 s, in 2 s"
    assert short_text(Child(7), now) == "child 7"
    assert short_text([1, 2], now) == "[1, 2]"
    assert len(short_text(list(range(1_000_000)), now)) < 100
    assert len(short_text("x" * 1_000_000, now)) < 200


@pytest.mark.parametrize(
    ("span_us", "text"),
    [
        (417_000, "0.417 s"),
        (12_345_678, "12.3 s"),
        (119_000_000, "119 s"),
        (120_000_000, "2 min"),
        (7_200_000_000, "2 h"),
        (12 * 86_400_000_000, "12 d"),
    ],
)
def test_durations_are_short(span_us, text):
    assert span_text(span_us) == text


def test_what_is_due_at_this_very_moment_is_due_now():
    assert due_text(5_000_000, 5_000_400) == "due now"
    assert due_text(5_000_000, 5_000_000) == "due now"

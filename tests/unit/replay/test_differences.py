"""Differences say where two values part, in the words of the code that holds them."""

import dataclasses
import math
from collections import OrderedDict, deque
from typing import NamedTuple

import pytest

from deathless.runtime.view import FrameView, TimerView, WorkflowView
from deathless.tools.replay.differences import ABSENT, differences, value_differences
from deathless.workflows.sources import Child, Every, Timer


@dataclasses.dataclass
class Unit:
    hp: object
    bag: object = None


class Point(NamedTuple):
    x: object
    y: object


@dataclasses.dataclass(eq=False)
class Ticket:
    seat: int


def named(error, **attributes):
    error.__dict__.update(attributes)
    return error


# Each pair with the paths at which it differs.
PAIRS = {
    "an int and a float": (1, 1.0, [("v", 1, 1.0)]),
    "a zero and a negative one": (0.0, -0.0, [("v", 0.0, -0.0)]),
    "True and 1": (True, 1, [("v", True, 1)]),
    "an item": ([1, 2, 3], [1, 5, 3], [("v[1]", 2, 5)]),
    "the first of a queue is taken": ([1, 2, 3], [2, 3], [("v[0]", 1, ABSENT)]),
    "one more": ([1, 2], [1, 2, 3], [("v[2]", ABSENT, 3)]),
    "one in the midst": ((1, 3), (1, 2, 3), [("v[1]", ABSENT, 2)]),
    "a deque's bound": (deque([1], 2), deque([1], 3), [("v.maxlen", 2, 3)]),
    "a field": (Unit(10), Unit(9), [("v.hp", 10, 9)]),
    "a field of an item of a field": (Unit(1, [Unit(2)]), Unit(1, [Unit(3)]), [("v.bag[0].hp", 2, 3)]),
    "a named tuple": (Point(1, 2), Point(1, 3), [("v.y", 2, 3)]),
    "a tuple and a named tuple": ((1, 2), Point(1, 2), [("v", (1, 2), Point(1, 2))]),
    "a key": ({"hp": 1}, {"hp": 2}, [("v['hp']", 1, 2)]),
    "a key more and one less": ({"a": 1}, {(1, 2): 3}, [("v['a']", 1, ABSENT), ("v[(1, 2)]", ABSENT, 3)]),
    "keys that are equal": ({1: "a"}, {True: "a"}, [("v[1]", "a", ABSENT), ("v[True]", ABSENT, "a")]),
    "the order of keys": ({"a": 1, "b": 2}, {"b": 2, "a": 1}, [("v.keys()", ["a", "b"], ["b", "a"])]),
    "a mapping of another class": ({}, OrderedDict(), [("v", {}, OrderedDict())]),
    "an item of a set": ({"a", "b"}, {"b", "c"}, [("v['a']", "a", ABSENT), ("v['c']", ABSENT, "c")]),
    "an exception's attribute": (
        named(ValueError("no"), code=1),
        named(ValueError("no"), code=2),
        [("v.code", 1, 2)],
    ),
    "a timer": (Timer(5, "rest"), Timer(6, "rest"), [("v.due_us", 5, 6)]),
    "a beat": (Every(0, 10, 1), Every(0, 10, 2), [("v.n", 1, 2)]),
    "a child": (Child(1), Child(2), [("v.workflow_id", 1, 2)]),
    "how far an iterator is": ([iter([1])], [iter([])], None),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_difference_is_named_by_its_path(name):
    old, new, expected = PAIRS[name]
    found = value_differences(old, new, "v")
    # By their forms: 1, 1.0 and True are equal.
    if expected is None:
        assert [one.path for one in found] == ["v[0]"]
    else:
        assert repr([tuple(one) for one in found]) == repr(expected)
    assert value_differences(old, old) == value_differences(new, new) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: math.nan,
        lambda: [math.nan],
        lambda: Every(0, 10),
        lambda: iter([1, 2]),
        lambda: ValueError("no"),
        lambda: {Ticket(1): "a"},
        lambda: Unit([Unit(1)]),
    ],
)
def test_what_a_snapshot_does_not_tell_apart_is_the_same(make):
    assert value_differences(make(), make()) == []


def test_sharing_alone_is_no_difference():
    one = [1]
    assert value_differences([one, one], [[1], [1]]) == []


def test_a_path_begins_with_a_name_where_it_has_no_beginning():
    assert [one.path for one in value_differences(Unit(1), Unit(2))] == ["hp"]
    assert [one.path for one in value_differences([1], [2])] == ["[0]"]


def view(**changes):
    whole = {
        "id": 7,
        "type": "guard",
        "entity_id": 1,
        "correlation_id": None,
        "parent_id": None,
        "status": "Suspended",
        "current_step": "watching",
        "line": 12,
        "locals": {"hp": 10, "route": [Point(0, 0), Point(1, 0)]},
        "frames": (FrameView("walk", 40, {"left": 3}),),
        "timers": (TimerView("rest", 12.0),),
        "awaiting": ("timer rest", "Alarm"),
        "unread": (),
        "result": None,
        "error_message": None,
        "traceback": None,
        "held_reason": None,
        "created_at": 0.0,
        "updated_at": 10.0,
    }
    return WorkflowView(**{**whole, **changes})


def test_a_view_differs_by_the_names_of_locals():
    later = view(locals={"hp": 9, "route": [Point(0, 0), Point(1, 5)], "foe": "orc"}, updated_at=11.0)
    assert differences(view(), later) == [
        ("locals.hp", 10, 9),
        ("locals.route[1].y", 0, 5),
        ("locals.foe", ABSENT, "orc"),
        ("updated_at", 10.0, 11.0),
    ]


def test_frames_timers_and_signals_have_paths():
    later = view(
        frames=(FrameView("walk", 41, {"left": 2}),),
        timers=(TimerView("rest", 15.0),),
        unread=("Alarm",),
        children=(8,),
    )
    assert differences(view(), later) == [
        ("frames[0].line", 40, 41),
        ("frames[0].locals.left", 3, 2),
        ("timers[0].due", 12.0, 15.0),
        ("unread[0]", ABSENT, "Alarm"),
        ("children[0]", ABSENT, 8),
    ]


def test_a_frame_that_is_left_is_gone_whole():
    (found,) = differences(view(), view(frames=()))
    assert (found.path, found.new) == ("frames[0]", ABSENT)
    assert found.old == {"name": "walk", "line": 40, "locals": {"left": 3}}


def test_ids_and_what_the_loaded_code_says_do_not_count():
    assert differences(view(), view(id=8, held_reason="workflow type 'guard' is not registered")) == []

"""Values whose classes are not loaded are shown by what their bytes say."""

import sys
from collections import defaultdict
from dataclasses import dataclass

import pytest

from deathless.tools.replay.differences import value_differences
from deathless.tools.replay.showing import plain
from deathless.workflows.errors import UnknownTypeError
from deathless.workflows.unloaded import tolerant_codec
from deathless.workflows.values import engine_codec


@pytest.fixture
def stored(monkeypatch):
    """Pack values of a module that is gone afterwards."""

    def pack(make):
        namespace = type(sys)("gone")
        exec(SOURCE, namespace.__dict__)
        monkeypatch.setitem(sys.modules, "gone", namespace)
        packed = engine_codec().pack(make(namespace))
        monkeypatch.delitem(sys.modules, "gone")
        return packed

    return pack


SOURCE = """
import enum
from dataclasses import dataclass
from typing import NamedTuple

@dataclass
class Unit:
    hp: int
    bag: list

@dataclass(frozen=True)
class Key:
    door: int

class Point(NamedTuple):
    x: int
    y: int

class Mood(enum.Enum):
    CALM = 1

class Perks(enum.Flag):
    FAST = 1
    STRONG = 2

class Broken(Exception):
    pass
"""
SHOWN = {
    "a dataclass": (lambda gone: gone.Unit(7, [gone.Point(1, 2)]), "Unit(hp=7, bag=[Point(x=1, y=2)])"),
    "a named tuple": (lambda gone: (gone.Point(1, 2),), "(Point(x=1, y=2),)"),
    "an enum's member": (lambda gone: [gone.Mood.CALM], "[Mood.CALM]"),
    "flags": (lambda gone: gone.Perks.FAST | gone.Perks.STRONG, "Perks(3)"),
    "an exception": (lambda gone: gone.Broken("no", 1), "Broken(args=('no', 1))"),
    "a class": (lambda gone: gone.Unit, "<class 'gone.Unit'>"),
    "items of a set": (lambda gone: {gone.Key(1)}, "{Key(door=1)}"),
    "keys of a dict": (
        lambda gone: {gone.Key(1): 2, gone.Point(0, 0): 3},
        "{Key(door=1): 2, Point(x=0, y=0): 3}",
    ),
    "a factory": (lambda gone: defaultdict(gone.Unit, {1: 2}), "defaultdict(<class 'gone.Unit'>, {1: 2})"),
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_value_of_a_class_that_is_not_loaded_has_a_stand_in(stored, name):
    make, shown = SHOWN[name]
    packed = stored(make)
    with pytest.raises(UnknownTypeError):
        engine_codec().unpack(packed)
    first, second = (tolerant_codec().unpack(packed) for _ in range(2))
    assert repr(first) == repr(second) == shown
    assert value_differences(first, second) == []


def test_stand_ins_differ_by_their_fields(stored):
    old, new = (
        tolerant_codec().unpack(stored(lambda gone, hp=hp: [gone.Unit(hp, []), gone.Mood.CALM]))
        for hp in (7, 8)
    )
    assert value_differences(old, new, "v") == [("v[0].hp", 7, 8)]
    assert plain(new) == [{"hp": 8, "bag": []}, "Mood.CALM"]


def test_stand_ins_for_two_classes_differ_whole(stored):
    codec = tolerant_codec()
    point, unit = codec.unpack(stored(lambda gone: [gone.Point(1, 2), gone.Unit(1, [])]))
    assert [one.path for one in value_differences(point, unit, "v")] == ["v"]


def test_a_class_that_no_longer_has_a_field_has_a_stand_in():
    packed = engine_codec().pack(Held(1, 2))
    assert tolerant_codec().unpack(packed) == Held(1, 2)
    shrunk = packed.replace(b"Held(a,b)", b"Held(a,c)")
    assert repr(tolerant_codec().unpack(shrunk)) == "Held(a=1, c=2)"


@dataclass
class Held:
    a: int
    b: int

"""Values of classes: what is kept, how a class may change under stored values, what bytes may not name."""

import collections
import dataclasses
import enum
import functools
import subprocess
import sys
import types
from typing import Generic, NamedTuple, TypeVar

import msgpack
import pytest

from deathless.workflows.codec import Codec
from deathless.workflows.errors import DeathlessError, DecodeError, UnknownTypeError, UnstorableError

T = TypeVar("T")


class Color(enum.Enum):
    RED = 1
    CRIMSON = 1  # noqa: PIE796 - an alias, on purpose.
    BLUE = (1, 2)


class Level(enum.IntEnum):
    LOW = 1


class Mood(enum.StrEnum):
    CALM = "calm"


class Perm(enum.Flag):
    NONE = 0
    READ = 1
    WRITE = 2


class Bits(enum.IntFlag):
    A = 1


class Point(NamedTuple):
    x: int
    y: int = 2


Plain = collections.namedtuple("Plain", "a b")


@dataclasses.dataclass(frozen=True, slots=True)
class Stack:
    amount: int = 1
    who: tuple = ()


@dataclasses.dataclass(frozen=True)
class Route:
    stops: list


@dataclasses.dataclass
class Unit:
    name: str
    hp: int = 10
    bag: list = dataclasses.field(default_factory=list)
    fixed: int = dataclasses.field(default=7, init=False)

    def __post_init__(self):
        assert self.name != "never", "unpacking runs no __post_init__"

    @functools.cached_property
    def title(self):
        return self.name.title()


@dataclasses.dataclass(slots=True)
class Slotted:
    only: int


@dataclasses.dataclass
class Empty:
    pass


@dataclasses.dataclass(eq=False)
class ById:
    hp: int


@dataclasses.dataclass(frozen=True, eq=False)
class Token:
    name: str


@dataclasses.dataclass
class Box(Generic[T]):
    held: T


@dataclasses.dataclass
class Wrong(Exception):
    code: int = 1


class Odd(ValueError):
    def __init__(self, one, two):
        super().__init__(f"{one}{two}")
        self.one = one


class Meta(type):
    pass


@dataclasses.dataclass
class WithMeta(metaclass=Meta):
    x: int = 1


@pytest.fixture
def codec():
    return Codec()


@pytest.mark.parametrize(
    "value",
    [*Color, Level.LOW, Mood.CALM, Perm.NONE, Perm.READ, Perm.READ | Perm.WRITE, Bits(0), Bits.A, Bits(9),
     Point(1), Point([1], "a"),
     Plain(1, 2), Stack(), Stack(2, ("orc", (1,))), Route([1, [2]]), Unit("a"), Unit("b", 1, [Stack()]),
     Slotted(1), Slotted([1]),
     Empty(), WithMeta(), Color, Stack, Unit, Point, Odd, WithMeta, {Color.RED: {Stack()}}, {Point(1, 2), Point(2,
     1)}],
    ids=repr,
)  # fmt: skip
def test_comes_back_equal_with_the_same_bytes(codec, value):
    data = codec.pack(value)
    back = codec.unpack(data)
    assert type(back) is type(value)
    assert back == value
    if not isinstance(value, set):  # Whose repr has the order of the hash seed.
        assert repr(back) == repr(value)
    assert Codec().pack(back) == data
    assert codec.pack_shared(value) == data


def test_a_dataclass_that_can_change_has_identity_and_a_frozen_one_has_not(codec):
    unit, stack = Unit("a"), Stack()
    one, two, three, four = codec.unpack(codec.pack([unit, unit, stack, stack]))
    assert one is two
    assert codec.is_tree((stack, stack))
    assert not codec.is_tree((unit, unit))
    assert three == four
    key, value = next(iter(codec.unpack(codec.pack([owner := ById(1), {owner: owner}]))[1].items()))
    assert key is value


def test_a_frozen_dataclass_that_compares_by_identity_has_it(codec):
    orc = Token("orc")
    threat, back = codec.unpack(codec.pack([{orc: 10, Token("orc"): 3}, orc]))
    assert [threat.get(back), len(threat)] == [10, 2]
    assert not codec.is_tree((orc, orc))
    with pytest.raises(UnstorableError, match="identity"):
        codec.pack({orc})


def test_exceptions_of_a_user_come_back_without_their_init(codec):
    back = codec.unpack(codec.pack(Odd("a", "b")))
    assert (type(back), back.args, back.one) == (Odd, ("ab",), "a")
    back = codec.unpack(codec.pack(Wrong(5)))
    assert (type(back), back.code) == (Wrong, 5)


def test_a_cached_property_is_not_state(codec):
    unit = Unit("orc")
    before = codec.pack(unit)
    assert unit.title == "Orc"
    assert codec.pack(unit) == before


class TestRefused:
    def test_local_classes(self, codec):
        @dataclasses.dataclass
        class Local:
            x: int

        for value in (Local(1), Local):
            with pytest.raises(UnstorableError, match="local to a function"):
                codec.pack(value)

    def test_classes_that_stand_under_another_name(self, codec):
        hidden = dataclasses.make_dataclass("Stack", ["x"])
        hidden.__module__ = __name__
        with pytest.raises(UnstorableError, match="not what stands under the name"):
            codec.pack(hidden(1))

    @pytest.mark.parametrize(
        ("change", "why"),
        [(lambda u: setattr(u, "extra", 1), "'extra' is not one of its fields"), (lambda u: delattr(u, "name"),
         "'name' is not set")],
    )  # fmt: skip
    def test_dataclasses_that_hold_more_or_less_than_their_fields(self, codec, change, why):
        unit = Unit("a")
        change(unit)
        for pack in (codec.pack, codec.pack_shared, codec.pack_tree):
            with pytest.raises(UnstorableError, match=why):
                pack([unit])
        assert not codec.is_tree((unit,))

    def test_undecorated_subclasses_of_a_dataclass(self, codec):
        with pytest.raises(UnstorableError, match="Sub .*decorate its class with @dataclass too"):
            codec.pack(type("Sub", (Unit,), {})("a"))

    def test_a_generic_class_called_with_its_parameter(self, codec):
        with pytest.raises(UnstorableError, match=r"write Box\(\.\.\.\) without the \[\.\.\.\]"):
            codec.pack(Box[int](3))
        assert codec.unpack(codec.pack(Box(3))) == Box(3)


def evolve(monkeypatch, **classes):
    """Make a fresh module `game` with these classes, as a new version of the code would."""
    module = types.ModuleType("game")
    for name, cls in classes.items():
        cls.__module__, cls.__qualname__ = "game", name
        setattr(module, name, cls)
    monkeypatch.setitem(sys.modules, "game", module)
    return module


class TestEvolution:
    def stored(self, monkeypatch):
        evolve(monkeypatch, Orc=dataclasses.make_dataclass("Orc", [("hp", int), ("name", str)]))
        return Codec().pack(sys.modules["game"].Orc(5, "ug"))

    def test_fields_go_by_name_and_new_ones_take_their_default(self, monkeypatch):
        data = self.stored(monkeypatch)
        new = [
            ("name", str),
            ("bag", list, dataclasses.field(default_factory=list)),
            ("hp", int, 1),
            ("mp", int, 3),
        ]
        evolve(monkeypatch, Orc=dataclasses.make_dataclass("Orc", new, slots=True))
        codec = Codec()
        one, other = codec.unpack(data), codec.unpack(data)
        assert repr(one) == "Orc(name='ug', bag=[], hp=5, mp=3)"
        assert one.bag is not other.bag

    def test_a_field_that_is_gone_or_cannot_be_filled_is_told(self, monkeypatch):
        data = self.stored(monkeypatch)
        evolve(monkeypatch, Orc=dataclasses.make_dataclass("Orc", [("hp", int)]))
        with pytest.raises(UnknownTypeError, match="'name' that it no longer has; keep that field"):
            Codec().unpack(data)
        evolve(monkeypatch, Orc=dataclasses.make_dataclass("Orc", [("hp", int), ("name", str), ("mp", int)]))
        with pytest.raises(UnknownTypeError, match="without the field 'mp'; give that field a default"):
            Codec().unpack(data)

    def test_a_class_or_module_that_is_gone_is_told(self, monkeypatch):
        data = self.stored(monkeypatch)
        evolve(monkeypatch, Orc=type("Orc", (), {}))
        with pytest.raises(UnknownTypeError, match="'game:Orc'.*no longer a dataclass"):
            Codec().unpack(data)
        evolve(monkeypatch)
        with pytest.raises(UnknownTypeError, match="'game:Orc'.*has no such class"):
            Codec().unpack(data)
        monkeypatch.delitem(sys.modules, "game")
        with pytest.raises(UnknownTypeError, match="'game:Orc'.*'game' is not loaded; import it"):
            Codec().unpack(data)

    def test_named_tuples_and_enums_go_by_name(self, monkeypatch):
        evolve(monkeypatch, P=collections.namedtuple("P", "x y"), E=enum.Enum("E", "A B"))
        game = sys.modules["game"]
        data = Codec().pack([game.P(1, 2), game.E.B])
        evolve(monkeypatch, P=collections.namedtuple("P", "y x z", defaults=[0]), E=enum.Enum("E", "B C"))
        p, e = Codec().unpack(data)
        assert (p.x, p.y, p.z, e.name, e.value) == (1, 2, 0, "B", 1)
        evolve(monkeypatch, P=game.P, E=enum.Enum("E", "A C"))
        with pytest.raises(UnknownTypeError, match="no longer has B"):
            Codec().unpack(data)


class TestStrangersBytes:
    @pytest.mark.parametrize(
        "name",
        [
            "os:system",
            "subprocess:Popen",
            "socket:socket",
            "builtins:eval",
            "antigravity:x",
            "",
            ":",
            "sys:modules",
        ],
    )
    @pytest.mark.parametrize("form", [
        lambda n: [msgpack.ExtType(7, b""), f"{n}(a)", 1], lambda n: [msgpack.ExtType(8, b""), f"{n}(a)", 1],
        lambda n: [msgpack.ExtType(10, b""), n, False, None, None, 0], lambda n: msgpack.ExtType(11,
        n.encode() or b"?"),
        lambda n: msgpack.ExtType(9, f"{n}.A".encode()), lambda n: msgpack.ExtType(9, f"{n}=1".encode()),
    ])  # fmt: skip
    def test_name_only_classes_that_are_data(self, codec, name, form):
        before = set(sys.modules)
        with pytest.raises((UnknownTypeError, DecodeError)):
            codec.unpack(msgpack.packb(form(name)))
        assert set(sys.modules) == before

    def test_run_no_module_getattr(self, codec, monkeypatch):
        module = evolve(monkeypatch)
        module.__getattr__ = lambda name: pytest.fail("looked up by getattr")
        with pytest.raises(UnknownTypeError):
            codec.unpack(msgpack.packb(msgpack.ExtType(11, b"game:Orc")))

    def test_run_no_code_of_a_class(self, codec):
        data = codec.pack(Unit("sever")).replace(b"sever", b"never")
        assert codec.unpack(data).name == "never"

    def test_give_a_clear_error_for_a_wrong_number_of_fields(self, codec):
        for value in (Unit("a"), Point(1), ValueError("a")):
            parts = msgpack.unpackb(codec.pack(value))
            with pytest.raises(DeathlessError):
                codec.unpack(msgpack.packb(parts[:-1]))


SCRIPT = """
import sys
sys.path[:0] = {path!r}
from dataclasses import dataclass
from enum import Enum
from deathless.workflows.codec import Codec

@dataclass(frozen=True)
class Orc:
    name: str

class E(Enum):
    A = 1

if __name__ == "__main__":
    things = {{Orc(c) for c in "abcdefgh"}} | {{E.A, "x", "y", "zz", b"q", (1, "r"), None, 2.5}}
    shared = [things]
    values = [things, frozenset("abcdefghijk"), {{frozenset("ab"), frozenset("cd"), frozenset()}}, shared, shared]
    data = Codec().pack(values)
    assert Codec().pack(Codec().unpack(data)) == data
    assert Codec().unpack(data) == values
    print(data.hex())
"""


def test_a_main_scripts_bytes_are_the_same_under_every_hash_seed_and_read_where_it_is_imported(
    tmp_path, monkeypatch
):
    script = tmp_path / "orcs_main.py"
    script.write_text(SCRIPT.format(path=sys.path))
    outputs = {
        subprocess.run(
            [sys.executable, script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1", "2", "77")
    }
    assert len(outputs) == 1
    data = bytes.fromhex(outputs.pop())
    assert b"orcs_main:Orc(name)" in data
    assert b"__main__" not in data
    monkeypatch.syspath_prepend(str(tmp_path))
    import orcs_main

    back = Codec().unpack(data)
    assert orcs_main.Orc("a") in back[0]
    assert back[3] is back[4]
    assert Codec().pack(back) == data

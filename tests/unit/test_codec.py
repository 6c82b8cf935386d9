"""The value codec: every type, identity within a snapshot, what is refused, what damage does."""

import collections
import contextlib
import math
import os
import random
import socket
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from uuid import UUID
from zoneinfo import ZoneInfo

import msgpack
import pytest
import structlog

from deathless import Context, workflow
from deathless.workflows.codec import Codec, Extension, is_tree
from deathless.workflows.codec.wire import MAX_DEPTH, MAX_SET_DEPTH
from deathless.workflows.errors import DeathlessError, DecodeError, UnstorableError

PLAIN = [
    None, True, False, 0, 1, -1, 127, 128, -32, -33, 2**31, 2**63, 2**64 - 1, -(2**63), 2**64, -(2**63) - 1, 10**40,
    -(10**40), 0.0, 1.5, math.inf, -math.inf, "", "é", "x" * 300, b"", b"\xc7\x00", [], [1, [2]], {}, {"a": {"b": 1}},
    {None: 1, True: 2, 2: 3, 2.5: 4, b"x": 5, (1, "a"): 6, frozenset({1}): 7, Decimal(9): 8},
]  # fmt: skip
RICH = [
    (), (1,), (1, (2, [3])), set(), {1, 2, 3}, {"b", 1, (2,), None, frozenset({"c"})}, frozenset(), frozenset({1,
    "a"}),
    bytearray(), bytearray(b"ab"), [bytearray(b"c")], Ellipsis, NotImplemented, date(2024, 2, 29), time(1, 2, 3, 4),
    time(1, 2, fold=1, tzinfo=UTC), datetime(2024, 1, 2, 3, 4, 5, 6), datetime(2024, 1, 2, tzinfo=UTC),
    datetime(2024, 1, 2, tzinfo=timezone(timedelta(hours=-3, seconds=7), "odd")),
    datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")), ZoneInfo("UTC"),
    timezone(timedelta(hours=2)),
    timedelta(-1, 2, 3), timedelta(days=999999), Decimal("1.50"), Decimal("1E+5"), Decimal("-Infinity"),
    Fraction(-1, 3),
    1 + 2j, complex(-0.0, math.inf), UUID(int=7), PurePosixPath("a/b"), PureWindowsPath("c:/d"), Path("/e"), Path(),
    range(5), range(5, -5, -2), range(2**70), slice(None), slice(1, [2], 3), collections.deque([1, [2]]),
    collections.deque([1, 2], maxlen=2), collections.OrderedDict([("b", 1), ("a", 2)]), collections.Counter("abca"),
    collections.defaultdict(list, {"a": [1]}), collections.defaultdict(None, {(1,): 2}), int, list, ValueError,
    OSError,
]  # fmt: skip


@workflow
async def worker(ctx: Context) -> int:
    return 1


class Hand:
    """A sequence of a class of its own."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return index


@pytest.fixture
def codec():
    return Codec()


@pytest.mark.parametrize("value", PLAIN + RICH, ids=repr)
def test_comes_back_equal_of_the_same_type_with_the_same_bytes_by_both_ways(codec, value):
    data = codec.pack(value)
    back = codec.unpack(data)
    assert type(back) is type(value)
    assert back == value
    if not isinstance(value, set | frozenset):  # Whose repr has the order of the hash seed.
        assert repr(back) == repr(value)
    assert codec.pack(back) == data
    assert codec.pack_shared(value) == data
    assert codec.unpack(memoryview(data)) == value
    assert Codec().unpack(data) == value


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_what_msgpack_has_is_written_as_msgpack_has_it(codec, value):
    if isinstance(value, dict) and len(value) > 5 or type(value) is int and not -(2**63) <= value < 2**64:
        return
    assert codec.pack(value) == msgpack.packb(value)


def test_floats_keep_their_bits(codec):
    back = codec.unpack(codec.pack([math.nan, -0.0]))
    assert math.isnan(back[0])
    assert math.copysign(1, back[1]) == -1


def test_keys_keep_their_type(codec):
    for key in (1, True, 1.0):
        (back,) = codec.unpack(codec.pack({key: 0}))
        assert type(back) is type(key)


def test_attributes_that_equality_does_not_see_come_back(codec):
    back = codec.unpack(
        codec.pack([time(1, fold=1), collections.deque([1], 3), collections.defaultdict(set)])
    )
    assert back[0].fold == 1
    assert back[1].maxlen == 3
    assert back[2].default_factory is set


class TestIdentity:
    def test_a_list_held_twice_is_one_list_again(self, codec):
        target = [10]
        back_target, party = codec.unpack(codec.pack([target, [target, [10]]]))
        assert back_target is party[0]
        assert party[0] is not party[1]

    @pytest.mark.parametrize(
        "make",
        [lambda: [1], lambda: {"a": 1}, lambda: {1}, lambda: bytearray(b"a"), lambda: collections.deque([1]),
         lambda: collections.OrderedDict(a=1), lambda: collections.Counter("a"), lambda: collections.defaultdict(int),
         lambda: ValueError("a"), lambda: iter([1])],
    )  # fmt: skip
    def test_objects_that_can_change_keep_their_identity(self, codec, make):
        one, other = make(), make()
        data = codec.pack([one, (one,), {"k": one}, other])
        back = codec.unpack(data)
        assert back[0] is back[1][0] is back[2]["k"]
        assert back[0] is not back[3]
        assert codec.pack(back) == data

    def test_a_list_inside_a_shared_tuple_keeps_its_identity(self, codec):
        pair = ([1], 2)
        one, other = codec.unpack(codec.pack([pair, pair]))
        assert one[0] is other[0]

    def test_equal_immutables_give_the_same_bytes_whether_one_object_or_two(self, codec):
        word, pair = "".join(list("ab")), tuple([1, "x"])
        assert codec.pack([word, word, pair, pair]) == codec.pack(
            ["ab", "".join("ab"), (1, "x"), tuple([1, "x"])]
        )

    def test_the_packer_is_asked_only_once_where_nothing_is_shared(self, codec):
        values = ([1], {"a": [2]}, (3,))
        assert codec.is_tree(values)
        assert codec.pack_tree(values) == codec.pack_shared(values) == codec.pack(values)

    def test_numbers_follow_the_order_of_the_bytes(self, codec):
        inner = [1]
        outer = [inner]
        data = codec.pack([outer, inner, outer])
        assert data == codec.pack(codec.unpack(data))
        tag, number, _ = msgpack.unpackb(data)[0]
        assert (tag.code, number) == (0, 0)


class TestIsTree:
    @pytest.mark.parametrize(
        "values",
        [(), (1, "a", None), ([1], [1]), ({"a": 1}, [1], {1}), ([[1], [2]],), ((1, (2, 3)),), ({"a": ([1],
         {2: {3}})},),
         (Decimal(1), UUID(int=1)), ([], [], ())],
    )  # fmt: skip
    def test_is_true_where_nothing_is_shared(self, codec, values):
        assert codec.is_tree(values)
        assert is_tree(values)

    def test_is_false_where_something_is_shared(self, codec):
        shared, deep = [1], {"a": [2]}
        for values in (
            (shared, shared), (shared, [shared]), ((shared,), shared), (deep, deep["a"]), (shared,
            {"k": ((shared,),)}),
            ({1: shared, 2: shared},), (iter(shared), shared), [collections.deque([shared]), shared],
        ):  # fmt: skip
            assert not codec.is_tree(values)
            assert not is_tree(values)

    def test_is_false_for_a_cycle(self, codec):
        cycle = []
        cycle.append(cycle)
        assert not codec.is_tree((cycle,))

    def test_is_false_for_what_the_packer_would_write_as_something_else(self, codec):
        for value in (bytearray(b"a"), memoryview(b"a"), msgpack.ExtType(2, b""), msgpack.Timestamp(1)):
            assert not codec.is_tree((value,))
            assert not codec.is_tree(([value],))
            assert not codec.is_tree(((1, (value,)),))


class TestRefused:
    @pytest.mark.parametrize(
        ("make", "found", "why"),
        [
            (object, "object", "Enum"),
            (lambda: socket.socket.__new__(socket.socket), "socket", "keep what it was made from"),
            (lambda: (x for x in ()), "generator", r"await .* where it is made; .*list\(\.\.\.\)"),
            (lambda: contextlib.suppress(KeyError), "suppress", "try/except or try/finally"),
            (lambda: structlog.get_logger(), "BoundLoggerLazyProxy", "ctx.log"),
            (lambda: Hand(), "Hand", "make its class a @dataclass"),
            (lambda: worker, "WorkflowType", "where it is used"),
            (lambda: worker(), "Call", "where it is used"),
            (lambda: test_floats_keep_their_bits, "function", "keep its name"),
            (lambda: {}.keys(), "dict_keys", "list"),
            (lambda: iter({1: 2}), "dict_keyiterator", "list"),
            (lambda: memoryview(b""), "memoryview", "bytes"),
            (lambda: msgpack.ExtType(2, b""), "ExtType", ""),
            (lambda: type("MyList", (list,), {})(), "MyList", "a list of a class of its own"),
            (lambda: type("MyInt", (int,), {})(), "MyInt", "an int of a class of its own"),
            (lambda: type("MyDate", (date,), {})(1, 1, 1), "MyDate", ""),
            (lambda: "\ud800", "str", "half of a character"),
            (lambda: {"\ud800": 1}, "str", "half of a character"),
            (lambda: collections.defaultdict(lambda: 0), "function", "keep its name"),
            (lambda: subprocess.Popen, "class", "keep its name"),
            (lambda: {ValueError()}, "set", "identity"),
            (lambda: {(1, iter([]))}, "set", "identity"),
            (lambda: reversed(Hand()), "reversed", "list"),
            (lambda: sys, "module", "import it at the top"),
        ],
    )
    @pytest.mark.parametrize(
        "wrap", [lambda x: x, lambda x: [x], lambda x: (1, {"k": (x,)}), lambda x: [s := [], s, x]]
    )
    def test_with_its_type_and_a_remedy(self, codec, make, found, why, wrap):
        with pytest.raises(UnstorableError, match=f"{found} that cannot be stored.*{why}"):
            codec.pack(wrap(make()))
        assert codec.pack([1]) == b"\x91\x01", "the packer is clean after an error"

    def test_what_contains_itself(self, codec):
        cycle = [1]
        cycle.append({"back": (cycle,)})
        with pytest.raises(UnstorableError, match="list .*contains itself"):
            codec.pack(cycle)

    @pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: {"k": x}, lambda x: (x,)])
    def test_what_is_nested_too_deep(self, codec, wrap):
        deep = wrap(1)
        for _ in range(MAX_DEPTH - 1):
            deep = wrap(deep)
        assert codec.unpack(codec.pack(deep)) == deep
        assert codec.pack(codec.unpack(codec.pack_shared(deep))) == codec.pack(deep)
        with pytest.raises(UnstorableError, match="more than 100 levels"):
            codec.pack(wrap(deep))
        for _ in range(10_000):
            deep = wrap(deep)
        with pytest.raises(UnstorableError, match="more than 100 levels"):
            codec.pack(deep)

    def test_sets_nested_too_deep_in_sets(self, codec):
        deep = frozenset()
        for _ in range(MAX_SET_DEPTH - 1):
            deep = frozenset([deep, (1, deep)])
        data = codec.pack(deep)
        assert codec.unpack(data) == deep
        for pack in (codec.pack, codec.pack_shared):
            with pytest.raises(UnstorableError, match="more than 8 levels"):
                pack(frozenset([deep]))
        assert codec.pack(deep) == data

    def test_what_unfolds_without_end(self, codec, monkeypatch):
        monkeypatch.setattr("deathless.workflows.codec.sharing.MAX_CONTAINERS", 1000)
        bomb = ()
        for _ in range(60):
            bomb = (bomb, bomb)
        with pytest.raises(UnstorableError, match="containers are reachable"):
            codec.pack(bomb)


class TestIterators:
    @pytest.mark.parametrize(
        "make",
        [lambda: iter([1, 2, 3]), lambda: iter((1, 2, 3)), lambda: iter("abc"), lambda: iter("aéc"),
         lambda: iter(b"abc"),
         lambda: iter(range(3)), lambda: iter(range(9, 0, -3)), lambda: iter(range(0, 2**80, 2**79)),
         lambda: reversed([1, 2, 3]),
         lambda: reversed((1, 2, 3)), lambda: reversed("abc"), lambda: reversed(range(3)), lambda: enumerate([5, 6,
         7], 2),
         lambda: zip([1, 2], "ab"), lambda: zip(), lambda: zip([1], [2], strict=True), lambda: enumerate(zip([1,
         2], [3, 4]))],
    )  # fmt: skip
    def test_go_on_where_they_were_at_every_position(self, codec, make):
        for done in range(6):
            iterator = make()
            for _ in range(done):
                next(iterator, None)
            data = codec.pack(iterator)
            back = codec.unpack(data)
            assert codec.pack(back) == data
            assert codec.pack_shared(iterator) == data
            assert list(back) == list(iterator)
            assert codec.pack(back) == codec.pack(codec.unpack(codec.pack(back)))

    def test_run_over_the_list_that_others_hold(self, codec):
        party = ["a", "b"]
        iterator = iter(party)
        next(iterator)
        iterator, party = codec.unpack(codec.pack([iterator, party]))
        party.append("c")
        assert list(iterator) == ["b", "c"]

    @pytest.mark.parametrize("turn", [iter, reversed])
    def test_stand_beyond_the_end_of_a_list_that_has_shrunk(self, codec, turn):
        party = [1, 2, 3, 4]
        iterator = turn(party)
        next(iterator), turn is iter and next(iterator)
        party.clear()
        data = codec.pack([iterator, party])
        back, back_party = codec.unpack(data)
        assert back_party == []
        assert codec.pack([back, back_party]) == data
        for held in (party, back_party):
            held.extend("xyzw")
        assert list(back) == list(iterator)

    def test_stay_exhausted(self, codec):
        party = [1]
        iterator = iter(party)
        assert list(iterator) == [1]
        back, party = codec.unpack(codec.pack([iterator, party]))
        party.append(2)
        assert list(back) == []


class TestExceptions:
    def test_come_back_with_all_but_the_traceback(self, codec):
        try:
            try:
                {}["gold"]
            except KeyError as missing:
                raise ValueError("broke", 7) from missing
        except ValueError as caught:
            error = caught
        error.add_note("at the inn")
        error.owner = owner = ["orc"]
        data = codec.pack([error, owner])
        back, owner = codec.unpack(data)
        assert (type(back), back.args, back.__notes__) == (ValueError, ("broke", 7), ["at the inn"])
        assert back.owner is owner
        assert back.__cause__ is back.__context__
        assert type(back.__cause__) is KeyError
        assert back.__suppress_context__
        assert back.__traceback__ is None
        assert codec.pack([back, owner]) == data

    @pytest.mark.parametrize(
        "error",
        [OSError(2, "gone", "file"), OSError("odd"), ImportError("x", name="m", path="p"), StopIteration(5),
         SystemExit(3),
         UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), SyntaxError("x", ("f", 1, 2, "t")), NameError("n",
         name="y"),
         AttributeError("a", name="z"), ExceptionGroup("g", [ValueError(1), TypeError(2)]), KeyboardInterrupt(),
         DecodeError("x")],
        ids=repr,
    )  # fmt: skip
    def test_of_python_keep_what_their_repr_and_str_show(self, codec, error):
        data = codec.pack(error)
        back = codec.unpack(data)
        assert type(back) is type(error)
        assert (repr(back), str(back), repr(back.args)) == (repr(error), str(error), repr(error.args))
        for name in ("errno", "filename", "name", "path", "value", "code", "lineno", "start", "problem"):
            assert getattr(back, name, None) == getattr(error, name, None)
        assert codec.pack(back) == data


class TestExtensions:
    class Beacon:
        def __init__(self, due, held=None):
            self.due = due
            self.held = held

    def codec(self, **options):
        def to_plain(value):
            return (value.due, value.held) if options.get("holds_values") else (value.due,)

        return Codec([Extension(40, self.Beacon, to_plain, lambda parts: self.Beacon(*parts), **options)])

    def test_are_written_under_their_code(self):
        codec = self.codec()
        data = codec.pack([self.Beacon(5)])
        assert msgpack.unpackb(data) == [[msgpack.ExtType(40, b""), 5]]
        assert codec.unpack(data)[0].due == 5

    def test_have_identity_where_they_say_so(self):
        beacon = self.Beacon(5)
        for by_identity in (False, True):
            codec = self.codec(by_identity=by_identity)
            assert codec.is_tree((beacon, beacon)) is not by_identity
            one, other = codec.unpack(codec.pack([beacon, beacon]))
            assert (one is other) is by_identity

    def test_are_searched_where_they_hold_values(self):
        codec, held = self.codec(holds_values=True), [1]
        beacon, back = codec.unpack(codec.pack([self.Beacon(5, held), held]))
        assert beacon.held is back

    def test_are_refused_by_a_codec_that_does_not_know_them(self, codec):
        with pytest.raises(UnstorableError, match="Beacon"):
            codec.pack(self.Beacon(1))
        with pytest.raises(DecodeError, match="code 40"):
            codec.unpack(self.codec().pack(self.Beacon(1)))


TAG = {code: msgpack.packb(msgpack.ExtType(code, b"")) for code in range(64)}


class TestDamage:
    @pytest.mark.parametrize(
        "data",
        [
            b"", b"\xc1", b"\x01\x02", b"\x92\x01", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff",
            b"\xc6\xff\xff\xff\xff",
            b"\xa1\xff", b"\x81\x90\x01", TAG[2], b"\x92\x01" + TAG[2], b"\x81" + TAG[2] + b"\x01", b"\x91" + TAG[31],
            b"\xc7\x01\x1f\x00", b"\xc8\x00\x00\x05", b"\x92" + TAG[1] + b"\x00", b"\xc7\x03\x03\x92\x01\x01",
            b"\xc7\x01\x03\x80",
            b"\x92" + TAG[6] + b"\xce\xff\xff\xff\xff", b"\x92" + TAG[20] + b"\x01", b"\x93" + TAG[20] + b"\x01\x00",
            b"\x94" + TAG[24] + b"\x00\x01\x00", b"\x92" + TAG[7] + b"\x01", b"\x92" + TAG[7] + b"\xa1(",
            b"\x91" + TAG[7],
            b"\x92" + TAG[30] + b"\xa1x", b"\x94" + TAG[30] + b"\xa4list\x90\xce\xff\xff\xff\xff",
            b"\x92" + b"\x93" + TAG[0] + b"\x00" + TAG[2] + b"\x92" + b"\x92" + TAG[1] + b"\x00" + b"\x01",
            b"\x91" * 5000 + b"\x01", b"\x93" + TAG[0] + b"\x00" + b"\x92" + TAG[1] + b"\x00",
        ],
    )  # fmt: skip
    def test_is_told_as_such(self, codec, data):
        with pytest.raises(DecodeError, match="not a stored value"):
            codec.unpack(data)
        assert codec.unpack(b"\x91\x01") == [1]

    @pytest.mark.parametrize("levels", [MAX_SET_DEPTH + 1, 3000])
    def test_that_nests_sets_in_sets_does_not_end_the_process(self, codec, levels):
        data = b"\x90"
        for _ in range(levels):
            data = b"\x91\xc9" + len(data).to_bytes(4, "big") + b"\x04" + data
        with pytest.raises(DecodeError, match="more than 8 levels"):
            codec.unpack(data)
        assert codec.unpack(codec.pack({1})) == {1}

    def test_at_random_ends_in_a_value_or_a_clear_error(self, codec):
        seed = int(os.environ.get("CODEC_SEED", "1"))
        print(f"repeat with CODEC_SEED={seed} pytest {__file__}")
        rng = random.Random(seed)
        rows = [codec.pack(value) for value in PLAIN + RICH]
        shared = [1]
        rows.append(codec.pack([iter(shared), {"a": (shared, ValueError("x"))}, shared, {1, 2}, Decimal(1)]))
        rows.append(codec.pack(RICH))
        for _ in range(50_000):
            data = (
                bytearray(rng.choice(rows))
                if rng.random() < 0.9
                else bytearray(rng.randbytes(rng.randrange(40)))
            )
            for _ in range(rng.randrange(1, 4)):
                at = rng.randrange(len(data) + 1)
                match rng.randrange(4):
                    case 0 if at < len(data):
                        data[at] = rng.choice((0xC7, 0xDD, 0xDF, 0, 1, 2, 0xFF, rng.randrange(256)))
                    case 1:
                        del data[at:]
                    case 2:
                        data[at:at] = rng.randbytes(rng.randrange(1, 4))
                    case _:
                        del data[at : at + 1]
            try:
                codec.unpack(bytes(data))
            except DeathlessError:
                pass

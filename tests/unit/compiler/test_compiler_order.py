"""Loops: sets in an order that every process shares, and iterators that go over the thing itself."""

import itertools
from collections import deque

import pytest
from compiler_kit import BOUND, Context, Mood, compiled, load, run, same, stored

from deathless.workflows.compiler.support import ordered
from deathless.workflows.errors import UnstorableError, WorkflowMisuseError

ITEMS = (8, 0, 16, 24)
"""Small ints whose order in a set follows from the order in which they came."""

# Each body reads the set `s`, and says what a list in sorted order in its place gives.
READS = {
    "for": "out = []\nfor x in s: out.append(x)",
    "for over an expression": "out = []\nfor x in s | {2}: out.append(x)",
    "for with else": "out = []\nfor x in s:\n    if x > 8: break\n    out.append(x)\nelse: out.append('no')",
    "list comprehension": "out = [x for x in s]",
    "second iterable": "out = [(x, y) for x in s for y in s]",
    "dict comprehension": "out = list({x: 1 for x in s})",
    "generator expression": "out = ','.join(str(x) for x in s)",
    "nested function": "def f():\n    out = []\n    for x in s: out.append(x)\n    return out\nout = f()",
    "lambda": "out = (lambda: [x for x in s])()",
    "list": "out = list(s)",
    "tuple": "out = tuple(s)",
    "iter": "out = next(iter(s))",
    "enumerate": "out = [pair for pair in enumerate(s, 1)]",
    "zip": "out = list(zip(s, s))",
    "map": "out = list(map(str, s))",
    "filter": "out = list(filter(None, s))",
    "sorted by a key": "out = sorted(s, key=lambda x: 0)",
    "max by a key": "out = max(s, key=lambda x: 0)",
    "min by a key": "out = min(s, key=lambda x: 0), min(s, default=3)",
    "sum": "out = sum(s, 0.5)",
    "starred": "out = [*s], (*s, 1), max(*s, key=lambda x: 0)",
    "unpacked": "first, *rest = s\nout = first, rest",
    "unpacked twice": "(*a,) = b, *c = s\nout = a, b, c",
    "join": "out = '-'.join(frozenset([chr(97 + x) for x in s]))",
    "select of several": "out = await ctx.op(*s)",
    "pop": "out = s.pop(), s.pop(), len(s)",
    "frozenset": "out = [x for x in frozenset(s)]",
    "for that awaits": "out = []\nfor x in s: out.append(await ctx.op(x) and x)",
    "enumerate that awaits": "out = []\nfor x in enumerate(s): out.append(await ctx.op(x) and x)",
}  # fmt: skip


def source(body):
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"@workflow\nasync def main(ctx, s):\n    await ctx.op('begin')\n{lines}    return out\n"


class Sorted(list):
    """What the untransformed run has in place of a set."""

    def __or__(self, other):
        return Sorted(sorted([*self, *other]))

    def pop(self):
        return super().pop(0)

    def __repr__(self):
        return list.__repr__(self)


@pytest.mark.parametrize("name", READS)
def test_a_set_is_read_in_the_same_order_whatever_came_first(name):
    native, durable = load(source(READS[name]), frozenset=lambda items: items)
    durable["frozenset"] = frozenset
    expected = run(native["main"], (), (Sorted(sorted(ITEMS)),))
    for items in (ITEMS, ITEMS[::-1]):
        for resumed in (frozenset(), frozenset(range(BOUND))):
            assert run(durable["main"], (), (set(items),), resumed) == expected


def test_order_is_that_of_kinds_then_values_then_bytes():
    mixed = {"a", None, 2, b"b", Mood.WILD, Mood.CALM, (1, "x"), 1.5}
    assert ordered(mixed) == [None, 1.5, 2, "a", b"b", (1, "x"), Mood.CALM, Mood.WILD]
    nested = [frozenset({1, 2}), frozenset({3}), frozenset()]
    assert ordered(set(nested)) == ordered(set(nested[::-1]))
    assert set(ordered({Mood, ValueError, 3})) == {Mood, ValueError, 3}


def test_what_is_no_set_is_given_as_it_is():
    for value in ([2, 1], (2, 1), {2: 1}, "ba", deque([2, 1]), iter([]), 5):
        assert ordered(value) is value


def test_a_set_of_objects_that_have_no_order_is_refused_with_a_remedy():
    units = {object(), object()}
    with pytest.raises(
        WorkflowMisuseError, match=r"items of type object.*sorted\(\.\.\., key=\.\.\.\), or keep a list"
    ):
        ordered(units)
    assert len(ordered({object()})) == 1


def test_a_builtins_name_that_means_something_else_is_left_alone():
    _, durable = load(source("out = [tuple(s) for tuple in [type]], list(s)"), list=type)
    assert run(durable["main"], (), ({1},))[1] == ("returned", "([<class 'set'>], <class 'set'>)")


PLAIN = """
@workflow
async def main(ctx, n):
    x = n + 1
    while x < 5:
        x += await ctx.op(x)
    if x:
        ctx.note(x, [1, x], len([x]))
    return x
"""


def test_a_function_without_loops_over_things_is_compiled_as_it_is_written():
    names = compiled(PLAIN).function.__code__.co_names
    assert "ordered" not in names


LIVE = {
    "enumerate": "jobs = [1, 2]\nfor i, job in enumerate(jobs, 5):\n    await ctx.op(job)\n    if len(jobs) < 4: jobs.append(job + 2)\n    ctx.note(i, job)\nreturn jobs",
    "zip": "a, b = [1, 2], [3]\nfor x, y in zip(a, b):\n    await ctx.op(x)\n    if len(b) < 2: b.append(9)\n    ctx.note(x, y)\nreturn a, b",
    "zip strict": "a, b = [1, 2], [3]\nfor x, y in zip(a, b, strict=True):\n    await ctx.op(x)\n    b.append(9)\n    ctx.note(x, y)\nreturn a, b",
    "zip of enumerate": "a = [1, 2]\nfor (i, x), y in zip(enumerate(a), range(9)):\n    await ctx.op(x)\n    if len(a) < 4: a.append(y)\n    ctx.note(i, x, y)",
    "reversed": "a = [1, 2, 3]\nfor x in reversed(a):\n    await ctx.op(x)\n    a[0] = 9\n    ctx.note(x)",
    "reversed tuple": "for i, x in enumerate(reversed((1, 2, 3))): ctx.note(i, x, await ctx.op(x))",
    "list of the frame": "u = Unit('u', 3, [1, 2])\nfor i, x in enumerate(u.tags):\n    await ctx.op(x)\n    if i < 3: u.tags.append(i)\n    ctx.note(x)\nreturn u",
    "a cursor in a local": "a = [1, 2, 3, 4]\nen = enumerate(a)\nfor i, x in en:\n    ctx.note(i, x, next(en, None))\n    await ctx.op(x)\n    if len(a) < 7: a.append(i)",
    "partly copied": "a, d = [1], {5: 6, 7: 8}\nfor x, (k, v) in zip(a, d.items()):\n    await ctx.op(x)\n    ctx.note(x, k, v)",
}  # fmt: skip


@pytest.mark.parametrize("name", LIVE)
def test_a_loop_over_an_iterator_of_lists_sees_the_lists_change(name):
    body = "".join(f"    {line}\n" for line in LIVE[name].splitlines())
    same(f"@workflow\nasync def main(ctx):\n{body}")


def test_a_loop_over_the_numbers_of_a_long_range_keeps_no_copy():
    text = "@workflow\nasync def main(ctx):\n    for i, x in enumerate(range(300_000)):\n        await ctx.op(i)\n        if i == 3: return i, x\n"
    same(text)
    _, durable = load(text)
    ctx = Context()
    coroutine = durable["main"](ctx)
    coroutine.send(None)
    assert len(stored(coroutine)[1]) < 200


@pytest.mark.parametrize(
    ("iterable", "kind", "remedy"),
    [("map(str, [1])", "map", r"list\(\.\.\.\)"), ("count()", "itertools.count", "write a while loop")],
)
def test_a_loop_that_cannot_be_kept_is_refused_with_its_function_and_a_remedy(iterable, kind, remedy):
    _, durable = load(
        f"@workflow\nasync def main(ctx):\n    for i in {iterable}: await ctx.op(i)\n", count=itertools.count
    )
    text = rf"a for loop that awaits in main holds a {kind} .*kit_\d+\.py:3: .*{remedy}"
    with pytest.raises(UnstorableError, match=text):
        durable["main"](Context()).send(None)

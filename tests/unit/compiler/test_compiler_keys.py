"""Fingerprints, keys, live variables, and what a compiled coroutine shows of itself."""

import gc
import inspect
import traceback
import types
import warnings

import pytest
from compiler_kit import Boom, Context, Gate, compiled, load, restored, sites, stored

from deathless.workflows.compiler import capture_stack, program_of
from deathless.workflows.errors import NotARoutineError, UnstorableError

BASE = "@workflow\nasync def main(ctx, n):\n    x = n + 1\n    await ctx.op(x)\n    return x\n"
SAME = {
    "comment": "@workflow\nasync def main(ctx, n):\n    x = n + 1  # why\n    await ctx.op(x)\n    return x\n",
    "blank lines": "\n\n@workflow\nasync def main(ctx, n):\n\n    x = n + 1\n\n    await ctx.op(x)\n    return x\n",
    "docstring": "@workflow\nasync def main(ctx, n):\n    'Says.'\n    x = n + 1\n    await ctx.op(x)\n    return x\n",
    "annotations": "@workflow\nasync def main(ctx: int, n: int) -> int:\n    x: int = n + 1\n    await ctx.op(x)\n    return x\n",
    "layout": "@workflow\nasync def main(\n    ctx, n\n):\n    x = (n +\n      1)\n    await ctx.op(x); return x\n",
}
CHANGED = {
    "constant": BASE.replace("n + 1", "n + 2"),
    "type of a constant": BASE.replace("n + 1", "n + 1.0"),
    "name": BASE.replace("x", "y"),
    "default": BASE.replace("(ctx, n)", "(ctx, n=1)"),
    "statement": BASE.replace("    return", "    n = 1\n    return"),
}


@pytest.mark.parametrize("name", SAME)
def test_an_edit_that_does_nothing_keeps_the_fingerprint(name):
    assert compiled(SAME[name]).fingerprint == compiled(BASE).fingerprint


@pytest.mark.parametrize("name", CHANGED)
def test_an_edit_that_does_something_changes_the_fingerprint(name):
    assert compiled(CHANGED[name]).fingerprint != compiled(BASE).fingerprint


NESTED = """
@workflow
async def main(ctx, hp):
    while True:
        for stop in [1, 2]:
            await ctx.op(stop)
        if hp < 3:
            await ctx.op("low")
        try:
            await ctx.op("risky")
        except Boom:
            await ctx.op("caught")
        finally:
            await ctx.op("last")
        match await ctx.op("which"):
            case 1:
                await ctx.op("one")
"""


def test_a_key_is_the_path_of_blocks_and_the_label():
    keys = [site.key for site in compiled(NESTED).sites]
    assert len(set(keys)) == len(keys) == 7
    assert keys[0].startswith("while0/")
    assert "for0(stop in [1, 2])" in keys[0]
    assert keys[0].endswith("/ctx.op(stop)")
    assert "if0(hp < 3)" in keys[1]
    assert "except Boom" in keys[3]
    assert "case 1" in keys[6]


def test_an_if_before_another_leaves_its_keys_alone():
    before = "@workflow\nasync def main(ctx, a):\n    if a: await ctx.op(1)\n"
    after = "@workflow\nasync def main(ctx, a):\n    if a > 2: await ctx.op(0)\n    if a: await ctx.op(1)\n"
    assert sites(before)["ctx.op(1)"].key == sites(after)["ctx.op(1)"].key


def test_equal_calls_in_one_block_have_equal_keys():
    program = compiled("@workflow\nasync def main(ctx):\n    await ctx.op(1)\n    await ctx.op(1)\n")
    first, second = program.sites
    assert first.key == second.key
    assert (first.number, second.number) == (1, 2)


LIVE = {
    "read after": ("x = 1\nawait ctx.op(0)\nreturn x", ("x",)),
    "not read after": ("x = 1\nawait ctx.op(0)\nreturn 2", ()),
    "assigned before it is read": ("x = 1\nawait ctx.op(0)\nx = 2\nreturn x", ()),
    "the result of the await": ("x = await ctx.op(0)\nreturn x", ()),
    "read in one branch": ("x = y = 1\nawait ctx.op(0)\nif y: return x", ("x", "y")),
    "read on the next turn": ("x = 1\nwhile True:\n    ctx.note(x)\n    await ctx.op(0)", ("x",)),
    "overwritten on the next turn": ("while True:\n    x = 1\n    ctx.note(x)\n    await ctx.op(0)", ()),
    "read in a handler": (
        "x = 1\ntry:\n    await ctx.op(0)\n    x = 2\nexcept Boom: return x", ("x",),
    ),
    "read in a finally": ("x = 1\ntry: await ctx.op(0)\nfinally: ctx.note(x)", ("x",)),
    "captured by a case": (
        "x = 1\nmatch await ctx.op(0):\n    case x: return x", (),
    ),
    "a comprehension's own target": ("x = 1\nawait ctx.op(0)\nreturn [x for x in [1]]", ()),
    "the context": ("await ctx.op(0)\nctx.note(1)", ()),
}  # fmt: skip


@pytest.mark.parametrize("name", LIVE)
def test_a_site_keeps_exactly_the_variables_that_are_needed_after_it(name):
    body, variables = LIVE[name]
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    (site,) = compiled(f"@workflow\nasync def main(ctx):\n{indented}").sites
    assert site.variables == variables


NAMED = """
@routine
async def helper(ctx): return await ctx.op(1)

@workflow
async def main(ctx):
    local = Unit
    await ctx.receive(Unit, local)
    await helper(ctx)
    await ctx.op(Mood)
"""


def test_a_site_names_its_signals_and_the_routine_it_awaits():
    program = compiled(NAMED)
    assert [site.signals for site in program.sites] == [("Unit",), (), ()]
    assert [site.awaits for site in program.sites] == [None, "helper", None]
    assert [site.line for site in program.sites] == [7, 8, 9]


def test_the_signature_hides_the_hidden_parameters():
    native, durable = load(
        "@workflow\nasync def main(ctx, a, /, b=2, *c, d, e=5, **f):\n    await ctx.op(1)\n"
    )
    assert inspect.signature(durable["main"]) == inspect.signature(native["main"])


def test_a_resumed_function_shows_the_lines_of_its_file():
    source = (
        "@workflow\nasync def main(ctx):\n    for i in [1]:\n        await ctx.op(i)\n        raise Boom\n"
    )
    _, durable = load(source)
    ctx = Context()
    coroutine = durable["main"](ctx)
    coroutine.send(None)
    coroutine = restored(*stored(coroutine), ctx)
    with pytest.raises(Boom) as caught:
        coroutine.send(1)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (last.name, last.lineno, last.line) == ("main", 5, "raise Boom")


CLEANUP = """
@workflow
async def main(ctx, gate):
    try:
        with gate, gate:
            await ctx.op(1)
            try:
                await ctx.op(2)
                raise Boom
            except BaseException as error:
                try:
                    await ctx.op(3)
                except BaseException: ctx.note("inner")
                finally: ctx.note("inner finally")
                ctx.note("between")
            else: ctx.note("else")
            finally:
                await ctx.op(4)
                ctx.note("finally")
        for i in [1, 2]:
            try: await ctx.op(5)
            except: ctx.note("bare")
            finally:
                if i == 2: break
    except BaseException: ctx.note("outer")
    finally:
        ctx.note("last")
        try: await ctx.op(6)
        finally: ctx.note("end")
"""


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("suspensions", range(1, 8))
def test_closing_a_suspended_coroutine_runs_no_code_of_the_user(suspensions, resumed):
    _, durable = load(CLEANUP)
    ctx = Context()
    coroutine = durable["main"](ctx, Gate(ctx.trace, "g"))
    for _ in range(suspensions):
        coroutine.send(None)
    if resumed:
        _, site, values = capture_stack(coroutine)[0]
        coroutine.close()
        coroutine = program_of(durable["main"]).resume(site, values, leaf(), ctx)
    before = list(ctx.trace)
    coroutine.close()
    assert ctx.trace == before


@types.coroutine
def leaf():
    return (yield None)


def test_a_coroutine_that_was_never_entered_is_closed_without_a_warning():
    _, durable = load(BASE)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        coroutine = durable["main"](Context(), 1)
        coroutine.close()
        del coroutine
        gc.collect()
    assert caught == []


def test_a_loop_over_a_generator_that_awaits_is_refused_when_it_begins():
    _, durable = load(
        "@workflow\nasync def main(ctx):\n    for i in (n for n in [1]):\n        await ctx.op(i)\n"
    )
    with pytest.raises(
        UnstorableError, match=r"holds a generator .*kit_\d+\.py:3: wrap it in list\(\.\.\.\)"
    ):
        durable["main"](Context()).send(None)


def test_an_undecorated_helper_is_named_with_the_line_that_awaits_it():
    source = "async def helper(ctx):\n    await ctx.op(1)\n\n@workflow\nasync def main(ctx):\n    await helper(ctx)\n"
    _, durable = load(source)
    coroutine = durable["main"](Context())
    coroutine.send(None)
    with pytest.raises(NotARoutineError) as caught:
        capture_stack(coroutine)
    coroutine.close()
    assert caught.value.name == "helper()"
    assert caught.value.place.endswith(".py:6")

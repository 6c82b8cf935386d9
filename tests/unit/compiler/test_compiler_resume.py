"""Each construct does the same natively and put away and brought back at every await."""

import pytest
from compiler_kit import BOUND, Boom, Unit, load, run, same

PROGRAMS = {
    "plain": "x = await ctx.op(1)\nctx.note(x)\ny = x + 1\nawait ctx.op(2)\nreturn x, y",
    "if": "if await ctx.op('t') > 5: await ctx.op('a')\nelse: ctx.note(await ctx.op('b'))\nreturn 1",
    "elif": "n = 2\nif n == 1: await ctx.op(1)\nelif n == 2:\n    ctx.note('two')\n    n += await ctx.op(2)\nelse: await ctx.op(3)\nreturn n",
    "while": "n = 0\nwhile n < 3:\n    ctx.note(n)\n    await ctx.op(n)\n    n += 1\nelse:\n    await ctx.op('else')\nreturn n",
    "while break": "n = 0\nwhile True:\n    n += 1\n    if n == 2: continue\n    await ctx.op(n)\n    if n > 3: break\nelse: ctx.note('never')\nreturn n",
    "while test": "n = 0\nwhile await ctx.op('t') < 3:\n    n += await ctx.op('b')\n    if n > 90: continue\nelse:\n    n = -n\n    await ctx.op('e')\nreturn n",
    "while test nested": "n = 0\nwhile n < 2 and await ctx.op('a'):\n    n += 1\n    while n < 3 and await ctx.op('b') < 4: await ctx.op('c')\nreturn n",
    "while else in loop": "for i in range(3):\n    while await ctx.op(i) < 2:\n        await ctx.op('in')\n    else:\n        if i: break\n        continue\nreturn i",
    "for list": "seen = []\nitems = [1, 2, 3]\nfor i in items:\n    seen.append(i)\n    if len(items) < 5: items.append(9)\n    await ctx.op(i)\nreturn seen, items",
    "for tuple": "for a, (b, *c) in ((1, (2, 3, 4)), (5, (6,))):\n    await ctx.op(a)\n    ctx.note(a, b, c)",
    "for range": "for i in range(10, 0, -4):\n    await ctx.op(i)\n    ctx.note(i)\nelse:\n    await ctx.op('else')",
    "for big range": "for i in range(2**70, 2**70 + 2): ctx.note(i, await ctx.op('r'))",
    "for dict": "d = {'b': 1, 'a': 2}\nfor k in d: ctx.note(k, await ctx.op(k))\nfor v in d.values(): await ctx.op(v)\nfor k, v in d.items(): await ctx.op(k, v)",
    "for str": "for c in 'abc': ctx.note(c, await ctx.op(c))",
    "for bytes": "for c in b'ab': ctx.note(c, await ctx.op(c))",
    "for enumerate": "for i, c in enumerate('ab', 5): ctx.note(i, c, await ctx.op(c))",
    "for zip": "for a, b in zip([1, 2, 3], 'xy'): ctx.note(a, b, await ctx.op(a))",
    "for reversed": "for a in reversed([1, 2, 3]): ctx.note(a, await ctx.op(a))\nfor a in reversed((4, 5)): await ctx.op(a)",
    "for views enumerated": "d = {1: 2, 3: 4}\nfor i, (k, v) in enumerate(d.items()): ctx.note(i, k, v, await ctx.op(i))",
    "for iterator": "it = iter([1, 2, 3, 4])\nfor i in it:\n    ctx.note(i, next(it, None))\n    await ctx.op(i)\nreturn list(it)",
    "for break": "for i in [1, 2, 3]:\n    if await ctx.op(i) == 2: break\nelse: ctx.note('else')\nreturn i",
    "for else only": "for i in [1, 2]: ctx.note(i)\nelse: await ctx.op(i)\nreturn i",
    "for unbound": "for i in []: await ctx.op(i)\nawait ctx.op(0)\ntry: ctx.note(i)\nexcept NameError as e: ctx.note(e)",
    "for nested": "for i in range(3):\n    for j in range(i):\n        if j: continue\n        await ctx.op(i, j)\n    else: ctx.note('e', i)",
    "for target attribute": "u = Unit('u')\nfor u.hp in [4, 5]: ctx.note(u.hp, await ctx.op(u.hp))\nreturn u",
    "match subject": "match await ctx.op('m'):\n    case int(n) if n > 100: ctx.note('big', n)\n    case 1 | 2 as n: ctx.note('small', n)\n    case _: ctx.note('other')\nreturn n",
    "match bodies": "match [1, {'k': 5}]:\n    case [0, _]: await ctx.op(0)\n    case [a, {'k': b, **rest}] if b > 4:\n        await ctx.op(a)\n        ctx.note(a, b, rest)\n    case _: ctx.note('no')\nreturn b",
    "match none": "x = 5\nmatch x:\n    case 1: await ctx.op(1)\n    case 2: await ctx.op(2)\nawait ctx.op(3)\nreturn x",
    "match in loop": "for x in [1, 'a', None, 2]:\n    match x:\n        case int(): await ctx.op(x); continue\n        case None: break\n        case str() as s: ctx.note(s)\n    await ctx.op('after')\nreturn x",
    "try body": "try:\n    await ctx.op(1)\n    raise Boom(await ctx.op(2))\nexcept Boom as e: ctx.note(e)\nelse: ctx.note('else')\nfinally: ctx.note('fin')",
    "try handler": "try: raise Boom('a')\nexcept KeyError: ctx.note('no')\nexcept Boom as e:\n    await ctx.op(e)\n    ctx.note(e, sys.exception() is e)\n    e = 'other'\n    await ctx.op(e)\n    ctx.note(e)\n    raise\nelse: await ctx.op('else')",
    "try handlers": "for kind in (KeyError, Boom, OSError):\n    try: raise kind('x')\n    except KeyError as e: await ctx.op(e)\n    except (Boom, ValueError): await ctx.op('b'); ctx.note(sys.exception())\n    except: await ctx.op('bare')\n    try: e\n    except NameError: ctx.note('gone')",
    "try else": "try: x = await ctx.op(1)\nexcept Boom: await ctx.op('no')\nelse: ctx.note(await ctx.op(x))\nreturn x",
    "try finally": "try:\n    await ctx.op(1)\n    return ctx.note('value')\nfinally:\n    ctx.note(await ctx.op('fin'))",
    "raise in handler": "try:\n    try: raise Boom('a')\n    except Boom: raise KeyError(await ctx.op(1))\nexcept KeyError as e:\n    await ctx.op(2)\n    raise OSError('b') from e",
    "context of reraised": "try: raise KeyError('outer')\nexcept KeyError:\n    try: raise Boom('a') from None\n    except Boom as e:\n        await ctx.op(1)\n        ctx.note(e.__context__, e.__cause__, e.__suppress_context__)\n        e.__context__ = None\n        await ctx.op(2)\n        ctx.note(e.__context__)\n        raise",
    "with": "with ctx.gate('a') as name:\n    ctx.note(name)\n    await ctx.op(1)\nawait ctx.op(2)\nreturn name",
    "with two": "with ctx.gate('a'), ctx.gate(await ctx.op(0)) as b:\n    await ctx.op(b)\nreturn b",
    "with swallows": "for i in range(2):\n    with ctx.gate('a', True) as name:\n        await ctx.op(1)\n        raise Boom\n    ctx.note('swallowed')\nreturn i",
    "with exits": "for i in range(3):\n    with ctx.gate(i):\n        await ctx.op(i)\n        if i == 1: continue\n        if i == 2: return 'r'\n    ctx.note('through')",
    "with target": "u = Unit('u')\nwith ctx.gate('a') as u.name: await ctx.op(1)\nreturn u",
    "and or": "a = ctx.note(1) and await ctx.op(1) and ctx.note(2)\nb = 0 or (await ctx.op(2) and 0) or await ctx.op(3)\nc = 0 and await ctx.op('never')\nawait ctx.op(4)\nreturn a, b, c",
    "ternary": "x = await ctx.op(1) if ctx.note(True) else await ctx.op(2)\ny = (await ctx.op(3)) if await ctx.op(4) == 0 else ctx.note('n')\nreturn x, y",
    "not": "return not await ctx.op(1), -(await ctx.op(2))",
    "call": "def f(*a, **k): return ctx.note((a, k))\nreturn ctx.note((1, await ctx.op(1), ctx.note(2)), await ctx.op(2))",
    "call starred": "l = [1, 2]\nreturn [*l, *await ctx.op(1), *l], max(ctx.note(1), *[ctx.note(2)], await ctx.op(2), key=await ctx.op(3))",
    "call keywords": "return dict(a=ctx.note(1), b=await ctx.op(1), **{'c': ctx.note(2)})",
    "call double star": "return dict(a=1, **await ctx.op('d'))",
    "dotted callee": "out = []\nout.append(await ctx.op(1))\nUnit('u').tags.append(await ctx.op(2))\nreturn out",
    "operators": "x = 1\nreturn x + await ctx.op(1) * (x := 2) - await ctx.op(2) + x",
    "unbound operand": "if 0: x = 1\ntry: return x + await ctx.op('never')\nexcept NameError as e: return await ctx.op(e)",
    "compare": "a = ctx.note(1) < await ctx.op(1)\nb = 0 < await ctx.op(2) < await ctx.op(3)\nc = 9 < ctx.note(1) < await ctx.op('never')\nd = 'k' in await ctx.op(4)\nreturn a, b, c, d",
    "displays": "return [ctx.note(1), await ctx.op(1)], {ctx.note(2): await ctx.op(2), await ctx.op(3): 5}, (await ctx.op(4), *(1, 2)), {await ctx.op(5)}",
    "f-string": "u = Unit('u', 3)\nreturn f'{u.hp:>3}|{await ctx.op(1)!r:>4}|{u!r}{ctx.note(2)}|{await ctx.op(2)}|'",
    "subscripts": "l = list(range(9))\nreturn l[await ctx.op(1)], l[1:await ctx.op(2)], (await ctx.op(3))[0], l[ctx.note(0):await ctx.op(4):1]",
    "attribute": "return (await ctx.op(1)).hp, (await ctx.op(2)).tags[await ctx.op(3)]",
    "walrus": "if (n := await ctx.op(1)) > 0: ctx.note(n)\nreturn n + (n := 5) + await ctx.op(n), n",
    "augmented": "x = 1\nx += await ctx.op(1)\nu = Unit('u', 5, [1, 2, 3])\nu.hp -= await ctx.op(2)\nu.tags[ctx.note(0)] += await ctx.op(3)\nu.tags[0:1] += await ctx.op(4)\nreturn x, u",
    "augmented list": "l = m = [1]\nl += [await ctx.op(1)]\nreturn l, m, l is m",
    "assign targets": "u = Unit('u')\na, u.hp = u.tags[:], x = await ctx.op(1)\ny: int = await ctx.op(2)\nu.hp: int = await ctx.op(3)\nreturn a, u, x, y",
    "return await": "try: return await ctx.op(1)\nfinally: ctx.note('fin')",
    "raise from": "raise Boom(await ctx.op(1)) from KeyError(await ctx.op(2))",
    "raise await": "raise await ctx.op(1)",
    "nested awaits": "return await ctx.op(await ctx.op(1), ctx.note(2), await ctx.op(await ctx.op(3)))",
    "comprehensions": "l = [v * 2 for v in await ctx.op(1) if v]\nd = {v: w for v in await ctx.op(2) for w in l}\ng = sum(v for v in await ctx.op(3))\nreturn l, d, g",
    "comprehension name": "v = 7\nl = [v for v in [1, 2]]\nawait ctx.op(1)\nreturn v, l",
    "closure": "n = 1\nf = lambda: n + 1\ndef g(by):\n    nonlocal n\n    n += by\n    return n\nctx.note(f(), g(5))\ndel f, g\nn += await ctx.op(1)\nreturn (lambda: n)()",
    "local function after": "n = await ctx.op(1)\ndef f(k=n): return k + n\nreturn f()",
    "del": "x = 1\nawait ctx.op(1)\ndel x\nawait ctx.op(2)\ntry: x\nexcept NameError as e: ctx.note(e)\nx = 3\nawait ctx.op(3)\nreturn x",
    "maybe unbound": "if await ctx.op(1) > 99: x = 1\nawait ctx.op(2)\ntry: return x\nexcept UnboundLocalError as e: return await ctx.op(str(e))",
    "aliases": "party = [Unit('a'), Unit('b')]\ntarget = party[0]\nawait ctx.op(1)\ntarget.hp -= 5\nawait ctx.op(2)\nreturn party, target is party[0]",
    "exception kept": "kept = None\ntry: raise Boom('a')\nexcept Boom as e: kept = e; await ctx.op(1)\nawait ctx.op(2)\nraise kept",
    "one line": "a = await ctx.op(1); b = await ctx.op(2); return a, b",
    "class inside": "n = 2\nclass C: x = n\nctx.note(C.x)\ndel C\nawait ctx.op(1)\nreturn n",
    "import inside": "import math as m\nctx.note(m.floor(2.5))\ndel m\nawait ctx.op(1)",
    "shadowed builtins": "iter = next = GeneratorExit = BaseException = 1\nfor i in [1, 2]:\n    try: await ctx.op(i)\n    except Boom: await ctx.op('x')\n    finally: await ctx.op('f')\nreturn iter, next, GeneratorExit, BaseException",
}  # fmt: skip

ANSWERS = {
    "attribute": [Unit("x", 3), Unit("y", 4, [7, 8, 9]), 1],
    "assign targets": [(1, 2), 3, 4],
    "augmented": [1, 2, 3, [8, 9]],
    "call double star": [{"k": 1}],
    "call starred": [(5, 6), 1, None],
    "compare": [0, 5, 6, "ok"],
    "comprehensions": [[0, 1, 2], [3], (4, 5)],
    "match subject": [2],
    "raise await": [lambda: None, Boom("x")],
    "subscripts": [1, 2, "abc", 3],
    "with two": ["b"],
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_construct_runs_the_same_resumed_at_every_await(name):
    body = "".join(f"    {line}\n" for line in PROGRAMS[name].splitlines())
    same(f"@workflow\nasync def main(ctx):\n{body}", ANSWERS.get(name, ()))


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("position", [1, 2, 3])
def test_a_construct_takes_an_exception_thrown_in_at_its_await(name, position):
    body = "".join(f"    {line}\n" for line in PROGRAMS[name].splitlines())
    answers = list(ANSWERS.get(name, ()))[: position - 1]
    answers += [number + 1 for number in range(len(answers), position - 1)]
    same(f"@workflow\nasync def main(ctx):\n{body}", [*answers, lambda: Boom("thrown")])


ROUTINES = """
@routine
async def walk(ctx, unit, steps, *rest, fast=False, **more):
    for step in range(steps):
        unit.hp -= await ctx.op("step", step, fast)
    if steps > 1:
        await walk(ctx, unit, steps - 1)
    return [unit, rest, more]

@routine
async def careful(ctx, unit):
    try:
        return await walk(ctx, unit, 2, "r", fast=True, k=1)
    except Boom as error:
        return await ctx.op("caught", error), unit

@workflow
async def main(ctx, n, unit, *, k=3):
    party = [unit, Unit("b")]
    job = careful(ctx, party[0])
    ctx.note(await job)
    total = k + len(await walk(ctx, party[1], 1)) + n
    for one in party:
        ctx.note(await careful(ctx, one) if one.hp > 0 else one, one in party)
    return party, total, unit is party[0]
"""


@pytest.mark.parametrize("throw_at", [None, 1, 2, 3, 5])
def test_a_stack_of_routines_is_resumed_as_a_whole_and_keeps_identity_across_frames(throw_at):
    answers = [1] * 30
    if throw_at:
        answers[throw_at - 1] = lambda: Boom("thrown")
    trace, outcome = same(ROUTINES, answers, lambda: (4, Unit("a")))
    assert outcome[1].endswith("True)'") or outcome[1].endswith("True)")


SETS = [{"b", "a", "c"}, frozenset({3, 1, 2.5}), {(2, "x"), (1, "y")}, {b"b", b"a"}, {2**70, -1, True}]


@pytest.mark.parametrize("items", SETS, ids=["texts", "numbers", "tuples", "bytes", "large"])
def test_a_loop_over_a_set_goes_in_sorted_order(items):
    source = """
        @workflow
        async def main(ctx, items):
            for item in items:
                ctx.note(item, await ctx.op(item))
        """
    native, durable = load(source)
    expected = run(native["main"], (), (sorted(items),))
    assert run(durable["main"], (), (items,)) == expected
    assert run(durable["main"], (), (items,), frozenset(range(BOUND))) == expected

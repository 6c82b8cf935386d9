"""A `match await ctx.select(...)` and its sources must agree."""

import pytest
from compiler_kit import compiled, load

from deathless.workflows.errors import CompileError


class Stack:
    pass


class Trade:
    pass


NAMES = {"Stack": Stack, "Trade": Trade, "Elapsed": type("Elapsed", (), {}), "Beat": type("Beat", (), {})}

# The body's lines; `<here>` is the place of the refusal.
REFUSED = {
    "a source without a case": (
        ["match await ctx.select(Stack, <here>Trade):", "    case Stack(): pass"],
        "no case takes what Trade gives; add case Trade()",
    ),
    "a timer without a case": (
        ["match await ctx.select(Stack, <here>ctx.timer(5, 'expire')):", "    case Stack(): pass"],
        "add case Elapsed('expire')",
    ),
    "a local timer without a case": (
        ["t = ctx.timer(5, 'expire')", "match await ctx.select(Stack, <here>t):", "    case Stack(): pass"],
        "no case takes what t gives; add case Elapsed('expire')",
    ),
    "a case without a source": (
        ["match await ctx.select(Stack):", "    case Stack(): pass", "    case <here>Trade(): pass"],
        "no source of this select gives Trade; add the source or drop the case",
    ),
    "a case without a source in an alternative": (
        ["match await ctx.select(Stack):", "    case Stack() | <here>Beat(): pass"],
        "no source of this select gives Beat",
    ),
    "a name that no timer has": (
        [
            "match await ctx.select(ctx.timer(5, 'expire')):",
            "    case <here>Elapsed('expired'): pass",
            "    case Elapsed(): pass",
        ],
        "no timer of this select is named 'expired'; name the timer so or drop the case",
    ),
    "a guarded case does not cover": (
        ["match await ctx.select(<here>Stack):", "    case Stack() if ctx: pass"],
        "add case Stack(), without an if, or case _",
    ),
    "a case of one value does not cover": (
        ["match await ctx.select(<here>Stack):", "    case Stack(count=1): pass"],
        "no case takes what Stack gives",
    ),
}

TAKEN = {
    "both covered": ["match await ctx.select(Stack, Trade):", "    case Stack() | Trade(): pass"],
    "wildcard": ["match await ctx.select(Stack, Trade, ctx.timer(1, 'x')):", "    case _: pass"],
    "capture": ["match await ctx.select(Stack, Trade):", "    case event: return event"],
    "guarded before unguarded": [
        "match await ctx.select(Stack):", "    case Stack() if ctx: pass", "    case Stack(): pass",
    ],
    "starred sources": ["match await ctx.select(*[Stack]):", "    case Trade(): pass"],
    "unknown source": ["s = [Stack][0]", "match await ctx.select(s):", "    case Trade(): pass"],
    "unknown timer name": [
        "n = 'a'", "match await ctx.select(ctx.timer(1, n)):", "    case Elapsed('b'): pass", "    case _: pass",
    ],
    "named timers": [
        "match await ctx.select(ctx.timer(1, 'a'), ctx.timer(2, name='b')):", "    case Elapsed('a' | 'b'): pass",
    ],
    "not matched at once": ["x = await ctx.select(Stack)", "match x:", "    case Trade(): pass"],
}  # fmt: skip


def program(lines):
    return "@workflow\nasync def main(ctx):\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize("name", REFUSED)
def test_a_select_that_disagrees_with_its_cases_is_refused_at_its_place(name):
    lines, message = REFUSED[name]
    source = program(lines)
    ((number, line),) = [each for each in enumerate(source.splitlines(), 1) if "<here>" in each[1]]
    with pytest.raises(CompileError) as caught:
        load(source.replace("<here>", ""), **NAMES)
    error = caught.value
    assert message in str(error)
    assert (error.lineno, error.offset) == (number, line.index("<here>") + 1)
    assert error.text == line.replace("<here>", "") + "\n"


@pytest.mark.parametrize("name", TAKEN)
def test_a_select_that_agrees_or_cannot_be_judged_is_taken(name):
    assert compiled(program(TAKEN[name]), **NAMES).sites


def test_a_renamed_class_is_the_same_class():
    lines = ["match await ctx.select(Stack):", "    case Pile(): pass"]
    assert compiled(program(lines), **NAMES, Pile=Stack).sites

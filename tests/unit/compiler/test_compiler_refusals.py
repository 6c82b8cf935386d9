"""What cannot be made durable is refused at decoration, at its place, with what to write instead."""

import pytest
from compiler_kit import compiled, load, numbers

from deathless.workflows.compiler import compile_coroutine
from deathless.workflows.errors import CompileError

INTO_VARIABLE = "await it into a variable before"

# The place is where `<here>` stands in the body; it is taken out before the body is compiled.
REFUSED = {
    "async with": ("<here>async with ctx.gate('a'): pass", "async with", "write a plain with"),
    "async for": ("<here>async for x in ctx.op(1): pass", "async for", "while loop that awaits"),
    "async comprehension": (
        "x = <here>[v async for v in ctx.op(1)]",
        "async comprehension",
        "loop that awaits",
    ),
    "second async for of a comprehension": (
        "x = <here>{v for w in [] async for v in w}",
        "async comprehension",
        "loop that awaits",
    ),
    "element of a list": ("x = [<here>await ctx.op(v) for v in [1]]", "a comprehension", "write a for loop"),
    "element of a set": ("x = {<here>await ctx.op(v) for v in [1]}", "a comprehension", "write a for loop"),
    "key of a dict": ("x = {<here>await ctx.op(v): 1 for v in [1]}", "a comprehension", "write a for loop"),
    "value of a dict": ("x = {v: <here>await ctx.op(v) for v in [1]}", "a comprehension", "write a for loop"),
    "condition of a comprehension": (
        "x = [v for v in [1] if <here>await ctx.op(v)]",
        "a comprehension",
        "write a for loop",
    ),
    "second iterable": (
        "x = [w for v in [1] for w in <here>await ctx.op(v)]",
        "a comprehension, except in its first iterable",
        "write a for loop",
    ),
    "generator expression": (
        "x = list(<here>await ctx.op(v) for v in [1])",
        "a comprehension",
        "write a for loop",
    ),
    "case guard": (
        "match await ctx.op(0):\n    case 1 if <here>await ctx.op(1): pass",
        "a case guard",
        "await before the match, or inside the case",
    ),
    "assert": ("assert <here>await ctx.op(1)", "an assert", INTO_VARIABLE),
    "assert message": ("assert ctx, <here>await ctx.op(1)", "an assert", INTO_VARIABLE),
    "target subscript": ("x = {}\nx[<here>await ctx.op(1)] = 2", "an assignment's target", INTO_VARIABLE),
    "target attribute": ("(<here>await ctx.op(1)).hp = 2", "an assignment's target", INTO_VARIABLE),
    "annotated target": (
        "x = {}\nx[<here>await ctx.op(1)]: int = 2",
        "an assignment's target",
        INTO_VARIABLE,
    ),
    "augmented target": ("x = {}\nx[<here>await ctx.op(1)] += 2", "an assignment's target", INTO_VARIABLE),
    "for target": ("x = {}\nfor x[<here>await ctx.op(1)] in [2]: pass", "a for target", INTO_VARIABLE),
    "with target": (
        "x = {}\nwith ctx.gate('a') as x[<here>await ctx.op(1)]: pass",
        "a with target",
        INTO_VARIABLE,
    ),
    "walrus in an awaiting augmented assignment": (
        "x = 1\n<here>x += await ctx.op(x := 2)",
        "a walrus rebinds the target",
        "split it into two statements",
    ),
    "except type": (
        "try: pass\nexcept (<here>await ctx.op(1)): pass",
        "an except type",
        INTO_VARIABLE,
    ),
    "except type of a tuple": (
        "try: pass\nexcept (KeyError, <here>await ctx.op(1)): pass",
        "an except type",
        INTO_VARIABLE,
    ),
    "body of except*": (
        "try: <here>await ctx.op(1)\nexcept* KeyError: pass",
        "a try with except*",
        "use except, or await outside the try",
    ),
    "handler of except*": (
        "try: pass\nexcept* KeyError: <here>await ctx.op(1)",
        "a try with except*",
        "use except, or await outside the try",
    ),
    "format specification": ("x = f'{1:{<here>await ctx.op(1)}}'", "a format specification", INTO_VARIABLE),
    "after ** in a call": ("x = dict(**{}, k=<here>await ctx.op(1))", "a call after **", INTO_VARIABLE),
    "second ** in a call": ("x = dict(**{}, **<here>await ctx.op(1))", "a call after **", INTO_VARIABLE),
    "beside ** in a dict": (
        "x = {**{}, 'k': <here>await ctx.op(1)}",
        "a dict display beside **",
        INTO_VARIABLE,
    ),
    "** in a dict": ("x = {**<here>await ctx.op(1)}", "a dict display beside **", INTO_VARIABLE),
    "del": ("x = {}\ndel x[<here>await ctx.op(1)]", "a del", INTO_VARIABLE),
    "global": ("<here>global x\nx = 1", "global state", "a local variable or a table"),
    "nested global": ("if ctx:\n    <here>global x", "global state", "a local variable or a table"),
    "default of a nested function": (
        "def inner(x=<here>await ctx.op(1)): return x",
        "a nested definition's defaults",
        INTO_VARIABLE,
    ),
    "default of a lambda": (
        "x = lambda y=<here>await ctx.op(1): y",
        "a nested definition's defaults",
        INTO_VARIABLE,
    ),
    "base of a nested class": (
        "class Inner(<here>await ctx.op(1)): pass",
        "a nested definition's defaults, decorators or bases",
        INTO_VARIABLE,
    ),
    "decorator of a nested function": (
        "@(<here>await ctx.op(1))\ndef inner(): pass",
        "a nested definition's defaults, decorators or bases",
        INTO_VARIABLE,
    ),
    "nested async def": (
        "<here>async def inner(): pass",
        "an async function inside a workflow",
        "define it at the top of the module with @routine",
    ),
    "nested async def in a branch": (
        "if ctx:\n    <here>async def inner(n): return n\n    await inner(1)",
        "an async function inside a workflow",
        "define it at the top of the module with @routine",
    ),
    "locals()": ("x = <here>locals()", "locals() shows another frame after a resume", "name the variables"),
    "vars()": ("x = <here>vars()", "vars() shows another frame", "name the variables"),
    "dir()": ("x = [<here>dir() for _ in 'a']", "dir() shows another frame", "name the variables"),
    "eval": ("x = <here>eval('1 + 1')", "eval() reads names that a snapshot need not hold", "write it out"),
    "exec": ("if ctx: <here>exec('x = 1', {})", "exec() reads names", "write it out"),
    "globals()": ("<here>globals()['x'] = 1", "global state does not survive", "a local variable or a table"),
    "sleep without await": ("<here>ctx.sleep(5)", "ctx.sleep(5) is not awaited", "write await ctx.sleep(5)"),
    "receive without await": ("<here>ctx.receive(Boom)", "is not awaited", "write await ctx.receive(Boom)"),
    "select without await": (
        "if ctx:\n    <here>ctx.select(ctx.timer(5), Boom)",
        "is not awaited",
        "write await ctx.select(ctx.timer(5), Boom)",
    ),
    "gather without await": ("<here>ctx.gather()", "is not awaited", "write await ctx.gather()"),
    "timer alone": (
        "<here>ctx.timer(5)",
        "ctx.timer(5) is a source that nothing waits for",
        "write await ctx.select(ctx.timer(5)), or keep it in a variable",
    ),
    "every alone": (
        "<here>ctx.every(5)",
        "a source that nothing waits for",
        "await ctx.select(ctx.every(5))",
    ),
    "awaited timer": (
        "x = await <here>ctx.timer(5)",
        "ctx.timer(5) is a source that nothing waits for",
        "write await ctx.select(ctx.timer(5)), or keep it in a variable",
    ),
    "awaited workflow": (
        "x = await <here>other(5)",
        "other(5) starts nothing",
        "write await ctx.spawn(other(5))",
    ),
    "workflow alone": ("<here>other(5)", "other(5) starts nothing", "write ctx.spawn(other(5))"),
    "routine without await": (
        "<here>helper(ctx, 5)",
        "helper(ctx, 5) is not awaited",
        "write await helper(ctx, 5)",
    ),
    "undecorated helper without await": ("<here>plain(5)", "plain(5) is not awaited", "write await plain(5)"),
    "context assigned": ("<here>ctx = 1", "ctx is the context", "use another name here"),
    "context in a walrus": ("x = (<here>ctx := 1)", "ctx is the context", "use another name here"),
    "context deleted": ("del <here>ctx", "ctx is the context", "use another name here"),
    "context as a loop's target": (
        "for <here>ctx in [1]: pass",
        "ctx is the context",
        "use another name here",
    ),
    "context as a manager's target": (
        "with open('a') as <here>ctx: pass",
        "ctx is the context",
        "use another name here",
    ),
    "context as a handler's name": (
        "try: pass\n<here>except KeyError as ctx: pass",
        "ctx is the context",
        "use another name here",
    ),
    "context captured by a case": (
        "match 1:\n    case <here>ctx: pass",
        "ctx is the context",
        "use another name here",
    ),
    "context captured by the rest of a mapping": (
        "match {}:\n    case <here>{**ctx}: pass",
        "ctx is the context",
        "use another name here",
    ),
    "context imported": ("import <here>sys as ctx", "ctx is the context", "use another name here"),
    "context as a function's name": ("<here>def ctx(): pass", "ctx is the context", "use another name here"),
}

HELPERS = """
@routine
async def helper(ctx, n):
    await ctx.op(n)

async def plain(n):
    pass

"""


def other(n):
    """Stands for a workflow: a callable with a program."""


other.program = compiled("async def main(ctx):\n    await ctx.op(1)\nmain = workflow(main)\n")

# What stands close to the refused places and can be put aside.
BESIDE = [
    "x = vars(await ctx.op(1)), dir(Boom), (lambda: locals())()",
    "vars = dict\n    x = vars(), await ctx.op(1)",
    "x = ctx.sleep, ctx.timer(5)\n    await ctx.op(1)",
    "eval = ctx.note\n    eval('1')\n    await ctx.op(1)",
    "x = 0 < await ctx.op(1)",
    "x = await ctx.op(1) < 2 < 3",
    "x = 0 < await ctx.op(1) < 2",
    "x = [v for v in await ctx.op(1)]",
    "x = dict(k=await ctx.op(1), **{})",
    "x = dict(**await ctx.op(1))",
    "x = f'{await ctx.op(1):>4}'",
]


def refusal(body, **names):
    """Compile a body; return the error, and where `<here>` stood: line, column, the line's text."""
    source = HELPERS + "@workflow\nasync def main(ctx):\n"
    source = source.lstrip() + "".join(f"    {line}\n" for line in body.splitlines())
    place = (None, None, None)
    for number, line in enumerate(source.splitlines(), 1):
        if "<here>" in line:
            place = (number, line.index("<here>") + 1, line.replace("<here>", ""))
    source = source.replace("<here>", "")
    with pytest.raises(CompileError) as caught:
        load(source, other=other, **names)
    return caught.value, place


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_made_durable_is_refused_at_its_place_with_a_remedy(name):
    body, problem, remedy = REFUSED[name]
    error, (line, column, text) = refusal(body)
    assert problem in error.problem
    assert remedy in error.remedy
    assert str(error).startswith(f"{error.problem}; {error.remedy}")
    assert (error.lineno, error.text.rstrip("\n")) == (line, text)
    assert error.offset == column
    assert error.filename.startswith("/programs/kit_")


def test_the_column_counts_characters_and_not_bytes():
    error, (_, column, _) = refusal("x = 'żółw', [<here>await ctx.op(v) for v in [1]]")
    assert error.offset == column


@pytest.mark.parametrize("body", BESIDE)
def test_awaits_that_stand_beside_the_refused_places_are_taken(body):
    assert len(compiled(f"@workflow\nasync def main(ctx):\n    {body}\n").sites) == 1


def test_a_nonlocal_variable_is_refused():
    source = """
    def make():
        n = 1
        @workflow
        async def main(ctx):
            nonlocal n
            n = 2
        return main
    main = make()
    """
    with pytest.raises(CompileError, match="keep it in a local variable") as caught:
        load(source)
    assert (caught.value.lineno, caught.value.offset) == (5, 9)
    assert caught.value.text == "        nonlocal n\n"


WRONG_FUNCTIONS = {
    "no parameter": ("async def main():\n    pass", "takes no context", "write async def main(ctx, ...)"),
    "keyword-only parameter": ("async def main(*, ctx):\n    pass", "takes no context", "main(ctx, ...)"),
    "variadic parameter": ("async def main(*ctx):\n    pass", "takes no context", "main(ctx, ...)"),
    "context second": (
        "async def main(amount: int, ctx):\n    pass",
        "ctx is not the first parameter of main",
        "write async def main(ctx, ...)",
    ),
    "context second by its annotation": (
        "async def main(amount, world: 'deathless.Context | None', n=1):\n    pass",
        "world is not the first parameter of main",
        "write async def main(world, ...)",
    ),
    "context keyword-only": (
        "async def main(amount, *, ctx):\n    pass",
        "ctx is not the first parameter",
        "write async def main(ctx, ...)",
    ),
    "no context among the parameters": (
        "async def main(amount: int):\n    pass",
        "the first parameter of main is the context, and amount is annotated int",
        "write async def main(ctx, ...)",
    ),
    "self": ("async def main(self, ctx):\n    pass", "is a method", "write it as a function of the module"),
    "cls": ("async def main(cls):\n    pass", "is a method", "write it as a function of the module"),
    "generator": ("async def main(ctx):\n    yield 1", "is an async generator", "use await instead of yield"),
    "plain function": ("def main(ctx):\n    pass", "is not an async function", "write it as async def"),
    "plain generator": (
        "def main(ctx):\n    yield",
        "is not an async function",
        "write it as async def",
    ),
}


@pytest.mark.parametrize("name", WRONG_FUNCTIONS)
def test_a_function_of_the_wrong_kind_is_refused_at_its_first_line(name):
    source, problem, remedy = WRONG_FUNCTIONS[name]
    with pytest.raises(CompileError) as caught:
        load(f"\n\n\n@workflow\n{source}\n")
    error = caught.value
    assert problem in error.problem
    assert remedy in error.remedy
    assert (error.lineno, error.offset, error.text) == (1, 1, "@workflow\n")


def test_a_method_is_refused_whatever_its_first_parameter_is_called():
    with pytest.raises(CompileError, match="Camp.main is defined in a class; write it as a function"):
        load("class Camp:\n    @workflow\n    async def main(ctx):\n        pass\n")


WRAPPERS = """
import functools

def logged(function):
    @functools.wraps(function)
    async def wrapper(*args):
        return await function(*args)
    return wrapper

def renamed(function):
    async def wrapper(ctx):
        return await function(ctx)
    wrapper.__name__ = function.__name__
    return wrapper

def called(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

"""


@pytest.mark.parametrize("decorator", ["logged", "renamed", "called"])
def test_a_function_that_another_decorator_wraps_is_refused(decorator):
    source = f"{WRAPPERS}@workflow\n@{decorator}\nasync def main(ctx):\n    pass\n"
    with pytest.raises(
        CompileError,
        match="a decorator below @workflow wraps main; write @workflow directly above the async def",
    ):
        load(source)


def test_a_decorator_that_gives_the_function_itself_is_taken():
    assert compiled("@workflow\n@(lambda function: function)\nasync def main(ctx):\n    pass\n").sites == ()


def test_the_context_may_have_any_name_in_the_first_place():
    assert (
        len(
            compiled(
                "async def main(world, ctx_like, other: int): await world.op(1)\nmain = workflow(main)"
            ).sites
        )
        == 1
    )


def test_a_lambda_is_refused():
    with pytest.raises(CompileError, match="is not an async function; write it as async def"):
        load("main = workflow(lambda ctx: 1)")


@pytest.mark.parametrize("thing", [3, len, type, print])
def test_what_is_no_function_is_refused(thing):
    with pytest.raises(CompileError, match="is not a function; decorate an async def"):
        compile_coroutine(thing, kind="workflow")


def test_a_function_without_source_is_refused():
    space = {"__name__": "program"}
    filename = f"/programs/nowhere_{next(numbers)}.py"
    exec(compile("async def main(ctx): pass", filename, "exec"), space)
    with pytest.raises(CompileError, match="the source of main cannot be found; keep its .py file") as caught:
        compile_coroutine(space["main"], kind="workflow")
    assert caught.value.filename == filename
    assert caught.value.lineno == 1


def test_a_function_whose_file_has_changed_is_refused():
    native, _ = load("async def main(ctx):\n    pass\n")
    moved = native["main"]
    moved.__code__ = moved.__code__.replace(co_firstlineno=2)
    with pytest.raises(CompileError, match="main is not in its source; load it again"):
        compile_coroutine(moved, kind="workflow")


def test_a_compile_error_is_a_syntax_error_and_is_shown_as_one():
    error, _ = refusal("<here>global x")
    assert isinstance(error, SyntaxError)
    assert error.args[0] == f"{error.problem}; {error.remedy}"

"""How the tests of the compiler run a program: natively, or put away and brought back at every await.

A program is source text with a function `main(ctx, ...)`. `ctx.op(...)` suspends and gives the next answer, or raises
it where it is an exception; `ctx.note(...)` writes to the trace.
"""

from __future__ import annotations

import enum
import itertools
import linecache
import sys
import textwrap
import types
from dataclasses import dataclass, field

from deathless.workflows.codec import Codec
from deathless.workflows.compiler import UNBOUND, capture_stack, compile_coroutine, program_of, resume_stack

BOUND = 60
numbers = itertools.count(1)


class Boom(Exception):
    pass


class Mood(enum.Enum):
    CALM = 1
    WILD = 2


@dataclass
class Unit:
    name: str
    hp: int = 10
    tags: list = field(default_factory=list)


@dataclass
class Gate:
    """A context manager whose passing is seen in the trace."""

    trace: list
    name: str
    swallows: bool = False

    def __enter__(self):
        self.trace.append(("enter", self.name))
        return self.name

    def __exit__(self, kind, error, traceback):
        self.trace.append(("exit", self.name, repr(error)))
        return self.swallows and kind is not GeneratorExit


class Context:
    """The primitives, over a trace that outlives the coroutine."""

    def __init__(self):
        self.trace = []

    def note(self, *values):
        self.trace.append(("note", *map(repr, values)))
        return values[0] if values else None

    @types.coroutine
    def op(self, *values):
        self.trace.append(("op", *map(repr, values)))
        return (yield values)

    def gate(self, name, swallows=False):
        return Gate([], name, swallows)


def load(source, kind="workflow", **names):
    """Execute a program's text twice; return its namespace as written, and compiled."""
    filename = f"/programs/kit_{next(numbers)}.py"
    source = textwrap.dedent(source).lstrip("\n")
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    spaces = []
    for decorate in (
        lambda function: function,
        lambda function: compile_coroutine(function, kind=kind).function,
    ):
        space = {
            "__name__": "program", "workflow": decorate, "routine": decorate,
            "Boom": Boom, "Unit": Unit, "Mood": Mood, "sys": sys, **names,
        }  # fmt: skip
        exec(compile(source, filename, "exec"), space)
        spaces.append(space)
    return spaces


def compiled(source, **names):
    """Compile the function `main` of a program's text."""
    return program_of(load(source, **names)[1]["main"])


def sites(source, **names):
    """Compile a text and return its await sites by label."""
    return {site.label: site for site in compiled(source, **names).sites}


def stored(coroutine):
    """Put a suspended stack into bytes and close it: nothing of the old one is left."""
    frames = capture_stack(coroutine)
    lines = []
    for program, site, values in frames:
        unbound = [index for index, value in enumerate(values) if value is UNBOUND]
        plain = [None if value is UNBOUND else value for value in values]
        lines.append([site.number, unbound, plain])
    packed = Codec().pack(lines)
    coroutine.close()
    return [program for program, _, _ in frames], packed


def restored(programs, packed, ctx):
    frames = []
    for program, (number, unbound, values) in zip(programs, Codec().unpack(packed), strict=True):
        values = [UNBOUND if index in unbound else value for index, value in enumerate(values)]
        frames.append((program, program.sites[number - 1], values))
    return resume_stack(frames, ctx)


def outcome(error):
    """Describe how a run ended, the chain of exceptions included."""
    if isinstance(error, StopIteration):
        return ("returned", repr(error.value))
    chain = []
    while error is not None and len(chain) < 9:
        chain.append((repr(error), repr(error.__cause__), error.__suppress_context__))
        error = error.__context__
    return ("raised", chain)


def run(main, answers, arguments=(), resumed=frozenset()):
    """Run to the end; return the trace and the outcome. `resumed` are the suspensions at which it is put away."""
    ctx = Context()
    coroutine = main(ctx, *arguments)
    answer, throws = None, False
    for suspension in itertools.count(1):
        try:
            coroutine.throw(answer) if throws else coroutine.send(answer)
        except BaseException as error:
            return ctx.trace, outcome(error)
        assert suspension < BOUND, f"no end: {ctx.trace[-9:]}"
        if suspension in resumed:
            before = list(ctx.trace)
            coroutine = restored(*stored(coroutine), ctx)
            assert ctx.trace == before, "putting away and bringing back ran the user's code"
        answer = answers[suspension - 1] if suspension <= len(answers) else suspension
        answer = answer() if callable(answer) else answer
        throws = isinstance(answer, BaseException)


def same(source, answers=(), arguments=lambda: (), **names):
    """Assert that a program does the same natively, compiled, and resumed; return the native trace and outcome."""
    native, durable = load(source, **names)
    expected = run(native["main"], answers, arguments())
    count = sum(line[0] == "op" for line in expected[0])
    assert count, "the program never suspends"
    ways = [frozenset(), frozenset(range(BOUND)), *(frozenset({number}) for number in range(1, count + 1))]
    for resumed in ways:
        found = run(durable["main"], answers, arguments(), resumed)
        assert found == expected, f"resumed at {sorted(resumed)[:9]}"
    return expected

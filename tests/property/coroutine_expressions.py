"""Random expressions for the coroutine fuzz, as source text, expanded from templates.

Kinds are one letter: n int, b bool, s str, l list of ints, d dict of str to int, u Unit, t list of Units, p
Point, q pool (a set), x exception or None, z a number that may be unbound. A kind is also the first letter
of an await's label, which tells the driver what to answer. In a template:

    <n> <n2>   an expression of that kind, one level less deep than here, or of that depth
    <n1!>      the same without await and walrus;  <l*> without walrus (the first iterable of a comprehension)
    <n+>       an await of that kind, wherever one is allowed
    $u $u2     a local variable of that kind, the same wherever the token is repeated
    &n         a number that a nested function reads: a local variable becomes a cell by it
    ?job       a new name, the same wherever the token is repeated
    @  ~  #  ^ the context, a word, a number, perhaps a line break
    STIR       an await that changes $l and $u, so that what was read before it must have been kept
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

WORDS = ("ale", "bow", "cat", "den", "elk", "fog")
BIG = ("2**70", "-(2**64)", "10**25", "2**63", "-(2**63)", "2**64 - 1", "255", "65536")
TOKEN = re.compile(r"<([a-z])(\d?)([!*+]?)>|\$([a-z])(\d?)|&n|\?([a-z]+)|[@~#^]")


def table(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


@functools.cache
def needed(template: str) -> frozenset[str]:
    """The kinds of local variable that a template names."""
    return frozenset(match[4] for match in TOKEN.finditer(template) if match[4])


FORMS = {
    "n": table("""
        (<n> +^<n>)
        (<n> -^<n>)
        (<n> * <n>)
        (<n> | <n>)
        (<n> if <b> else <n>)
        (<n> and <n>)
        (<n> or <n>)
        (<n> or <n> and <n>)
        (<b> and <n>)
        ($n := <n>)
        ($n + ($n := <n+>) + $n)
        (&n * (lambda: &n)() + <n+>)
        pick(<n>)
        add(<n>,^<n>,^k=<n>)
        add(<n>, *<l>, <n>)
        add(k=<n>, *<l>, **{'h': #})
        max(<n>, <n>)
        small(<n>)
        (<u>).hurt(<n>)
        pick(<u>).hurt(<n>, <n>)
        (-<n>)
        int(<b>)
        len(<l>)
        at(<l>, <n>)
        sum(<l>)
        (<d>).get(<s>, <n>)
        (<u>).hp
        ($u.hp + <n>)
        (len($l) * <n>)
        (<p>).x
        (<n>, <n>)[<b>]
        [<n>, *<l>][0]
        {'k': <n>, <s>: <n>}['k']
        len($q)
        (lambda v: v + &n)(<n>)
        (lambda v, w=<n!>: v + w)(<n!>)
        (lambda: &n)()
        sum([v + &n for v in <l*>])
        ($n + sum([($n := v) for v in <l*>]) + $n)
        sum(v * &n for v in <l*>)
    """),
    "b": table("""
        (<n> < <n>)
        (<n> >= <n>)
        (<n> == <n>)
        (<n> != <n>)
        (<n> < <n0!> <= <n>)
        (<b> and <b>)
        (<b> or <b>)
        (<b> or <b> and <b>)
        (not <b>)
        (<s> in <d>)
        (<s> not in <d>)
        (<n> in <l>)
        (<u> is $u)
        isinstance(<u>, Unit)
        (~ in $q)
        bool(<l>)
        any(v > &n for v in <l*>)
    """),
    "s": table("""
        (<s> + <s>)[-12:]
        str(<n>)
        FORMAT
        FORMAT
        (<u>).name
        (<s> or <s>)
        ','.join([<s>, <s>])[:12]
    """),
    "l": table("""
        $l
        $l
        [<n>,^<n>]
        [*<l>, <n>][:6]
        (<l>)[#:<n>]
        (<l>)[#:<n>]
        [v * &n for v in <l*> if v != &n]
        [v + w for v in (<l*>)[:2] for w in (v, &n)]
        sorted(<l>, key=lambda v: (v % 3, &n, v))
        (<l> or [<n>])
        (<l> if <b> else <l>)
        grow(<l>, <n>)
        (<u>).tags
        list((<d>).values())
    """),
    "d": table("""
        $d
        $d
        {<s>: <n>, ~:^<n>}
        {str(v): v + &n for v in (<l*>)[:3]}
        dict(<d>, k=<n>)
        (<d> or {~: <n>})
    """),
    "u": table("""
        $u
        $u
        Unit(<s>, <n>, <l>)
        Unit(<s>, hp=<n>, mate=$u)
        (<u> if <b> else <u>)
        pick(<u>, 'who')
        at($t, <n>)
    """),
    "t": table("""
        [<u>, <u>]
        [$u, $u2, $u]
    """),
    "p": table("""
        $p
        Point(<n>, <n>)
    """),
    # Any value at all, for notes, results and what is stored for a while.
    "v": table("""
        <n>
        <n>
        <b>
        <s>
        <l>
        <d>
        <u>
        <u>
        <p>
        (<n>, <l>)
        [<u>, *<l>]
        {'k': <u>, 'j': <n>}
        {<n0>, <n>}
        {(<n0>, 'k'): <n>, Mood.CALM: <l0>, 7: None}
        Pair(<l>, <n>)
        Pair($l, [$l, $u])
        1.5
        -0.0
        float('inf')
        b'ab'
        frozenset((1, 2))
        frozenset(('ale', 'bow'))
        Mood.WILD
        range(1, 9, 3)
        (None, True, ())
        [[], [[]]]
        Crate([1, Point(1, 2)])
        {'a': {'b': [{}]}}
        [v for v in $q]
        [(v, w) for v in $q for w in $q][:4]
        {v: <n0> for v in $q}
        [*$q, <n>]
        list($q)
        tuple(enumerate($q))
        list(zip($q, (<l>)))
        next(iter($q), <n>)
        max($q, key=lambda v: 0, default=<n>)
        dict.fromkeys($q)
        (lambda: [v for v in $q])()
    """),
}

RISKY = table("""
    (<n> // <n>)
    (<n> % <n>)
    (<l>)[<n>]
    (<d>)[<s>]
    (None + <n>)
    (<u>).missing
    add(*<l>, **<d0!>)
""")

# What Python evaluates before an await must not be evaluated after it.
STIRRED = {
    "n": table("""
        add(*$l, STIR)
        add(STIR, *$l)
        add($u.hp,^k=STIR)
        add($u.hp, *[STIR], $l[-1])
        sum([*$l, STIR])
        len((*$l, STIR))
        len({*$l, STIR})
        ($u.hp + STIR)
        (-$u.hp + STIR * $u.hp)
        (sum($l) - STIR)
        [$u.hp, STIR, $u.hp][0]
        {$u.hp: STIR, 'k': $u.hp}['k']
        at($l, STIR)
        len($l[len($l) - 1:][:STIR])
        ($u.hp < STIR < $u.hp)
        ($l == [*$l] and STIR)
        ($l[0:] == [*$l, STIR])
        ($u.hp if STIR else $u.hp)
        pick($u.hp, STIR)
        Pair([*$l], STIR).left[-1]
        max($l[-1:] or [0], [STIR])[0]
        ($n + ($n := STIR) + $n)
        $u.hurt($u.hp, STIR)
    """),
    "s": table("""
        f"{$l}{STIR}{$u.hp}"
        f"{$u.hp}-{STIR}-{$l}"
        f"{$u.hp!r:>3}{STIR}{$u.hp:>{7 - 2}}"
        (str($l) + str(STIR) + str($l))
        ','.join([str($u), str(STIR)])
    """),
    "l": table("""
        [*$l, STIR, *$l]
        [$u.hp, STIR, $u.hp]
        list((*$l, STIR))
        [*$u.tags, STIR, len($u.tags)]
        ($l[:] + [STIR] + $l)
    """),
}


STIR = "(await stir(@, $l, $u))"
STIRRING = """@routine
async def stir(ctx, items, unit):
    grow(items, unit.hp)
    await ctx.op('n_stir', unit.hp)
    grow(items, 7)
    unit.hp += 3
    return unit.hp % 5

"""

LEAVES = {
    "n": "#",
    "b": "(<n0> > #)",
    "s": "~",
    "l": "[#, &n]",
    "d": "{~: #}",
    "u": "Unit(~)",
    "p": "Point(1, 2)",
}


@dataclass
class Routine:
    """What a call to a generated routine needs to know."""

    name: str
    result: str
    positional: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...] = ()
    variadic: bool = False
    recursive: bool = False


@dataclass
class Scope:
    """The names of one function, by kind; all but `z` are bound from the function's first lines on."""

    context: str = "ctx"
    names: dict[str, list[str]] = field(default_factory=dict)
    routines: list[Routine] = field(default_factory=list)
    awaits: int = 0
    await_bound: int = 14
    cells: bool = True


class Expressions:
    """Writes expressions.

    `plain` and `no_walrus` count the places around us where an await or a walrus is not allowed, `guards`
    the try blocks with handlers.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.scope = Scope()
        self.fresh = 0
        self.plain = 0
        self.no_walrus = 0
        self.in_format = 0
        self.guards = 0
        self.stirring = False

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def name(self, kind: str) -> str | None:
        names = self.scope.names.get(kind)
        return self.rng.choice(names) if names else None

    def new(self, stem: str) -> str:
        self.fresh += 1
        return f"{stem}_{self.fresh}"

    def number(self) -> str:
        return (
            f"({self.rng.choice(BIG)})"
            if self.chance(0.06)
            else str(self.rng.choice((0, 1, 1, 2, 3, 5, 8, -1)))
        )

    # -- templates -----------------------------------------------------------------------------------------

    def choose(self, templates: Sequence[str]) -> str:
        """One of the templates that can be expanded here."""
        fitting = [each for each in templates if self.fits(each)]
        return self.rng.choice(fitting)

    def fits(self, template: str) -> bool:
        if self.no_walrus and ":=" in template:
            return False
        return all(self.scope.names.get(kind) for kind in needed(template))

    def expand(self, template: str, depth: int) -> str:
        """Replace the tokens of a template, left to right."""
        chosen: dict[str, str] = {}

        def replace(match: re.Match[str]) -> str:
            token = match[0]
            if match[1]:
                return self.expression(match[1], int(match[2]) if match[2] else depth - 1, match[3])
            if match[4] or match[6]:
                if token not in chosen:
                    chosen[token] = self.name(match[4]) if match[4] else self.new(match[6])
                return chosen[token]
            return self.symbol(token)

        return TOKEN.sub(replace, template)

    def symbol(self, token: str) -> str:
        if token == "@":
            return self.scope.context
        if token == "~":
            return repr(self.rng.choice(WORDS))
        if token == "^":
            # Line numbers are compared, so expressions should have several.
            return "\n            " if not self.in_format and self.chance(0.1) else " "
        if token == "&n" and self.scope.cells:
            return self.name("n") or self.number()
        return self.number()

    def expression(self, kind: str, depth: int, restriction: str = "") -> str:
        if restriction == "+":
            return self.awaiting(kind, depth) if not self.plain else self.of(kind, depth)
        self.plain += restriction == "!"
        self.no_walrus += restriction != ""
        text = self.of(kind, depth)
        self.plain -= restriction == "!"
        self.no_walrus -= restriction != ""
        return text

    def of(self, kind: str, depth: int) -> str:
        """An expression of that kind."""
        if kind == "q":
            return self.pool()
        if depth <= 0 and kind in LEAVES:
            return (
                self.name(kind)
                if self.name(kind) and self.chance(0.75)
                else self.expand(self.choose([LEAVES[kind]]), 0)
            )
        if kind in "nbsldu" and self.may_await() and self.chance(0.28):
            return self.awaiting(kind, depth)
        if (
            kind in STIRRED
            and self.stirring
            and not self.in_format
            and self.may_await()
            and self.chance(0.12)
        ):
            stirred = [each for each in STIRRED[kind] if self.fits(each) and self.fits(STIR)]
            if stirred:
                self.scope.awaits += 1
                return self.expand(self.rng.choice(stirred).replace("STIR", STIR), depth)
        if kind == "n" and self.chance(0.06 if self.guards else 0.005):
            return self.expand(self.choose(RISKY), depth)
        template = self.choose(FORMS[kind])
        return self.format_string(depth) if template == "FORMAT" else self.expand(template, depth)

    def pool(self) -> str:
        """A set, of one kind of values or of several."""
        words = [repr(word) for word in WORDS]
        numbers = [str(number) for number in range(-5, 60)]
        mixed = [*words[:3], *numbers[:3], "None", "b'ab'", "(1, 'k')", "(0, 'k', None)"]
        items = self.rng.choice((words, words, numbers, mixed))
        return f"pool({', '.join(self.rng.sample(items, self.rng.randint(1, 4)))})"

    def format_string(self, depth: int) -> str:
        if self.in_format:
            return repr(self.rng.choice(WORDS))
        self.in_format += 1
        parts = []
        for _ in range(self.rng.choice((1, 2, 3))):
            kind = self.rng.choice("nnslb")
            value = self.expression(kind, min(depth, 1), "*")
            if any(each in value for each in ("{", "lambda", '"')):
                value = "0"
            tail = self.rng.choice(
                ("", "", "!r", "!s", ":{7 - 2}", ":>4") if kind == "n" else ("", "!r", "!s")
            )
            parts.append(f"{self.rng.choice(('-', '', ' '))}{{{value}{tail}}}")
        self.in_format -= 1
        return f'f"{"".join(parts)}"[:24]'

    # -- awaits --------------------------------------------------------------------------------------------

    def may_await(self) -> bool:
        return not self.plain and self.scope.awaits < self.scope.await_bound

    def awaiting(self, kind: str, depth: int = 1) -> str:
        """`(await ...)` of a primitive or of a routine that gives that kind."""
        self.scope.awaits += 1
        fitting = [routine for routine in self.scope.routines if routine.result == kind]
        if fitting and depth > 0 and not self.in_format and self.chance(0.45):
            return f"(await {self.call(self.rng.choice(fitting), depth - 1)})"
        arguments = [repr(self.new(kind))]
        arguments += [f"<{self.rng.choice('nnslub')}>" for _ in range(self.rng.choice((0, 0, 1, 1, 2)))]
        template = "@.op(" + ",^".join(arguments) + ")"
        return f"(await {self.expand(template, depth)})"

    def call(self, routine: Routine, depth: int) -> str:
        arguments = [
            f"${kind}" if kind in "lut" and self.name(kind) else f"<{kind}>" for kind in routine.positional
        ]
        if routine.variadic and self.chance(0.5):
            arguments.append("*(<l>)[:2]")
        arguments += [f"{keyword}=<{kind}>" for keyword, kind in routine.keywords if self.chance(0.6)]
        return self.expand(f"{routine.name}({', '.join(['@', *arguments])})", depth + 1)

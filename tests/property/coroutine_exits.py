"""Every way of leaving a block whose `finally` awaits, enumerated.

Random programs rarely hold a `break` or `return` pending in a `finally` while another one is under way, so
these are written out: a shape of nested tries, in a surrounding, with places `A`, `B`, ... in it. At each
place a program may await, and may leave in a way that an argument of its own chooses: 0 not at all, 1
raise, 2 return, 3 break, 4 continue. One program thus stands for many; `cases` lists the arguments worth
running.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

SHAPES = {
    "finally": """
try:
    A
finally:
    B
""",
    "handled": """
try:
    A
except Boom as e:
    ctx.note(e)
    B
finally:
    C
""",
    "handled_else": """
try:
    A
except Boom as e:
    B
    ctx.note(e, handled())
else:
    C
""",
    "else_finally": """
try:
    pass
except Boom:
    ctx.note('never')
else:
    A
finally:
    B
""",
    "try_in_body": """
try:
    try:
        A
    finally:
        B
finally:
    C
""",
    "try_in_finally": """
try:
    A
finally:
    try:
        B
    finally:
        C
    ctx.note('past', handled())
""",
    "caught_in_finally": """
try:
    A
finally:
    try:
        B
    except Boom as e:
        ctx.note(e)
        C
    ctx.note('past', handled())
""",
    "loop_in_finally": """
try:
    A
finally:
    for inner in [1, 2]:
        ctx.note(inner)
        try:
            B
        finally:
            C
    else:
        ctx.note('inner else')
    ctx.note('past', handled())
""",
    "try_in_handler": """
try:
    A
except Boom as e:
    try:
        B
    finally:
        C
    ctx.note('past', e)
""",
    "reraised": """
try:
    A
except Boom:
    try:
        B
    except Boom as e:
        ctx.note(e)
    ctx.note(handled())
    await ctx.op('nr')
    raise
finally:
    C
""",
    "with_in_finally": """
try:
    A
finally:
    with Gate('g', 'Boom'):
        B
    C
""",
    "finally_in_with": """
with Gate('g', 'Boom'):
    try:
        A
    finally:
        B
C
""",
    "chained": """
try:
    try:
        raise KeyError('first')
    except KeyError:
        A
except Boom as e:
    B
    ctx.note(e, handled())
finally:
    C
""",
    "branches": """
try:
    if a % 2:
        A
    else:
        await ctx.op('ne')
        A
finally:
    if b:
        B
    ctx.note('last', handled())
""",
}

# Each mark is bound before the shape and again after it, and read on one way out only: it lives for that way alone.
SURROUNDINGS = {
    "plain": """
await ctx.op('n0')
SHAPE
return 'end'
""",
    "for": """
after = again = 'none'
for turn in [1, 2]:
    ctx.note('turn', turn, again)
    after = again = turn
    SHAPE
    after = again = 'through'
else:
    ctx.note('else')
ctx.note(after)
return 'end'
""",
    "while": """
turn = 0
again = 'none'
while turn < 2:
    turn += 1
    ctx.note('turn', turn, again)
    again = turn
    SHAPE
    again = 'through'
else:
    ctx.note('else')
return 'end'
""",
    "nested_for": """
for outer in 'xy':
    for turn in range(2):
        after = turn
        SHAPE
        after = 'through'
        ctx.note(after, outer, turn)
    else:
        await ctx.op('ni')
        continue
    ctx.note('broken', after)
return 'end'
""",
    "handler": """
for turn in [1, 2]:
    try:
        raise Dire('outer')
    except Dire as outer:
        SHAPE
        ctx.note('through', outer, handled())
return 'end'
""",
    "pending_return": """
for turn in [1, 2]:
    try:
        if turn == 1:
            return 'pending'
        raise KeyError('pending')
    finally:
        for again in [1, 2]:
            SHAPE
        ctx.note('outer finally', handled())
return 'end'
""",
    "caught": """
for turn in [1, 2]:
    left = failed = turn
    try:
        SHAPE
        left = failed = 'through'
    except Boom as e:
        await ctx.op('nc')
        ctx.note('caught', e, failed)
    finally:
        ctx.note('always', left)
return 'end'
""",
    "with": """
for turn in [1, 2]:
    swallowed = turn
    with Gate('around', 'Boom') as gate:
        SHAPE
        swallowed = 'through'
        ctx.note(gate)
    ctx.note(swallowed)
return 'end'
""",
    "outer_finally": """
for turn in [1, 2]:
    always = turn
    try:
        SHAPE
        always = 'through'
    finally:
        await ctx.op('no')
        ctx.note(always, handled())
return 'end'
""",
}

WAYS = {1: "raise Boom('{place}')", 2: "return '{place}'", 3: "break", 4: "continue"}


@dataclass(frozen=True)
class Exits:
    """One program: its text, and for each place the ways of leaving that its argument may choose."""

    name: str
    source: str
    ways: tuple[tuple[int, ...], ...]

    def cases(self, bound: int) -> Iterator[tuple[int, ...]]:
        """Every combination of ways, or a fixed sample of that many."""
        every = list(itertools.product(*self.ways))
        yield from every if len(every) <= bound else random.Random(self.name).sample(every, bound)


def fill(template: str, word: str, text: str) -> str:
    """Replace a line that is just the word by the text, at the line's indent."""
    lines = []
    for line in template.strip("\n").splitlines():
        if line.strip() == word:
            indent = line[: len(line) - len(line.lstrip())]
            lines.extend(indent + each for each in text.splitlines())
        else:
            lines.append(line)
    return "\n".join(lines)


def place_text(place: str, ways: tuple[int, ...], *, awaits: bool, always: int) -> str:
    lines = [f"ctx.note('at {place}')"]
    if awaits:
        lines.append(f"await ctx.op('n{place}')")
    variable = place.lower()
    lines += [f"if {variable} == {way}: {WAYS[way].format(place=place)}" for way in ways if way]
    if always:
        lines.append(WAYS[always].format(place=place))
    return "\n".join(lines)


def write(shape: str, surrounding: str, awaits: str, style: dict[str, int | tuple[int, ...]]) -> Exits:
    """Write one program. `style` gives for a place its ways (a tuple) or the one that it always takes."""
    places = [place for place in "ABC" if any(line.strip() == place for line in SHAPES[shape].splitlines())]
    text = SHAPES[shape]
    ways: list[tuple[int, ...]] = []
    for place in places:
        chosen = style[place]
        menu = chosen if isinstance(chosen, tuple) else (0,)
        body = place_text(
            place, menu, awaits=place in awaits, always=0 if isinstance(chosen, tuple) else chosen
        )
        text = fill(text, place, body)
        ways.append(menu)
    while len(ways) < 3:
        ways.append((0,))
    body = fill(SURROUNDINGS[surrounding], "SHAPE", text)
    source = "@workflow\nasync def main(ctx, a, b, c):\n" + "".join(
        f"    {line}\n" for line in body.splitlines()
    )
    label = ",".join(
        f"{place}{''.join(map(str, way)) if isinstance(way, tuple) else '!' + str(way)}"
        for place, way in style.items()
    )
    return Exits(f"{shape}-{surrounding}-{awaits}-{label}", source, tuple(ways))


def menus(surrounding: str) -> tuple[int, ...]:
    return (0, 1, 2) if surrounding == "plain" else (0, 1, 2, 3, 4)


def programs() -> Iterator[tuple[bool, Exits]]:
    """Every program, and whether it is on the short list: all places await and may leave in every way."""
    for shape, surrounding in itertools.product(SHAPES, SURROUNDINGS):
        menu = menus(surrounding)
        yield True, write(shape, surrounding, "ABC", dict.fromkeys("ABC", menu))
        for awaits in ("A", "B", "C", "AB", "AC", "BC"):
            yield False, write(shape, surrounding, awaits, dict.fromkeys("ABC", menu))
        for place, only in itertools.product("ABC", menu):
            chosen: dict[str, int | tuple[int, ...]] = dict.fromkeys("ABC", menu)
            chosen[place] = (0, only) if only else (0,)
            yield False, write(shape, surrounding, "ABC", chosen)
            if only:
                chosen[place] = only
                yield False, write(shape, surrounding, "ABC", chosen)

"""Statement templates of the coroutine fuzz.

On top of the tokens of expressions, a line that is one of these words stands for statements at its indent:
AWAIT one that awaits, NOTE one that notes, BLOCK some, LOOP some in which break and continue may stand, TRY
some of which the exceptions are caught. Templates are parted by blank lines; one that stands twice is twice
as likely.
"""

from __future__ import annotations


def templates(text: str) -> tuple[str, ...]:
    return tuple(each.strip("\n") for each in text.strip("\n").split("\n\n"))


ASSIGN = templates("""
$n = small(<n2>)

$n = <n2>

$n = $n2 = small(<n2>)

$s = <s2>

$l = <l2>

$l = (<l2>)[:8]

$d = <d2>

$u = <u2>

$u = $u2 = <u2>

$t = <t2>

$p = <p2>

$q = <q>

$n, $n2 = <n2>, <n2>

($n, *$l), $n2 = (<n1>, *(<l1>)[:3]), <n1>

$n, *$l = [<n1>, *<l2>]

[$n, $n2] = (*<l2>, 1, 2)[:2]

$u.hp, $n = $n, <n2>

$n, pick($u, 'owner').hp = <n2>, <n1>

$l[0:1], $n = [<n1>], <n1>

?typed: int = <n2>
AWAIT
@.note(?typed)
""")

# The target of an awaiting augmented assignment may not be bound again by a walrus in it.
AUGMENTED = templates("""
$n += <n2*>

$n -= <n2*>

$n |= <n2*>

$u.hp += <n2*>

$u.hp -= <n2*>

pick($u, 'target').hp += <n2*>

$u.tags += [<n1*>][len($u.tags) // 8:]

$l += (<l1*>)[:1 if len($l) < 8 else 0]

if $l: $l[<n1!> % len($l)] += <n2*>

$l[-1:1] = (<l1>)[:2]

$d[~] = <n2>

$d[pick(~, 'key')] = <n2>

$d |= <d1*>

$s += (<s1*>)[:2]
""")

# Two names for one mutable thing, so that a copy made in between would be seen.
ALIAS = templates("""
@.note(<u2>, <u1>)

@.note('same', $l is $l2, $u is $u2)

$u = $t[0]

$t[-1] = $u

$t = [$u, $u2, $u]

@.note([one is $u for one in $t], $t)

$u.tags = $l

$l = $u.tags

@.note($u.tags is $l, $u)

$u.mate = Crate($l)

$u.mate = Pair($l, $l)

$u = $u2

$u.mate = $u2 if $u2.mate is None and $u is not $u2 else None

$l = $l2
""")

MUTATE = templates("""
pick(<v2>)

$u.hurt(<n2>)

$u.hp = <n2>

grow($u.tags, <n1>)

if $u.mate is not None: @.note($u.mate)

if len($l) < 6: $l.append(<n2>)

grow(pick($l, 'grown'), <n2>)

if $l: $l.pop()

$l.sort(key=lambda v: -v)

$d.update(k=<n2>)

if len($d) > 4: $d.clear()

$q = $q.copy()

$q.discard(~)

@.note($q, len($q))

if len($q): @.note($q.pop(), len($q))

if len($q) > 1: ?first, *?rest = $q
else: ?first, ?rest = <n1>, $l
@.note(?first, ?rest)
""")

STORE = templates("""
for ?each in $l:
    AWAIT
    if len($l) < 6: $l.append(<n1>)
    @.note(?each)
    LOOP

for ?each in $u.tags:
    @.note(?each)
    if len($u.tags) > 2: $u.tags.pop()
    else: grow($u.tags, #) if ?each != 3 else None
    AWAIT

for ?index, ?each in enumerate($l, #):
    AWAIT
    if len($l) < 6: $l.append(<n1>)
    @.note(?index, ?each)
    LOOP

for ?each, ?other in zip($l, $u.tags):
    @.note(?each, ?other)
    if len($u.tags) > 2: $u.tags.pop()
    AWAIT
    grow($l, ?other)

for (?index, ?each), ?other in zip(enumerate($u.tags), range(5)):
    AWAIT
    grow($u.tags, ?index)
    @.note(?each, ?other)
    LOOP

?cursor = enumerate($l)
for ?index, ?each in ?cursor:
    @.note(?each, next(?cursor, -1))
    AWAIT
    grow($l, ?index)

?kinds = (Boom, KeyError) if <b1> else Odd
AWAIT
try:
    TRY
except ?kinds:
    AWAIT

?kept = <v1>
with Gate(~, 'Boom Halt'):
    AWAIT
    ?kept = <v1>
    AWAIT
@.note(?kept)

?kept = <v1>
for ?each in range(2):
    ?kept = <v1>
    try:
        AWAIT
        if <b1>: break
    finally:
        AWAIT
    ?kept = <v1>
    LOOP
@.note(?kept)

?kept = <v1>
try:
    AWAIT
    ?kept = <n2>
    BLOCK
except Exception:
    @.note(?kept)

?kept = <n1>
?fuel = 2
while ?fuel:
    ?fuel -= 1
    AWAIT
    match <n2>:
        case int() if ?fuel == ?kept % 2:
            LOOP
        case int(?kept):
            AWAIT

?gone = <v2>
AWAIT
@.note(?gone)
del ?gone

?gone = <v2>
AWAIT
del ?gone
try:
    @.note(?gone)
except NameError as error:
    @.note('unbound', error)

?gone = <u1>
?gone = [?gone, ?gone, <v1>]
AWAIT
@.note(?gone, ?gone[0] is ?gone[1])

?cursor = iter($l)
@.note(next(?cursor, -1))
AWAIT
grow($l, <n1>)
@.note([next(?cursor, -1), next(?cursor, -1)])

?cursor = iter(range(4))
for ?each in ?cursor:
    AWAIT
    @.note(?each, next(?cursor, -1))
    LOOP

x0 = $x
AWAIT
if x0 is not None: @.note(x0, x0 is handled(), x0 is $x)

if $x is not None: @.note($x, $x is handled())

if $x is not None: raise $x
""")

UNBOUND = templates("""
if <b2>: $z = <n1>

if <b2>: $z = <n1>
AWAIT

try:
    @.note($z)
except NameError:
    @.note('unbound', handled())

try:
    @.note($z, <n1>)
except NameError as $z:
    AWAIT

try:
    del $z
except NameError:
    $z = <n1>

for $z in (<l1>)[:2]:
    AWAIT
""")

CLOSURE = templates("""
?inner = lambda v, w=<n0>: v + w + &n
@.note(?inner(<n0>))

def ?inner(v, w=1):
    grow($l, v)
    return [v, w, $n, $s]
@.note(?inner(<n0>))
del ?inner

def ?inner(*v):
    return (v, $u)
@.note(?inner(<n1!>))

@.note((lambda *v: v)(<v1>))
""")

IF = templates("""
if <b2>:
    BLOCK

if <b2>:
    BLOCK
else:
    BLOCK

if <b2>:
    BLOCK
elif <b2>:
    BLOCK

if <b2>:
    BLOCK
elif <b2>:
    BLOCK
elif <b1>:
    BLOCK
else:
    BLOCK

if <b1>:
    pass
else:
    BLOCK
""")

WHILE = templates("""
?fuel = 2
while ?fuel > 0 and <b2>:
    ?fuel -= 1
    LOOP

?fuel = 3
while ?fuel > 0:
    ?fuel -= 1
    LOOP
else:
    BLOCK

?fuel = 3
while True:
    ?fuel -= 1
    if ?fuel < 0: break
    LOOP

?fuel = 2
while (?fuel := ?fuel - 1) >= 0 and <b2>:
    LOOP

?fuel = 2
while (?fuel := ?fuel - 1) >= 0 and <b2>:
    LOOP
else:
    AWAIT
""")

FOR_HEADS = templates("""
for ?each in range(3):

for $n in range(2):

for $n in range(<n1> % 4):

for ?each in range(3, 0, -2):

for $n in (<l2>)[:3]:

for $n in $l:

for ?each in $l:

for ?each in pick((<l1>)[:2], 'iterable'):

for ?each in (<n1>, <u1>):

for ?each in $u.tags:

for ?each, ?other in enumerate($l):

for ?each, ?other in zip($u.tags, $l):

for ?each in $q:

for ?each, ?other in enumerate($q):

for $u in $t:

for $u in [<u1>, <u0>]:

for ?each, ?other in enumerate((<l1>)[:3], #):

for ?each, ?other in zip((<l1>)[:3], <s1>):

for ?each, $u in zip(range(5), [<u1>, <u0>]):

for $n in reversed((<l1>)[:3]):

for ?each in dict(<d1>):

for ?each, $n in dict(<d1>).items():

for ?each in dict(<d1>).keys():

for $n in dict(<d1>).values():

for ?each in (<s1>)[:3]:

for $n, *?each in [(<n0>, 1, 2), [<n0>, 5]]:

for ?each in [v + &n for v in (<l*>)[:3]]:

for $l[0:1] in [<l0>, [4], [5]]:

for $u.hp in [<n0>, <n1>]:

for ?each in ((<n0>, ~), [1, 2]):
""")

FOR_SETS = templates("""
for ?each in <q>:
    AWAIT
    @.note(?each)
    LOOP

for ?each in $q.copy():
    AWAIT
    @.note(?each)

for ?each in <q>:
    @.note(?each)
    if <b1>: continue
    AWAIT
    if <b1>: break
else:
    BLOCK
""")

WITH = templates("""
with GATE:
    BLOCK

with GATE as ?gate:
    BLOCK
    @.note(?gate)

with GATE as ?gate, GATE:
    BLOCK

with (GATE, GATE as ?gate):
    AWAIT
    BLOCK

with Loan(<l1>) as $l:
    BLOCK

with Loan($l):
    AWAIT
    grow($l, <n1>)

with GATE as $u.mate:
    AWAIT
    BLOCK
$u.mate = None

?gate = GATE
with ?gate:
    BLOCK
with ?gate as ?again:
    AWAIT
    @.note(?gate is ?again)
""")

MANAGERS = (
    "Gate(<s1>)", "Gate(<s1>)", "Gate(<s1>, 'Boom')", "Gate(<s1>, 'Boom Dire KeyError Halt')",
    "Gate(~, 'Odd Halt')", "Gate(~, 'Boom', 'exit')", "Gate(~, '', 'exit')", "Gate(~, '', 'enter')",
    "pick(Gate(<s1>, 'Boom Odd'))",
)  # fmt: skip

ERRORS = (
    "Boom(<n1>)", "Boom(~, <n2>)", "Dire()", "Dire(<l1>)", "Odd(~, level=<n1>)", "Halt(~)", "KeyError(~)",
    "OSError(2, ~)", "StopIteration(3)", "ExceptionGroup('many', [Boom(#), Dire()])", "Boom",
    "pick(Boom(<n1>))", "TypeError(<s1>)", "Boom($u)", "Dire($l, $l)",
)  # fmt: skip

CATCHES = (
    "Boom", "Boom", "Dire", "(Boom, KeyError)", "Exception", "Exception", "BaseException",
    "(KeyError, IndexError)", "ArithmeticError", "Odd", "Halt", "pick(Boom, 'clause')",
    "(ZeroDivisionError, LookupError)", "OSError", "(Halt, Boom)", "(pick(Odd, 'clause'), Boom)",
)  # fmt: skip

PATTERNS = {
    "n": ("$u.hp", "0", "1 | 2 | 3", "int(?got)", "int()", "-1", "None", "bool()", "0 | 1 as ?got"),
    "l": ("[]", "[$n]", "[$n, ?got]", "[$n, *?got]", "[0, *_, 1]", "[*?got, 1 | 2 as $n]", "[_, *$l]"),
    "d": ("{'ale': $n}", "{'k': int() as $n, **?got}", "{'cat': 1 | 2, 'bow': ?got}", "{}"),
    "u": ("Unit(hp=$n)", "Unit(name='ale' | 'bow')", "Unit(tags=[$n, *?got])", "Unit(?got, 1 | 2 | 3)"),
    "s": ("$u.name", "'ale'", "'bow' | 'cat' as ?got", "str(?got)"),
    "p": ("Point($n, ?got)", "Point(x=0, y=$n)", "Point(1 | 2 | 3, _)"),
    "v": (
        "[$n, *?got]", "{'k': Unit(hp=$n), **?got}", "Unit(?got)", "Point($n, 1)", "int($n)", "Mood.WILD",
        "str()", "(1 | 2 as $n, ?got)", "Pair(left=?got)", "{'ale': int($n)}", "None | True",
        "Pair($l, $n) | [$l, $n]",
    ),
}  # fmt: skip

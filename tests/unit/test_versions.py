"""Edits of code under a running world: each resumes at the right await, or is held with nothing lost."""

import pytest

BASE = """
from deathless import Context, Elapsed, Signal, routine, workflow

class Stack(Signal):
    amount: int = 1

class Dispel(Signal):
    pass

@routine
async def pause(ctx: Context, seconds: float) -> float:
    before = ctx.now
    await ctx.sleep(seconds)
    return before

@workflow
async def buff(ctx: Context, duration: float) -> dict:
    stacks = 1
    log = []
    for round in [1, 2, 3]:
        match await ctx.select(ctx.timer(duration, name="expire"), Stack, Dispel):
            case Stack(amount):
                stacks += amount
            case Dispel():
                return {"stacks": stacks, "log": log, "how": "dispel"}
            case Elapsed():
                log.append(round)
        await pause(ctx, 1.0)
    return {"stacks": stacks, "log": log, "how": "end"}
"""


def edit(*pairs):
    source = BASE
    for old, new in pairs:
        assert old in source
        source = source.replace(old, new)
    return source


SELECT = 'match await ctx.select(ctx.timer(duration, name="expire"), Stack, Dispel):'
# Each edit with what becomes of a workflow that waits in the select, and of one that waits in the routine.
EDITS = {
    "comments, docstring and blank lines": (
        edit(("    stacks = 1\n", '    """Doc."""\n\n    # A comment.\n    stacks = 1\n')),
        True,
        True,
    ),
    "annotations": (edit(("duration: float", "duration")), True, True),
    "code without awaits before the select": (
        edit(("    log = []\n", "    log = []\n    log.clear()\n")),
        True,
        True,
    ),
    "code without awaits in a case": (edit(("log.append(round)", "log.append(round * 10)")), True, True),
    "a new await after the place": (
        edit(
            (
                'return {"stacks": stacks, "log": log, "how": "end"}',
                'await ctx.sleep(0.5)\n    return {"stacks": stacks, "log": log, "how": "end"}',
            )
        ),
        True,
        True,
    ),
    "a new await before the loop": (
        edit(("    for round", "    await ctx.receive(Dispel)\n    for round")),
        True,
        True,
    ),
    "a local that lives on is renamed": (edit(("stacks", "piles")), False, False),
    "a new local that lives across the await": (
        edit(("    log = []\n", "    log = []\n    fresh = 5\n"), ('"how": "end"', '"how": fresh')),
        False,
        False,
    ),
    "the iterable of the loop": (edit(("[1, 2, 3]", "[1, 2, 3, 4]")), False, False),
    "the name of the timer": (edit(('name="expire"', 'name="end"')), False, True),
    "another signal in the select": (
        edit(
            ("Stack, Dispel):", "Stack):"),
            (
                '            case Dispel():\n                return {"stacks": stacks, "log": log, "how": "dispel"}\n',
                "",
            ),
        ),
        False,
        True,
    ),
    "the await is gone": (edit(("        await pause(ctx, 1.0)\n", "")), True, False),
    "the await is duplicated": (
        edit(
            (
                "        await pause(ctx, 1.0)\n",
                "        await pause(ctx, 1.0)\n        await pause(ctx, 1.0)\n",
            )
        ),
        True,
        False,
    ),
    "the loop is wrapped in an if": (
        edit((f"        {SELECT}", f"        if duration:\n          pass\n        {SELECT}")),
        True,
        True,
    ),
    "the routine sleeps with another name": (
        edit(("before = ctx.now", "since = ctx.now"), ("return before", "return since")),
        True,
        False,
    ),
}


def to_select(world, module):
    handle = world.start(module.buff(10.0), entity_id=1)
    world.advance(0.1)
    return handle


def to_routine(world, module):
    handle = to_select(world, module)
    world.signal(module.Stack(4), entity_id=1)
    world.advance(0.1)
    assert world.get(handle.id).frames
    return handle


@pytest.mark.parametrize("paranoid", [False, True])
@pytest.mark.parametrize("where", ["select", "routine"])
@pytest.mark.parametrize("name", EDITS)
def test_an_edit_resumes_at_the_same_await_or_is_held(worlds, load_module, name, where, paranoid):
    source, *goes_on = EDITS[name]
    goes_on = goes_on[where == "routine"]
    old = load_module(BASE)
    world = worlds.open([old.buff], paranoid=paranoid)
    handle = (to_select if where == "select" else to_routine)(world, old)
    before = world.get(handle.id)
    world.close()

    new = load_module(source)
    world = worlds.open([new.buff], paranoid=paranoid)
    view = world.get(handle.id)
    assert view.status == "Suspended"
    assert (view.held_reason is None) == goes_on, view.held_reason
    if "Dispel" in _accepted(new):
        world.signal(new.Dispel(), entity_id=1)
    world.run_until(30.0)
    view = world.get(handle.id)
    if goes_on:
        assert view.status == "Completed"
        assert view.result["how"] == ("dispel" if "Dispel" in _accepted(new) else "end")
        assert view.result["stacks"] == (1 if where == "select" else 5)
        return
    assert (view.status, view.locals, view.unread) == (
        "Suspended",
        before.locals,
        ("Dispel",) if "Dispel" in _accepted(new) else (),
    )
    world.close()

    # The old code comes back: everything that was collected meanwhile is there.
    old = load_module(BASE)
    world = worlds.open([old.buff], paranoid=paranoid)
    world.run_until(60.0)
    assert world.get(handle.id).status == "Completed"


HEAD = """
from deathless import Context, Signal, workflow

class Hit(Signal):
    pass

def weigh(*values):
    return sum(values)

@workflow
async def main(ctx: Context):
"""
LONG = "weigh(1111111111, 2222222222, 3333333333, 4444444444, 5555555555, LAST)"
LOOP = "for i in [1, 2]:\n    try:\n        INSIDE\n    finally:\n        await ctx.sleep(5)\nreturn 'end', i"
# Code that sleeps, an edit of it, and what becomes of the sleeper: held (None), or its result under the new code.
PAIRS = {
    "another await of the same text, after one that is new": (
        "await ctx.sleep(5)\nif await ctx.receive(Hit): return 'gold'",
        "if await ctx.receive(Hit):\n    await ctx.sleep(5)\n    return 'gold for free'",
        None,
    ),
    "from the if to its else": (
        "hp = 3\nif hp < 5:\n    await ctx.sleep(5)\n    return 'rested'\nreturn 'fight'",
        "hp = 3\nif hp < 5: return 'fight'\nelse:\n    await ctx.sleep(5)\n    return 'trained'",
        None,
    ),
    "into a second loop of the same head": (
        "while True:\n    await ctx.sleep(5)\n    return 'one'",
        "while True:\n    if await ctx.receive(Hit): break\nwhile True:\n    await ctx.sleep(5)\n    return 'two'",
        None,
    ),
    "into a new condition": (
        "await ctx.sleep(5)\nreturn 1",
        "if await ctx.receive(Hit): await ctx.sleep(5)\nreturn 2",
        None,
    ),
    "wrapped in a try": (
        "await ctx.sleep(5)\nreturn 'x'",
        "done = []\ntry:\n    await ctx.sleep(5)\nexcept ValueError: return 'y'\nfinally:\n    done = [1]\nreturn done",
        [1],
    ),
    "out of a try": (
        "try:\n    await ctx.sleep(5)\nfinally: pass\nreturn 'x'",
        "await ctx.sleep(5)\nreturn 'y'",
        "y",
    ),
    "wrapped in a try inside a loop": (
        "for i in [1, 2]:\n    await ctx.sleep(5)\nreturn i",
        "for i in [1, 2]:\n    try:\n        await ctx.sleep(5)\n    except ValueError: pass\nreturn i",
        2,
    ),
    "a second try beside it": (
        "try:\n    await ctx.sleep(5)\nfinally: pass\nreturn 'x'",
        "try:\n    await ctx.sleep(5)\nfinally: pass\ntry: pass\nfinally: pass\nreturn 'y'",
        "y",
    ),
    "from a try into its finally": (
        "try:\n    await ctx.sleep(5)\nfinally: pass\nreturn 'x'",
        "try: pass\nfinally: await ctx.sleep(5)\nreturn 'y'",
        None,
    ),
    "a named timer into a branch": (
        "await ctx.select(ctx.timer(5, name='rest'))\nreturn 'x'",
        "if ctx.now > 99: return 1\nelse: await ctx.select(ctx.timer(50, name='rest'))\nreturn 'y'",
        "y",
    ),
    "a timer whose name is computed into a branch": (
        "rest = 'rest'\nawait ctx.select(ctx.timer(5, name=rest))\nreturn 'x'",
        "rest = 'rest'\nif rest: await ctx.select(ctx.timer(5, name=rest))\nreturn 'y'",
        None,
    ),
    "a finally that keeps a break, without one": (
        LOOP.replace("INSIDE", "if i == 1: break"),
        LOOP.replace("INSIDE", "if i == 1: return 'new'"),
        None,
    ),
    "a finally that keeps a return, without one": (
        LOOP.replace("INSIDE", "if i == 1: return 'old'"),
        LOOP.replace("INSIDE", "ctx.now"),
        None,
    ),
    "a finally with the same ways out": (
        LOOP.replace("INSIDE", "if i == 1: return 'old'"),
        LOOP.replace("INSIDE", "if i < 2: return 'new'"),
        "old",
    ),
    "the end of a long value that a statement keeps": (
        f"x = ({LONG.replace('LAST', '1')}, await ctx.sleep(5))\nreturn x",
        f"x = ({LONG.replace('LAST', '2')}, await ctx.sleep(5))\nreturn x",
        None,
    ),
    "the end of a long iterable": (
        f"for x in [{LONG.replace('LAST', '1')}]: await ctx.sleep(5)\nreturn x",
        f"for x in [{LONG.replace('LAST', '2')}]: await ctx.sleep(5)\nreturn x",
        None,
    ),
    "the end of a long condition": (
        f"if {LONG.replace('LAST', '1')}: await ctx.sleep(5)\nreturn 1",
        f"if {LONG.replace('LAST', '2')}: await ctx.sleep(5)\nreturn 2",
        None,
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_sleeper_wakes_where_it_slept_or_is_held(worlds, load_module, name):
    before, after, result = PAIRS[name]
    indented = [HEAD + "".join(f"    {line}\n" for line in text.split("\n")) for text in (before, after)]
    old = load_module(indented[0])
    world = worlds.open([old.main])
    handle = world.start(old.main())
    world.advance(0.1)
    world.close()
    world = worlds.open([load_module(indented[1]).main])
    world.run_until(30.0)
    view = world.get(handle.id)
    assert (view.held_reason is None) == (result is not None), view
    assert view.result == result


def _accepted(module):
    return {signal.__name__ for signal in module.buff.accepts}


def test_a_reload_between_two_turns_wakes_what_was_held(worlds, load_module):
    old = load_module(BASE)
    world = worlds.open([old.buff])
    handle = to_select(world, old)
    broken = load_module(EDITS["the name of the timer"][0])
    world.reload([broken.buff])
    world.run_until(20.0)
    assert "expire" in world.get(handle.id).held_reason
    fixed = load_module(BASE)
    world.reload([fixed.buff])
    world.signal(fixed.Dispel(), entity_id=1)
    world.run_until(25.0)
    assert world.get(handle.id).result == {"stacks": 1, "log": [1], "how": "dispel"}


def test_migrate_gives_the_locals_that_new_code_needs(worlds, load_module):
    source, *_ = EDITS["a new local that lives across the await"]
    source += """
@buff.migrate
def _(key, stored):
    return {**stored, "fresh": "migrated"}
"""
    old = load_module(BASE)
    world = worlds.open([old.buff])
    handle = to_select(world, old)
    world.close()
    new = load_module(source)
    world = worlds.open([new.buff])
    world.run_until(100.0)
    assert world.get(handle.id).result["how"] == "migrated"


def test_a_migrate_that_forgets_a_local_holds_the_workflow(worlds, load_module):
    source, *_ = EDITS["a new local that lives across the await"]
    source += """
@buff.migrate
def _(key, stored):
    return stored
"""
    old = load_module(BASE)
    world = worlds.open([old.buff])
    handle = to_select(world, old)
    world.close()
    new = load_module(source)
    world = worlds.open([new.buff])
    world.run_until(30.0)
    assert world.get(handle.id).status == "Suspended"


def test_a_raised_version_holds_snapshots_of_the_one_before(worlds, load_module):
    old = load_module(BASE)
    world = worlds.open([old.buff])
    handle = to_select(world, old)
    world.close()
    new = load_module(BASE.replace("@workflow\n", "@workflow(version=2)\n"))
    world = worlds.open([new.buff])
    assert world.get(handle.id).held_reason == "'buff' is version 2, the snapshot is of version 1"


def test_a_workflow_of_a_type_that_is_not_registered_is_held_and_collects_messages(worlds, load_module):
    old = load_module(BASE)
    world = worlds.open([old.buff])
    handle = to_select(world, old)
    world.close()
    world = worlds.open([])
    world.run_until(20.0)
    assert world.get(handle.id).held_reason == "workflow type 'buff' is not registered"
    world.close()
    world = worlds.open([load_module(BASE).buff])
    world.advance(0.1)
    assert world.get(handle.id).locals["log"] == [1]


FIGHTER = """
from dataclasses import dataclass
from enum import Enum
from deathless import Context, Signal, workflow

class Hit(Signal):
    pass

class Mood(Enum):
    CALM = "calm"

@dataclass
class Fighter:
    hp: int
    mood: Mood = Mood.CALM

    def hurt(self) -> int:
        self.hp -= 1
        return self.hp

@workflow
async def fight(ctx: Context, fighter: Fighter) -> list:
    while fighter.hp > 0:
        await ctx.receive(Hit)
        ctx.step(f"hp {fighter.hurt()}")
    return [type(fighter) is Fighter, fighter.mood is Mood.CALM, getattr(fighter, "armour", None)]
"""


def test_values_that_live_across_a_reload_are_of_the_reloaded_classes(worlds, load_module):
    old = load_module(FIGHTER)
    world = worlds.open([old.fight])
    handle = world.start(old.fight(old.Fighter(9)), entity_id=1)
    world.signal(old.Hit(), entity_id=1)
    world.pump()
    assert world.get(handle.id).current_step == "hp 8"
    new = load_module(
        FIGHTER.replace("self.hp -= 1", "self.hp -= 4").replace(
            "CALM\n\n", "CALM\n    armour: int = 2\n\n", 1
        )
    )
    world.reload([new.fight])
    world.signal(new.Hit(), entity_id=1)
    world.signal(new.Hit(), entity_id=1)
    world.pump()
    assert handle.result() == [True, True, 2]


WAITING = """
from deathless import Context, Elapsed, Signal, workflow

class A(Signal):
    pass

class B(Signal):
    pass

@workflow
async def waiting(ctx: Context) -> str:
    match await ctx.select(ctx.timer(10.0), A):
        case A():
            await ctx.receive(B)
        case Elapsed():
            return "elapsed"
    await ctx.receive(A)
    return "done"

@workflow
async def failing(ctx: Context) -> str:
    await ctx.sleep(5.0)
    raise ValueError("unlucky")
"""
UNFIT = """
from deathless import Context, Signal, workflow

class A(Signal):
    pass

class B(Signal):
    pass

@workflow
async def waiting(ctx: Context) -> None:
    extra = 1
    while True:
        await ctx.select(A, B, ctx.timer(extra))
        extra += 1

@workflow
async def failing(ctx: Context) -> None:
    await ctx.receive(A)
"""


@pytest.fixture(params=["reload", "restart"])
def change_code(request, worlds, load_module):
    """Go on with other code: in the running world, or in a new one."""

    def change(world, source, **options):
        module = load_module(source)
        types = [module.waiting, module.failing]
        if world is not None and request.param == "reload" and not options:
            world.reload(types)
            return world, module
        if world is not None:
            world.close()
        return worlds.open(types, **options), module

    return change


def test_a_held_workflow_that_wakes_has_its_timer_again(change_code):
    world, module = change_code(None, WAITING)
    handle = world.start(module.waiting(), entity_id=1)
    world.advance(0.1)
    world, module = change_code(world, UNFIT)
    world.signal(module.B(), entity_id=1)
    world.advance(0.1)
    assert "is gone" in world.get(handle.id).held_reason
    world, module = change_code(world, WAITING)
    world.advance(0.1)
    assert world.get(handle.id).unread == ("B",)
    world.advance(10.0)
    assert world.get(handle.id).result == "elapsed"


def test_what_comes_to_a_held_workflow_is_looked_at_when_it_wakes(change_code):
    world, module = change_code(None, WAITING)
    handle = world.start(module.waiting(), entity_id=1)
    world.signal(module.A(), entity_id=1)
    world.advance(0.1)
    world.signal(module.A(), entity_id=1)
    world.advance(0.1)
    world, module = change_code(world, WAITING, max_steps_per_turn=1)
    world.signal(module.B(), entity_id=1)
    # The message that says an unread one fits is carried over, and meets code that does not fit.
    assert world.advance(0.1).carried_over == 1
    world, module = change_code(world, UNFIT)
    world.advance(0.1)
    world, module = change_code(world, WAITING)
    world.advance(0.1)
    assert world.get(handle.id).result == "done"


def test_a_retry_that_meets_code_that_does_not_fit_is_made_when_it_does(change_code):
    world, module = change_code(None, WAITING)
    handle = world.start(module.failing())
    world.advance(0.1)
    world.advance(6.0)
    assert world.get(handle.id).status == "Failed"
    world, module = change_code(world, UNFIT)
    world.retry(handle.id)
    world.advance(0.1)
    assert world.get(handle.id).status == "Suspended"
    assert "is gone" in world.get(handle.id).held_reason
    world, module = change_code(world, WAITING.replace('raise ValueError("unlucky")', 'return "lucky"'))
    world.advance(0.1)
    assert world.get(handle.id).result == "lucky"


ROUTE = """
from dataclasses import dataclass
from deathless import Context, workflow

@dataclass
class Route:
    a: int

@workflow
async def walk(ctx: Context, route: Route) -> Route:
    await ctx.sleep(1.0)
    return route

@workflow
async def other(ctx: Context) -> str:
    await ctx.sleep(1.0)
    return "fine"
"""


def test_values_of_a_class_that_is_gone_trouble_only_those_who_hold_them(worlds, load_module):
    old = load_module(ROUTE)
    world = worlds.open([old.walk, old.other])
    ended, fine = world.start(old.walk(old.Route(1))), world.start(old.other())
    world.advance(0.1)
    world.advance(1.0)
    waiting = world.start(old.walk(old.Route(2)))
    world.close()
    new = load_module(ROUTE.replace("Route", "Path"))
    world = worlds.open([new.walk, new.other])
    world.advance(0.1)
    world.advance(1.0)
    assert [view.status for view in world.workflows()] == ["Completed", "Completed", "Suspended"]
    assert "Route" in world.get(waiting.id).held_reason
    assert "Route" in str(world.get(ended.id).unreadable)
    assert world.get(fine.id).result == "fine"
    world.reload([old.walk, old.other])
    again = load_module(ROUTE)
    world.reload([again.walk, again.other])
    world.advance(0.1)
    world.advance(1.0)
    assert world.get(waiting.id).result == again.Route(2)


@pytest.mark.parametrize("body", ["return None", "raise LookupError('no such thing')", "return 3"])
def test_a_migrate_that_breaks_holds_the_workflow(worlds, load_module, body):
    source, *_ = EDITS["a new local that lives across the await"]
    source += f"""
@buff.migrate
def _(key, stored):
    {body}
"""
    old = load_module(BASE)
    world = worlds.open([old.buff])
    handle = to_select(world, old)
    world.close()
    new = load_module(source)
    world = worlds.open([new.buff])
    world.run_until(30.0)
    assert world.get(handle.id).status == "Suspended"
    world.reload([load_module(BASE).buff])
    world.run_until(100.0)
    assert world.get(handle.id).status == "Completed"

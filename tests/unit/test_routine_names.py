"""A routine's stored name means one piece of code: what could mean two is refused where it is defined."""

import importlib
import sys

import pytest

from deathless import Context, DefinitionError, routine, workflow
from deathless.workflows.definition import ROUTINES

HEAD = "from deathless import Context, routine, workflow\n"
STEP = """
@routine
async def step(ctx: Context) -> str:
    await ctx.sleep(1)
    return "WHAT"
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write and import a module `game_steps`; call again to write it anew and reload it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def load(source):
        (tmp_path / "game_steps.py").write_text(HEAD + source)
        importlib.invalidate_caches()
        old = sys.modules.get("game_steps")
        return importlib.import_module("game_steps") if old is None else importlib.reload(old)

    yield load
    sys.modules.pop("game_steps", None)
    for name in [name for name in ROUTINES if name.startswith("game_steps:")]:
        del ROUTINES[name]


def step(what):
    return STEP.replace("WHAT", what)


def test_a_second_routine_of_one_name_in_a_module_is_refused_with_both_lines(module):
    with pytest.raises(DefinitionError, match=r"'game_steps:step'.*game_steps\.py:3 and game_steps\.py:9"):
        module(step("first") + "first = step\n" + step("second"))


def test_a_routine_made_twice_with_other_values_around_it_is_refused(module):
    factory = """
def make(speed):
    @routine
    async def pace(ctx: Context):
        await ctx.sleep(2)
        return speed
    return pace

slow, fast = make(1), make(9)
"""
    with pytest.raises(DefinitionError, match=r"'game_steps:make\.<locals>\.pace'.*speed.*as arguments"):
        module(factory)


def test_a_routine_made_twice_with_other_defaults_is_refused(module):
    with pytest.raises(DefinitionError, match="as arguments"):
        module("""
for number in (1, 2):
    @routine
    async def pace(ctx: Context, speed=number):
        await ctx.sleep(speed)
""")


def test_a_routine_made_twice_alike_is_one_routine(module):
    made = module("""
def make(speed):
    @routine
    async def pace(ctx: Context, deep=0):
        await ctx.sleep(speed)
        return await pace(ctx, deep - 1) if deep else speed
    return pace

first, second = make(3), make(3)
""")
    assert made.first is not made.second


def test_a_reloaded_module_replaces_its_routines(module):
    module(step("old"))
    old = ROUTINES["game_steps:step"]
    module("\n\n" + step("new"))
    new = ROUTINES["game_steps:step"]
    assert (old.first_line, new.first_line) == (3, 5)
    with pytest.raises(DefinitionError, match="give each a name of its own"):
        module(step("new") + step("twice"))


def bonus_routine(bonus):
    @routine
    async def add(ctx: Context, n: int) -> int:
        await ctx.sleep(1)
        return n + bonus

    return add


@workflow
async def smith(ctx: Context, bonus: int) -> int:
    return await bonus_routine(bonus)(ctx, 4)


def test_a_routine_made_inside_a_running_workflow_fails_its_step(open_world):
    world = open_world(smith)
    handle = world.start(smith(100))
    world.advance(1)
    message = world.get(handle.id).error_message
    assert "bonus_routine.<locals>.add is defined while workflow smith runs" in message
    assert "as arguments" in message


@workflow
async def importer(ctx: Context) -> str:
    import game_steps

    return await game_steps.step(ctx)


def test_a_module_first_imported_inside_a_workflow_may_define_routines(module, open_world):
    module(step("imported"))
    del sys.modules["game_steps"]
    world = open_world(importer)
    handle = world.start(importer())
    world.run_until(3)
    assert handle.result() == "imported"


@workflow
async def impatient(ctx: Context, bonus: int) -> int:
    call = smith(bonus)
    return await call


def test_awaiting_the_call_of_a_workflow_says_what_to_write(open_world):
    world = open_world(impatient)
    handle = world.start(impatient(1))
    world.advance(1)
    assert "write await ctx.spawn(smith(...))" in world.get(handle.id).error_message

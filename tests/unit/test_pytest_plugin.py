"""The pytest plugin, as a game's tests meet it: each test here runs pytest on a test file of such a game."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
HEAD = """
import pytest
from deathless import Context, Signal, workflow
from deathless.tools.testing import TestWorld
from deathless.workflows.library import buff, combat, npc_patrol, production
from deathless.workflows.library.buff import Dispel, Stack

class Hit(Signal):
    pass

counted = {"hits": 0}

@workflow
async def forgetful(ctx: Context) -> int:
    for _ in range(2):
        await ctx.receive(Hit)
        counted["hits"] += 1
    return counted["hits"]

@workflow
async def dice(ctx: Context) -> int:
    return ctx.random.randrange(1_000_000)

def roll(world):
    handle = world.start(dice())
    world.advance(1)
    return handle.result()

def hit_twice(world):
    handle = world.start(forgetful(), entity_id=7)
    for _ in range(2):
        world.advance(1)
        world.signal(Hit(), entity_id=7)
    world.advance(1)
    return handle.result()
"""


@pytest.fixture
def game(pytester, monkeypatch):
    """Run pytest on a test file, with warnings as errors and marks declared."""
    # On a CI server pytest prints every message twice: what is counted here must not hang on where it runs.
    for sign in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(sign, raising=False)

    def run(source, *options, conftest=""):
        pytester.makeconftest(conftest)
        pytester.makepyfile(HEAD + source)
        return pytester.runpytest_inprocess("-Werror", "--strict-markers", "-p", "no:cacheprovider", *options)

    return run


# -- which workflows ---------------------------------------------------------------------------------------------


def test_marks_of_test_class_and_module_and_the_fixture_name_workflows_together(game):
    done = game(
        """
pytestmark = pytest.mark.deathless(buff)

def types(world):
    return set(world._engine.system.stepper.types)

def test_module(world):
    assert types(world) == {"buff", "dice"}

@pytest.mark.deathless(combat)
class TestFights:
    def test_class(self, world):
        assert types(world) == {"buff", "combat", "dice"}

    @pytest.mark.deathless(npc_patrol, buff)
    def test_test(self, world):
        assert types(world) == {"buff", "combat", "npc_patrol", "dice"}

@pytest.mark.deathless(combat)
def test_given_at_the_call(make_world):
    assert types(make_world(dice, forgetful)) == {"dice", "forgetful"}
    assert types(make_world()) == {"buff", "combat", "dice"}
""",
        conftest="""
import pytest

@pytest.fixture
def deathless_workflows(request):
    return [request.module.dice]
""",
    )
    done.assert_outcomes(passed=4)


def test_a_test_that_names_no_workflow_is_told_how(game):
    done = game("""
def test_world(world):
    pass

def test_make_world(make_world):
    make_world()

def test_crash_everywhere(crash_everywhere):
    crash_everywhere(hit_twice)
""")
    done.assert_outcomes(errors=1, failed=2)
    text = done.stdout.str()
    assert text.count("no workflows are named for this test's world. Name them in one of these ways:") == 3
    assert "pytestmark = pytest.mark.deathless(guard)" in text
    assert "pytest_plugin.py" not in text, "the plugin's own lines tell nothing"


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("buff(30.0)", "not buff(30.0)"),
        ("'buff'", "not 'buff'"),
        ("Hit", "not <class "),
    ],
)
def test_a_mark_that_names_something_else_is_told_so(game, named, told):
    done = game(f"""
@pytest.mark.deathless(combat, {named})
def test_world(world):
    pass
""")
    done.assert_outcomes(errors=1)
    done.stdout.re_match_lines(
        [rf"E +deathless\.workflows\.errors\.DefinitionError: .*@workflow.*, {re.escape(told)}.*"]
    )


def test_a_wrong_option_fails_at_the_world(game):
    done = game("""
@pytest.mark.deathless(buff, colour="red")
def test_world(world):
    pass

def test_clock(make_world):
    make_world(buff, clock=None)
""")
    done.assert_outcomes(errors=1, failed=1)
    done.stdout.fnmatch_lines(
        ["*unexpected keyword argument 'colour'*", "*a TestWorld runs on a GameClock of its own*"]
    )


# -- worlds ------------------------------------------------------------------------------------------------------


def test_a_world_is_virtual_paranoid_typed_and_its_own(game):
    done = game("""
pytestmark = pytest.mark.deathless(buff)

def test_time(world):
    assert isinstance(world, TestWorld)
    handle = world.start(buff(86_400.0), entity_id=1)
    world.advance(86_399)
    assert handle.status == "Suspended"
    world.advance(2)
    assert handle.result()["stacks"] == 1

def test_nothing_is_left_of_the_test_before(world):
    assert (world.now, world.workflows()) == (0, [])
    assert world._options["paranoid"] and world._options["durability"] == "process"

def test_crash(world):
    handle = world.start(buff(30.0), entity_id=1)
    world.advance(10)
    world.crash()
    world.signal(Stack(2), entity_id=1)
    world.restart()
    world.advance(31)
    assert handle.result()["stacks"] == 3

def test_several(make_world, tmp_path):
    one, other = make_world(), make_world(frame=1.0)
    assert one.path != other.path
    assert other.frame == 1.0
    assert not list(tmp_path.iterdir()), "tmp_path is the test's own"

def test_closed(world):
    world.close()
""")
    done.assert_outcomes(passed=5)


def test_a_world_is_closed_after_its_test(game):
    done = game("""
kept = []

def test_first(make_world):
    kept.extend([make_world(buff), make_world(buff)])

def test_second():
    assert all(world._engine.closed for world in kept)
""")
    done.assert_outcomes(passed=2)


def test_options_come_from_the_call_then_the_nearest_mark_then_the_command_line(game):
    source = """
@pytest.mark.deathless(dice, seed=1, frame=0.5)
class TestSeeds:
    def test_class(self, world):
        assert (world.seed, world.frame) == (1, 0.5)

    @pytest.mark.deathless(seed=2)
    def test_nearest(self, world, make_world):
        assert (world.seed, world.frame) == (2, 0.5)
        assert make_world(seed=3).seed == 3

@pytest.mark.deathless(dice)
def test_command_line(world, crash_everywhere):
    rolled = roll(world)
    print("rolled", rolled)
    assert crash_everywhere(roll).outcome == rolled
"""
    rolled = []
    for seed in (5, 6):
        done = game(source, "-s", f"--deathless-seed={seed}")
        done.assert_outcomes(passed=3)
        rolled.append(re.search(r"rolled (\d+)", done.stdout.str())[1])
    assert rolled[0] != rolled[1]


def test_a_failed_test_shows_seed_time_and_workflows_of_its_worlds(game):
    done = game("""
@pytest.mark.deathless(buff, dice, seed=11)
def test_world(world, make_world):
    world.start(buff(30.0), entity_id=42)
    world.advance(10)
    roll(make_world(seed=12))
    assert world.now == 11

@pytest.mark.deathless(buff)
def test_passes(world):
    pass
""")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        [
            "*- deathless world -*",
            "seed 11; 10.0 s of world time, turn *",
            "  1 buff (entity 42): Suspended, lasting (line *)",
            "*- deathless world -*",
            "seed 12; 1.0 s of world time, turn *",
            "  1 dice: Completed",
        ]
    )
    assert done.stdout.str().count("- deathless world -") == 2


def test_a_world_that_cannot_be_read_does_not_hide_the_failure(game):
    done = game("""
@pytest.mark.deathless(buff)
def test_world(world):
    world.workflows = lambda: 1 / 0
    assert world.now == 1, "the test's own words"
""")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        ["*the test's own words*", "seed 0; the world cannot be read: ZeroDivisionError*"]
    )


# -- crash_everywhere ----------------------------------------------------------------------------------------------


def test_the_library_passes_a_crash_everywhere(game):
    done = game("""
@pytest.mark.deathless(npc_patrol, combat)
def test_patrol(crash_everywhere):
    def scenario(world):
        handle = world.start(npc_patrol([(0, 0), (10, 0)], laps=1), entity_id=1)
        world.advance(60)
        return handle.result()["fate"]

    report = crash_everywhere(scenario, every=2)
    assert (report.outcome, report.steps, report.crashes) == ("done", 4, 2)
""")
    done.assert_outcomes(passed=1)


def test_a_planted_fault_is_found_and_shown_without_the_plugins_own_lines(game):
    done = game("""
@pytest.mark.deathless(forgetful)
def test_forgetful(crash_everywhere):
    crash_everywhere(hit_twice)
""")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            ">       crash_everywhere(hit_twice)",
            "E   *OutcomeDiffers: the outcome is another * step 2 of 3: forgetful 1 (entity 7), *",
            "E         the scenario returned",
            "E           without: 2",
            "E           with it: 1",
            "E         workflow 1 (forgetful), result",
            "E       This crash alone: crash_everywhere(..., at=2)",
            "crash_everywhere with seed 0",
        ]
    )
    text = done.stdout.str()
    assert "crash_search.py:" not in text
    assert "  crash 1 of" not in text, "progress is for those who ask for it"
    assert text.count("world_opened") == 1, "the logs of the crash runs would bury those of the plain one"


def test_a_found_crash_can_be_looked_at_alone_with_its_logs(game):
    done = game("""
def test_forgetful(crash_everywhere):
    crash_everywhere(hit_twice, forgetful, at=2)
""")
    done.assert_outcomes(failed=1)
    assert done.stdout.str().count("world_opened") == 3


def test_an_assertion_in_a_scenario_says_after_which_crash_it_failed(game):
    done = game("""
def scenario(world):
    assert hit_twice(world) == 2, "in the scenario"

def test_forgetful(crash_everywhere):
    crash_everywhere(scenario, forgetful)
""")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "E   *AssertionError: in the scenario",
            "E   *raised in a crash search, after a crash that followed step 2 of 3: forgetful 1*",
        ]
    )


def test_progress_is_shown_when_asked_for(game):
    source = """
def scenario(world):
    for _ in range(12):
        world.start(dice())
    world.advance(1)

def test_dice(crash_everywhere):
    crash_everywhere(scenario, dice)
"""
    some, all_of_it = (game(source, option).stdout.str() for option in ("-v", "-vv"))
    assert re.findall(r"^  crash (\d+) of 12$", some, re.M) == "2 3 4 5 6 8 9 10 11 12".split()
    assert (
        len(re.findall(r"^  crash \d+ of 12, after step \d+ of 12: dice \d+, Completed, at", all_of_it, re.M))
        == 12
    )


# -- what it is to others ------------------------------------------------------------------------------------------


def test_pytest_says_what_there_is(game):
    done = game("", "--markers")
    done.stdout.fnmatch_lines(["@pytest.mark.deathless(?workflows, seed=0, ??options): the workflows of*"])
    done = game("", "--fixtures")
    for name in ("world", "make_world", "crash_everywhere", "deathless_workflows"):
        done.stdout.re_match_lines([rf"{name} -- .*pytest_plugin\.py:\d+"])


def test_the_pages_examples_run_as_written(pytester):
    page = (ROOT / "docs/how-to/test-your-workflows.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    (conftest,) = (block for block in blocks if block.startswith("# conftest.py"))
    pytester.makeconftest(conftest)
    pytester.makepyfile("".join(block for block in blocks if block is not conftest))
    done = pytester.runpytest_inprocess("-Werror", "--strict-markers")
    done.assert_outcomes(passed=5)


def test_the_plugin_is_found_without_being_named():
    (entry,) = importlib.metadata.entry_points(group="pytest11", name="deathless")
    assert entry.value == "deathless.tools.pytest_plugin"


def test_the_library_needs_no_pytest():
    needs = [line for line in importlib.metadata.requires("deathless") if line.startswith("pytest")]
    assert needs
    assert all("extra ==" in line for line in needs)
    script = (
        "import sys, deathless, deathless.tools.testing, deathless.tools.crash_search\n"
        "assert 'pytest' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_plugin_imports_the_rest_of_the_kit_only_when_a_fixture_is_used():
    script = (
        "import sys, deathless.tools.pytest_plugin\n"
        "loaded = {name for name in sys.modules if name.startswith('deathless.tools.')}\n"
        "assert loaded == {'deathless.tools.pytest_plugin'}, loaded"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

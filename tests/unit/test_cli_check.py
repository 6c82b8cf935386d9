"""`deathless check`: what it says becomes of a world's awaits is what the runtime does with them."""

import json
import shutil
import subprocess
import sys

import pytest

from deathless import GameClock, Runtime
from deathless.runtime import Store
from deathless.tools.cli import main

GAME = """
from dataclasses import dataclass

from deathless import Context, Elapsed, Signal, routine, workflow


class Stack(Signal):
    amount: int = 1


class Rest(Signal):
    pass


@dataclass
class Gear:
    armour: int


@routine
async def pause(ctx: Context, seconds: float) -> None:
    before = ctx.now
    await ctx.sleep(seconds)
    ctx.step(f"rested since {before}")


@workflow
async def buff(ctx: Context, duration: float, gear: Gear) -> int:
    stacks = 1
    while True:
        match await ctx.select(ctx.timer(duration, name="expire"), Stack, Rest):
            case Stack(amount):
                stacks += amount + gear.armour
            case Rest():
                await pause(ctx, 1.0)
            case Elapsed():
                return stacks
"""
SELECT = "while0/body/match0/ctx.select(expire,Stack,Rest)"
REST = "while0/body/match0/case Rest()/pause(1.0) > ctx.sleep(seconds)"
MIGRATE = """

@buff.migrate
def _(key, stored):
    return {**stored, "fresh": 5}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder, from which the command is run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    forget(tmp_path)


def forget(folder):
    """Unload what was imported from a folder, as a new process would have it."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def load(place):
    def load_it(source):
        forget(place)
        (place / "game.py").write_text(source)
        import game

        return game

    return load_it


@pytest.fixture
def command(place, capsys):
    def run(*arguments):
        forget(place)
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def check(place, command):
    """Check the test's world with other code; return the exit code and the awaits."""

    def run(source, *modules):
        (place / "game.py").write_text(source)
        code, out, err = command("check", "world", *(modules or ["game"]), "--json")
        assert err == ""
        return code, json.loads(out)

    return run


@pytest.fixture
def world(place, load):
    """A world with three workflows in the select, one in the routine and one that has not started."""
    game = load(GAME)
    with Runtime(place / "world", [game.buff], clock=GameClock(), durability="process") as world:
        for entity in range(1, 5):
            world.start(game.buff(10.0, game.Gear(2)), entity_id=entity)
        world.advance(0.1)
        world.signal(game.Rest(), entity_id=4)
        world.advance(0.1)
        world.start(game.buff(10.0, game.Gear(2)), entity_id=5)
    return place / "world"


def edit(*pairs):
    source = GAME
    for old, new in pairs:
        assert old in source
        source = source.replace(old, new)
    return source


ABOVE = ("    stacks = 1\n", "    stacks = 1\n    ctx.step('begun')\n")
FRESH = (("    stacks = 1\n", "    stacks = 1\n    fresh = 5\n"), ("return stacks", "return stacks + fresh"))
# Each edit with what becomes of those in the select, of the one in the routine, and of the one that has not started.
EDITS = {
    "nothing": (GAME, "kept", "kept", "kept"),
    "a comment above": (edit(("    stacks = 1\n", "    # One.\n    stacks = 1\n")), "kept", "kept", "kept"),
    "code without awaits": (edit(ABOVE), "moved", "moved", "kept"),
    "the name of the timer": (edit(('name="expire"', 'name="end"')), "gone", "moved", "kept"),
    "a new local": (
        edit(*FRESH),
        "missing variables",
        "missing variables",
        "kept",
    ),
    "a new local with a migrate function": (
        edit(*FRESH) + MIGRATE,
        "migrated",
        "migrated",
        "kept",
    ),
    "a migrate function that forgets it": (
        edit(*FRESH) + MIGRATE.replace('{**stored, "fresh": 5}', "stored"),
        "missing variables",
        "missing variables",
        "kept",
    ),
    "a migrate function that fails": (
        edit(ABOVE) + MIGRATE.replace('{**stored, "fresh": 5}', 'stored["no such local"]'),
        "held",
        "held",
        "kept",
    ),
    "a raised version": (edit(("@workflow\n", "@workflow(version=2)\n")), "version", "version", "kept"),
    "a raised version with a migrate function": (
        edit(("@workflow\n", "@workflow(version=2)\n")) + MIGRATE,
        "migrated",
        "migrated",
        "kept",
    ),
    "another name of the workflow": (
        edit(("@workflow\n", '@workflow(name="boon")\n')),
        "unknown type",
        "unknown type",
        "unknown type",
    ),
    "another name of the routine": (edit(("pause(", "breathe(")), "moved", "gone", "kept"),
    "the routine's await": (edit(("ctx.sleep(seconds)", "ctx.sleep(seconds * 2)")), "kept", "gone", "kept"),
    "the class of a local is gone": (edit(("Gear", "Kit")), "held", "held", "held"),
    "another parameter": (edit(("gear: Gear)", "gear: Gear, *, level: int)")), "moved", "moved", "held"),
}


@pytest.mark.parametrize("name", EDITS)
def test_each_await_is_judged_as_the_runtime_resumes_it(world, check, load, name):
    source, select, rest, start = EDITS[name]
    code, said = check(source)
    assert said["workflows"] == 5
    assert {one["await"]: (one["verdict"], one["count"], one["ids"]) for one in said["awaits"]} == {
        SELECT: (select, 3, [1, 2, 3]),
        REST: (rest, 1, [4]),
        "start": (start, 1, [5]),
    }
    held = [number for one in said["awaits"] if not one["goes_on"] for number in one["ids"]]
    assert code == (1 if held else 0)
    assert said["held"] == len(held)

    # What the runtime does with the same world and code.
    game = load(source)
    kinds = [kind for kind in vars(game).values() if type(kind).__name__ == "WorkflowType"]
    with Runtime(world, kinds, clock=GameClock(), durability="process") as opened:
        opened.run_until(30.0)
        ended = {view.id for view in opened.workflows() if view.status == "Completed"}
    assert ended == {1, 2, 3, 4, 5} - set(held)


def test_it_says_why_and_what_to_give(world, check):
    _, said = check(EDITS["a new local"][0])
    one = next(one for one in said["awaits"] if one["await"] == SELECT)
    line = GAME[: GAME.index("match await")].count("\n") + 1
    assert (one["type"], one["missing"], one["line"], one["new_line"]) == ("buff", ["fresh"], line, None)
    assert one["reason"] == f"await {SELECT} of 'buff' now needs fresh, which the snapshot lacks"
    _, said = check(edit(ABOVE))
    assert {(one["line"], one["new_line"]) for one in said["awaits"] if one["await"] == SELECT} == {
        (line, line + 1)
    }


def test_the_table_puts_what_would_be_held_first(world, command, place):
    (place / "game.py").write_text(EDITS["a new local"][0])
    code, out, err = command("check", "world", "game")
    assert (code, err) == (1, "")
    lines = [line for line in out.splitlines() if line.strip()]
    assert lines[0].split() == ["verdict", "type", "await", "count", "ids", "remark"]
    assert [line.split("  ")[0].strip() for line in lines[2:5]] == [
        "missing variables",
        "missing variables",
        "kept",
    ]
    assert "needs fresh" in out
    assert lines[-1] == "5 workflows: 1 go on, 4 would be held"
    (place / "game.py").write_text(GAME)
    code, out, _ = command("check", "world", "game.py")
    assert (code, out.splitlines()[-1]) == (0, "5 workflows: 5 go on, 0 would be held")


def test_workflows_that_have_ended_do_not_count(place, load, check):
    game = load(GAME)
    with Runtime(place / "world", [game.buff], clock=GameClock(), durability="process") as world:
        world.start(game.buff(1.0, game.Gear(2)))
        world.start(game.buff(1.0, "no gear"), entity_id=2)
        world.advance(0.1)
        world.signal(game.Stack(), entity_id=2)
        world.run_until(5.0)
        assert {view.status for view in world.workflows()} == {"Completed", "Failed"}
    assert check(edit(("buff", "boon"))) == (0, {"world": "world", "workflows": 0, "held": 0, "awaits": []})


def test_ids_are_a_few_examples(place, load, check, command):
    game = load(GAME)
    with Runtime(place / "world", [game.buff], clock=GameClock(), durability="process") as world:
        for _ in range(9):
            world.start(game.buff(1.0, game.Gear(2)))
        world.advance(0.1)
    _, said = check(GAME)
    assert [(one["count"], one["ids"]) for one in said["awaits"]] == [(9, [1, 2, 3, 4, 5])]
    assert "1, 2, 3, 4, 5, ..." in command("check", "world", "game")[1]


def test_several_modules_make_one_set(world, check, place):
    (place / "other.py").write_text("from game import buff, pause\n")
    (place / "empty.py").write_text(
        "from deathless import *\n@workflow\nasync def idle(ctx): await ctx.sleep(1)\n"
    )
    assert check(GAME, "empty")[0] == 1
    assert check(GAME, "empty", "other")[0] == 0
    assert check(GAME, "empty", "other", "game.py")[0] == 0


OWNER = """
import sys, game
from deathless import GameClock, Runtime
with Runtime("world", [game.buff], clock=GameClock(), durability="process") as world:
    world.advance(0.1)
    print("open", flush=True)
    for line in sys.stdin:
        world.start(game.buff(50.0, game.Gear(1)))
        world.advance(0.1)
        print(world.count(), flush=True)
"""


def test_a_world_that_runs_in_another_process_is_read_and_left_alone(world, check, place):
    owner = subprocess.Popen(
        [sys.executable, "-B", "-c", OWNER],
        cwd=place,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        until_line(owner, "open")
        assert check(GAME)[1]["workflows"] == 5
        for count in (6, 7):
            print("go", file=owner.stdin, flush=True)
            until_line(owner, str(count))
            code, said = check(edit(('name="expire"', 'name="end"')))
            assert (code, said["workflows"], said["held"]) == (1, count, count - 1)
        owner.stdin.close()
    assert owner.returncode == 0


def until_line(process, wanted):
    for line in process.stdout:
        if line.strip() == wanted:
            return
    raise AssertionError(f"the process ended without saying {wanted!r}")


def refused(result):
    """Return the one line with which a command refuses its input."""
    code, out, err = result
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    return line


def test_bad_input_is_refused_with_one_line_and_nothing_is_written(world, command, place):
    (place / "broken.py").write_text("async def f(:\n")
    (place / "empty.py").write_text("x = 1\n")
    assert "broken.py:1: invalid syntax" in refused(command("check", "world", "broken"))
    assert "empty has no workflows" in refused(command("check", "world", "game", "empty"))
    assert "nope cannot be imported" in refused(command("check", "world", "nope"))
    assert "there is no world here" in refused(command("check", "absent", "game"))
    assert not (place / "absent").exists()
    assert "a file, where a world is a directory" in refused(command("check", "game.py", "game"))
    (place / "folder").mkdir()
    (place / "folder/thing").touch()
    assert "a directory with other content (thing)" in refused(command("check", "folder", "game"))
    assert [entry.name for entry in (place / "folder").iterdir()] == ["thing"]
    (place / "bare").mkdir()
    assert "there is no world here" in refused(command("check", "bare", "game"))
    assert list((place / "bare").iterdir()) == []


def test_a_damaged_world_is_refused_with_one_line(world, command, place):
    for copy in ("newer", "rows", "codes"):
        shutil.copytree(world, place / copy)
    with Store.open(place / "newer") as store:
        store.commit({"meta": {b"format": b"\x7f"}})
    assert "its format is 127" in refused(command("check", "newer", "game"))
    with Store.open(place / "rows") as store:
        store.commit({"workflow": {(2).to_bytes(8, "big"): b"\x01"}})
    assert "the row of workflow 2 is damaged" in refused(command("check", "rows", "game"))
    with Store.open(place / "codes") as store:
        store.commit({"code": {key: None for key, _ in store.scan("code")}})
    assert "the row of workflow 1 is damaged: it stands in code" in refused(command("check", "codes", "game"))
    data = world / "data.mdb"
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    assert "restore the world from a backup" in refused(command("check", "world", "game"))


def test_missing_arguments_are_named_in_one_line(command):
    code, out, err = command("check", "world")
    assert (code, out) == (2, "")
    assert err == "Error: Missing argument 'MODULE...'; see deathless check --help\n"


def test_it_runs_as_a_process(world, place):
    (place / "game.py").write_text(edit(ABOVE))
    run = [sys.executable, "-B", "-m", "deathless.tools", "check", "world", "game", "--json"]
    done = subprocess.run(run, cwd=place, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert {one["verdict"] for one in json.loads(done.stdout)["awaits"]} == {"kept", "moved"}
    (place / "game.py").write_text(edit(("buff", "boon")))
    done = subprocess.run(run, cwd=place, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")

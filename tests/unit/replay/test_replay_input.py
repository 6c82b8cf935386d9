"""Bad input to `deathless replay` gives one line and exit code 2, and nothing is written."""

import shutil
import subprocess
import sys

import pytest

from deathless import Retention
from deathless.runtime import Store
from deathless.tools.commands.replay import COMMANDS

CALLS = {
    "list": ("list", "{}"),
    "show": ("show", "{}", 1),
    "timeline": ("timeline", "{}", 1),
    "diff": ("diff", "{}", "1", "2"),
    "diff of worlds": ("diff", "world", "{}"),
}


@pytest.fixture
def refused(command):
    def run(*arguments):
        code, out, err = command("replay", *arguments)
        # A timeline writes its lines as it goes.
        assert (code, "" if arguments[0] == "timeline" else out) == (2, "")
        (line,) = err.splitlines()
        return line.removeprefix("Error: ")

    return run


@pytest.fixture(params=CALLS)
def looking(request, refused):
    """Look at a world in each way; return the line that refuses it."""
    return lambda world: refused(*(str(part).format(world) for part in CALLS[request.param]))


def test_what_is_no_world_is_refused(saved, looking, place):
    (place / "folder").mkdir()
    (place / "folder/thing").touch()
    assert "a directory with other content (thing)" in looking("folder")
    assert [entry.name for entry in (place / "folder").iterdir()] == ["thing"]
    assert "a file, where a world is a directory" in looking("game.py")


def test_a_missing_world_is_refused(saved, refused, place):
    for name in ("list", "show", "timeline", "diff"):
        arguments = [str(part).format("absent") for part in CALLS[name]]
        assert "there is no world here" in refused(*arguments)
    assert "'absent' is not the path of another world" in refused("diff", "world", "absent")
    assert not (place / "absent").exists()


def test_a_newer_world_and_a_truncated_one_are_refused(saved, looking, place):
    shutil.copytree(saved, place / "newer")
    with Store.open(place / "newer") as store:
        store.commit({"meta": {b"format": b"\x7f"}})
    assert "its format is 127" in looking("newer")
    shutil.copytree(saved, place / "cut")
    data = place / "cut/data.mdb"
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    assert "restore the world from a backup" in looking("cut")


def test_a_damaged_row_is_named(saved, looking, place):
    shutil.copytree(saved, place / "rows")
    with Store.open(place / "rows") as store:
        store.commit({"workflow": {(1).to_bytes(8, "big"): b"\x01"}})
    assert "the row of workflow 1 is damaged" in looking("rows")


def test_a_damaged_history_is_named(saved, refused, place):
    shutil.copytree(saved, place / "steps")
    with Store.open(place / "steps") as store:
        key = next(key for key, _ in store.scan("history_step"))
        store.commit({"history_step": {key: b"\x93\x01\x05\x90\xc1"}})
    for arguments in (("timeline", "steps", 1), ("show", "steps", 1), ("list", "steps", "--turn", 0)):
        assert "its history is damaged" in refused(*arguments)


def test_missing_descriptions_of_code_are_named(saved, refused, place):
    shutil.copytree(saved, place / "codes")
    with Store.open(place / "codes") as store:
        store.commit({"code": {key: None for key, _ in store.scan("code")}})
    expected = "the row of workflow 3 is damaged: it stands in code that the world does not describe"
    for arguments in (
        ("list", "codes"),
        ("show", "codes", 3),
        ("timeline", "codes", 3),
        ("diff", "codes", "1", "3"),
    ):
        assert expected in refused(*arguments)


def test_an_unknown_workflow_is_named(saved, refused):
    for arguments in (("show", "world", 99), ("timeline", "world", 99), ("diff", "world", "1", "99")):
        assert refused(*arguments) == "no workflow 99 in this world"
    assert refused("show", "world", 99, "--turn", 3) == "no workflow 99 in this world"


def test_an_unknown_moment_is_named(saved, refused):
    assert refused("show", "world", 1, "--step", 12) == "workflow 1 has no step 12: kept are 1 to 11"
    assert refused("diff", "world", "1@12", "1") == "workflow 1 has no step 12: kept are 1 to 11"
    assert refused("show", "world", 1, "--turn", 99) == "turn 99 is not yet: the world's last turn is 63"
    assert refused("list", "world", "--turn", 99) == "turn 99 is not yet: the world's last turn is 63"
    assert refused("show", "world", 4, "--turn", 1) == "there was no workflow 4 yet at the end of turn 1"
    assert refused("diff", "world", "4@turn:1", "4") == (
        "there is no workflow at 4@turn:1: it was not made yet, or deleted already"
    )
    assert refused("show", "world", 1, "--at", "0.01") == "no turn at or before 0.01 s is kept"


def test_what_is_no_moment_is_refused(saved, refused):
    assert refused("show", "world", 1, "--at", "noon") == (
        "--at 'noon' is not a number of seconds, as times of a game clock are"
    )
    assert refused("show", "world", 1, "--at", "-1") == (
        "--at '-1' is not a time: give seconds of world time from 0 up"
    )
    assert refused("list", "world", "--at", "1", "--turn", 1) == "give --turn or --at, not both"
    assert refused("show", "world", 1, "--step", 1, "--turn", 1) == "give one of --step, --turn and --at"
    assert refused("diff", "world", "one", "1") == "'one' is not ID, ID@STEP or ID@turn:T"
    assert refused("diff", "world", "1", "2", "--turn", 3) == (
        "--turn is for two worlds; for workflows write ID@turn:T"
    )


def test_a_pruned_range_is_named(place, load, open_world, refused):
    game = load()
    with open_world(place / "short", retention=Retention(turns=20)) as world:
        world.start(game.guard(game.Gear(0), 0.1))
        for _ in range(100):
            world.advance(0.1)
    said = refused("show", "short", 1, "--turn", 5)
    assert said.startswith("turn 5 is not kept: the history of type 'guard' goes from turn ")
    assert said.endswith("; give Runtime a larger Retention to keep more")
    assert refused("list", "short", "--turn", 5).startswith(
        "turn 5 is not kept: the history of the world goes from"
    )


def test_code_that_is_not_there_is_named(saved, refused, place):
    (place / "empty.py").write_text("x = 1\n")
    assert "nope cannot be imported" in refused("show", "world", 1, "--code", "nope")
    assert "empty has no workflows" in refused("list", "world", "--code", "game", "--code", "empty")


def test_a_page_that_cannot_be_written_is_named(saved, refused):
    assert refused("timeline", "world", 1, "--html", "nowhere/page.html") == (
        "--html nowhere/page.html: cannot be written (No such file or directory)"
    )


def test_looking_changes_nothing(saved, command):
    before = (saved / "data.mdb").read_bytes()
    for arguments in CALLS.values():
        command("replay", *(str(part).format("world") for part in arguments))
    assert (saved / "data.mdb").read_bytes() == before


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_that_help_lists_is_there_with_examples(name, command):
    code, out, _ = command("replay", name, "--help")
    assert code == 0
    assert f"Usage: deathless replay {name}" in out
    assert f"  deathless replay {name} " in out.partition("Examples:")[2]


def test_help_of_the_group_imports_no_command():
    script = (
        "import sys; from deathless.tools.cli import main; main(['replay', '--help'])\n"
        "print([name for name in sys.modules if name.startswith('deathless.tools.commands.replay.')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(name in done.stdout for name in COMMANDS)


OWNER = """
import sys, game
from deathless import GameClock, Runtime
with Runtime("live", [game.guard, game.helper], clock=GameClock(), durability="process", history="all") as world:
    world.start(game.guard(game.Gear(9), 0.1))
    world.advance(0.1)
    print("open", flush=True)
    for line in sys.stdin:
        world.advance(0.1)
        print("again", flush=True)
"""


def test_a_world_that_runs_is_looked_at_and_left_alone(place, load, command):
    load()
    owner = subprocess.Popen(
        [sys.executable, "-B", "-c", OWNER],
        cwd=place,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        until_line(owner, "open")
        for count in (2, 3, 4):
            code, out, _ = command("replay", "timeline", "live", 1)
            assert (code, len(out.splitlines())) == (0, count + 1)
            assert command("replay", "show", "live", 1, "--step", count)[0] == 0
            print("go", file=owner.stdin, flush=True)
            until_line(owner, "again")
        owner.stdin.close()
    assert owner.returncode == 0


def until_line(process, wanted):
    for line in process.stdout:
        if line.strip() == wanted:
            return
    raise AssertionError(f"the process ended without saying {wanted!r}")

"""`deathless replay export`, `test` and `import`: a workflow leaves its world, is run again, and is looked into."""

import json

import pytest
from fights import write_module
from recorded_games import GUARD, load_game, play

from deathless import GameClock, Runtime, WallClock
from deathless.tools.cli import main
from deathless.tools.replay.replay_file import read_replay
from deathless.tools.replay.saved_world import SavedWorld


@pytest.fixture
def replay(capsys):
    """Run a subcommand: its exit code, and what it says on standard output and on standard error."""

    def run(*arguments):
        code = main(["replay", *map(str, arguments)])
        done = capsys.readouterr()
        return code, done.out, done.err

    return run


@pytest.fixture
def place(game, tmp_path, capsys):
    """A folder with the game, a world that it recorded, and a file of its guard; commands run there."""
    play(tmp_path / "world", game)
    assert main(["replay", "export", "world", "1", "guard.replay"]) == 0
    capsys.readouterr()
    return tmp_path


def edit(place, old, new):
    """Change the game's code, as a new process would load it."""
    assert old in GUARD
    return load_game(place, GUARD.replace(old, new))


# -- export ------------------------------------------------------------------------------------------------------


def test_export_says_what_it_wrote_and_names_the_file_by_itself(place, replay):
    code, out, _ = replay("export", "world", 1)
    size = (place / "guard-1.replay").stat().st_size
    assert (code, out) == (
        0,
        f"guard-1.replay: 8 steps of workflow 1 (guard), turns 1 to 7, {size:,} bytes\n",
    )
    code, out, _ = replay("export", "world", 1, "other.replay", "--json")
    assert json.loads(out) == {
        "file": "other.replay",
        "bytes": size,
        "workflow": 1,
        "type": "guard",
        "steps": 8,
        "turns": [1, 7],
    }


@pytest.mark.parametrize(
    ("chosen", "turns"),
    [
        (["--from-step", 3], [2, 3, 4, 5, 6, 7]),
        (["--to-step", 3], [1, 1, 2]),
        (["--from-step", 4, "--to-step", 5], [3, 4]),
        (["--turn", "2:4"], [2, 3, 4]),
        (["--turn", "6:"], [6, 7]),
        (["--turn", ":2"], [1, 1, 2]),
        (["--turn", "5"], [5]),
    ],
)
def test_a_part_of_the_steps_is_run_again_by_itself(place, replay, chosen, turns):
    assert replay("export", "world", 1, "part.replay", *chosen)[0] == 0
    assert [step.record.turn for step in read_replay(place / "part.replay").steps] == turns
    assert replay("test", "part.replay", "--code", "game")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none", 1), "there is no world here"),
        (("world", 99), "no workflow 99 in this world"),
        (("world", 1, "--from-step", 9), "it has steps 1 to 8, in turns 1 to 7"),
        (("world", 1, "--turn", "8:"), "it has steps 1 to 8, in turns 1 to 7"),
        (("world", 1, "--turn", "2-4"), "10:20, 10: or :20, not '2-4'"),
        (("world", 1, "guard.replay"), "guard.replay is there already"),
        (("world", 1, "none/x.replay"), "none/x.replay cannot be written"),
        (("unrecorded", 1), "give history='all'"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_line(place, game, replay, arguments, said):
    play(place / "unrecorded", game, history="off")
    code, _, err = replay("export", *arguments)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in place.glob("*.replay")) == ["guard.replay"]


def test_steps_before_a_time_that_was_not_recorded_are_left_out(place, game, replay):
    for history in ("off", "all"):
        with Runtime(
            "world", [game.guard], clock=GameClock(), durability="process", history=history
        ) as world:
            world.retry(1)
            world.advance(1.0)
    assert replay("export", "world", 1, "late.replay")[0] == 0
    late = read_replay(place / "late.replay").steps
    assert [step.record.turn for step in late] == [11]
    assert replay("test", "late.replay", "--code", "game")[0] == 0


# -- test --------------------------------------------------------------------------------------------------------


def test_the_same_code_comes_to_the_same_steps(place, replay):
    code, out, err = replay("test", "guard.replay", "--code", "game")
    assert (code, out, err) == (
        0,
        "guard.replay: 8 steps of workflow 1 (guard): all as recorded\n",
        "",
    )


def test_a_repaired_fault_shows_at_the_step_that_failed(place, replay):
    edit(place, 'raise ValueError(f"dead, with {gold} gold")', "return")
    code, out, _ = replay("test", "guard.replay", "--code", "game")
    assert code == 1
    assert "workflow 1 (guard, entity 7) parts at step 8, turn 7, 7 s" in out
    assert "status is 'Completed', and was 'Failed'" in out
    assert "game.py:14: match await ctx.select" in out


def test_a_changed_constant_is_named_by_step_variable_and_line(place, replay):
    edit(place, "gold += 10", "gold += 9")
    code, out, _ = replay("test", "guard.replay", "--code", "game", "--json")
    finding = json.loads(out)["files"][0]["findings"][0]
    assert (code, finding["step"], finding["turn"]) == (1, 3, 2)
    assert finding["differences"] == [["locals.gold", "10", "9"]]
    assert finding["place"] == f"{place / 'game.py'}:20"
    assert finding["source"] == "gold += 9"


def test_a_new_fault_is_named_by_the_line_that_raised(place, replay):
    edit(place, "hp -= damage", "hp -= damage // (damage - 8)")
    code, out, _ = replay("test", "guard.replay", "--code", "game")
    assert code == 1
    assert "parts at step 5, turn 4" in out
    assert "ZeroDivisionError" in out
    assert out.splitlines()[-1].endswith("game.py:16: hp -= damage // (damage - 8)")


def test_a_constant_changed_in_a_copy_of_a_library_workflow_is_named(tmp_path, replay, monkeypatch):
    from fights import record

    monkeypatch.syspath_prepend(tmp_path)
    record(write_module(tmp_path / "duel.py", "nothing"), tmp_path / "world")
    file = tmp_path / "combat.replay"
    assert replay("export", tmp_path / "world", 1, file)[0] == 0
    assert replay("test", file, "--code", tmp_path / "duel.py")[0] == 0
    load_game(tmp_path, write_module(tmp_path / "duel.py", "a changed constant").read_text(), "duel")
    code, out, _ = replay("test", file, "--code", tmp_path / "duel.py")
    assert code == 1
    assert "workflow 1 (combat, entity 0) parts at step" in out
    assert "locals.health[" in out
    assert ": health[rival] -= min(" in out


def test_code_that_was_only_moved_is_the_same(place, replay):
    edit(
        place,
        "    gold = 0\n",
        "    gold = 0\n    # A comment, and a name for nothing.\n\n    wages = 10\n    del wages\n",
    )
    code, out, _ = replay("test", "guard.replay", "--code", "game")
    assert (code, out.splitlines()[0]) == (
        0,
        "guard.replay: 8 steps of workflow 1 (guard): all as recorded (7 of them in state, not in bytes)",
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("no_such_module", "no_such_module cannot be imported"),
        ("none.py", "none.py: there is no such file"),
        (
            "deathless.workflows.library",
            "cannot be run with this code: workflow type 'guard' is not registered",
        ),
        ("other", "its arguments no longer fit 'guard'"),
    ],
)
def test_code_that_is_not_there_or_does_not_fit_is_said_in_a_line(place, replay, code, said):
    load_game(place, GUARD.replace("hp: int", "hp: int, armour: int"), "other")
    done, _, err = replay("test", "guard.replay", "--code", code)
    assert done == 2
    assert said in err
    assert err.count("\n") == 1


def test_of_several_files_each_is_tested_and_the_worst_counts(place, replay):
    (place / "bad.replay").write_text("{}")
    code, out, err = replay(
        "test", "guard.replay", "bad.replay", "none.replay", "guard.replay", "--code", "game"
    )
    assert code == 2
    assert out.count("all as recorded") == 2
    assert [line.split()[1] for line in err.splitlines()] == ["bad.replay", "none.replay"]
    code, out, _ = replay("test", "guard.replay", "bad.replay", "--code", "game", "--json")
    assert [(one["file"], one["code"], one["steps"]) for one in json.loads(out)["files"]] == [
        ("guard.replay", 0, 8),
        ("bad.replay", 2, None),
    ]


def test_of_a_world_that_keeps_the_last_steps_those_are_exported(place, game, replay):
    play(place / "few", game, history=4)
    assert replay("export", "few", 1, "few.replay")[0] == 0
    few = read_replay(place / "few.replay")
    assert [step.record for step in few.steps] == [
        step.record for step in read_replay(place / "guard.replay").steps[-4:]
    ]
    assert replay("test", "few.replay", "--code", "game")[:2] == (
        0,
        "few.replay: 4 steps of workflow 1 (guard): all as recorded\n",
    )


def test_a_deleted_workflow_is_run_to_its_end(place, game, replay):
    with Runtime("world", [game.guard], clock=GameClock(), durability="process", history="all") as world:
        world.cancel(workflow_id=1, reason="over", force=True)
        world.advance(1.0)
        world.call("cleanup_old_workflows", 0)
        world.advance(1.0)
    assert replay("export", "world", 1, "deleted.replay")[0] == 0
    steps = read_replay(place / "deleted.replay").steps
    assert (len(steps), steps[-1].after) == (10, None)
    assert replay("test", "deleted.replay", "--code", "game") == (
        0,
        "deleted.replay: 10 steps of workflow 1 (guard): all as recorded\n",
        "",
    )
    assert replay("import", "deleted.replay", "empty")[0] == 0
    with Runtime("empty", [game.guard], clock=GameClock()) as world:
        assert world.workflows() == []


# -- import ------------------------------------------------------------------------------------------------------


def test_an_imported_workflow_is_found_by_each_of_its_names_and_goes_on(place, game, replay):
    code, out, _ = replay("import", "guard.replay", "back", "--step", 4)
    assert (code, out) == (0, "back: workflow 1 (guard) after step 4 of 8, turn 3, 3 s\n")
    with Runtime("back", [game.guard], clock=GameClock(), durability="process") as world:
        (view,) = world.workflows(entity_id=7)
        assert world.workflows(correlation_id="gate") == world.workflows(type="guard") == [view]
        assert (view.id, view.status, view.locals) == (1, "Suspended", {"gold": 20, "hp": 30})
        assert (world.turn, world.now) == (3, 3.0)
        world.signal(game.Hit(5), entity_id=7)
        world.advance(1.0)
        assert world.get(1).locals == {"gold": 20, "hp": 25}
        assert world.start(game.guard(1)).id > 1


def test_an_imported_failure_is_tried_again_with_repaired_code(place, replay):
    assert replay("import", "guard.replay", "back")[0] == 0
    repaired = edit(place, 'raise ValueError(f"dead, with {gold} gold")', "return")
    with Runtime("back", [repaired.guard], clock=WallClock(), rebase=True, durability="process") as world:
        assert [view.id for view in world.workflows(status="Failed")] == [1]
        world.retry(1)
        world.pump()
        assert world.get(1).status == "Completed"
        assert world.now >= 7.0


def test_what_an_imported_workflow_does_next_follows_its_steps(place, game, replay):
    assert replay("import", "guard.replay", "back", "--step", 4)[0] == 0
    with Runtime("back", [game.guard], clock=GameClock(), durability="process", history="all") as world:
        world.signal(game.Hit(5), entity_id=7)
        world.advance(1.0)
    assert replay("export", "back", 1, "longer.replay")[0] == 0
    assert read_replay(place / "longer.replay").steps[:4] == read_replay(place / "guard.replay").steps[:4]
    assert len(read_replay(place / "longer.replay").steps) == 5


def test_an_imported_world_has_the_steps_as_its_history(place, replay):
    assert replay("import", "guard.replay", "back", "--step", 5, "--json")[0] == 0
    with SavedWorld("back") as saved, SavedWorld("world") as first:
        assert [step.record for step in saved.steps(1)] == [step.record for step in first.steps(1)][:5]
        assert saved.row(1, 2) == first.row(1, 2)
        assert [saved.turn_at(second) for second in (1.0, 1.5, 4.0)] == [1, 1, 4]
        assert saved.history.limits() == first.history.limits()
        assert saved.state.seed == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.replay", "back"), "none.replay cannot be read"),
        (("game.py", "back"), "game.py is no replay file"),
        (("guard.replay", "back", "--step", 9), "guard.replay has steps 1 to 8, and no step 9"),
        (("guard.replay", "back", "--step", 0), "and no step 0"),
        (("guard.replay", "world"), "not empty"),
        (("guard.replay", "game.py/back"), "cannot be made or read"),
    ],
)
def test_what_cannot_be_imported_leaves_nothing(place, replay, arguments, said):
    before = sorted(path.name for path in place.iterdir())
    code, _, err = replay("import", *arguments)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in place.iterdir()) == before


def test_an_import_that_finds_no_room_leaves_nothing(place, replay, monkeypatch):
    from deathless import WorldFull
    from deathless.runtime import Store

    def full(self, changes):
        raise WorldFull(str(self.path), "the disk is full")

    monkeypatch.setattr(Store, "commit", full)
    code, _, err = replay("import", "guard.replay", "back")
    assert (code, "the disk is full" in err) == (2, True)
    assert not (place / "back").exists()

"""Replay files among a game's tests: each is a test where the code to run them with is named."""

import pytest
from recorded_games import GUARD, load_game, play, replay_of

from deathless.tools.output import BadInput
from deathless.tools.replay.replay_file import write_replay
from deathless.tools.replay.retest import ReplayDiffers, check_replay

pytest_plugins = ["pytester"]

NAMED = '[tool.pytest.ini_options]\ndeathless_replay_code = ["game"]\n'


@pytest.fixture
def files(game, tmp_path, pytester, monkeypatch):
    """A game's tests: two replay files, and a test of its own."""
    for sign in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(sign, raising=False)
    folder = pytester.mkdir("tests")
    for name, hits in (("dies", (8, 30)), ("lives", (8,))):
        write_replay(replay_of(play(tmp_path / name, game, hits)), folder / f"{name}.replay")
    (folder / "test_own.py").write_text("def test_own():\n    pass\n")
    return folder


def run(pytester, *options):
    return pytester.runpytest_inprocess("-Werror", "--strict-markers", "-p", "no:cacheprovider", *options)


def test_each_replay_file_is_a_test(files, pytester):
    pytester.makepyprojecttoml(NAMED)
    done = run(pytester, "-v")
    done.assert_outcomes(passed=3)
    done.stdout.fnmatch_lines(["tests/dies.replay::dies PASSED*", "tests/lives.replay::lives PASSED*"])
    run(pytester, "tests/lives.replay").assert_outcomes(passed=1)


def test_without_code_that_is_named_none_is_a_test(files, pytester):
    run(pytester).assert_outcomes(passed=1)


def test_code_may_be_a_file_below_the_root(files, pytester):
    pytester.makeini("[pytest]\ndeathless_replay_code = src/keep.py\n")
    pytester.mkdir("src")
    (pytester.path / "src/keep.py").write_text(GUARD)
    run(pytester, "tests/lives.replay").assert_outcomes(passed=1)


def test_what_differs_is_the_failure(files, pytester, tmp_path):
    pytester.makepyprojecttoml(NAMED)
    load_game(tmp_path, GUARD.replace("hp -= damage", "hp -= damage + 1"))
    done = run(pytester)
    done.assert_outcomes(passed=1, failed=2)
    done.stdout.fnmatch_lines(
        [
            "*replay dies*",
            "workflow 1 (guard, entity 7) parts at step 5, turn 4, 4 s",
            "  locals.hp is 21, and was 22",
            "  *game.py:16: hp -= damage + 1",
        ]
    )
    assert "Traceback" not in done.stdout.str()


def test_a_damaged_file_and_code_that_does_not_fit_fail_with_a_line(files, pytester, tmp_path):
    pytester.makepyprojecttoml(NAMED)
    (files / "lives.replay").write_text("no replay")
    load_game(tmp_path, GUARD.replace("def guard(ctx", "def sentry(ctx"))
    done = run(pytester)
    done.assert_outcomes(passed=1, failed=2)
    done.stdout.fnmatch_lines(
        [
            "8 steps of workflow 1 (guard): that of turn 1 cannot be run with this code: workflow type 'guard'*",
            "*lives.replay is no replay file*",
        ]
    )
    assert "Traceback" not in done.stdout.str()


def test_modules_that_cannot_be_loaded_fail_each_test_with_a_line(files, pytester):
    pytester.makepyprojecttoml(NAMED.replace('"game"', '"no_such_game"'))
    done = run(pytester)
    done.assert_outcomes(passed=1, failed=2)
    done.stdout.fnmatch_lines(["no_such_game cannot be imported*"])


def test_a_replay_is_checked_from_within_a_test(files, game, tmp_path):
    check_replay(files / "dies.replay", [game.guard])
    changed = load_game(tmp_path, GUARD.replace("gold += 10", "gold += 11"))
    with pytest.raises(ReplayDiffers, match=r"locals\.gold is 11, and was 10"):
        check_replay(files / "dies.replay", [changed.guard])
    with pytest.raises(BadInput, match="cannot be read"):
        check_replay(files / "none.replay", [game.guard])

"""The command: exit codes, the report's shape, and what becomes of the world's directory."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from deathless.tools.cli import main
from deathless.tools.interrupts import Interrupts
from deathless.tools.loadtest import driver as driver_module
from deathless.tools.loadtest.game_loop import GameLoop
from deathless.tools.loadtest.inputs import Kind, Known
from deathless.tools.loadtest.local_world import LocalWorld
from deathless.tools.loadtest.page import page_of
from deathless.tools.loadtest.run_directory import run_directory
from deathless.tools.loadtest.scenario_file import _FOLDER, READY_MADE
from deathless.tools.loadtest.thresholds import NAMES, judge
from deathless.tools.output import BadInput

KEYS = {
    "schema", "passed", "interrupted", "scenario", "machine", "load", "population", "frame_ms", "commit_ms",
    "latency_ms", "lateness_ms", "frame_across_kills_ms", "latency_across_kills_ms", "lateness_across_kills_ms", "memory_mb", "world_mb",
    "workflows", "failures", "kills", "ledger", "thresholds", "digest", "distributions", "samples",
}  # fmt: skip


def test_a_run_reports_all_that_the_page_of_the_schema_names(loadtest, scenario):
    code, report, _ = loadtest(scenario())
    assert code == 0
    assert report.keys() == KEYS
    assert report["passed"]
    assert report["load"].keys() == {
        "seconds", "world_seconds", "steps_per_s", "starts_per_s", "inputs_per_s", "frames_per_s", "frames", "steps",
        "timers_fired", "carried_over_peak",
    }  # fmt: skip
    for name in ("frame_ms", "commit_ms", "latency_ms", "lateness_ms"):
        assert report[name].keys() == {"count", "p50", "p90", "p99", "max"}
        assert report[name]["count"] > 0
    assert report["load"]["world_seconds"] == pytest.approx(1.0, abs=0.06)
    assert report["load"]["frames"] == 20
    assert report["population"]["workflows"] == 30 + 3 + 10
    assert report["ledger"]["holds"]
    assert report["ledger"]["inputs"] == report["ledger"]["acknowledged"]
    assert report["ledger"]["witnessed"] > 50
    assert report["lateness_ms"]["max"] <= 1000 / 20 + 1e-3


def test_a_summary_is_printed_where_no_json_is_asked_for(scenario, capsys):
    assert main(["loadtest", scenario()]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Tiny: ")
    assert "took effect exactly once" in printed
    assert printed.endswith("PASSED\n")


@pytest.mark.parametrize(
    ("threshold", "code"),
    [
        ("p99_frame_ms = 1e9", 0),
        ("p99_frame_ms = 0", 1),
        ("min_steps_per_s = 1e9", 1),
        ("max_recovery_s = 9", 1),
    ],
)
def test_thresholds_decide_the_exit_code(loadtest, scenario, threshold, code):
    found, report, _ = loadtest(scenario(f"[thresholds]\n{threshold}\n"))
    assert found == code
    assert report["passed"] == (code == 0)
    assert {item["name"]: item["met"] for item in report["thresholds"]}[threshold.split()[0]] == (code == 0)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_threshold_is_met_on_one_side_and_missed_on_the_other(name):
    (low,) = (item for item in judge({name: 10.0}, {name: 9.0}) if item.name == name)
    (high,) = (item for item in judge({name: 10.0}, {name: 11.0}) if item.name == name)
    assert {low.met, high.met} == {True, False}
    assert low.met == (not name.startswith("min_"))


def test_a_workflow_that_fails_fails_the_run_unless_that_is_allowed(loadtest, scenario):
    broken = "[[workflows]]\ntype = 'combat'\ncount = 2\narguments = { hp = -1 }\n"
    code, report, _ = loadtest(scenario(broken))
    assert code == 1
    assert report["workflows"]["failed"] == 2
    assert report["failures"][0]["workflows"] == 2
    assert "hp of combat" in report["failures"][0]["error"]
    assert loadtest(scenario(broken + "[thresholds]\nmax_failed = 2\n"))[0] == 0


def test_an_input_that_is_lost_ends_with_exit_code_1_and_says_so_loudly(scenario, capsys, monkeypatch):
    step = LocalWorld.step

    def forgetful(world, inputs):
        """Take a note, say nothing of it to the world, and acknowledge it."""
        kept = [item for item in inputs if item.kind != Kind.NOTE or item.values[1] != 5]
        (frame,) = step(world, kept)
        frame.acknowledged += [Known(item.number, 0) for item in inputs if item not in kept]
        return [frame]

    monkeypatch.setattr(LocalWorld, "step", forgetful)
    assert main(["loadtest", scenario()]) == 1
    printed = capsys.readouterr().out
    # Of each of the three witnesses: the number itself, and its name.
    assert "LEDGER BROKEN: 6 lost, 0 doubled, 0 foreign, 0 disordered" in printed
    assert printed.endswith("FAILED\n")


def test_an_input_that_is_never_acknowledged_fails_the_run_unless_that_is_allowed(
    loadtest, scenario, monkeypatch
):
    """Whether it took effect nobody knows; that a world at rest says nothing of it is trouble enough."""
    step = LocalWorld.step

    def deaf(world, inputs):
        return step(world, [item for item in inputs if item.kind != Kind.NOTE or item.values[1] < 30])

    monkeypatch.setattr(LocalWorld, "step", deaf)
    monkeypatch.setattr(driver_module, "DRAIN_WITHIN_S", 0.2)
    code, report, _ = loadtest(scenario())
    assert (code, report["ledger"]["holds"]) == (1, True)
    assert {item["name"]: item["met"] for item in report["thresholds"]}["max_unknown"] is False
    assert loadtest(scenario("[thresholds]\nmax_unknown = 1e3\n"))[0] == 0


def test_a_world_that_acknowledges_nothing_ends_the_run(loadtest, scenario, monkeypatch):
    monkeypatch.setattr(LocalWorld, "step", lambda _world, _inputs: [])
    monkeypatch.setattr(driver_module, "DRAIN_WITHIN_S", 0.1)
    code, _, error = loadtest(scenario())
    assert code == 2
    assert error == "Error: the world acknowledged none of 43 inputs for 0 seconds\n"


def test_what_has_no_name_is_not_said_to_have_taken_effect(loadtest, scenario, capsys):
    ledger = loadtest(scenario())[1]["ledger"]
    assert 0 < ledger["unnamed"] < ledger["acknowledged"]
    assert main(["loadtest", scenario()]) == 0
    printed = capsys.readouterr().out
    assert (
        f"Ledger: {ledger['acknowledged'] - ledger['unnamed']:,} acknowledged inputs took effect" in printed
    )
    assert f"; {ledger['unnamed']:,} more had no name, and were not looked at" in printed


def test_a_run_with_kills_in_which_none_falls_fails(loadtest, scenario):
    code, report, _ = loadtest(scenario(), "--kill-every", "3600")
    assert (code, report["ledger"]["unnamed"]) == (1, 0)
    (missed,) = [item for item in report["thresholds"] if not item["met"]]
    assert missed == {"name": "min_kills", "limit": 1.0, "measured": 0, "met": False}


def test_a_world_that_acknowledges_late_is_populated_all_the_same(loadtest, scenario, monkeypatch):
    """Where no more may be on their way and then all of it is acknowledged at once, there is still more to start."""
    step = LocalWorld.step
    withheld = []

    def late(world, inputs):
        withheld.extend(step(world, inputs))
        if len(withheld) < 3:
            return []
        frames = withheld[:]
        withheld.clear()
        return frames

    monkeypatch.setattr(LocalWorld, "step", late)
    monkeypatch.setattr(driver_module, "MOST_UNACKNOWLEDGED", 10)
    _, report, _ = loadtest(scenario())
    assert report["population"]["workflows"] == 43
    assert report["ledger"]["holds"]


def test_an_interrupted_run_still_reports_and_ends_with_130(loadtest, scenario, monkeypatch):
    take_frame = driver_module.Measures.take_frame

    def interrupt(measures, frame, **more):
        take_frame(measures, frame, **more)
        if measures.load.frames == 0 and frame.now_s > 0.5:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(driver_module.Measures, "take_frame", interrupt)
    monkeypatch.setattr(driver_module.Driver, "_drain", lambda driver: None)
    code, report, _ = loadtest(scenario())
    assert code == 130
    assert report["interrupted"]
    assert 0.0 < report["load"]["world_seconds"] < 0.9
    assert report["ledger"]["holds"]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there are no terminals that hang up")
@pytest.mark.parametrize("ignored", [False, True])
def test_a_closed_terminal_ends_a_run_unless_that_is_ignored(ignored):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGHUP)
            assert interrupts.asked is not ignored
    finally:
        signal.signal(signal.SIGHUP, before)


TALKER = """
from deathless import Context, workflow

print("a word from a module")

@workflow
async def talker(ctx: Context) -> None:
    print("a word from a workflow")
"""
RUN = [sys.executable, "-m", "deathless.tools", "loadtest"]


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_report_that_nobody_reads_changes_no_exit_code(scenario, flags):
    """Nor does progress that nobody reads end the run."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run([*RUN, scenario(), *flags], stdout=writing, stderr=writing, check=False)
        missed = [*RUN, scenario("[thresholds]\nmin_kills = 1\n"), *flags]
        assert done.returncode == 0
        assert subprocess.run(missed, stdout=writing, stderr=writing, check=False).returncode == 1
    finally:
        os.close(writing)


def test_what_a_workflow_prints_does_not_get_into_the_report(tmp_path):
    (tmp_path / "talker.py").write_text(TALKER, encoding="utf-8")
    scenario = "seconds = 0.2\nclock = 'virtual'\n[[workflows]]\ntype = 'talker:talker'\ncount = 1\n"
    (tmp_path / "talk.toml").write_text(scenario, encoding="utf-8")
    done = subprocess.run([*RUN, "talk.toml", "--json"], cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(done.stdout)["workflows"]["completed"] == 1
    assert b"a word from a module" in done.stderr
    assert b"a word from a workflow" in done.stderr


def test_messages_that_wait_for_a_later_frame_are_reported(loadtest, scenario, monkeypatch, capsys):
    frame = GameLoop.frame
    left = iter((3, 7, 5))

    def lagging(loop):
        made = frame(loop)
        made.carried_over = next(left, 0) if loop._world.now > 0.5 else 0
        return made

    monkeypatch.setattr(GameLoop, "frame", lagging)
    code, report, _ = loadtest(scenario("[thresholds]\nmax_carried_over = 6\n"))
    assert (code, report["load"]["carried_over_peak"]) == (1, 7)
    left = iter((3, 7, 5))
    main(["loadtest", scenario()])
    assert "\n  7 messages at most were left over for a later frame\n" in capsys.readouterr().out


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a disk that is always full")
@pytest.mark.parametrize("flags", [["--json"], ["--plain"], ["--html", "/dev/full"]])
def test_a_report_that_cannot_be_written_is_said_in_one_line(scenario, flags):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [*RUN, scenario(), *flags], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    what = "--html /dev/full" if "--html" in flags else "standard output"
    assert done.stderr.endswith(f"Error: {what}: cannot be written (No space left on device)\n")
    assert "Traceback" not in done.stderr


def test_a_second_ctrl_c_does_not_wait():
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


DIGESTS = """
import json, sys
from deathless.tools.cli import main
sys.exit(main(["loadtest", sys.argv[1], "--json", "--seed", sys.argv[2]]))
"""


def test_with_virtual_time_the_same_seed_gives_the_same_digest_in_another_process(scenario):
    path = scenario()
    digests = {}
    for seed, hash_seed in (("3", "1"), ("3", "2"), ("4", "1")):
        done = subprocess.run(
            [sys.executable, "-c", DIGESTS, path, seed],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests[seed, hash_seed] = json.loads(done.stdout)["digest"]
    assert digests["3", "1"] == digests["3", "2"]
    assert digests["3", "1"] != digests["4", "1"]


def test_a_slow_machine_does_not_change_the_digest(loadtest, scenario, monkeypatch):
    digest = loadtest(scenario())[1]["digest"]
    frame = GameLoop.frame

    def slow(loop):
        made = frame(loop)
        made.elapsed_s = 10.0
        return made

    monkeypatch.setattr(GameLoop, "frame", slow)
    assert loadtest(scenario())[1]["digest"] == digest


def test_residents_do_not_change_the_digest(loadtest, scenario):
    assert loadtest(scenario())[1]["digest"] == loadtest(scenario(), "--max-resident", "5")[1]["digest"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["no_such.toml"], "no_such.toml: there is no such file"),
        (["village", "--seconds", "0"], "--seconds is a number from 0.1"),
        (["village", "--clock", "sundial"], "--clock is 'real' or 'virtual', not 'sundial'"),
        (
            ["village", "--clock", "virtual", "--frame-rate", "0"],
            "--frame-rate is more than 0 with a virtual clock",
        ),
        (
            ["village", "--html", "no/such/folder/page.html"],
            "--html no/such/folder/page.html: cannot be written",
        ),
    ],
)
def test_bad_input_ends_with_one_line_and_exit_code_2(loadtest, arguments, problem):
    code, report, error = loadtest(*arguments)
    assert (code, report) == (2, None)
    assert error.startswith(f"Error: {problem}")
    assert error.count("\n") == 1


def test_a_kept_directory_holds_world_and_ledger_and_is_used_again(loadtest, scenario, tmp_path):
    kept = tmp_path / "kept"
    first = loadtest(scenario(), "--world", str(kept))[1]
    assert {"world", "ledger", "loadtest.json"} <= {path.name for path in kept.iterdir()}
    assert loadtest(scenario(), "--world", str(kept))[1]["digest"] == first["digest"]


def test_a_directory_with_something_else_in_it_is_refused_and_stays_as_it_is(loadtest, scenario, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("mine", encoding="utf-8")
    code, _, error = loadtest(scenario(), "--world", str(tmp_path / "mine"))
    assert code == 2
    assert "not empty, and not of a load test (precious)" in error
    assert (tmp_path / "mine" / "precious").read_text(encoding="utf-8") == "mine"
    assert loadtest(scenario(), "--world", str(tmp_path / "mine" / "precious"))[0] == 2


def test_a_temporary_directory_is_removed_whatever_happens():
    with pytest.raises(KeyboardInterrupt), run_directory(None) as place:
        place.ledger.write_text("x", encoding="utf-8")
        raise KeyboardInterrupt
    assert not place.path.exists()


def test_the_page_has_every_plot_and_loads_nothing_from_elsewhere(loadtest, scenario, tmp_path):
    page = tmp_path / "report.html"
    code, report, _ = loadtest(scenario(), "--html", str(page))
    assert code == 0
    from plotly.offline import get_plotlyjs

    text = page.read_text(encoding="utf-8").replace(get_plotlyjs(), "")
    for title in (
        "Throughput", "Signal to commit", "Frame time", "Frame time, distribution", "Signal to commit, distribution",
        "Timer lateness, distribution", "Memory and world", "Workflows",
    ):  # fmt: skip
        assert f"<h2>{title}</h2>" in text
    assert text.count("Plotly.newPlot(") == 8
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|url\(|@import|<link""", text)
    kill = {"at_s": 1.0, "recovery_s": 0.5, "open_s": 0.1, "workflows": 3, "sent_again": 2}
    assert "<h2>Recovery</h2>" in page_of({**report, "kills": [kill]})


def test_a_title_with_markup_is_shown_as_it_is(loadtest, scenario, tmp_path):
    page = tmp_path / "report.html"
    text = scenario.text.replace('"Tiny"', '"<b>1 & 2</b>"')
    loadtest(scenario(text=text), "--html", str(page))
    assert "<h1>&lt;b&gt;1 &amp; 2&lt;/b&gt;" in page.read_text(encoding="utf-8")


def test_a_page_is_left_alone_where_the_run_comes_to_nothing(loadtest, scenario, tmp_path):
    page = tmp_path / "report.html"
    (tmp_path / "precious").write_text("", encoding="utf-8")
    arguments = [scenario(), "--world", str(tmp_path), "--html", str(page)]
    assert loadtest(*arguments)[0] == 2
    assert not page.exists()
    page.write_text("of before", encoding="utf-8")
    assert loadtest(*arguments)[0] == 2
    assert page.read_text(encoding="utf-8") == "of before"


def test_without_plotly_a_page_is_refused_before_anything_runs(loadtest, scenario, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly", None)
    code, _, error = loadtest(scenario(), "--html", "report.html")
    assert (code, error) == (2, "Error: --html needs plotly: pip install 'deathless[loadtest]'\n")


def test_it_runs_without_plotly_where_no_page_is_asked_for(loadtest, scenario, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly", None)
    assert loadtest(scenario())[0] == 0


def test_a_directory_that_cannot_be_made_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(BadInput, match="cannot be made"), run_directory(str(tmp_path / "file" / "below")):
        raise AssertionError


def test_each_packaged_scenario_can_be_named():
    assert {path.stem for path in _FOLDER.glob("*.toml")} == set(READY_MADE)

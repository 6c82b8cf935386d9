"""The benchmarks run, and write what a reader of bench.json looks for. No figure is judged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parent.parent.parent / "bench" / "run.py"
# The others last as long as the wall clock says, or need large worlds.
QUICKEST = ["floor", "steps", "parts", "starts", "children", "publish", "tables", "activities", "recovery"]
QUICKEST += ["budget", "virtual_time", "baselines", "two_worlds", "growth", "replay_ui", "million"]


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(BENCH), *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """One quick run, for all of these facts."""
    place = tmp_path_factory.mktemp("bench")
    written, worlds = place / "bench.json", place / "worlds"
    done = run("--quick", "--only", ",".join(QUICKEST), "--dir", str(worlds), "--json", str(written))
    assert done.returncode == 0, done.stderr
    assert not list(worlds.iterdir()), "its worlds are removed"
    return json.loads(written.read_text()), done.stdout


def is_spread(found):
    return found.keys() == {"median", "low", "high"} and 0 < found["low"] <= found["median"] <= found["high"]


def test_it_says_where_it_ran(quick):
    found, _ = quick
    assert found.keys() == {"machine", "disk", "quick", "benchmarks", "targets"}
    assert found["quick"] is True
    assert {"python", "system", "cores", "load", "lmdb", "msgpack"} == found["machine"].keys()
    assert list(found["benchmarks"]) == QUICKEST


def test_the_floor_and_starts_and_recovery_are_spreads(quick):
    found = quick[0]["benchmarks"]
    assert "floor: shuffled, synced" in found["floor"]
    assert all(map(is_spread, found["floor"].values()))
    assert found["starts"].keys() == {"start_many", "start"}
    assert all(map(is_spread, found["starts"].values()))
    for stages in found["recovery"].values():
        assert stages.keys() == {"imported", "recovered", "fired"}
        assert all(map(is_spread, stages.values()))


def test_children_publishes_tables_and_activities_are_spreads(quick):
    found = quick[0]["benchmarks"]
    for name, ways in (("children", 2), ("tables", 3)):
        assert len(found[name]) == ways
        assert all(map(is_spread, found[name].values()))
    assert list(found["publish"]) == ["0", "1", "100", "1000"]
    for size, costs in found["publish"].items():
        assert is_spread(costs["us_a_publish"])
        assert costs["us_a_delivery"] is None if size == "0" else is_spread(costs["us_a_delivery"])
    assert list(found["activities"]) == ["power", "process"]
    for costs in found["activities"].values():
        assert is_spread(costs["us_a_round_trip"])
        assert is_spread(costs["activities_per_s"])


def test_steps_stand_beside_the_floor_and_beside_a_spinning_thread(quick):
    populations = quick[0]["benchmarks"]["steps"]
    assert list(populations) == ["100", "2000"]
    for cases in populations.values():
        assert is_spread(cases.pop("floor"))
        assert list(cases) == [
            "power",
            "power beside a spinning thread",
            "process",
            "process beside a spinning thread",
        ]
        for case in cases.values():
            assert is_spread(case["steps_per_s"])
            assert is_spread(case["of_floor"])
            assert case["commit_us"] > 0


def test_parts_add_up_to_their_sum(quick):
    parts = quick[0]["benchmarks"]["parts"]
    assert list(parts) == ["power", "process"]
    for populations in parts.values():
        for column in populations.values():
            single = list(column.values())[: list(column).index("sum of the parts")]
            assert sum(single) == pytest.approx(column["sum of the parts"])
            assert column["whole, measured without them"] > 0


def test_the_same_npc_stands_beside_the_floor_in_memory_and_durable(quick):
    (cases,) = quick[0]["benchmarks"]["baselines"].values()
    assert is_spread(cases.pop("floor"))
    assert list(cases) == ["plain pykka, a thread each", "asyncio, a task each", "process", "power"]
    for case in cases.values():
        assert is_spread(case["messages_per_s"])
        assert is_spread(case["of_floor"])


def test_two_worlds_stand_beside_two_loops_and_two_floors(quick):
    kinds = quick[0]["benchmarks"]["two_worlds"]
    assert list(kinds) == ["a loop that counts", "floor", "process", "power"]
    for kind in kinds.values():
        assert kind.keys() == {"one", "both", "ratio"}
        assert all(map(is_spread, kind.values()))


def test_a_large_world_is_restarted_loaded_and_left_idle(quick):
    found = quick[0]["benchmarks"]["million"]
    stages = [found[stage] for stage in ("imported", "opened", "stepped", "armed")]
    assert all(map(is_spread, stages))
    assert [stage["low"] for stage in stages] == sorted(stage["low"] for stage in stages)
    for name in ("steps_per_s_large", "steps_per_s_small", "steps_ratio", "floor_ratio"):
        assert is_spread(found[name])
    assert found["file_bytes_a_workflow"] > 0
    assert found["idle_frame_us"].keys() == {"large", "few"}
    assert min(found["idle_frame_us"].values()) > 0


def test_virtual_time_is_measured_and_ends_in_a_digest(quick):
    found = quick[0]["benchmarks"]["virtual_time"]
    assert is_spread(found["times_real_time"])
    assert is_spread(found["steps_per_s"])
    assert len(found["digest"]) == 64


def test_overruns_stand_beside_a_step(quick):
    (overrun,) = quick[0]["benchmarks"]["budget"].values()
    assert overrun["step_us"] > 0
    assert overrun["pump_p50_us"] <= overrun["pump_p99_us"] <= overrun["pump_max_us"]


def test_the_file_is_measured_at_three_marks_under_both_loads(quick):
    loads = quick[0]["benchmarks"]["growth"]
    assert list(loads) == ["steady steps", "starts, ends and cleaning up"]
    for load in loads.values():
        assert len(load["mb"]) == 3
        assert load["mb"] == sorted(load["mb"])
    assert loads["starts, ends and cleaning up"]["us_a_cleaned_workflow"] > 0


def test_each_target_is_printed_with_its_answer(quick):
    found, printed = quick
    assert found["targets"]
    for target in found["targets"]:
        assert target.keys() == {"name", "wanted", "at_least", "got", "unit", "reached"}
        good = target["got"] >= target["wanted"] if target["at_least"] else target["got"] <= target["wanted"]
        assert target["reached"] is good
        (line,) = (line for line in printed.splitlines() if target["name"] in line)
        assert ("yes" if good else "no") in line


def test_an_unknown_name_is_refused(tmp_path):
    done = run("--only", "floor,speed", "--dir", str(tmp_path), "--json", str(tmp_path / "bench.json"))
    assert done.returncode == 2
    assert "no benchmark is called speed" in done.stderr
    assert not list(tmp_path.iterdir())


def test_keys_of_the_full_screen_are_timed(quick):
    found = quick[0]["benchmarks"]["replay_ui"]
    assert found.pop("open_ms") > 0
    assert len(found) == 7
    for costs in found.values():
        assert 0 < costs["p50_ms"] <= costs["p95_ms"] <= costs["max_ms"]

"""The benchmarks run, and write what a reader of bench.json looks for. No figure is judged."""

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent.parent / "bench" / "run.py"


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(BENCH), *arguments], capture_output=True, text=True, check=False
    )


def test_a_quick_run_writes_figures_and_targets(tmp_path):
    result = tmp_path / "bench.json"
    done = run("--quick", "--only", "floor,steps", "--dir", str(tmp_path / "worlds"), "--json", str(result))
    assert done.returncode == 0, done.stderr
    found = json.loads(result.read_text())

    assert found["quick"] is True
    assert {"python", "cores"} <= found["machine"].keys()
    assert list(found["benchmarks"]) == ["floor", "steps"]
    for spread in found["benchmarks"]["floor"].values():
        assert 0 < spread["low"] <= spread["median"] <= spread["high"]
    populations = found["benchmarks"]["steps"]
    assert list(populations) == ["100", "2000"]
    for cases in populations.values():
        assert {"floor", "power", "process"} <= cases.keys()
        assert cases["power"]["of_floor"]["median"] > 0
    assert "power beside a spinning thread" in populations["2000"]
    assert found["targets"]
    for target in found["targets"]:
        assert target.keys() == {"name", "wanted", "at_least", "got", "unit", "reached"}
        assert target["name"] in done.stdout
    assert not list((tmp_path / "worlds").iterdir()), "its worlds are removed"


def test_an_unknown_name_is_refused(tmp_path):
    done = run("--only", "floor,speed", "--dir", str(tmp_path), "--json", str(tmp_path / "bench.json"))
    assert done.returncode == 2
    assert "no benchmark is called speed" in done.stderr
    assert not list(tmp_path.iterdir())

"""The same recorded inputs give the same world, to the byte, however they are run.

One game is recorded warm, with turns cut by count and by budget. It is replayed by another process with another hash
seed that resumes every step from its bytes, by a world that is closed and opened between turns, and by one that keeps
few workflows in memory.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path

import determinism_runs as runs
import pytest
import structlog

from deathless import WorkflowType

STEPS = 100_000
SCRIPT = Path(runs.__file__)


@pytest.fixture(autouse=True, scope="module")
def quiet_log():
    """Many workflows fail here on purpose."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def seed(request):
    return request.config.getoption("--seed")


@pytest.fixture(scope="module")
def recorded(seed, tmp_path_factory):
    return runs.record(tmp_path_factory.mktemp("recorded") / "world", seed, STEPS)


def test_the_recording_holds_what_could_differ(recorded, seed, tmp_path):
    """Cut turns, closes, children's ids, and every way in which a workflow ends."""
    outcomes = [turn.outcome for turn in recorded if turn.outcome is not None]
    assert sum(steps for steps, _ in outcomes) >= STEPS
    assert sum(carried > 0 for _, carried in outcomes) >= 10
    assert sum(turn.record.closing for turn in recorded) >= 1
    assert len({block for turn in recorded for block in turn.record.id_blocks}) >= 3
    kept = tmp_path / "world"
    runs.replay(kept, seed, recorded)
    with runs.open_world(kept) as world:
        ends = Counter((view.type, str(view.status)) for view in world.workflows())
    types = {kind.name for kind in runs.TYPES if isinstance(kind, WorkflowType)}
    assert types == {name for name, _ in ends}
    statuses = Counter()
    for (_, status), count in ends.items():
        statuses[status] += count
    assert min(statuses[status] for status in ("Suspended", "Completed", "Failed", "Cancelled")) >= 20, ends


def test_another_process_that_resumes_every_step_replays_it(recorded, seed, tmp_path):
    task = tmp_path / "task"
    task.write_bytes(pickle.dumps((tmp_path / "world", seed, recorded, {"paranoid": True})))
    hash_seed = "1" if os.environ.get("PYTHONHASHSEED") == "2" else "2"
    replayed = subprocess.run(
        [sys.executable, str(SCRIPT), str(task)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert replayed.returncode == 0, f"{replayed.stderr}\nrepeat with: pytest {__file__} --seed {seed}"


@pytest.mark.parametrize("reopen_one_in", [2, 9])
def test_a_world_that_is_opened_again_between_turns_replays_it(recorded, seed, tmp_path, reopen_one_in):
    runs.replay(tmp_path / "world", seed, recorded, reopen_one_in=reopen_one_in)


def test_a_world_with_few_workflows_in_memory_replays_it(recorded, seed, tmp_path):
    runs.replay(tmp_path / "world", seed, recorded, max_resident=20)

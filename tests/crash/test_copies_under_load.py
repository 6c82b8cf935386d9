"""A busy world is copied from outside, by backup and by export, and is killed; the copies are the world as it was.

What a copy of a living world should hold nobody can ask the world afterwards: it has gone on. But its log has what each
turn was given, and a hash of what the turn then wrote. So a copy is right if it runs on, given the same, to the same
hashes turn by turn, and at the end to the same rows in every table.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from crash_flows import TYPES

from deathless import GameClock, Runtime, WallClock
from deathless.runtime.audit.tables import RECORDING_TABLES
from deathless.runtime.registration import registry_of
from deathless.runtime.storage.store import Store
from deathless.tools.cli import main
from deathless.tools.doctor import examine_world
from deathless.tools.replay.rerun import rerun
from deathless.tools.replay.saved_world import SavedWorld
from deathless.tools.transfer import backup_world, export_world, import_world, restore_world

pytestmark = pytest.mark.crash

WORKER = Path(__file__).with_name("crash_worker.py")
CLOCKS = {"game": GameClock, "wall": WallClock}
PATIENCE_S = 60.0
REGISTRY = registry_of(TYPES)


class Worker:
    """A process that plays on a world until it is killed."""

    def __init__(self, world, clock, seed, life):
        task = {
            "world": str(world),
            "clock": clock,
            "durability": "process",
            "seed": seed,
            "place": "outside",
            "visits": 0,
            "inputs": 0,
            "timers": 0,
            "next_seq": life * 1_000_000,
            "options": {"max_steps_per_turn": 500},
        }
        self.turns = 0
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), json.dumps(task)], stdout=subprocess.PIPE
        )
        self.listener = threading.Thread(target=self.listen)
        self.listener.start()

    def listen(self):
        for line in self.process.stdout:
            if line.startswith(b'["turn"'):
                with self.changed:
                    self.turns += 1
                    self.changed.notify_all()

    def wait_for(self, more):
        """Wait until so many more turns are over."""
        with self.changed:
            wanted = self.turns + more
            assert self.changed.wait_for(lambda: self.turns >= wanted, PATIENCE_S), "the worker stands still"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.listener.join()
        self.process.stdout.close()


def digest(path, *, without=()):
    with Store.open(path, create=False) as store:
        return store.digest(set(store.stats().entries).difference(without))


def run_on(copy, world):
    """Let a copy take the turns that the world has taken since; return how many."""
    with SavedWorld(copy) as saved:
        turn = saved.state.turn
    count = 0
    with SavedWorld(world, REGISTRY) as saved:
        turns = saved.history.turns(turn)
        for again in rerun(copy, REGISTRY, turns, clock=saved.state.clock, limits=saved.history.limits()):
            assert again.same, f"turn {again.turn.record.turn} of {copy.name} is another"
            count += 1
    return count


@pytest.mark.parametrize("clock", ["game", "wall"])
def test_copies_of_a_world_under_load_are_the_world(clock, request, tmp_path, capsys):
    seed = request.config.getoption("--seed")
    choose = random.Random(f"{seed} {clock} copies")
    world = tmp_path / "world"
    for life in range(1, 3):
        worker = Worker(world, clock, choose.randrange(10**9), life)
        try:
            worker.wait_for(choose.randrange(3, 25))
            copies = tmp_path / f"copies {life}"
            backed_up = backup_world(world, copies / "backup")
            exported = export_world(world, copies / "world.jsonl.gz")
            found = examine_world(world, REGISTRY.workflows)
            worker.wait_for(choose.randrange(1, 15))
        finally:
            worker.kill()
        assert found == []
        assert 0 < backed_up.turn <= exported.turn

        # Of a world that was killed, copies are equal to the byte.
        backup_world(world, copies / "last")
        export_world(world, copies / "last.jsonl")
        import_world(copies / "last.jsonl", copies / "last imported")
        assert main(["replay", "diff", str(world), str(copies / "last imported")]) == 0, capsys.readouterr()
        last = digest(world)
        assert digest(copies / "last") == last
        assert digest(copies / "last imported") == last

        # Those of the living world run on to where it was killed.
        restore_world(copies / "backup", copies / "restored")
        imported = import_world(copies / "world.jsonl.gz", copies / "imported")
        assert (imported.turn, imported.sha256) == (exported.turn, exported.sha256)
        own = {"meta", *RECORDING_TABLES}
        for copy in (copies / "restored", copies / "imported"):
            assert examine_world(copy, REGISTRY.workflows) == []
            assert run_on(copy, world) > 0
            assert digest(copy, without=own) == digest(world, without=own)
            with Runtime(copy, TYPES, clock=CLOCKS[clock](), durability="process") as again:
                again.pump() if clock == "wall" else again.advance(0.05)
            assert examine_world(copy) == []

"""A world under load, killed again and again with SIGKILL, holds all that was acknowledged, once.

`pytest tests/crash --rounds 50` is the long run. The places of the kills (see `crash_faults`) take turns, so that three
rounds see a kill from outside, one in a commit, one while the map grows, and one in the recovery from each of them.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from crash_checks import Checker
from crash_faults import COMMIT_PLACES, GROWTH_PLACES, RECOVERY_PLACES
from crash_flows import TYPES
from crash_ledger import Ledger

from deathless import GameClock, Retention, Runtime, WallClock
from deathless.tools.doctor import examine_world

pytestmark = pytest.mark.crash

WORKER = Path(__file__).with_name("crash_worker.py")
INPUTS = 1_000
TIMERS = 100
CLOCKS = {"game": GameClock, "wall": WallClock}


class Game:
    """One world, its lives and deaths."""

    def __init__(self, world, durability, clock, seed):
        self.world = str(world)
        self.durability = durability
        self.clock = clock
        self.random = random.Random(f"{seed} {durability} {clock}")
        self.ledger = Ledger()
        self.checker = Checker(self.ledger)
        self.life = 0
        self.deaths = []
        self.acknowledged = Counter()

    def live(self, place):
        """Let a worker live until it dies at this place."""
        self.life += 1
        task = {
            "world": self.world,
            "clock": self.clock,
            "durability": self.durability,
            "seed": self.random.randrange(10**9),
            "place": place,
            "visits": self.random.choice((0, self.random.randrange(10), self.random.randrange(500))),
            "inputs": INPUTS + self.random.randrange(300),
            "timers": TIMERS,
            "next_seq": self.life * 1_000_000,
            "options": {
                "commit_every": self.random.choice((0.0, 0.0, 0.05)) if self.clock == "game" else 0.0,
                "max_steps_per_turn": self.random.choice((100_000, 100_000, 500)),
                "paranoid": self.random.random() < 0.3,
            },
        }
        self.deaths.append((self.life, place, task["visits"]))
        with subprocess.Popen(
            [sys.executable, str(WORKER), json.dumps(task)], stdout=subprocess.PIPE
        ) as process:
            try:
                if place == "outside":
                    self.hear_enough(process.stdout)
                    self.wait_a_moment()
                    process.kill()
                for line in process.stdout:
                    if line.endswith(b"\n"):  # A line cut short by the kill was not said.
                        self.ledger.hear(json.loads(line))
            except BaseException:
                process.kill()
                raise
        assert process.returncode == -signal.SIGKILL, f"the worker ended by itself: {process.returncode}"

    def hear_enough(self, lines):
        more = self.random.randrange(40)
        while more:
            line = lines.readline()
            assert line, "the worker ended by itself"
            self.ledger.hear(json.loads(line))
            more -= self.ledger.inputs >= INPUTS and self.ledger.timers >= TIMERS

    def wait_a_moment(self):
        for _ in range(self.random.randrange(300_000)):
            pass  # A sleep would mostly hit the same place.

    def check(self):
        """Let the doctor look at what the kills have left; recover it here, compare it with the ledger, and close it."""
        assert examine_world(self.world) == []
        clock = CLOCKS[self.clock]()
        options = {"durability": self.durability, "audit": True, "audit_retention": Retention(size=None)}
        with Runtime(self.world, TYPES, clock=clock, **options) as world:
            self.checker.check(world)
        self.ledger.close(world.turn, round(world.now * 1e6))


@pytest.mark.parametrize(("durability", "clock"), [("process", "game"), ("power", "game"), ("power", "wall")])
def test_nothing_acknowledged_is_lost_or_doubled(durability, clock, request, tmp_path):
    seed = request.config.getoption("--seed")
    game = Game(tmp_path / "world", durability, clock, seed)
    try:
        for number in range(request.config.getoption("--rounds")):
            places = (("outside",), COMMIT_PLACES, GROWTH_PLACES)[number % 3]
            game.live(game.random.choice(places))
            assert game.ledger.inputs >= INPUTS, game.ledger.inputs
            assert game.ledger.timers >= TIMERS, game.ledger.timers
            game.acknowledged += Counter(inputs=game.ledger.inputs, timers=game.ledger.timers)
            for _ in range(game.random.randrange(1, 3)):
                game.live(game.random.choice(RECOVERY_PLACES))
            game.check()
    except BaseException as error:
        error.add_note(f"deaths (life, place, visits): {game.deaths}")
        error.add_note(f"repeat with: pytest {request.node.nodeid!r} --seed {seed} --rounds {number + 1}")
        raise
    places = Counter(place for _, place, _ in game.deaths)
    print(f"{len(game.ledger.targets)} starts, {dict(game.acknowledged)} acknowledged, killed {dict(places)}")

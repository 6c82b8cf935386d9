"""Publishes, reducers, questions, singletons and activities under SIGKILL: each named input takes effect once.

The test is the client: it gives every input a name, sends it again after a death until it is acknowledged, and keeps
the answers. `pytest tests/crash --rounds 50` is the long run.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from crash_faults import COMMIT_PLACES
from language_flows import ACCOUNTS, LISTENERS, TYPES, ZONES, Close, balances, listener, shop

from deathless import GameClock, Runtime

pytestmark = pytest.mark.crash

WORKER = Path(__file__).with_name("language_worker.py")
INPUTS = 400
"""Acknowledged between two kills."""


class Client:
    """Sends inputs to one life of the world after the other."""

    def __init__(self, directory, durability, seed):
        self.world = directory / "world"
        self.marks = directory / "marks"
        self.durability = durability
        self.random = random.Random(f"{seed} {durability}")
        self.sent = {}
        self.answers = {}
        self.deaths = []
        self.numbers = iter(range(10**9))

    def populate(self):
        with Runtime(self.world, TYPES, clock=GameClock(), durability=self.durability) as world:
            for number in range(LISTENERS):
                world.start(listener(number % ZONES), entity_id=number)
            world.start(shop(), correlation_id="shop")
            world.advance(0.0)

    def new_input(self):
        rng = self.random
        number = next(self.numbers)
        kind = rng.choices(("transfer", "publish", "ask", "job", "singleton"), (4, 3, 2, 1, 1))[0]
        arguments = {
            "transfer": lambda: [rng.randrange(ACCOUNTS), rng.randrange(ACCOUNTS), rng.randrange(1, 100)],
            "publish": lambda: [rng.randrange(ZONES), rng.randrange(1, 100)],
            "ask": list,
            "job": lambda: [number],
            "singleton": lambda: [f"single{rng.randrange(5)}"],
        }[kind]()
        return f"input {number}", [kind, *arguments]

    def live(self, place, wanted):
        """Let a worker take inputs until it dies, or, without a place, until all is done."""
        task = {
            "world": str(self.world),
            "durability": self.durability,
            "place": place,
            "visits": self.random.randrange(60),
            "options": {
                "commit_every": self.random.choice((0.0, 0.0, 0.02)),
                "max_steps_per_turn": self.random.choice((100_000, 100_000, 30)),
                "paranoid": self.random.random() < 0.3,
            },
        }
        self.deaths.append(place)
        heard = 0
        with subprocess.Popen(
            [sys.executable, str(WORKER), json.dumps(task)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "CRASH_MARKS": str(self.marks)},
        ) as process:
            try:
                unanswered = [each for each in self.sent.items() if each[0] not in self.answers]
                # Entered before it is written: a world may know what was half sent.
                new = dict(self.new_input() for _ in range(wanted))
                self.sent |= new
                with contextlib.suppress(BrokenPipeError):
                    for input_id, what in (*unanswered, *new.items()):
                        process.stdin.write(json.dumps([input_id, *what]).encode() + b"\n")
                    process.stdin.flush()
                with contextlib.suppress(BrokenPipeError):
                    if place == "":
                        process.stdin.close()
                for line in process.stdout:
                    if (
                        line.endswith(b"\n") and line != b'["open"]\n'
                    ):  # A line cut short by the kill was not said.
                        self.hear(*json.loads(line))
                        heard += 1
                    if place == "outside" and heard == wanted * 2 // 3:
                        process.kill()
            except BaseException:
                process.kill()
                raise
            finally:
                process.wait()
                # What is left in the buffer has no reader.
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()
        if place:
            assert process.returncode == -signal.SIGKILL, f"the worker ended by itself: {process.returncode}"
        else:
            assert process.returncode == 0

    def hear(self, input_id, answer):
        assert input_id in self.sent
        assert self.answers.setdefault(input_id, answer) == answer, f"{input_id} was answered in two ways"

    def check(self):
        """Compare the world with what was acknowledged, which is everything."""
        assert self.answers.keys() == self.sent.keys()
        by_kind = defaultdict(list)
        for input_id, (kind, *arguments) in self.sent.items():
            by_kind[kind].append((self.answers[input_id], *arguments))
        expected = Counter()
        for answer, payer, payee, amount in by_kind["transfer"]:
            assert (answer == "failed") == (amount % 7 == 0)
            if answer != "failed":
                expected[payer] -= amount
                expected[payee] += amount
        expected[0] -= len(by_kind["job"])
        expected[1] += len(by_kind["job"])
        with Runtime(self.world, TYPES, clock=GameClock(), durability=self.durability) as world:
            found = world.call(balances)
            world.signal(Close(), correlation_id="shop")
            for number in range(LISTENERS):
                world.signal(Close(), entity_id=number)
            world.run_until_idle()
            balance = Counter(found.result())
            assert +balance == +expected
            assert -balance == -expected
            heard = {zone: [0, 0] for zone in range(ZONES)}
            for _, zone, amount in by_kind["publish"]:
                heard[zone][0] += 1
                heard[zone][1] += amount
            for view in world.workflows(type="listener"):
                assert list(view.result) == heard[view.entity_id % ZONES]
            (kept,) = world.workflows(type="shop")
            assert kept.result == len(by_kind["ask"])
            assert sorted(answer for (answer,) in by_kind["ask"]) == list(range(1, len(by_kind["ask"]) + 1))
            jobs = {view.id: view for view in world.workflows(type="job")}
            assert sorted(jobs) == sorted(answer for answer, _ in by_kind["job"])
            for answer, number in by_kind["job"]:
                assert jobs[answer].result == number * 2
            names = defaultdict(set)
            for answer, name in by_kind["singleton"]:
                names[name].add(answer)
            assert all(len(ids) == 1 for ids in names.values()), names
        marks = defaultdict(set)
        for line in self.marks.read_text().splitlines():
            number, key = line.split()
            marks[int(number)].add(key)
        # At least once, and always under the same key.
        assert {number for _, number in by_kind["job"]} == marks.keys()
        assert all(len(keys) == 1 for keys in marks.values())
        return Counter({kind: len(inputs) for kind, inputs in by_kind.items()})


@pytest.mark.parametrize("durability", ["process", "power"])
def test_every_named_input_takes_effect_once(durability, request, tmp_path):
    seed = request.config.getoption("--seed")
    client = Client(tmp_path, durability, seed)
    client.populate()
    try:
        for number in range(request.config.getoption("--rounds")):
            place = "outside" if number % 2 == 0 else client.random.choice(COMMIT_PLACES)
            client.live(place, INPUTS)
        client.live("", 10)
        counts = client.check()
    except BaseException as error:
        error.add_note(f"deaths: {client.deaths}")
        error.add_note(f"repeat with: pytest {request.node.nodeid!r} --seed {seed}")
        raise
    print(f"{dict(counts)} acknowledged, killed {dict(Counter(client.deaths))}")

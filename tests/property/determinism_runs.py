"""Record a game, and replay the record; run as a script, replay what lies pickled in a file.

    python determinism_runs.py TASK

`TASK` holds the arguments of `replay`; the first difference is raised.
"""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from determinism_flows import (
    LISTENERS,
    TYPES,
    Go,
    Load,
    Question,
    Word,
    count,
    crew,
    crier,
    elder,
    family,
    gossip,
    hearer,
    listener,
    mule,
    pest,
    porter,
)

from deathless import GameClock, LimitError, PumpReport, Runtime, Signal, SignalNotAccepted
from deathless.runtime.inputs import TurnRecord
from deathless.workflows.library import (
    Action,
    Deliver,
    Dispel,
    Flee,
    Pause,
    Resume,
    Stack,
    Threat,
    buff,
    combat,
    npc_patrol,
    production,
    respawn,
)

ENTITIES = 150
CHECK_EVERY = 20
MAX_STEPS = 400
SIGNALS_PER_TURN = 120


class Turn(NamedTuple):
    """A recorded turn and what came of it: steps and messages carried over (None of a close), at times a digest."""

    record: TurnRecord
    outcome: tuple[int, int] | None
    digest: str | None


def open_world(path: Path, **options: Any) -> Runtime:
    return Runtime(path, TYPES, clock=GameClock(), durability="process", commit_every=3600.0, **options)


def outcome_of(report: PumpReport) -> tuple[int, int]:
    return report.steps, report.carried_over


class Player:
    """Chooses the inputs of each turn of the recording."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.started: list[tuple[str, int]] = []

    def populate(self, world: Runtime) -> None:
        for entity in range(1, ENTITIES + 1):
            self.start(world, listener(), entity, LISTENERS if entity <= 5 else None)
        for _ in range(600):
            self.start_one(world)

    def start(self, world: Runtime, call: Any, entity: int, group: str | None = None) -> None:
        handle = world.start(call, entity_id=entity, correlation_id=group)
        self.started.append((call.type.name, handle.id))

    def start_one(self, world: Runtime) -> None:
        choose = self.random
        entity = choose.randrange(1, ENTITIES + 1)
        ids = [number for _, number in self.started]
        calls = (
            lambda: buff(choose.choice((0.5, 2.0)), "haste"),
            lambda: combat("ghost", hp=40, enemy_hp=40, action_timeout=0.1),
            lambda: npc_patrol(
                [(0.0, 0.0), (choose.randrange(1, 9) / 2, 1.0)], 4.0, pause=0.2, laps=9, action_timeout=0.1
            ),
            lambda: production(
                "axe", {"iron": 2, "wood": 1}, 0.2, quantity=choose.randrange(1, 9), report_to=LISTENERS
            ),
            lambda: respawn(1.0, 2.0, delay=choose.randrange(20) / 10, notify=LISTENERS),
            lambda: gossip([choose.randrange(1, ENTITIES + 1) for _ in range(4)], 40),
            porter,
            lambda: family(choose.randrange(1, 5), 4),
            lambda: elder(3),
            lambda: pest(choose.sample(ids, 8)),
            lambda: mule(choose.randrange(5, 30), choose.choice(("skip", "once", "catch_up", "shift"))),
            lambda: crew(choose.randrange(5)),
            lambda: crier(choose.randrange(20)),
            lambda: hearer(choose.randrange(5, 40)),
        )
        self.start(world, choose.choice(calls)(), entity, choose.choice((None, f"hearers {entity % 3}")))

    def play(self, world: Runtime) -> None:
        for _ in range(self.random.randrange(40)):
            self.start_one(world)
        for _ in range(SIGNALS_PER_TURN):
            try:
                self.send(world)
            except (SignalNotAccepted, LimitError):
                pass  # It has ended since, or never takes this: refused at the call, so that it is no input.

    def send(self, world: Runtime) -> None:
        choose = self.random
        _, target = choose.choice(self.started)
        kind = choose.random()
        if kind < 0.04:
            world.cancel(workflow_id=target, reason="by the test", force=choose.random() < 0.2)
        elif kind < 0.043:
            world.cancel(entity_id=choose.randrange(6, ENTITIES + 1), reason="the whole entity")
        elif kind < 0.12:
            porters = [number for name, number in self.started[-400:] if name == "porter"]
            world.retry(choose.choice(porters) if porters else target)
        elif kind < 0.14:
            world.call(
                count,
                f"w{choose.randrange(9)}",
                choose.randrange(40),
                input_id=choose.choice((None, self.name())),
            )
        elif kind < 0.16:
            world.publish(Word(f"w{choose.randrange(9)}", choose.randrange(40)))
        elif kind < 0.2:
            world.ask(Question(choose.randrange(3)), entity_id=choose.randrange(1, ENTITIES + 1))
        elif kind < 0.35:
            world.signal(self.signal(), workflow_id=target)
        else:
            world.signal(self.signal(), entity_id=choose.randrange(1, ENTITIES + 1))

    def name(self) -> str:
        return f"call {self.random.randrange(200)}"

    def signal(self) -> Signal:
        choose = self.random
        number = choose.randrange(1, 10)
        return choose.choice(
            (
                Word(f"w{number}", number),
                Load(number),
                Go(number),
                Stack(number),
                Dispel(),
                Action("attack", choose.choice(("hero", "foe"))),
                Flee("foe"),
                Threat("rat", hp=3, strength=2),
                Deliver(choose.choice(("iron", "wood")), number),
                Pause(),
                Resume(),
            )
        )


def record(path: Path, seed: int, steps: int) -> list[Turn]:
    """Play until so many steps are recorded; turns are cut by count and by budget, and the world closes at times."""
    player = Player(seed)
    turns: list[Turn] = []
    records: list[TurnRecord] = []
    done = 0
    world = open_world(path, max_steps_per_turn=MAX_STEPS, on_turn=records.append, seed=seed)
    try:
        player.populate(world)
        while done < steps:
            player.play(world)
            if len(turns) % 50 == 37:
                world.close()  # A turn of its own, that takes the inputs and runs nothing.
                turns.append(Turn(records.pop(), None, None))
                world = open_world(path, max_steps_per_turn=MAX_STEPS, on_turn=records.append)
            report = world.advance(0.05, budget=0.0 if len(turns) % 17 == 11 else None)
            done += report.steps
            digest = world.digest() if len(turns) % CHECK_EVERY == 0 or done >= steps else None
            turns.append(Turn(records.pop(), outcome_of(report), digest))
    finally:
        world.close()
    return turns


def replay(
    path: Path,
    seed: int,
    turns: Iterable[Turn],
    *,
    paranoid: bool = False,
    max_resident: int | None = None,
    reopen_one_in: int = 0,
) -> None:
    """Replay on a new world, closed and opened again before some turns, and compare turn by turn."""
    choose = random.Random(seed)
    options = {"paranoid": paranoid, "max_resident": max_resident}
    world = open_world(path, seed=seed, **options)
    try:
        for turn in turns:
            if reopen_one_in and choose.randrange(reopen_one_in) == 0:
                world.close()
                world = open_world(path, **options)
            outcome = outcome_of(world.replay_turn(turn.record))
            assert turn.outcome in (None, outcome), (
                f"turn {turn.record.turn} had (steps, carried over) {turn.outcome}, and replayed {outcome}"
            )
            assert turn.digest in (None, world.digest()), (
                f"turns {turn.record.turn - CHECK_EVERY} to {turn.record.turn}: another digest"
            )
    finally:
        world.close()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    path, seed, turns, options = pickle.loads(Path(sys.argv[1]).read_bytes())
    replay(path, seed, turns, **options)

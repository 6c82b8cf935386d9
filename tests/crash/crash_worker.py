"""The process that a crash test kills: it plays a game on a world and says what it sent and what is durable.

Each line that it writes is one JSON list:

    ["open", turn, now_us]                        the world is open
    ["sent", turn, [input, ...]]                  handed to the world, to be taken by this turn
    ["intent", sender, seq, entity]               a sender's thread is about to send this note
    ["taken", sender, seq, turn]                  the world took it, for this turn
    ["acknowledged", sender, seq]                 `wait_committed` has returned
    ["turn", turn, committed_turn, now_us, fired] a turn is over, and which turn is durable

Inputs are lists: a kind, then what the ledger needs to know of it.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import traceback
from typing import Any

import structlog
from crash_faults import RECOVERY_PLACES, Fault
from crash_flows import (
    COLLECTORS,
    TYPES,
    Note,
    Release,
    alarm,
    chooser,
    collector,
    courier,
    gatherer,
    recorder,
)

from deathless import GameClock, LimitError, Retention, Runtime, SignalNotAccepted, WallClock
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

ENTITIES = 100
"""Entities from 1 up with two recorders each; those of the other workflows follow."""
SENDERS = (0, 1)
"""Threads that send notes on their own and wait for each; sender 2 is the thread that pumps."""
PUMP_SENDER = 2
INPUTS_PER_TURN = 60


class Voice:
    """Writes lines to the test, whole ones, from any thread."""

    def __init__(self) -> None:
        self._fd = os.dup(1)
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def say(self, *line: Any) -> None:
        data = json.dumps(line).encode() + b"\n"
        with self._lock:
            while data:
                data = data[os.write(self._fd, data) :]


class Player:
    """Chooses the inputs of each turn."""

    def __init__(self, world: Runtime, chooser_: random.Random, next_seq: int) -> None:
        self.world = world
        self.random = chooser_
        self.seq = next_seq
        self.targets: dict[str, list[int]] = {}
        for view in world.workflows(status="Suspended"):
            self.targets.setdefault(view.type, []).append(view.id)
        self.inputs: list[list[Any]] = []

    def populate(self) -> None:
        """Start what every world of these tests begins with."""
        for _ in range(3):
            self.start(collector(), group=COLLECTORS)
        for entity in range(1, ENTITIES + 1):
            period = 0.3 + entity % 7 / 10
            for _ in range(2):
                self.start(recorder(period), entity)
        self.start_some(1_500)

    def start_some(self, count: int) -> None:
        """Start workflows of every type that ends some day."""
        for _ in range(count):
            getattr(self, f"start_{self.random.choice(STARTS)}")()

    def start(self, call: Any, entity: int | None = None, group: str | None = None) -> None:
        handle = self.world.start(call, entity_id=entity, correlation_id=group)
        self.inputs.append(
            ["start", handle.id, call.type.name, entity, group, list(call.args), dict(call.kwargs)]
        )
        self.targets.setdefault(call.type.name, []).append(handle.id)

    def entity(self) -> int:
        return self.random.randrange(1, 3 * ENTITIES)

    def start_buff(self) -> None:
        self.start(buff(self.random.choice((0.5, 2.0, 60.0)), "haste", max_stacks=1_000_000), self.entity())

    def start_patrol(self) -> None:
        route = [(0.0, 0.0), (self.random.randrange(1, 9) / 2, 1.0), (1.0, 3.0)]
        hp = self.random.choice((20, 1_000_000))
        call = npc_patrol(route, 4.0, pause=0.2, laps=self.random.randrange(40), hp=hp, action_timeout=0.1)
        self.start(call, self.entity())

    def start_combat(self) -> None:
        self.start(combat("ghost", hp=60, action_timeout=self.random.choice((0.1, 0.5))), self.entity())

    def start_production(self) -> None:
        report_to = self.random.choice((None, COLLECTORS))
        call = production(
            "axe", {"iron": 2}, 0.2, quantity=self.random.randrange(1, 9), capacity=10**9, report_to=report_to
        )
        self.start(call, self.entity())

    def start_respawn(self) -> None:
        notify = self.random.choice((None, COLLECTORS))
        self.start(respawn(1.0, 2.0, delay=self.random.randrange(40) / 10, notify=notify), self.entity())

    def start_courier(self) -> None:
        self.start(courier(self.random.randrange(1, ENTITIES + 1), 12, self.random.randrange(5) / 20))

    def start_alarm(self) -> None:
        self.start(alarm(self.random.randrange(10**9), self.random.randrange(5000) / 1000), self.entity())

    def start_gatherer(self) -> None:
        values = [self.random.randrange(1000) for _ in range(self.random.randrange(1, 5))]
        self.start(gatherer(values, self.random.choice((0.3, 1.0))), self.entity())

    def start_chooser(self) -> None:
        values = [self.random.randrange(1000) for _ in range(self.random.randrange(1, 5))]
        self.start(
            chooser(values, self.random.choice((0.3, 1.0)), self.random.choice((0.7, 9.0))), self.entity()
        )

    def play(self) -> None:
        """Choose the inputs of one turn."""
        self.start_some(self.random.randrange(8))
        for _ in range(INPUTS_PER_TURN):
            try:
                self.send(self.random.choice(SENDS))
            except (SignalNotAccepted, LimitError):
                pass  # It ended since it was chosen, or is full: refused at the call, so nothing was sent.

    def send(self, kind: str) -> None:
        world = self.world
        if kind == "note":
            entity = self.random.randrange(1, ENTITIES + 1)
            world.signal(Note(PUMP_SENDER, self.seq), entity_id=entity)
            self.inputs.append(["note", PUMP_SENDER, self.seq, entity])
            self.seq += 1
            return
        if kind == "threat":
            entity = self.entity()
            world.signal(Threat("rat", hp=3, strength=2), entity_id=entity)
            self.inputs.append(["threat", entity])
            return
        if kind in ("action", "flee", "release"):
            entity, extra = self.entity(), self.random.randrange(100)
            calls = {"action": Action("strike"), "flee": Flee("foe"), "release": Release(extra)}
            world.signal(calls[kind], entity_id=entity)
            self.inputs.append([kind, entity])
            return
        targets = self.targets.get(TARGETS[kind])
        if not targets:
            return
        target = self.random.choice(targets)
        if kind.startswith("cancel"):
            force = self.random.random() < 0.2
            world.cancel(workflow_id=target, reason="by the test", force=force)
            self.inputs.append(["cancel", target, force])
            return
        amount = self.random.randrange(1, 9)
        signals = {
            "stack": lambda: Stack(amount),
            "dispel": Dispel,
            "deliver": lambda: Deliver("iron", amount),
            "pause": Pause,
            "resume": Resume,
        }
        world.signal(signals[kind](), workflow_id=target)
        self.inputs.append([kind, target, amount])


STARTS = ("buff", "patrol", "combat", "production", "respawn", "courier", "alarm", "gatherer", "chooser")
TARGETS = {
    "stack": "buff",
    "dispel": "buff",
    "deliver": "production",
    "pause": "production",
    "resume": "production",
    "cancel gatherer": "gatherer",
    "cancel chooser": "chooser",
    "cancel patrol": "npc_patrol",
    "cancel respawn": "respawn",
    "cancel kid": "kid",
}
SENDS = (
    *("note",) * 16,
    *("stack",) * 8,
    *("deliver",) * 8,
    *("threat", "action", "release") * 3,
    "flee",
    *TARGETS,
)


def keep_sending(world: Runtime, voice: Voice, sender: int, chooser_: random.Random, seq: int) -> None:
    """Send notes one by one, each after the one before it is durable."""
    try:
        while True:
            entity = chooser_.randrange(1, ENTITIES + 1)
            voice.say("intent", sender, seq, entity)
            turn = world.signal(Note(sender, seq), entity_id=entity)
            voice.say("taken", sender, seq, turn)
            world.wait_committed(turn)
            voice.say("acknowledged", sender, seq)
            seq += 1
    except BaseException:
        # A thread that fails must not go unnoticed: the test expects a death by SIGKILL and by nothing else.
        traceback.print_exc()
        os._exit(1)


def live(task: dict[str, Any]) -> None:
    """Play until killed."""
    voice = Voice()
    fault = Fault(task["place"], task["visits"])
    fault.install()
    fault.armed = task["place"] in RECOVERY_PLACES
    chooser_ = random.Random(task["seed"])
    world = Runtime(
        task["world"],
        TYPES,
        clock=GameClock() if task["clock"] == "game" else WallClock(),
        durability=task["durability"],
        map_size=1 << 16,  # The file's own size counts where that is more: each life makes the map grow.
        audit=True,
        audit_retention=Retention(size=None),
        **task["options"],
    )
    fault.at("before the first turn")
    voice.say("open", world.turn, round(world.now * 1e6))
    player = Player(world, chooser_, task["next_seq"])
    if world.recovery.created or not player.targets:
        player.populate()
    for sender in SENDERS:
        threading.Thread(
            target=keep_sending,
            args=(world, voice, sender, random.Random(f"{task['seed']} {sender}"), task["next_seq"]),
            daemon=True,
        ).start()
    sent = fired = acknowledged_sent = acknowledged_fired = 0
    while True:
        player.play()
        voice.say("sent", world.turn + 1, player.inputs)
        sent += len(player.inputs)
        player.inputs = []
        # Only what a commit has made durable counts: the turns since then are lost where it dies.
        enough = acknowledged_sent >= task["inputs"] and acknowledged_fired >= task["timers"]
        if enough and task["place"] != "outside":
            fault.armed = True
        report = world.advance(0.05) if task["clock"] == "game" else world.pump()
        fired += report.timers_fired
        if report.committed_turn == report.turn:
            acknowledged_sent, acknowledged_fired = sent, fired
        voice.say("turn", report.turn, report.committed_turn, round(world.now * 1e6), report.timers_fired)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    live(json.loads(sys.argv[1]))

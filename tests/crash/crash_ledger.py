"""The ledger of a crash test: what was sent and acknowledged, kept outside the process that is killed.

A turn is in the world or it is not. So after a crash the world's turn decides, input by input, what must be there:
everything for a turn up to it, and nothing for a later one. Only of a thread's last note can nobody know the turn.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Target:
    """A started workflow, and what was sent to it, in order."""

    type: str
    entity: int | None
    group: str | None
    args: list[Any]
    kwargs: dict[str, Any]
    amounts: list[int] = field(default_factory=list)
    """Of stacks or deliveries."""
    amounts_before_dispel: int | None = None
    threats: int = 0
    cancels: int = 0
    forced: bool = False


class Ledger:
    """What the world must hold."""

    def __init__(self) -> None:
        self.targets: dict[int, Target] = {}
        self.given: set[int] = set()
        self.lost: set[int] = set()
        self.notes: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        """By entity and sender: the sequence numbers that reached it."""
        self.unsure: dict[tuple[int, int], int] = {}
        """By entity and sender: a note that may have reached it."""
        self.turn = self.now_us = 0
        """The last acknowledged ones."""
        self.inputs = self.timers = 0
        """Acknowledged in this life."""
        self._pending: list[tuple[int, list[Any]]] = []
        self._sent_turn = 0
        self._intents: dict[int, list[int | None]] = {}
        self._patrols: dict[int, list[Target]] = defaultdict(list)
        self._turns: dict[int, tuple[int, int]] = {}

    # -- while the process lives ---------------------------------------------------------------------------

    def hear(self, line: list[Any]) -> None:
        """Enter one line of the worker."""
        getattr(self, f"_hear_{line[0]}")(*line[1:])

    def _hear_open(self, turn: int, now_us: int) -> None:
        assert turn >= self.turn, f"opened at turn {turn}, after turn {self.turn} was acknowledged"
        assert now_us >= self.now_us, f"opened at {now_us} us, after {self.now_us} us was acknowledged"
        self.inputs = self.timers = 0
        self._turns.clear()

    def _hear_sent(self, turn: int, inputs: list[list[Any]]) -> None:
        self._sent_turn = turn
        for item in inputs:
            if item[0] == "start":
                assert item[1] not in self.given, f"workflow id {item[1]} was given twice"
                self.given.add(item[1])
            self._pending.append((turn, item))

    def _hear_intent(self, sender: int, seq: int, entity: int) -> None:
        self._intents[sender] = [seq, entity, None]

    def _hear_taken(self, sender: int, seq: int, turn: int) -> None:
        intent = self._intents[sender]
        assert intent[0] == seq
        intent[2] = turn
        # What a thread sent goes to the pending inputs when its turn is known; order counts per sender only.
        self._pending.append((turn, ["note", sender, seq, intent[1]]))
        del self._intents[sender]

    def _hear_acknowledged(self, sender: int, seq: int) -> None:
        for turn, item in reversed(self._pending):
            if item[:3] == ["note", sender, seq]:
                self.turn = max(self.turn, turn)
                return

    def _hear_turn(self, turn: int, committed_turn: int, now_us: int, fired: int) -> None:
        self._turns[turn] = (now_us, fired)
        self.turn = max(self.turn, committed_turn)
        for number in [number for number in self._turns if number <= self.turn]:
            now_us, fired = self._turns.pop(number)
            assert now_us >= self.now_us, f"time went back from {self.now_us} to {now_us} us"
            self.now_us = now_us
            self.timers += fired
        self._enter_until(self.turn)

    # -- when it is dead -----------------------------------------------------------------------------------

    def settle(self, turn: int) -> None:
        """Decide what is in a world that was recovered at this turn."""
        assert turn >= self.turn, f"recovered at turn {turn}, after turn {self.turn} was acknowledged"
        inputs = self.inputs
        self._enter_until(turn)
        self.inputs = inputs  # Durable, but never acknowledged.
        self.lost.update(item[1] for _, item in self._pending if item[0] == "start")
        self._pending.clear()
        self.unsure = {(entity, sender): seq for sender, (seq, entity, _) in self._intents.items()}
        self._intents.clear()

    def close(self, turn: int, now_us: int) -> None:
        """Note where the world was closed after a check."""
        self.turn, self.now_us = turn, now_us

    def _enter_until(self, turn: int) -> None:
        entered, self._pending = (
            [pair for pair in self._pending if pair[0] <= turn],
            [pair for pair in self._pending if pair[0] > turn],
        )
        for _, item in entered:
            self._enter(*item)
        self.inputs += len(entered)

    def _enter(self, kind: str, first: int, *rest: Any) -> None:
        if kind == "start":
            self._enter_start(first, *rest)
        elif kind == "note":
            seq, entity = rest
            self.notes[entity][first].append(seq)
        elif kind == "threat":
            for patrol in self._patrols[first]:
                patrol.threats += 1
        elif kind in ("stack", "deliver"):
            self.targets[first].amounts.append(rest[0])
        elif kind == "dispel":
            target = self.targets[first]
            if target.amounts_before_dispel is None:
                target.amounts_before_dispel = len(target.amounts)
        elif kind == "cancel" and first in self.targets:
            self.targets[first].cancels += 1
            self.targets[first].forced |= rest[0]

    def _enter_start(self, workflow_id: int, *what: Any) -> None:
        target = self.targets[workflow_id] = Target(*what)
        if target.type == "npc_patrol":
            self._patrols[target.entity].append(target)

"""What befalls the village: it is set up where something is missing, and then things happen at the rates given.

Nothing here is remembered between two runs. What the scenario says and the world lacks is started, so that a new
village and one that was killed in the middle of its first frame come out the same; random events look at what is
there.
"""

from __future__ import annotations

import random

from deathless import Call, Runtime
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
    production,
)

from .life import VILLAGE, chronicle, villager
from .scenario import Npc, Rates, Scenario, Workshop
from .scene import RESTING, WALKING, Scene


def populate(world: Runtime, scenario: Scenario, scene: Scene, dice: random.Random) -> int:
    """Start whatever the scenario says and the world lacks, in one turn; return how many that were."""
    starts: list[tuple[Call[None], int | None]] = [
        (_life(npc, scenario), npc.entity)
        for npc in scenario.npcs
        if scene.of_entity(npc.entity, villager.name) is None
    ]
    world.start_many(starts)
    started = len(starts)
    for shop in scenario.workshops:
        if scene.of_entity(shop.entity, production.name) is None:
            give_order(world, shop, dice)
            started += 1
    if scene.of_entity(scenario.chronicle, chronicle.name) is None:
        world.start(chronicle(), entity_id=scenario.chronicle, correlation_id=VILLAGE)
        started += 1
    return started


def give_order(world: Runtime, shop: Workshop, dice: random.Random) -> None:
    """Let a workshop begin its next order."""
    world.start(
        production(
            shop.product,
            shop.inputs,
            shop.craft_time,
            quantity=dice.randint(*shop.order),
            capacity=max([20, *shop.inputs.values()]),
            report_to=VILLAGE,
        ),
        entity_id=shop.entity,
    )


def _life(npc: Npc, scenario: Scenario) -> Call[None]:
    return villager(
        npc.kind,
        npc.route,
        at=npc.at,
        home=scenario.home,
        speed=npc.speed,
        pause=npc.pause,
        hp=npc.hp,
        strength=npc.strength,
        mend=npc.mend,
        action_timeout=scenario.action_timeout,
        respawn_delay=npc.respawn_delay,
    )


class Fate:
    """Random events at the scenario's rates, sent into the world as signals."""

    def __init__(self, world: Runtime, scenario: Scenario, scene: Scene, dice: random.Random) -> None:
        self._world = world
        self._scenario = scenario
        self._scene = scene
        self._dice = dice
        self._events = {
            "threats": self._threaten,
            "moves": self._move,
            "flights": self._flee,
            "blessings": self._bless,
            "dispels": self._dispel,
            "deliveries": self._deliver,
            "strikes": self._strike,
        }
        assert set(self._events) == set(Rates.__slots__), "each rate has its event"

    def befall(self, seconds: float) -> None:
        """Let happen what happens in so many seconds, and give the workshops that are done their next order."""
        for name, happen in self._events.items():
            whole, part = divmod(getattr(self._scenario.rates, name) * seconds, 1.0)
            for _ in range(int(whole) + (self._dice.random() < part)):
                happen()
        for shop in self._scene.take_idle():
            give_order(self._world, shop, self._dice)

    def _threaten(self) -> None:
        npc = self._dice.choice(self._scenario.npcs)
        patrol = self._scene.of_entity(npc.entity, "npc_patrol")
        if patrol is not None and patrol.current_step in (WALKING, RESTING):
            foes = self._scenario.foes
            (foe,) = self._dice.choices(foes, [foe.weight for foe in foes])
            self._world.signal(Threat(foe.enemy, foe.hp, foe.strength), entity_id=npc.entity)

    def _move(self) -> None:
        fights = self._scene.of_type("combat")
        if fights:
            fight = self._dice.choice(fights)
            side = fight.current_step.removesuffix(" to act")
            if side in ("hero", "foe"):
                move = self._dice.choice(("attack", "attack", "strike", "guard"))
                self._world.signal(Action(move, side), entity_id=fight.entity_id)

    def _flee(self) -> None:
        fights = self._scene.of_type("combat")
        if fights:
            self._world.signal(Flee(), entity_id=self._dice.choice(fights).entity_id)

    def _bless(self) -> None:
        npc, blessing = self._dice.choice(self._scenario.npcs), self._dice.choice(self._scenario.blessings)
        if self._scene.of_entity(npc.entity, "buff") is not None:
            self._world.signal(Stack(), entity_id=npc.entity)
        else:
            call = buff(blessing.duration, blessing.effect, max_stacks=blessing.max_stacks)
            self._world.start(call, entity_id=npc.entity)

    def _dispel(self) -> None:
        buffs = self._scene.of_type("buff")
        if buffs:
            self._world.signal(Dispel(), entity_id=self._dice.choice(buffs).entity_id)

    def _deliver(self) -> None:
        shop = self._dice.choice(self._scenario.workshops)
        if shop.inputs:
            item, need = self._dice.choice(list(shop.inputs.items()))
            self._world.signal(Deliver(item, need * self._dice.randint(1, 3)), entity_id=shop.entity)

    def _strike(self) -> None:
        works = self._scene.of_type("production")
        paused = [work for work in works if work.current_step == "paused"]
        # More strikes end than begin, or half the village would stand still before long.
        if paused and self._dice.random() < 0.6:
            self._world.signal(Resume(), entity_id=self._dice.choice(paused).entity_id)
        elif works:
            self._world.signal(Pause(), entity_id=self._dice.choice(works).entity_id)

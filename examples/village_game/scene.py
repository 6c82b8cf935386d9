"""What goes on in the village as of the last turn: read from the world, never kept beside it.

The world is read whole once, when it is opened; from then on each commit says which workflows it changed, and only
those are read again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from deathless import Change, Runtime, WorkflowView
from deathless.workflows.library import npc_patrol
from deathless.workflows.library.npc_patrol import between

from .scenario import Npc, Scenario, Workshop
from .tables import Point

WALKING, RESTING, FIGHTING, FALLEN, ABSENT = "walking", "resting", "fighting", "fallen", "absent"
NEWS = 12


@dataclass(frozen=True, slots=True)
class Person:
    """An inhabitant at this moment."""

    npc: Npc
    doing: str
    place: Point
    health: int
    foe: str
    foe_health: int
    blessings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """A workshop at this moment; `part` of the unit in hand is done."""

    workshop: Workshop
    doing: str
    made: int
    quantity: int
    part: float
    missing: tuple[str, ...]


class Scene:
    """The active workflows of the village, by entity and type.

    Attributes:
        recovered: what this run found; empty where the world is new.
        news: the latest happenings, newest first.
    """

    def __init__(self, world: Runtime, scenario: Scenario) -> None:
        self._world = world
        self._scenario = scenario
        self._active: dict[int, WorkflowView] = {}
        self._of_entity: dict[int, dict[int, WorkflowView]] = {}
        self._names = {npc.entity: f"{npc.kind} {npc.entity}" for npc in scenario.npcs}
        self._names |= {shop.entity: shop.name for shop in scenario.workshops}
        self.recovered = "" if world.recovery.created else str(world.recovery)
        self.news: deque[str] = deque(maxlen=NEWS)
        self._idle: set[int] = set()
        for view in world.workflows(status="Suspended"):
            self._enter(view)
        world.on_change(self.take)

    def take(self, changes: Iterable[Change]) -> None:
        """Read again what a commit changed."""
        for change in changes:
            before = self._active.get(change.workflow_id)
            view = self._world.get(change.workflow_id)
            self._tell(before, view)
            if view.status.active:
                self._enter(view)
            else:
                self._leave(view)
                if view.type == "production" and view.entity_id is not None:
                    self._idle.add(view.entity_id)

    def take_idle(self) -> list[Workshop]:
        """Return the workshops whose orders have ended since the last call."""
        idle, self._idle = self._idle, set()
        return [shop for shop in self._scenario.workshops if shop.entity in idle]

    def _enter(self, view: WorkflowView) -> None:
        self._active[view.id] = view
        if view.entity_id is not None:
            self._of_entity.setdefault(view.entity_id, {})[view.id] = view

    def _leave(self, view: WorkflowView) -> None:
        self._active.pop(view.id, None)
        if view.entity_id is not None:
            self._of_entity.get(view.entity_id, {}).pop(view.id, None)

    def _tell(self, before: WorkflowView | None, view: WorkflowView) -> None:
        who = self._names.get(view.entity_id or 0, "")
        if view.status == "Failed":
            self.news.appendleft(f"{view.type} of {who} failed: {view.error_message}")
        elif view.type == "combat" and before is None and view.status.active:
            self.news.appendleft(f"{who} meets a {view.locals.get('enemy', 'foe')}")
        elif view.type == "combat" and view.status == "Completed":
            outcome = {"hero": "drives off", "foe": "is killed by", None: "lets go of"}[view.result["winner"]]
            if view.result["fled"] and view.result["winner"] == "foe":
                outcome = "runs from"
            self.news.appendleft(f"{who} {outcome} the {view.result['enemy']}")
        elif view.type == "respawn" and view.status == "Completed":
            self.news.appendleft(f"{who} is back")
        elif view.type == "buff" and before is None:
            self.news.appendleft(f"{who} is given {view.locals.get('effect', 'a buff')}")
        elif view.type == "production" and view.status == "Completed":
            self.news.appendleft(f"the {who} delivers {view.result['made']} {view.result['product']}")

    # -- looking -------------------------------------------------------------------------------------------

    @property
    def active(self) -> int:
        """How many workflows run."""
        return len(self._active)

    def of_type(self, name: str) -> list[WorkflowView]:
        """Return the active workflows of a type, by ascending id."""
        return [view for _, view in sorted(self._active.items()) if view.type == name]

    def of_entity(self, entity: int, name: str) -> WorkflowView | None:
        """Return the first active workflow of a type that an entity has, or None."""
        return next((view for view in self._of_entity.get(entity, {}).values() if view.type == name), None)

    def counts(self) -> dict[str, Any]:
        """Return what the chronicle has counted."""
        view = self.of_entity(self._scenario.chronicle, "chronicle")
        return {} if view is None else view.locals

    def people(self, now: float) -> list[Person]:
        """Return every inhabitant as of world time `now`."""
        return [self._person(npc, now) for npc in self._scenario.npcs]

    def _person(self, npc: Npc, now: float) -> Person:
        blessings = tuple(
            view.locals.get("effect", "")
            for view in self._of_entity.get(npc.entity, {}).values()
            if view.type == "buff"
        )
        fight = self.of_entity(npc.entity, "combat")
        patrol = self.of_entity(npc.entity, npc_patrol.name)
        if patrol is not None:
            seen = patrol.locals
            health = seen.get("health", npc.hp)
            place = (seen["x"], seen["y"]) if "x" in seen else npc.at
            if patrol.current_step == WALKING:
                place = between(place, seen["target"], seen["departed_at"], seen["arrives_at"], now)
            if fight is None:
                doing = patrol.current_step if patrol.current_step in (WALKING, RESTING) else RESTING
                return Person(npc, doing, place, health, "", 0, blessings)
            both = fight.locals.get("health", {"hero": health, "foe": 0})
            foe = fight.locals.get("enemy", "foe")
            return Person(npc, FIGHTING, place, both["hero"], foe, both["foe"], blessings)
        life = self.of_entity(npc.entity, "villager")
        if life is not None and life.current_step == FALLEN:
            return Person(npc, FALLEN, life.locals.get("fell_at", npc.at), 0, "", 0, blessings)
        return Person(npc, ABSENT, npc.at, 0, "", 0, blessings)

    def work(self, now: float) -> list[Work]:
        """Return every workshop as of world time `now`."""
        return [self._work(shop, now) for shop in self._scenario.workshops]

    def _work(self, shop: Workshop, now: float) -> Work:
        view = self.of_entity(shop.entity, "production")
        if view is None or "stock" not in view.locals:
            return Work(shop, "idle", 0, 0, 0.0, ())
        seen = view.locals
        missing = tuple(item for item, need in shop.inputs.items() if seen["stock"].get(item, 0) < need)
        left = (
            seen["ends_at"] - now
            if view.current_step == "crafting"
            else seen.get("work_left", shop.craft_time)
        )
        part = min(max(1 - left / shop.craft_time, 0.0), 1.0)
        return Work(shop, view.current_step, seen["made"], seen["quantity"], part, missing)

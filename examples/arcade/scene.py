"""The village as of the last commit: read from the world, and nothing kept beside it.

The world is read whole once, when it is opened; from then on each commit says which workflows it changed, and only
those are read again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from deathless import Change, Runtime, WorkflowView
from deathless.workflows.library import buff, combat, day_night, npc_patrol, production
from deathless.workflows.library.npc_patrol import between

from .land import SHOPS, Person, Point, Shop, people
from .life import CHRONICLE, PHASES, SKY, chronicle, villager

NEWS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """A villager at this moment; `foe` is empty where it does not fight."""

    person: Person
    doing: str
    at: Point
    heading: float
    health: int
    foe: str
    foe_health: int
    effects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """A workshop at this moment; `part` of the unit in hand is done."""

    shop: Shop
    doing: str
    made: int
    part: float
    stock: dict[str, int]


class Scene:
    """The active workflows, by entity, and the latest news, newest first."""

    def __init__(self, world: Runtime) -> None:
        self._world = world
        self._of_entity: dict[int, dict[int, WorkflowView]] = {}
        self._people = people()
        self._names = {person.entity: person.name for person in self._people}
        self.news: deque[str] = deque(maxlen=NEWS)
        for view in world.workflows(status="Suspended"):
            self._enter(view)
        world.on_change(self._take)

    def _take(self, changes: Iterable[Change]) -> None:
        for change in changes:
            view = self._world.get(change.workflow_id)
            known = self._of_entity.setdefault(view.entity_id or 0, {})
            self._tell(view, is_new=view.id not in known)
            if view.status.active:
                self._enter(view)
            else:
                known.pop(view.id, None)

    def _enter(self, view: WorkflowView) -> None:
        self._of_entity.setdefault(view.entity_id or 0, {})[view.id] = view

    def _tell(self, view: WorkflowView, *, is_new: bool) -> None:
        who = self._names.get(view.entity_id or 0, "somebody")
        if view.status == "Failed":
            self.news.appendleft(f"{view.type} of {who} failed: {view.error_message}")
        elif view.type == combat.name and is_new and view.status.active:
            self.news.appendleft(f"a {view.locals['enemy']} attacks {who}")
        elif view.type == combat.name and view.status == "Completed":
            end = view.result
            verb = {"hero": "drives off", "foe": "falls to", None: "lets go of"}[end["winner"]]
            if end["fled"] and end["winner"] == "foe":
                verb = "runs from"
            self.news.appendleft(f"{who} {verb} the {end['enemy']}")
        elif view.type == buff.name and is_new and view.status.active:
            self.news.appendleft(f"{who} is given {view.locals['effect']}")
        elif view.type == buff.name and view.status == "Completed" and view.result["dispelled"]:
            self.news.appendleft(f"{who} loses {view.result['effect']}")

    # -- looking -------------------------------------------------------------------------------------------

    def find(self, entity: int, name: str) -> WorkflowView | None:
        """Return the first active workflow of a type that an entity has, or None."""
        return next((view for view in self._of_entity.get(entity, {}).values() if view.type == name), None)

    @property
    def active(self) -> int:
        """How many workflows run."""
        return sum(map(len, self._of_entity.values()))

    def phase(self, now: float) -> tuple[str, float]:
        """Return the phase of the day, and the part of it that has passed."""
        view = self.find(SKY, day_night.name)
        if view is None or "number" not in view.locals:
            return PHASES[0][0], 0.0
        name, lasts = PHASES[view.locals["number"]]
        return name, min(max(1 - (view.locals["ends_at"] - now) / lasts, 0.0), 1.0)

    def darkness(self, now: float) -> float:
        """Return how dark it is: 0.0 by day, 1.0 by night, and between at dusk and dawn."""
        name, part = self.phase(now)
        return {"day": 0.0, "dusk": part, "night": 1.0, "dawn": 1.0 - part}[name]

    def hour(self, now: float) -> float:
        """Return the time of day in hours; the day begins at six."""
        name, part = self.phase(now)
        since = 0.0
        for other, lasts in PHASES:
            if other == name:
                since += part * lasts
                break
            since += lasts
        return (6.0 + 24.0 * since / sum(lasts for _, lasts in PHASES)) % 24.0

    def counts(self) -> tuple[dict[str, int], int]:
        """Return what was made, and how often somebody fell."""
        view = self.find(CHRONICLE, chronicle.name)
        seen = {} if view is None else view.locals
        return seen.get("goods", {}), seen.get("fallen", 0)

    def figures(self, now: float) -> list[Figure]:
        """Return every villager as of world time `now`."""
        return [self._figure(person, now) for person in self._people]

    def _figure(self, person: Person, now: float) -> Figure:
        patrol = self.find(person.entity, npc_patrol.name)
        if patrol is None or "x" not in patrol.locals:
            life = self.find(person.entity, villager.name)
            at = person.route[0] if life is None else life.locals.get("fell_at", person.route[0])
            return Figure(
                person, "fallen" if life and "fell_at" in life.locals else "", at, 0.0, 0, "", 0, ()
            )
        seen = patrol.locals
        at, heading = (seen["x"], seen["y"]), 0.0
        if patrol.current_step == "walking":
            heading = seen["target"][0] - at[0]
            at = between(at, seen["target"], seen["departed_at"], seen["arrives_at"], now)
        of_entity = self._of_entity.get(person.entity, {}).values()
        effects = tuple(view.locals["effect"] for view in of_entity if view.type == buff.name)
        fight = self.find(person.entity, combat.name)
        if fight is None or "health" not in fight.locals:
            return Figure(
                person, patrol.current_step, at, heading, seen.get("health", person.kind.hp), "", 0, effects
            )
        health = fight.locals["health"]
        return Figure(
            person, "fighting", at, heading, health["hero"], fight.locals["enemy"], health["foe"], effects
        )

    def work(self, now: float) -> list[Work]:
        """Return every workshop as of world time `now`."""
        return [self._work(shop, now) for shop in SHOPS]

    def _work(self, shop: Shop, now: float) -> Work:
        view = self.find(shop.entity, production.name)
        if view is None or "stock" not in view.locals:
            return Work(shop, "idle", 0, 0.0, {})
        seen = view.locals
        part = 0.0
        if view.current_step == "crafting":
            part = min(max(1 - (seen["ends_at"] - now) / shop.craft_time, 0.0), 1.0)
        elif "work_left" in seen:
            part = 1 - seen["work_left"] / shop.craft_time
        return Work(shop, view.current_step, seen["made"], part, seen["stock"])

    def nearest(self, at: Point, now: float) -> int:
        """Return the entity of the villager or workshop nearest to a place."""
        places = [(figure.at, figure.person.entity) for figure in self.figures(now)]
        places += [((shop.at[0], shop.at[1] - 1.0), shop.entity) for shop in SHOPS]
        return min(places, key=lambda place: (place[0][0] - at[0]) ** 2 + (place[0][1] - at[1]) ** 2)[1]

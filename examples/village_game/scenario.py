"""The scenario: what the village is made of, read from a TOML file."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from pathlib import Path

from .tables import Point, ScenarioError, Table

MAX_ENTITIES = 100_000


@dataclass(frozen=True, slots=True)
class Terrain:
    """How one mark of the ground is drawn: the signs to choose from, and a rich style."""

    draw: str
    style: str


@dataclass(frozen=True, slots=True)
class Npc:
    """One inhabitant, with everything that its life is started with."""

    entity: int
    kind: str
    glyph: str
    style: str
    route: list[Point]
    at: Point
    speed: float
    pause: float
    hp: int
    strength: int
    mend: int
    respawn_delay: float


@dataclass(frozen=True, slots=True)
class Workshop:
    """One workshop; `order` is the least and the most units of an order."""

    entity: int
    name: str
    at: Point
    product: str
    inputs: dict[str, int]
    craft_time: float
    order: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Foe:
    """A kind of threat, and how often it comes beside the others."""

    enemy: str
    weight: float
    hp: int
    strength: int


@dataclass(frozen=True, slots=True)
class Blessing:
    """A kind of buff."""

    effect: str
    duration: float
    max_stacks: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Events a second, over the whole village."""

    threats: float
    moves: float
    flights: float
    blessings: float
    dispels: float
    deliveries: float
    strikes: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole village."""

    name: str
    seed: int
    chronicle: int
    ground: list[str]
    legend: dict[str, Terrain]
    npcs: list[Npc]
    workshops: list[Workshop]
    foes: list[Foe]
    blessings: list[Blessing]
    action_timeout: float
    home: Point
    rates: Rates


def load_scenario(path: Path) -> Scenario:
    """Read a scenario.

    Raises:
        ScenarioError: the file cannot be read, is no TOML, or says something that cannot be played.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: not a TOML file: {error}") from error
    root = Table(data, path.name, "")
    seed = root.whole("seed", 0, 2**63 - 1)
    dice = random.Random(seed)  # noqa: S311 - a game's dice.
    plan = root.table("map")
    ground = _ground(plan)
    legend = _legend(plan, ground)
    plan.done()
    bounds = (len(ground[0]) - 1, len(ground) - 1)
    routes = _routes(root, bounds)
    respawn = root.table("respawn")
    home, delay = respawn.point("at", bounds), respawn.span("delay", 0, 3600)
    respawn.done()
    npcs = [npc for table in root.tables("npc") for npc in _npcs(table, routes, delay, dice)]
    fights = root.table("fights")
    action_timeout = fights.number("action_timeout", 0.05, 60)
    fights.done()
    scenario = Scenario(
        name=root.text("name"),
        seed=seed,
        chronicle=root.whole("chronicle", 0, 2**64 - 1),
        ground=ground,
        legend=legend,
        npcs=npcs,
        workshops=[_workshop(table, bounds) for table in root.tables("workshop")],
        foes=[_foe(table) for table in root.tables("foe")],
        blessings=[_blessing(table) for table in root.tables("blessing")],
        action_timeout=action_timeout,
        home=home,
        rates=_rates(root.table("events")),
    )
    root.done()
    _require_distinct(scenario, path.name)
    return scenario


def _ground(plan: Table) -> list[str]:
    rows = plan.text("ground", 100_000).splitlines()
    if not rows:
        raise plan.error("ground", "has no rows")
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise plan.error("ground", f"row {number} has {len(row)} columns, and row 0 has {len(rows[0])}")
    return rows


def _legend(plan: Table, ground: list[str]) -> dict[str, Terrain]:
    table = plan.table("legend")
    legend = {}
    for mark in table.keys():  # noqa: SIM118 - not a dict.
        entry = table.table(mark)
        legend[mark] = Terrain(entry.text("draw"), entry.style("style"))
        entry.done()
    for number, row in enumerate(ground):
        for mark in row:
            if mark not in legend:
                raise plan.error(
                    "ground", f"row {number} has the mark {mark!r}, which map.legend does not explain"
                )
    return legend


def _routes(root: Table, bounds: tuple[int, int]) -> dict[str, list[Point]]:
    table = root.table("routes")
    routes = {}
    for name in table.keys():  # noqa: SIM118 - not a dict.
        points = table.raw(name)
        if not isinstance(points, list) or not 1 <= len(points) <= 256:
            raise table.error(name, f"is a list of 1 to 256 places, not {points!r}")
        routes[name] = [
            table.place(f"{name}[{number}]", point, bounds) for number, point in enumerate(points)
        ]
    return routes


def _npcs(
    table: Table, routes: dict[str, list[Point]], delay: tuple[float, float], dice: random.Random
) -> list[Npc]:
    kind, glyph, style = table.text("kind"), table.text("glyph", 1), table.style("style")
    entity, count = table.whole("entity", 0, 2**63), table.whole("count", 1, MAX_ENTITIES)
    names = table.texts("routes")
    speed, pause = table.span("speed", 0.01, 1000), table.span("pause", 0, 3600)
    hp, strength = table.whole("hp", 1, 1_000_000), table.whole("strength", 1, 1_000_000)
    mend = table.whole("mend", 0, 1_000_000)
    table.done()
    for number, name in enumerate(names):
        if name not in routes:
            raise table.error(f"routes[{number}]", f"is no route: {name!r}; [routes] has {', '.join(routes)}")
    made = []
    for number in range(count):
        route = routes[names[number % len(names)]]
        # Each begins somewhere on its round, or all would walk in one crowd.
        first = dice.randrange(len(route))
        stops = route[first:] + route[:first]
        part = dice.random()
        (ax, ay), (bx, by) = stops[-1], stops[0]
        made.append(
            Npc(
                entity=entity + number,
                kind=kind,
                glyph=glyph,
                style=style,
                route=stops,
                at=(ax + (bx - ax) * part, ay + (by - ay) * part),
                speed=round(dice.uniform(*speed), 2),
                pause=round(dice.uniform(*pause), 2),
                hp=hp,
                strength=strength,
                mend=mend,
                respawn_delay=round(dice.uniform(*delay), 1),
            )
        )
    return made


def _workshop(table: Table, bounds: tuple[int, int]) -> Workshop:
    recipe = table.table("inputs")
    low, high = table.span("order", 1, 1_000_000)
    workshop = Workshop(
        entity=table.whole("entity", 0, 2**63),
        name=table.text("name"),
        at=table.point("at", bounds),
        product=table.text("product"),
        inputs={item: recipe.whole(item, 1, 100) for item in recipe.keys()},  # noqa: SIM118 - not a dict.
        craft_time=table.number("craft_time", 0.01, 86_400),
        order=(int(low), int(high)),
    )
    table.done()
    return workshop


def _foe(table: Table) -> Foe:
    foe = Foe(
        table.text("enemy"),
        table.number("weight", 0, 1e6),
        table.whole("hp", 1, 1_000_000),
        table.whole("strength", 1, 1_000_000),
    )
    table.done()
    return foe


def _blessing(table: Table) -> Blessing:
    blessing = Blessing(
        table.text("effect"), table.number("duration", 0.1, 86_400), table.whole("max_stacks", 1, 1_000_000)
    )
    table.done()
    return blessing


def _rates(table: Table) -> Rates:
    rates = Rates(**{name: table.number(name, 0, 10_000) for name in Rates.__slots__})
    table.done()
    return rates


def _require_distinct(scenario: Scenario, file: str) -> None:
    """Refuse two things with one entity id: they would take each other's signals."""
    owners: dict[int, str] = {scenario.chronicle: "the chronicle"}
    named = [(npc.entity, f"a {npc.kind}") for npc in scenario.npcs]
    named += [(shop.entity, f"the {shop.name}") for shop in scenario.workshops]
    for entity, owner in named:
        if entity in owners:
            raise ScenarioError(
                f"{file}: entity: {entity} is both {owners[entity]} and {owner}; give one another id"
            )
        owners[entity] = owner

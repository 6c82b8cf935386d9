"""The land: a map of 40 by 24 tiles, who lives on it and which way they walk.

Coordinates are tiles, from the upper left corner; (0.5, 0.5) is the middle of the first tile.
"""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]

MAP = """
TTtT.tT..t..T.......::.....t.T...~~~..tT
TtTt..T.tT..........::..,......T~~~~..Tt
tT.T...t............::.........~~~~..,.t
T.t..,......,.......::........~~~~....T.
t.T.................::.......~~~~...t..T
..t.::::::::::::::::::::::::====::::::::
T...::::::::::::::::::::::::====::::::::
t...::..............::......~~~~..::....
.,..::..,...........::.......~~~..::..,.
....::...........oooooo......~~~..::....
%%%%::..........oooooooo...,.~~~..::.%%%
%%%%::,.........oooooooo.....~~~..::.%%%
%%%%::::::::::::oooooooo::::::==::::.%%%
%%%%::::::::::::oooooooo::::::==::::.%%%
%%%%::..........oooooooo....~~~...::.%%%
%%%%::...........oooooo.....~~~..,::.%%%
.,..::..........,..::......~~~....::....
t...::.............::.....~~~~....::...t
T.t.::......,......::,...~~~~.....::..tT
.T..::::::::::::::::::::====::::::::..t.
tTt.::::::::::::::::::::====::::::::.T.T
TtTT...............::..~~~~.....,...tTt.
tT.tT..,...t..T....::.~~~~..t..T...TtTTt
TtTt.tT..T..t.tT...::.~~~..tT.tT.TtTtTtT
""".strip().split("\n")
COLUMNS, ROWS = len(MAP[0]), len(MAP)
HOME: Point = (19.5, 12.5)
"""The well in the middle of the square, where the fallen come back."""
HOUSES: list[Point] = [(25, 3.4), (37.3, 3.6), (25.3, 16.6), (12.8, 10), (31.5, 22)]
"""Where somebody lives and nobody works; the middle of a house's lower edge."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A workshop: where it stands, and what it makes of what."""

    entity: int
    name: str
    at: Point
    roof: str
    product: str
    inputs: dict[str, int]
    craft_time: float


SHOPS = [
    Shop(1, "smithy", (15, 4.6), "#5b6b8c", "sword", {"iron": 2, "coal": 1}, 6.0),
    Shop(2, "bakery", (9, 4.6), "#c8763a", "bread", {"flour": 1}, 3.0),
    Shop(3, "brewery", (8.5, 11), "#a8863c", "ale", {"wheat": 2}, 5.0),
    Shop(4, "weaver", (9, 18.6), "#8a4f8f", "cloth", {"wool": 2}, 4.0),
    Shop(5, "alchemist", (15, 18.6), "#3f8f7a", "potion", {"herb": 3}, 7.0),
    Shop(6, "sawmill", (36.2, 18), "#8c5a3a", "plank", {"log": 1}, 3.5),
]

ROUTES: dict[str, list[Point]] = {
    "great road": [(1, 6), (20, 6), (38, 6), (20, 6), (5, 6)],
    "west lane": [(5, 6), (5, 20), (5, 13), (20, 13), (5, 13)],
    "south road": [(5, 20), (20, 20), (34, 20), (20, 20)],
    "north gate": [(21, 0.5), (21, 6), (21, 13), (21, 6)],
    "south gate": [(20, 23), (20, 13), (20, 20)],
    "east lane": [(35, 6), (35, 20), (35, 13)],
    "mill bridge": [(20, 13), (35, 13), (24, 13)],
    "square": [(17.5, 10.5), (22.5, 10.5), (22.5, 14.5), (17.5, 14.5)],
    "ring": [(5, 6), (35, 6), (35, 20), (5, 20)],
    "west field": [(1, 11), (3.2, 11), (3.2, 15), (1, 15)],
    "east field": [(37.8, 11), (39.2, 11), (39.2, 15), (37.8, 15)],
    "west wood": [(5, 6), (2.6, 3.4), (6, 1.6), (10.6, 2.8), (6.5, 5.8)],
    "south wood": [(5, 20), (6.6, 22), (12.6, 21.6), (17, 21)],
    "east wood": [(35, 20), (33.5, 21.6), (29.6, 21.4)],
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of villager: how it looks, lives and fights."""

    name: str
    coat: str
    hair: str
    count: int
    routes: list[str]
    speed: float
    pause: float
    hp: int
    strength: int


KINDS = [
    Kind(
        "guard", "#4f8fe0", "#c9d2de", 9, ["ring", "great road", "north gate", "south gate"], 2.0, 1.0, 34, 8
    ),
    Kind("farmer", "#d8b23c", "#8a5a2b", 11, ["west field", "east field", "west lane"], 1.1, 2.5, 20, 4),
    Kind(
        "trader",
        "#d46fb0",
        "#3a2a20",
        9,
        ["great road", "south road", "mill bridge", "square"],
        1.6,
        3.0,
        22,
        4,
    ),
    Kind(
        "hunter",
        "#4fa35a",
        "#5c3a1e",
        8,
        ["west wood", "south wood", "east wood", "east lane"],
        1.8,
        1.5,
        26,
        6,
    ),
    Kind("child", "#e8e4d8", "#e0a040", 7, ["square", "mill bridge", "square"], 2.6, 0.8, 14, 3),
]

FOES = {"wolf": (10, 5), "troll": (34, 9)}
"""What threatens them, each with its health and its strength."""


@dataclass(frozen=True, slots=True)
class Person:
    """A villager, with everything that its life is started with."""

    entity: int
    name: str
    kind: Kind
    route: list[Point]


def people() -> list[Person]:
    """Return who lives here: always the same, each a little off its neighbour's track and start."""
    found: list[Person] = []
    for kind in KINDS:
        for number in range(kind.count):
            route = ROUTES[kind.routes[number % len(kind.routes)]]
            aside = (number * 7 % 5 - 2) * 0.14
            track = [(x + aside, y + aside) for x, y in route]
            begin = number * 3 % len(track)
            entity = 100 + len(found)
            found.append(Person(entity, f"{kind.name} {number + 1}", kind, track[begin:] + track[:begin]))
    return found

"""The village as pixels: 320 by 192 of them, which the window shows three times as large.

The ground is drawn once. A frame is the ground, then whatever stands on it from back to front, then the night.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from operator import itemgetter

import pygame

from .land import COLUMNS, FOES, HOME, HOUSES, KINDS, MAP, ROWS, Point
from .scene import Figure, Scene, Work
from .sprites import GRAVE, HOUSE, PINE, STANDING, STEPPING, TREE, TROLL, WELL, WOLF, darker, glow, sprite

TILE = 8
SIZE = (COLUMNS * TILE, ROWS * TILE)
GROUND = {
    ".": ("#5c9e4a", "#67aa52", "#559343"),
    ",": ("#5c9e4a", "#67aa52", "#559343"),
    "T": ("#4f8f43", "#589a4a", "#47853d"),
    "t": ("#4f8f43", "#589a4a", "#47853d"),
    ":": ("#c8a76b", "#d2b47b", "#b9975c"),
    "o": ("#a9a49a", "#b8b3a8", "#98938a"),
    "%": ("#a9893d", "#d8bb52", "#8f7433"),
    "~": ("#3d7fc0", "#4a8fd0", "#3775b3"),
    "=": ("#9a6b40", "#a97a4c", "#83592f"),
}
"""The colours of each mark of the map: of most pixels, of a few lighter, of a few darker."""
ROOF = "#b5523f"
FLOWERS = ("#f2e05c", "#f29bc2", "#ffffff")
EFFECTS = {"haste": "#ffe066", "shield": "#7fc8ff", "luck": "#b8f28a"}
NIGHT = (58, 66, 122)
DUSK = (255, 178, 128)


class Painter:
    """Draws a scene on a surface of its own."""

    def __init__(self) -> None:
        self.surface = pygame.Surface(SIZE)
        self._ground = draw_ground()
        self._shade = pygame.Surface(SIZE)
        self._people = {
            kind.name: [sprite(art, c=kind.coat, h=kind.hair) for art in (STANDING, STEPPING)]
            for kind in KINDS
        }
        self._foes = {"wolf": sprite(WOLF), "troll": sprite(TROLL)}
        self._grave = sprite(GRAVE)
        self._well = sprite(WELL)
        self._houses: dict[str, pygame.Surface] = {}
        self._trees = {"T": sprite(TREE), "t": sprite(PINE)}
        self._lamp = glow(26, "#ffb45a")
        self._lantern = glow(9, "#c98a45")
        self._woods = [
            (x * TILE + 4, y * TILE + 10, mark)
            for y, row in enumerate(MAP)
            for x, mark in enumerate(row)
            if mark in self._trees
        ]

    def draw(self, scene: Scene, now: float, chosen: int) -> pygame.Surface:
        """Draw the village as of world time `now`, with a mark under whoever is chosen."""
        figures, works = scene.figures(now), scene.work(now)
        self.surface.blit(self._ground, (0, 0))
        self._ripples(now)
        self._mark(figures, works, chosen)
        # From back to front, by the line on which each stands.
        standing: list[tuple[float, Callable[[], None]]] = [
            (y, partial(self._stand, self._trees[mark], (x, y))) for x, y, mark in self._woods
        ]
        standing += [(at[1] * TILE, partial(self._house, at, ROOF)) for at in HOUSES]
        standing += [(work.shop.at[1] * TILE, partial(self._workshop, work, now)) for work in works]
        standing += [(figure.at[1] * TILE + 2, partial(self._figure, figure, now)) for figure in figures]
        standing.append((HOME[1] * TILE, partial(self._stand, self._well, (HOME[0] * TILE, HOME[1] * TILE))))
        for _, draw in sorted(standing, key=itemgetter(0)):
            draw()
        self._night(figures, works, scene.darkness(now))
        return self.surface

    def _stand(self, picture: pygame.Surface, foot: Point) -> None:
        self.surface.blit(
            picture, (round(foot[0]) - picture.get_width() // 2, round(foot[1]) - picture.get_height())
        )

    def _house(self, at: Point, roof: str) -> None:
        if roof not in self._houses:
            self._houses[roof] = sprite(HOUSE, A=roof, a=darker(roof))
        self._stand(self._houses[roof], (at[0] * TILE, at[1] * TILE))

    def _ripples(self, now: float) -> None:
        for y, row in enumerate(MAP):
            for x, mark in enumerate(row):
                if mark == "~" and (x * 5 + y * 3) % 4 == 0:
                    drift = int(now * 5 + x * 3 + y * 7) % 11
                    if drift < 7:
                        start = (x * TILE + drift, y * TILE + (x + y * 3) % 7)
                        pygame.draw.line(self.surface, "#8fc3f0", start, (start[0] + 2, start[1]))

    def _mark(self, figures: Iterable[Figure], works: Iterable[Work], chosen: int) -> None:
        for figure in figures:
            if figure.person.entity == chosen:
                place = pygame.Rect(0, 0, 13, 6)
                place.center = (round(figure.at[0] * TILE), round(figure.at[1] * TILE) + 1)
                pygame.draw.ellipse(self.surface, "#fff3b0", place, 1)
        for work in works:
            if work.shop.entity == chosen:
                place = pygame.Rect(0, 0, 24, 8)
                place.center = (round(work.shop.at[0] * TILE), round(work.shop.at[1] * TILE))
                pygame.draw.ellipse(self.surface, "#fff3b0", place, 1)

    def _figure(self, figure: Figure, now: float) -> None:
        x, y = figure.at[0] * TILE, figure.at[1] * TILE + 2
        if figure.doing == "fallen":
            self._stand(self._grave, (x, y))
            return
        if not figure.doing:
            return
        step = figure.doing == "walking" and int(now * 6 + figure.person.entity) % 2
        picture = self._people[figure.person.kind.name][step]
        if figure.foe:
            # Blow by blow, one leans at the other.
            lean = math.sin(now * 9 + figure.person.entity)
            # A foe that somebody else's signal named looks like a wolf.
            kind = figure.foe if figure.foe in FOES else "wolf"
            foe = self._foes[kind]
            self._stand(foe, (x + 9 - max(lean, 0.0) * 3, y))
            self._stand(picture, (x - 3 + max(-lean, 0.0) * 2, y))
            self._health((x - 3, y - 12), figure.health / figure.person.kind.hp, "#7be06f")
            self._health((x + 9, y - foe.get_height() - 2), figure.foe_health / FOES[kind][0], "#f0625a")
            if lean > 0.8:
                pygame.draw.line(self.surface, "#ffffff", (x + 2, y - 8), (x + 5, y - 4))
                pygame.draw.line(self.surface, "#ffffff", (x + 5, y - 8), (x + 2, y - 4))
        else:
            self._stand(pygame.transform.flip(picture, figure.heading < 0, flip_y=False), (x, y))
        for number, effect in enumerate(figure.effects):
            angle = now * 4 + number * 2.1 + figure.person.entity
            spot = (round(x + math.cos(angle) * 6), round(y - 5 + math.sin(angle) * 3))
            self.surface.fill(EFFECTS.get(effect, "#ffffff"), (*spot, 2, 2))

    def _health(self, at: Point, part: float, colour: str) -> None:
        left, top = round(at[0]) - 4, round(at[1])
        self.surface.fill("#1b1420", (left, top, 8, 2))
        self.surface.fill(colour, (left, top, round(8 * min(max(part, 0.0), 1.0)), 2))

    def _workshop(self, work: Work, now: float) -> None:
        self._house(work.shop.at, work.shop.roof)
        x, y = round(work.shop.at[0] * TILE), round(work.shop.at[1] * TILE)
        if work.doing == "crafting":
            for puff in range(3):
                age = (now * 0.7 + puff / 3) % 1.0
                grey = 235 - int(70 * age)
                spot = (x + 4 + round(math.sin(age * 5 + puff) * 2 + age * 3), y - 13 - round(age * 12))
                pygame.draw.circle(self.surface, (grey, grey, grey), spot, 1 + round(age))
        if work.doing in ("crafting", "paused"):
            colour = "#ffd75f" if work.doing == "crafting" else "#c77bff"
            self.surface.fill("#1b1420", (x - 8, y + 1, 16, 2))
            self.surface.fill(colour, (x - 8, y + 1, round(16 * work.part), 2))

    def _night(self, figures: Iterable[Figure], works: Iterable[Work], darkness: float) -> None:
        if darkness == 0.0:
            return
        # The light of the sun turns warm first and blue then; lamps are added to what is left of it.
        warm = min(darkness * 2, 1.0)
        blue = max(darkness * 2 - 1, 0.0)
        sunset = [255 + (value - 255) * warm for value in DUSK]
        self._shade.fill([round(d + (n - d) * blue) for d, n in zip(sunset, NIGHT, strict=True)])
        lamps = [(x, y) for x, y in HOUSES] + [work.shop.at for work in works] + [HOME]
        strength = round(255 * darkness)
        for light, places in (
            (self._lamp, [(x, y - 0.4) for x, y in lamps]),
            (self._lantern, [(f.at[0], f.at[1] - 0.4) for f in figures if f.person.kind.name == "guard"]),
        ):
            dimmed = light.copy()
            dimmed.fill((strength, strength, strength), special_flags=pygame.BLEND_RGB_MULT)
            for x, y in places:
                corner = (
                    round(x * TILE) - light.get_width() // 2,
                    round(y * TILE) - light.get_height() // 2,
                )
                self._shade.blit(dimmed, corner, special_flags=pygame.BLEND_RGB_ADD)
        self.surface.blit(self._shade, (0, 0), special_flags=pygame.BLEND_RGB_MULT)


def draw_ground() -> pygame.Surface:
    """Draw the ground; a hash of the place chooses among the colours, so that it is always the same."""
    surface = pygame.Surface(SIZE)
    for y in range(SIZE[1]):
        for x in range(SIZE[0]):
            noise = (x * 7919 + y * 104_729 + x * y * 31) % 997
            mark = MAP[y // TILE][x // TILE]
            # The edges of roads, water and fields fray by a pixel.
            if noise % 3 == 0:
                mark = MAP[min(max(y + noise % 5 - 2, 0) // TILE, ROWS - 1)][
                    min(max(x + noise % 7 - 3, 0) // TILE, COLUMNS - 1)
                ]
            colours = GROUND[mark]
            colour = colours[1] if noise % 23 == 0 else colours[2] if noise % 17 == 0 else colours[0]
            if mark == "%" and y % 4 == 1:
                colour = colours[1] if noise % 3 else colours[0]
            elif (mark == "=" and x % 4 == 0) or (mark == "o" and (y % 4 == 0 or (x + y // 4 * 3) % 6 == 0)):
                colour = colours[2]
            elif mark == "," and noise % 29 == 0:
                colour = FLOWERS[noise % 3]
            surface.set_at((x, y), colour)
    return surface

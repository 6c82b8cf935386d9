"""The window: the village three times as large, names and figures over it, and what the player does."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path

import pygame

from deathless import PumpReport, Runtime

from .controls import Controls
from .land import Point
from .painter import SIZE, TILE, Painter
from .scene import Figure, Scene, Work

SCALE = 3
PANEL = 74
INK, DIM, GOLD, DARK = "#f3ead6", "#9c917f", "#ffd75f", "#1d1822"
FRAMES = 120
"""How many frames the figures are over."""


class Window:
    """Shows a scene and takes the player's input."""

    def __init__(self, world: Runtime, scene: Scene, controls: Controls, *, headless: bool) -> None:
        if headless:
            os.environ["SDL_VIDEODRIVER"] = "dummy"
        pygame.display.init()
        pygame.font.init()
        self._screen = pygame.display.set_mode((SIZE[0] * SCALE, SIZE[1] * SCALE + PANEL))
        pygame.display.set_caption("Deathless: a village that survives kill -9")
        self._world = world
        self._scene = scene
        self._controls = controls
        self._painter = Painter()
        self._small = pygame.font.Font(None, 17)
        self._large = pygame.font.Font(None, 26)
        self._reports: deque[tuple[float, float, PumpReport]] = deque(maxlen=FRAMES)

    def play(self) -> bool:
        """Take the player's input; False once the window is to close."""
        for event in pygame.event.get():
            if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE):
                return False
            if event.type == pygame.KEYDOWN:
                self._controls.press(event.unicode.lower())
            elif event.type == pygame.MOUSEBUTTONDOWN and event.pos[1] < SIZE[1] * SCALE:
                self._controls.choose((event.pos[0] / SCALE / TILE, event.pos[1] / SCALE / TILE))
        return True

    def draw(self, report: PumpReport, frame_s: float) -> None:
        """Show the village as of this turn; `frame_s` is what the last frame took, drawing included."""
        self._reports.append((time.perf_counter(), frame_s, report))
        now = self._world.now
        picture = self._painter.draw(self._scene, now, self._controls.chosen)
        pygame.transform.scale_by(
            picture, SCALE, self._screen.subsurface((0, 0, SIZE[0] * SCALE, SIZE[1] * SCALE))
        )
        for work in self._scene.work(now):
            self._name(work.shop.name, work.shop.at)
        for figure in self._scene.figures(now):
            if figure.person.entity == self._controls.chosen:
                self._name(figure.person.name, figure.at, GOLD)
        self._news()
        self._panel(now)
        pygame.display.flip()

    def save(self, path: Path) -> None:
        """Save what is shown as a picture."""
        pygame.image.save(self._screen, path)

    def close(self) -> None:
        """Give the screen back."""
        pygame.quit()

    # -- text ------------------------------------------------------------------------------------------------

    def _text(self, text: str, at: tuple[int, int], colour: str = INK, *, large: bool = False) -> int:
        """Write a text with its shadow; return where it ends."""
        font = self._large if large else self._small
        self._screen.blit(font.render(text, True, DARK), (at[0] + 1, at[1] + 1))
        return self._screen.blit(font.render(text, True, colour), at).right

    def _name(self, name: str, at: Point, colour: str = INK) -> None:
        width = self._small.size(name)[0]
        x, y = round(at[0] * TILE * SCALE) - width // 2, round(at[1] * TILE * SCALE) + 12
        self._text(name, (x, y), colour)

    def _news(self) -> None:
        for number, line in enumerate(self._scene.news):
            self._text(line, (12, SIZE[1] * SCALE - 22 - 17 * number), INK if number == 0 else "#d6ccb8")

    def _panel(self, now: float) -> None:
        top = SIZE[1] * SCALE
        self._screen.fill(DARK, (0, top, self._screen.get_width(), PANEL))
        self._screen.fill("#3a3142", (0, top, self._screen.get_width(), 2))
        x = 14
        for value, unit in self._values(now):
            end = max(
                self._text(value, (x, top + 10), GOLD, large=True), self._text(unit, (x, top + 31), DIM)
            )
            x = max(end, x + 62) + 18
        self._chosen(now, x, top)
        x = 14
        for key, (word, _) in self._controls.keys.items():
            end = self._text(key.upper(), (x, top + 54), GOLD)
            x = self._text(word, (end + 5, top + 54)) + 16
        self._text("click chooses", (x, top + 54), DIM)

    def _values(self, now: float) -> list[tuple[str, str]]:
        began, _, _ = self._reports[0]
        ended, _, last = self._reports[-1]
        frames = sorted(frame_s for _, frame_s, _ in self._reports)
        commits = sorted(report.commit_s for _, _, report in self._reports if report.commit_s) or [0.0]
        steps = sum(report.steps for _, _, report in self._reports)
        goods, fallen = self._scene.counts()
        hour = self._scene.hour(now)
        return [
            (f"{int(hour):02d}:{int(hour * 60 % 60):02d}", "o'clock"),
            (f"{last.turn:,}", "turn"),
            (f"{self._scene.active}", "workflows"),
            (f"{steps / max(ended - began, 1e-3):,.0f}", "steps/s"),
            (f"{frames[len(frames) // 2] * 1e3:.1f} ms", "frame"),
            (f"{commits[len(commits) // 2] * 1e3:.1f} ms", "commit"),
            (f"{sum(goods.values())}", "goods made"),
            (f"{fallen}", "fell"),
        ]

    def _chosen(self, now: float, x: int, top: int) -> None:
        things: list[Figure | Work] = [*self._scene.figures(now), *self._scene.work(now)]
        for thing in things:
            match thing:
                case Figure(person, doing, _, _, health, foe, _, effects) if (
                    person.entity == self._controls.chosen
                ):
                    state = f"{doing} a {foe}" if foe else doing
                    more = ", ".join(effects)
                    self._text(person.name, (x, top + 10), large=True)
                    self._text(
                        f"{health}/{person.kind.hp} hp, {state}{', ' * bool(more)}{more}", (x, top + 31), DIM
                    )
                case Work(shop, doing, made, _, stock) if shop.entity == self._controls.chosen:
                    goods = ", ".join(f"{amount} {item}" for item, amount in stock.items())
                    self._text(shop.name, (x, top + 10), large=True)
                    self._text(f"{doing}, {made} {shop.product} made, has {goods}", (x, top + 31), DIM)

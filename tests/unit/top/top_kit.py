"""A town to look at from outside, and the picture of it that the documentation shows.

python tests/unit/top/top_kit.py    draws docs/images/top.svg anew
"""

import asyncio
import contextlib
import re
import sys
import tempfile
from pathlib import Path

from deathless import GameClock, Runtime
from deathless.tools.top import Order, Watch
from deathless.tools.top.ui import TopApp
from deathless.workflows import library

PICTURE = Path(__file__).parents[3] / "docs" / "images" / "top.svg"
SIZE = (132, 38)


def open_town(path):
    kinds = [value for name, value in vars(library).items() if name.islower() and hasattr(value, "program")]
    return Runtime(path, kinds, clock=GameClock(), durability="process", seed=4)


def build_town(path):
    """Make a town of 412 workflows after some minutes: two of them failed, a smith with unread signals."""
    with open_town(path) as world:
        for guard in range(1, 301):
            route = [(guard * 2.0, 0.0), (guard * 2.0 + 4.5, 0.0), (guard * 2.0 + 4.5, 3.0)]
            world.start(
                library.npc_patrol(route, 1.0 + guard % 7 / 4, hp=30, pause=20.0 + guard), entity_id=guard
            )
        for smith in range(400, 440):
            world.start(library.production("nail", {}, 45.0 + smith % 9, quantity=1000), entity_id=smith)
        for blessed in range(1, 61):
            world.start(library.buff(60.0 + blessed * 3, "haste"), entity_id=blessed)
        for wait in range(10):
            world.start(library.respawn(1.0, float(wait), delay=900.0), entity_id=500 + wait)
        for _ in range(2):
            # A countdown of no beats fails in its first step.
            world.start(library.countdown(0, label="broken"))
        for _ in range(180):
            world.advance(1.0)
        world.signal(library.Stack(2), entity_id=59)
        world.signal(library.Stack(1), entity_id=60)
        world.advance(0.5)


def run_app(path, play, *, size=SIZE, order=Order.RECENT, wanted=""):
    """Open the full screen on a world without a terminal, and let `play(app, pilot)` use it."""

    async def use():
        watch = Watch(path)
        try:
            # So long that no look comes by itself.
            app = TopApp(watch, interval=3600.0, order=order, wanted=wanted)
            async with app.run_test(size=size, notifications=True) as pilot:
                await settle(app, pilot, 1)
                await play(app, pilot)
        finally:
            watch.close()

    asyncio.run(use())


async def settle(app, pilot, looks):
    """Wait until so many looks were shown, and those under way have ended."""
    for _ in range(6000):
        if app.looked >= looks and not app.workers._workers:
            break
        await asyncio.sleep(0.01)
    assert app.looked >= looks
    await pilot.pause()


def picture_of(folder):
    """Return the picture for the documentation, of the world `town.deathless` in a folder."""
    drawn = []

    async def play(app, pilot):
        drawn.append(app.export_screenshot(title="deathless top town.deathless"))

    with contextlib.chdir(folder):
        run_app("town.deathless", play)
    # The fonts are the reader's own.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", drawn[0], flags=re.DOTALL)
    return svg.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")


def main():
    with tempfile.TemporaryDirectory() as folder:
        build_town(Path(folder) / "town.deathless")
        PICTURE.write_text(picture_of(folder), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

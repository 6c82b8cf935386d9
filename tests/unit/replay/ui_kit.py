"""A recorded night in a village of the library's workflows, and the picture of it that the documentation shows.

python tests/unit/replay/ui_kit.py    draws docs/images/replay-ui.svg anew
"""

import asyncio
import re
import tempfile
from pathlib import Path

from deathless import GameClock, Runtime
from deathless.tools.modules import load_registry
from deathless.tools.replay.saved_world import SavedWorld
from deathless.tools.replay.scrubber import Scrubber
from deathless.tools.replay.ui.app import ReplayApp
from deathless.workflows import library
from deathless.workflows.library import Dispel, Flee, Pause, Stack, Threat

PICTURE = Path(__file__).parents[3] / "docs" / "images" / "replay-ui.svg"
SIZE = (132, 40)
GUARDS = 14
FIGHTER = 4
"""Entity of the guard whom the bear finds."""


def live_through(path, *, seconds=30.0):
    """Make the village's world and let it run at 20 turns a second."""
    kinds = [value for name, value in vars(library).items() if name.islower() and hasattr(value, "program")]
    with Runtime(path, kinds, clock=GameClock(), durability="process", history="all", seed=4) as world:
        for guard in range(1, GUARDS + 1):
            route = [(guard * 2.0, 0.0), (guard * 2.0 + 4.5, 0.0), (guard * 2.0 + 4.5, 3.0)]
            watch = "north gate" if guard % 3 else "mill"
            call = library.npc_patrol(route, 1.0 + guard % 4 / 4, hp=30, pause=0.8 + guard / 10)
            world.start(call, entity_id=guard, correlation_id=watch)
        world.start(library.day_night([("dusk", 6.0), ("night", 60.0)]), entity_id=100)
        for smith in (40, 41):
            world.start(library.production("nail", {}, 0.7 + smith % 2 / 2, quantity=1000), entity_id=smith)
        world.start(library.countdown(60, label="curfew"), entity_id=50)
        events = {
            2.0: lambda: world.start(library.buff(8.0, "haste"), entity_id=2),
            5.0: lambda: world.signal(Stack(2), entity_id=2),
            7.0: lambda: world.start(library.buff(60.0, "light"), entity_id=9),
            9.0: lambda: world.signal(Threat("wolf", hp=9, strength=3), entity_id=7),
            12.0: lambda: world.signal(Threat("bear", hp=26, strength=6), entity_id=FIGHTER),
            12.5: lambda: world.signal(Threat("cub", hp=5, strength=1), entity_id=FIGHTER),
            14.0: lambda: world.signal(Pause(), entity_id=41),
            # A countdown of no beats fails in its first step.
            16.0: lambda: world.start(library.countdown(0, label="broken"), entity_id=51),
            18.0: lambda: world.signal(Dispel(), entity_id=9),
            20.0: lambda: world.cancel(entity_id=50, reason="all is well"),
            24.0: lambda: world.signal(Flee("hero"), entity_id=FIGHTER),
        }
        for frame in range(round(20 * seconds)):
            happens = events.get(frame / 20)
            if happens is not None:
                happens()
            world.advance(0.05)


def run_app(path, play, *, size=SIZE, code=("deathless.workflows.library",)):
    """Open the full screen on a world without a terminal, and let `play(app, pilot)` use it."""

    async def use():
        with SavedWorld(path, load_registry(code) if code else None) as saved:
            app = ReplayApp(Scrubber(saved))
            async with app.run_test(size=size, notifications=True) as pilot:
                await pilot.pause()
                await play(app, pilot)

    asyncio.run(use())


def picture_of(path):
    """Return the picture for the documentation: the guard at the step in which the bear found him."""
    drawn = []

    async def play(app, pilot):
        await pilot.press("slash", *"npc 4", "enter", "home")
        while not any("bear" in cause.text for cause in app.scrubber.moment().causes):
            await pilot.press("right")
        await pilot.press("escape")
        await pilot.pause()
        drawn.append(app.export_screenshot(title="deathless replay ui thornbridge.deathless"))

    run_app(path, play)
    # The fonts are the reader's own.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", drawn[0], flags=re.DOTALL)
    return svg.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")


def main():
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder) / "thornbridge.deathless"
        live_through(world)
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(picture_of(world), encoding="utf-8")


if __name__ == "__main__":
    main()

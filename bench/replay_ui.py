"""What a key press costs on the full screen of `deathless replay ui`, in a large recorded world.

NPCs walk and rest, a step of each a second, and some are attacked. All steps are recorded. Then an operator scrubs.
What is measured is the CPU time from the key to the last line drawn, as the terminal's own time is not the tool's;
beside it what the model alone takes, which is what has to be read.
"""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import Sequence
from pathlib import Path

from report import Section, percentile

from deathless import GameClock, Retention, Runtime
from deathless.tools.modules import load_registry
from deathless.tools.replay.saved_world import SavedWorld
from deathless.tools.replay.scrubber import Scrubber
from deathless.tools.replay.ui.app import FRAME_S, ReplayApp
from deathless.workflows.library import Threat, combat, npc_patrol

TURN_S = 1 / 60
SIZE = (130, 40)
ATTACK_EVERY = 6
"""Turns between two attacks."""
KEYS = {
    "left: one move of the workflow": ["left"],
    "[: one turn of the world": ["left_square_bracket"],
    "home, end": ["home", "end"],
    "down: another workflow": ["down"],
}


def build(place: Path, npcs: int, seconds: float) -> int:
    """Make the world, and return how many steps it has recorded."""
    dice = random.Random(5)
    steps = started = 0
    with Runtime(
        place,
        [npc_patrol, combat],
        clock=GameClock(),
        durability="process",
        history="all",
        retention=Retention(size=None),
    ) as world:
        for turn in range(round(seconds / TURN_S)):
            # Within the first second, so that steps are spread over all turns.
            wanted = min(npcs, -(-npcs * (turn + 1) // 60))
            walks = [([(n % 100, n // 100), (n % 100 + 1.5, n // 100)], n) for n in range(started, wanted)]
            if walks:
                world.start_many(
                    [(npc_patrol(route, 1.5, pause=1.0, hp=200), entity) for route, entity in walks]
                )
                started = wanted
            if turn % ATTACK_EVERY == ATTACK_EVERY - 1:
                world.signal(Threat("wolf"), entity_id=dice.randrange(started))
            steps += world.advance(TURN_S).steps
    return steps


def measure(scratch: Path, *, npcs: int, seconds: float, presses: int) -> Section:
    """Build a world and scrub through it.

    Args:
        scratch: where the world is made.
        npcs: how many there are.
        seconds: of world time that they live.
        presses: of each key.
    """
    place = scratch / "world"
    steps = build(place, npcs, seconds)
    with SavedWorld(place, load_registry(["deathless.workflows.library"])) as saved:
        began = time.perf_counter()
        scrubber = Scrubber(saved)
        opened_ms = 1e3 * (time.perf_counter() - began)
        # As the command does.
        gc.collect()
        gc.freeze()
        section = Section(
            f"replay ui, ms of CPU: {npcs:,} NPCs, {steps:,} steps in {len(scrubber.turns):,} turns, "
            f"{SIZE[0]} by {SIZE[1]} characters",
            ["", "p50", "p95", "max"],
        )
        section.data["open_ms"] = opened_ms
        section.add("open: the index and all workflows", f"{opened_ms:.0f}", "", "")
        _add(section, "the model alone: a turn, all that is shown", _model(scrubber, presses))
        asyncio.run(_press(section, scrubber, presses))
        gc.unfreeze()
    return section


def _model(scrubber: Scrubber, presses: int) -> list[float]:
    scrubber.choose(scrubber.members[len(scrubber.members) // 2])
    runs = []
    for _ in range(presses):
        began = time.process_time()
        scrubber.step_world(-1)
        scrubber.moment()
        scrubber.movers()
        runs.append(1e3 * (time.process_time() - began))
    return runs


async def _press(section: Section, scrubber: Scrubber, presses: int) -> None:
    app = ReplayApp(scrubber)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("end")

        async def timed(name: str, keys: Sequence[str]) -> None:
            runs = []
            for number in range(presses):
                began = time.process_time()
                await pilot.press(keys[number % len(keys)])
                runs.append(1e3 * (time.process_time() - began))
            _add(section, name, runs)

        for name, keys in KEYS.items():
            await timed(name, keys)
        await pilot.press("slash")
        await timed("a letter of a filter", ["9", "backspace"])
        await pilot.press("escape", "home", "space")
        assert app._timer is not None
        app._timer.pause()
        frames = []
        for _ in range(presses):
            began = time.process_time()
            app.play_on(FRAME_S)
            await pilot.pause()
            frames.append(1e3 * (time.process_time() - began))
        _add(section, f"a frame of playing, of {1 / FRAME_S:.0f} a second", frames)


def _add(section: Section, name: str, runs: list[float]) -> None:
    p50, p95, most = percentile(runs, 50), percentile(runs, 95), max(runs)
    section.data[name] = {"p50_ms": p50, "p95_ms": p95, "max_ms": most}
    section.add(name, *(f"{figure:.1f}" for figure in (p50, p95, most)))

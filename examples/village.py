"""A village that survives kill -9: two hundred inhabitants and workshops in a game loop of 30 frames a second.

    python examples/village.py              # drawn in the terminal; Ctrl-C ends it, kill -9 does too
    python examples/village.py              # goes on where it stood
    python examples/village.py --plain      # a line a second, for pipes and logs

What the village is comes from village.toml. Everything that lives in it is in the world, nothing is kept beside it:
a run that finds a world starts only what the scenario says and the world lacks.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import random
import shlex
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
from village_game.fate import Fate, populate
from village_game.life import chronicle, villager
from village_game.meter import Figures, Meter
from village_game.scenario import Scenario, load_scenario
from village_game.scene import FALLEN, FIGHTING, Scene
from village_game.tables import ScenarioError

from deathless import (
    ClockMismatchError,
    DeathlessError,
    Runtime,
    WorkflowType,
    WorldCorruptError,
    WorldVersionError,
)
from deathless.workflows.library import buff, combat, npc_patrol, production, respawn

try:
    from rich.console import Console
    from rich.live import Live
    from village_game.drawing import Ground, draw, save_svg
except ModuleNotFoundError as missing:
    sys.exit(f"village.py needs rich to draw ({missing}): pip install 'deathless[demo]'")

WORKFLOWS: list[WorkflowType[Any, Any]] = [villager, chronicle, npc_patrol, combat, buff, respawn, production]
FRAME_S = 1 / 30
BUDGET_S = 0.015
"""Of a frame, for steps; what does not fit is carried over to the next."""
DRAW_EVERY = 3
"""Frames to a drawing: ten a second is as fast as eyes read."""
HERE = Path(__file__).resolve().parent


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description="A village that survives kill -9.")
    parser.add_argument(
        "--world", type=Path, default=Path("worlds/village.deathless"), help="where it lives (%(default)s)"
    )
    parser.add_argument("--scenario", type=Path, default=HERE / "village.toml", help="what it is made of")
    parser.add_argument("--fresh", action="store_true", help="delete the world first")
    parser.add_argument("--plain", action="store_true", help="no drawing, a line a second")
    parser.add_argument("--seconds", type=float, help="end by itself after so long")
    parser.add_argument(
        "--durability",
        choices=("power", "process"),
        default="power",
        help="what a commit survives: loss of power, or kill -9 only (%(default)s)",
    )
    parser.add_argument("--screenshot", type=Path, metavar="FILE.svg", help="save the last drawing")
    return parser.parse_args()


def main() -> int:
    """Run the village; return the exit code."""
    options = arguments()
    stop = Stop()
    # What the library logs is for a server's log; on this terminal only what is wrong.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        scenario = load_scenario(options.scenario)
    except ScenarioError as error:
        print(f"bad scenario: {error}", file=sys.stderr)
        return 2
    try:
        if options.fresh:
            delete_world(options.world)
        options.world.parent.mkdir(parents=True, exist_ok=True)
        with Runtime(options.world, WORKFLOWS, durability=options.durability, seed=scenario.seed) as world:
            play(world, scenario, options, stop)
            turn, active = world.turn, world.count()
        print(
            f"stopped at turn {turn} with {active} workflows; to go on, run: {shlex.join(again())}",
            flush=True,
        )
    except BrokenPipeError:
        # Who read the lines has gone. The world is closed; nothing is left to be said, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (DeathlessError, OSError) as error:
        print(f"village.py: {error}", file=sys.stderr)
        return 1
    return 0


def delete_world(path: Path) -> None:
    """Delete a world that nobody runs; one that cannot be read any more, too.

    Raises:
        DeathlessError: there is something else here, or somebody runs it: opening it says so.
    """
    if path.exists():
        with contextlib.suppress(WorldCorruptError, WorldVersionError, ClockMismatchError):
            Runtime(path, WORKFLOWS).close()
        # Only what makes up a world: whatever else somebody put beside it is not ours to delete.
        for name in ("data.mdb", "lock.mdb", "owner.lock"):
            (path / name).unlink(missing_ok=True)


def again() -> list[str]:
    """Return this command without what would not continue it, for the interpreter that has all it needs."""
    return [sys.executable, *(word for word in sys.argv if word != "--fresh")]


class Stop:
    """Set by Ctrl-C or a termination signal; looked at between frames, so that no turn is cut short."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def play(world: Runtime, scenario: Scenario, options: argparse.Namespace, stop: Stop) -> None:
    """Run the game loop until it is stopped."""
    scene = Scene(world, scenario)
    # Seeded by the turn as well: a run that goes on does not repeat what befell the one before.
    dice = random.Random(f"{scenario.seed} {world.turn}")  # noqa: S311 - a game's dice.
    started = populate(world, scenario, scene, dice)
    print(f"a new world at {options.world}" if world.recovery.created else world.recovery, end="")
    print(f"; {started} started" if started else "", flush=True)
    fate = Fate(world, scenario, scene, dice)
    meter = Meter(options.world)
    painter = Painter(scenario, scene, plain=options.plain or not sys.stdout.isatty())
    ends = None if options.seconds is None else time.monotonic() + options.seconds
    with painter:
        following = time.perf_counter()
        while not stop.asked and (ends is None or time.monotonic() < ends):
            began = time.perf_counter()
            fate.befall(FRAME_S)
            report = world.pump(budget=BUDGET_S)
            meter.note(report, time.perf_counter() - began)
            painter.show(meter, world.now)
            # A frame that took too long is not made up for by a burst of short ones.
            following = max(following + FRAME_S, time.perf_counter() - FRAME_S)
            time.sleep(max(0.0, following - time.perf_counter()))
    if options.screenshot is not None:
        painter.save(options.screenshot, meter.figures(), world.now)


class Painter:
    """Shows the village: drawn, or as a line a second."""

    def __init__(self, scenario: Scenario, scene: Scene, *, plain: bool) -> None:
        self._scenario = scenario
        self._scene = scene
        self._ground = Ground(scenario)
        self._live = None if plain else Live(console=Console(), screen=True, auto_refresh=False)
        self._frame = 0
        self._said_at = time.monotonic()

    def __enter__(self) -> None:
        """Take the screen."""
        if self._live is not None:
            self._live.start()

    def __exit__(self, *_: object) -> None:
        """Give the screen back."""
        if self._live is not None:
            self._live.stop()

    def show(self, meter: Meter, now: float) -> None:
        """Show a frame, if it is one of those that are shown."""
        self._frame += 1
        if self._live is not None:
            if self._frame % DRAW_EVERY == 0:
                picture = draw(self._scenario, self._ground, self._scene, meter.figures(), now)
                self._live.update(picture, refresh=True)
        elif time.monotonic() - self._said_at >= 1.0:
            self._said_at += 1.0
            print(status_line(meter.figures(), self._scene, now), flush=True)

    def save(self, path: Path, figures: Figures, now: float) -> None:
        """Save a picture of this moment as SVG."""
        save_svg(draw(self._scenario, self._ground, self._scene, figures, now), path)


def status_line(figures: Figures, scene: Scene, now: float) -> str:
    """Return the village in one line."""
    doing = Counter(person.doing for person in scene.people(now))
    return (
        f"turn {figures.turn}  {scene.active} workflows  {figures.steps_per_s:.0f} steps/s  "
        f"{figures.commits_per_s:.0f} commits/s  "
        f"frame p50 {figures.frame_p50_ms:.1f} p99 {figures.frame_p99_ms:.1f} ms  "
        f"world {figures.world_mb:.1f} MB  {doing[FIGHTING]} fight  {doing[FALLEN]} fallen"
    )


if __name__ == "__main__":
    sys.exit(main())

"""An arcade village that survives kill -9: villagers, wolves, workshops, day and night in a window of pygame-ce.

    pip install 'deathless[examples]'
    python examples/arcade_village.py    # click on somebody, press a key; K kills the process
    python examples/arcade_village.py    # run it again: everybody goes on in mid-step, mid-fight, mid-craft

The game loop is an ordinary one: input, `world.advance`, draw, sixty times a second. Nothing that lives is kept
outside the world; what the screen shows is read from it (arcade/scene.py), and keys only send signals to it
(arcade/controls.py). What lives is in arcade/life.py.

    python examples/arcade_village.py --headless --frames 600 --screenshot village.png    # without a screen
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import time
from pathlib import Path

import structlog

from deathless import DeathlessError, GameClock, Runtime

try:
    from arcade.controls import Controls
    from arcade.land import people
    from arcade.life import WORKFLOWS, populate
    from arcade.scene import Scene
    from arcade.window import Window
except ModuleNotFoundError as missing:
    sys.exit(f"arcade_village.py needs pygame-ce to draw ({missing}): pip install 'deathless[examples]'")

FRAME_S = 1 / 60
BUDGET_S = 0.006
"""Of a frame, for steps; what does not fit is carried over to the next."""
LONGEST_FRAME_S = 0.1
"""A frame that took longer (a dragged window, a suspended laptop) moves the village's time by this much."""


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description="An arcade village that survives kill -9.")
    parser.add_argument(
        "--world", type=Path, default=Path("arcade.deathless"), help="where it lives (%(default)s)"
    )
    parser.add_argument("--durability", choices=("power", "process"), default="power")
    parser.add_argument("--frames", type=int, help="end by itself after so many")
    parser.add_argument(
        "--headless", action="store_true", help="no window and no waiting: each frame is 1/60 s of game time"
    )
    parser.add_argument("--screenshot", type=Path, metavar="FILE.png", help="save the last frame")
    return parser.parse_args()


def main() -> int:
    """Run the village; return the exit code."""
    options = arguments()
    # What the library logs is for a server's log; on this terminal only what is wrong.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        with Runtime(options.world, WORKFLOWS, clock=GameClock(), durability=options.durability) as world:
            started = populate(world)
            print(world.recovery if not started else f"{started} workflows started", flush=True)
            run(world, options)
        print(f"stopped at turn {world.turn}", flush=True)
    except (DeathlessError, OSError) as error:
        print(f"arcade_village.py: {error}", file=sys.stderr)
        return 1
    return 0


def run(world: Runtime, options: argparse.Namespace) -> None:
    """Run the game loop until the window is closed, Ctrl-C is pressed, or the frames are over."""
    interrupts: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: interrupts.append(number))
    scene = Scene(world)
    controls = Controls(world, scene, chosen=people()[0].entity)
    window = Window(world, scene, controls, headless=options.headless)
    frame, frame_s, dt = 0, 0.0, FRAME_S
    while not interrupts and window.play() and frame != options.frames:
        began = time.perf_counter()
        report = world.advance(dt, budget=BUDGET_S)
        window.draw(report, frame_s)
        frame += 1
        frame_s = time.perf_counter() - began
        if options.headless:
            if frame % 60 == 0:
                print(f"turn {report.committed_turn}", flush=True)
        else:
            time.sleep(max(0.0, FRAME_S - frame_s))
            dt = min(time.perf_counter() - began, LONGEST_FRAME_S)
    if options.screenshot is not None:
        window.save(options.screenshot)
    window.close()


if __name__ == "__main__":
    sys.exit(main())

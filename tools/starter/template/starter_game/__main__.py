"""Play: `python -m starter_game`. Ctrl-C ends it, kill -9 does too; run it again, and it goes on.

The game loop is yours: frames, goblins and drawing are here. What must outlive the process is in the workflows.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import random
import sys
import time

import structlog
from deathless import GameClock, Handle, Runtime

from . import WORKFLOWS, Goblin, guard, shop
from .guard import MAX_HP, POSTS, WALK_S

WORLD = "starter_game.deathless"
FRAME_S = 1 / 20
BUDGET_S = 0.010
"""Of a frame, for workflows; what does not fit is carried over to the next."""
GOBLIN_EVERY_S = 4.0
"""On the average."""
GUARD, SHOP = 1, 2
"""The entities of the game."""


def main() -> None:
    """Open the world, which is made at the first run, and play on in it."""
    parser = argparse.ArgumentParser(prog="starter_game", description="A small game.")
    parser.add_argument("--world", default=WORLD, help="where the world lives (%(default)s)")
    parser.add_argument("--seconds", type=float, help="end by itself after so long")
    options = parser.parse_args()
    # What the library logs is for a server; here, only what is wrong.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with Runtime(options.world, WORKFLOWS, clock=GameClock()) as world:
        print(f"{began(world)}; Ctrl-C ends it, and so does: kill -9 {os.getpid()}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            play(world, options.seconds)
        print(f"\nstopped at {clock(world.now)}; run it again to go on", flush=True)


def began(world: Runtime) -> str:
    """Say whether this world was here before."""
    return "a new world" if world.recovery.created else f"on from {clock(world.now)}"


def play(world: Runtime, seconds: float | None) -> None:
    """Run the game until the guard falls, or for so many seconds."""
    # Where they live already, from before a crash for instance, these are they.
    watch = world.start(guard(SHOP), entity_id=GUARD, on_conflict="existing")
    stall = world.start(shop(), entity_id=SHOP, on_conflict="existing")
    dice = random.Random()
    screen = Screen()
    world.advance(0.0)
    ends = None if seconds is None else world.now + seconds
    following = time.perf_counter()
    while watch.status == "Suspended" and (ends is None or world.now < ends):
        screen.show(world, watch, stall)
        if dice.random() < FRAME_S / GOBLIN_EVERY_S:
            world.signal(Goblin(), entity_id=GUARD)
        world.advance(FRAME_S, budget=BUDGET_S)
        # A frame that took too long is not made up for by a burst of short ones.
        following = max(following + FRAME_S, time.perf_counter())
        time.sleep(max(0.0, following - time.perf_counter()))
    if watch.status == "Completed":
        print(f"\nthe guard fell; goblins beaten: {watch.result()}", flush=True)


class Screen:
    """Draws the game on one line of a terminal, or writes a line a second into a file or a pipe."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._second = -1

    def show(self, world: Runtime, watch: Handle[int], stall: Handle[None]) -> None:
        """Show how it stands now."""
        second = int(world.now)
        if self._terminal:
            print(f"\r{picture(world, watch, stall)}", end="", flush=True)
        elif second != self._second:
            self._second = second
            print(picture(world, watch, stall), flush=True)


def picture(world: Runtime, watch: Handle[int], stall: Handle[None]) -> str:
    """Return the game as a line: a G on its way, its health, and what the shop has."""
    view = world.get(watch.id)
    hp, beaten = view.locals["hp"], view.locals["beaten"]
    potions = world.get(stall.id).locals["potions"]
    healing = "+" if world.workflows(entity_id=GUARD, type="regeneration", status="Suspended") else " "
    return (
        f"{clock(world.now)}  {road(view.locals['post'], view.timers[0].due - world.now)}  "
        f"hp {'#' * hp:.<{MAX_HP}}{healing}  potions {potions}  beaten {beaten}"
    )


def road(post: int, left_s: float) -> str:
    """Return the way from post to post, and the guard on it, so many seconds before its next post."""
    places = [f"{name} " + "." * 8 for name in POSTS]
    walked = min(7, int(8 * max(0.0, 1 - left_s / WALK_S)))
    at = len(POSTS[post]) + 1 + walked
    places[post] = places[post][:at] + "G" + places[post][at + 1 :]
    return " ".join(places)


def clock(seconds: float) -> str:
    """Return world time as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


if __name__ == "__main__":
    main()

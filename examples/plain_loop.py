"""The plainest game loop: `while True`, a budget, signals, and a campfire that outlives kill -9.

python examples/plain_loop.py    # Ctrl-C ends it, kill -9 does too; run it again, and the fire still burns
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from deathless import Context, Elapsed, GameClock, Runtime, Signal, workflow

FRAME_S = 1 / 60
BUDGET_S = 0.004
"""Of a frame, for workflows; what does not fit is carried over to the next frame, and through a crash too."""


class Log(Signal):
    """Somebody puts wood on the fire."""


@workflow
async def campfire(ctx: Context, log_burns: float) -> int:
    """Burn `log_burns` seconds for each log, the first one included; return how many logs it had."""
    logs, goes_out = 1, ctx.now + log_burns
    while True:
        match await ctx.select(ctx.timer(goes_out - ctx.now), Log):
            case Log():
                logs, goes_out = logs + 1, goes_out + log_burns
            case Elapsed():
                return logs


def play(world: Runtime) -> None:
    """Keep the fire going, for ever."""
    if not world.workflows(type="campfire", status="Suspended"):
        world.start(campfire(1.0), entity_id=1)
    frame = 0
    while True:
        began = time.perf_counter()
        frame += 1
        if frame % 30 == 0:
            world.signal(Log(), entity_id=1)
        report = world.advance(FRAME_S, budget=BUDGET_S)
        if frame % 30 == 0:
            (fire,) = world.workflows(type="campfire", status="Suspended")
            print(f"turn {report.committed_turn}: {fire.locals['logs']} logs", flush=True)
        time.sleep(max(0.0, began + FRAME_S - time.perf_counter()))


def main(path: str) -> None:
    """Play until Ctrl-C, which waits for the end of the turn; leaving the `with` block closes the world."""
    with Runtime(path, [campfire], clock=GameClock()) as world, suppress(KeyboardInterrupt):
        play(world)
    print(f"stopped at turn {world.turn}; run it again to go on", flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "campfire.deathless")

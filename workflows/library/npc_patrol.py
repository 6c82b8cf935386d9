"""`npc_patrol`: walk a route round and round, and fight what threatens on the way.

               +------- next waypoint -------+
               v                             |
    start --> walking -- arrives --> resting +-- last lap done --> ended (fate: "done")
               |  ^                   |  ^
        Threat |  | won      Threat   |  | won
               v  |                   v  |
              fighting (a `combat` child) --- lost --> ended (fate: "killed")

An NPC is nowhere at each instant: it is under way from (x, y), where it was at `departed_at`, to `target`, where it
will be at `arrives_at`. Whoever draws it puts it between the two; nothing is stored while it walks.
"""

from __future__ import annotations

import math
from typing import TypedDict

from ..context import Context
from ..definition import routine, workflow
from ..errors import ChildError
from ..signal import Signal
from ..sources import Elapsed
from .arguments import DAY_S, require_number, require_point, require_text, require_whole
from .combat import MAX_HP, combat

FARTHEST = 1e6
"""How far from 0 a coordinate may lie."""
MAX_STOPS = 256
Point = tuple[float, float]


class Threat(Signal):
    """Something attacks the NPC, with this much health and strength. A second one waits for the end of the first."""

    enemy: str = "wolf"
    hp: int = 12
    strength: int = 4

    def __post_init__(self) -> None:
        """Check the fields."""
        require_text("enemy of Threat", self.enemy, 255)
        require_whole("hp of Threat", self.hp, 1, MAX_HP)
        require_whole("strength of Threat", self.strength, 1, MAX_HP)


class PatrolEnd(TypedDict):
    """How a patrol ended, "done" or "killed", and where."""

    fate: str
    x: float
    y: float
    laps: int
    fights: int


@workflow
async def npc_patrol(
    ctx: Context,
    route: list[Point],
    speed: float = 1.5,
    *,
    pause: float = 2.0,
    laps: int = 0,
    hp: int = 20,
    strength: int = 5,
    mend: int = 4,
    action_timeout: float = 2.0,
    at: Point | None = None,
) -> PatrolEnd:
    """Walk the waypoints in order, with a pause at each, until the laps are done or a fight is lost.

    Args:
        ctx: the world.
        route: 1 to 256 waypoints (x, y).
        speed: in units of distance a second.
        pause: seconds at each waypoint, up to a day.
        laps: how many times round; 0 for ever.
        hp: its health when unhurt.
        strength: the most that its attack takes in a fight.
        mend: health that it regains with each pause.
        action_timeout: of its fights: seconds a side has for a move.
        at: where it stands at first; at the first waypoint by default.
    """
    stops = check_route(route)
    require_number("speed of npc_patrol", speed, 0.001, FARTHEST)
    require_number("pause of npc_patrol", pause, 0, DAY_S)
    require_whole("laps of npc_patrol", laps, 0, 1_000_000)
    require_whole("hp of npc_patrol", hp, 1, MAX_HP)
    require_whole("strength of npc_patrol", strength, 1, MAX_HP)
    require_whole("mend of npc_patrol", mend, 0, MAX_HP)
    require_number("action_timeout of npc_patrol", action_timeout, 0.001, DAY_S)
    x, y = stops[0] if at is None else require_point("at of npc_patrol", at, FARTHEST)
    health, fights, lap = hp, 0, 0
    while laps == 0 or lap < laps:
        for target in stops:
            while (x, y) != target:
                departed_at = ctx.now
                arrives_at = departed_at + math.dist((x, y), target) / speed
                ctx.step("walking")
                match await ctx.select(ctx.timer(arrives_at - departed_at, name="arrive"), Threat):
                    case Elapsed():
                        x, y = target
                    case Threat() as threat:
                        x, y = between((x, y), target, departed_at, arrives_at, ctx.now)
                        health = await fight(ctx, threat, health, strength, action_timeout)
                        fights += 1
                        if health == 0:
                            return {"fate": "killed", "x": x, "y": y, "laps": lap, "fights": fights}
            rested = ctx.timer(pause, name="rested")
            resting = True
            while resting:
                ctx.step("resting")
                match await ctx.select(rested, Threat):
                    case Elapsed():
                        resting = False
                    case Threat() as threat:
                        health = await fight(ctx, threat, health, strength, action_timeout)
                        fights += 1
                        if health == 0:
                            return {"fate": "killed", "x": x, "y": y, "laps": lap, "fights": fights}
            health = min(health + mend, hp)
        lap += 1
    return {"fate": "done", "x": x, "y": y, "laps": lap, "fights": fights}


@routine
async def fight(ctx: Context, threat: Threat, health: int, strength: int, action_timeout: float) -> int:
    """Fight as a child on the same entity, which thus takes the entity's `Action` and `Flee`; return the health left.

    A fight that is broken off from outside (cancelled, or failed) has hurt nobody.
    """
    ctx.step("fighting")
    child = ctx.spawn(
        combat(
            threat.enemy,
            hp=health,
            strength=strength,
            enemy_hp=threat.hp,
            enemy_strength=threat.strength,
            action_timeout=action_timeout,
        ),
        entity_id=ctx.entity_id,
    )
    try:
        end = await child
    except ChildError:
        return health
    return end["hp"]


def check_route(route: object) -> list[Point]:
    """Return the waypoints as pairs.

    Raises:
        ValueError: it is no list of 1 to 256 points.
    """
    if not isinstance(route, list | tuple) or not 1 <= len(route) <= MAX_STOPS:
        raise ValueError(f"route of npc_patrol is a list of 1 to {MAX_STOPS} waypoints, not {route!r}")
    return [
        require_point(f"waypoint {number} of npc_patrol", stop, FARTHEST) for number, stop in enumerate(route)
    ]


def between(start: Point, target: Point, departed_at: float, arrives_at: float, now: float) -> Point:
    """Return where one is at `now` who walks straight from `start` to `target`."""
    if now >= arrives_at:
        return target
    part = max(now - departed_at, 0.0) / (arrives_at - departed_at)
    return (start[0] + (target[0] - start[0]) * part, start[1] + (target[1] - start[1]) * part)

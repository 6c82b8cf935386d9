"""`parent_child`: a raid, wave after wave of fights, each a `combat` child.

               +-- a fight ends: the next one of the wave begins -----+
               |   all fights over, one won: the next wave begins     |
               v                                                      |
    start --> a wave -------------------------------------------------+
               |
               +-- all fights over, one won, last wave --> ended (done)
               +-- all fights over, none won ------------> ended (routed)
               +-- Retreat ------------------------------> ended (retreated)

At most `parallel` fights run at once. A fight that fails or is cancelled is reported as such and stops nobody else.
Those that still run at a `Retreat`, or when the raid itself is cancelled, are cancelled with it.
"""

from __future__ import annotations

from typing import Any, TypedDict

from ..context import Context
from ..definition import Call, workflow
from ..errors import ChildFailed
from ..limits import MAX_ID
from ..signal import Signal
from ..sources import Child, ChildDone
from .arguments import DAY_S, require_keys, require_number, require_whole
from .combat import CombatEnd, combat

MAX_WAVES = 32
MAX_FIGHTS = 100
"""In all waves together."""
LONGEST_ERROR = 80


class Fight(TypedDict, total=False):
    """One fight: the entity that takes the hero's `Action` and `Flee`, and what `combat` is given.

    What is left out is as in `combat`; the hero is the raid's own entity. The numbers are checked by the fight
    itself: a bad one makes that fight fail.
    """

    hero: int
    enemy: str
    hp: int
    strength: int
    enemy_hp: int
    enemy_strength: int


class FightEnd(TypedDict):
    """What became of a fight: "won", "lost", "drawn", "failed", "cancelled", "retreated", or "skipped".

    The health that each side had left is None where the fight gave no result; `error` is empty where it gave one.
    """

    fate: str
    hp: int | None
    enemy_hp: int | None
    error: str


class Retreat(Signal):
    """Give the raid up: running fights are cancelled, waiting ones never begin."""


class RaidEnd(TypedDict):
    """How a raid ended, the waves that were fought to their end, and the fights in the order they were given."""

    outcome: str
    waves: int
    won: int
    fights: list[list[FightEnd]]


@workflow
async def parent_child(
    ctx: Context, waves: list[list[Fight]], *, parallel: int = 4, action_timeout: float = 2.0
) -> RaidEnd:
    """Fight the waves in order; a wave is over when its last fight is.

    Args:
        ctx: the world.
        waves: 1 to 32 waves of at least a fight each, at most 100 fights together.
        parallel: how many fights run at the same time.
        action_timeout: of the fights: seconds a side has for a move.
    """
    check_waves(waves)
    require_whole("parallel of parent_child", parallel, 1, MAX_FIGHTS)
    require_number("action_timeout of parent_child", action_timeout, 0.001, DAY_S)
    reports = [[without_result("skipped") for _ in wave] for wave in waves]
    won = 0
    for wave in range(len(waves)):
        victories = begun = 0
        running: dict[int, Child[CombatEnd]] = {}
        while running or begun < len(waves[wave]):
            while begun < len(waves[wave]) and len(running) < parallel:
                fight = waves[wave][begun]
                hero = fight.get("hero", ctx.entity_id)
                running[begun] = ctx.spawn(call_of(fight, action_timeout), entity_id=hero)
                begun += 1
            ctx.step(f"wave {wave + 1} of {len(waves)}")
            match await ctx.select(Retreat, *running.values()):
                case Retreat():
                    for number in running:
                        reports[wave][number] = without_result("retreated")
                    return {"outcome": "retreated", "waves": wave, "won": won, "fights": reports}
                case ChildDone() as done:
                    number = next(number for number, child in running.items() if child == done.child)
                    del running[number]
                    reports[wave][number] = report_of(done)
                    if reports[wave][number]["fate"] == "won":
                        victories += 1
                        won += 1
        if victories == 0:
            return {"outcome": "routed", "waves": wave + 1, "won": won, "fights": reports}
    return {"outcome": "done", "waves": len(waves), "won": won, "fights": reports}


def call_of(fight: Fight, action_timeout: float) -> Call[CombatEnd]:
    """Return the `combat` that a fight is."""
    options: dict[str, Any] = {key: value for key, value in fight.items() if key != "hero"}
    return combat(action_timeout=action_timeout, **options)


def report_of(done: ChildDone[CombatEnd]) -> FightEnd:
    """Tell how a fight ended."""
    if done.result is None:
        return without_result(
            "failed" if isinstance(done.error, ChildFailed) else "cancelled", str(done.error)
        )
    winner = done.result["winner"]
    fate = "drawn" if winner is None else "won" if winner == "hero" else "lost"
    return {"fate": fate, "hp": done.result["hp"], "enemy_hp": done.result["enemy_hp"], "error": ""}


def without_result(fate: str, error: str = "") -> FightEnd:
    """Report a fight that told nothing."""
    return {"fate": fate, "hp": None, "enemy_hp": None, "error": error[:LONGEST_ERROR]}


def check_waves(waves: object) -> None:
    """Raise `ValueError` unless `waves` are lists of fights with keys that are known, and not too many."""
    if not isinstance(waves, list | tuple) or not 1 <= len(waves) <= MAX_WAVES:
        raise ValueError(f"waves of parent_child is a list of 1 to {MAX_WAVES} waves, not {waves!r}")
    fights = 0
    for number, wave in enumerate(waves):
        what = f"wave {number} of parent_child"
        if not isinstance(wave, list | tuple) or not wave:
            raise ValueError(f"{what} is a list of at least one fight, not {wave!r}")
        fights += len(wave)
        for fight in wave:
            given = require_keys(f"each fight in {what}", fight, (), tuple(Fight.__annotations__))
            if "hero" in given:
                require_whole(f"hero of a fight in {what}", given["hero"], 0, MAX_ID)
    if fights > MAX_FIGHTS:
        raise ValueError(f"parent_child takes at most {MAX_FIGHTS} fights, not {fights}: start several raids")

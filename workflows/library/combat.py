"""`combat`: a fight of two sides, hero and foe, turn by turn.

    start ----> who begins is drawn
                    |
                    v
            +--> side to act ---- Action of that side, or its default after the timeout
            |       |                        |
            |       | Flee                   v
            |       |                  the move is made ---- other side at 0 ----> ended (winner: side)
            |       |                        |
            |       |                        +-- rounds are over ----------------> ended (winner: None)
            |       v                        |
            |     ended (winner: other)      |
            +---- the other side's turn <----+

Moves: `attack` hits three times in four for 1 to strength; `strike` twice in five for double that; `guard` halves
what hits the side until it acts again.
"""

from __future__ import annotations

import random
from typing import TypedDict

from ..context import Context
from ..definition import workflow
from ..signal import Signal
from ..sources import Elapsed
from .arguments import DAY_S, require_number, require_one_of, require_text, require_whole

HERO = "hero"
FOE = "foe"
SIDES = (HERO, FOE)
ATTACK = "attack"
STRIKE = "strike"
GUARD = "guard"
MOVES = (ATTACK, STRIKE, GUARD)
MAX_HP = 1_000_000


class Action(Signal):
    """Make a move. Out of turn it is lost: a side that guessed wrong does not act later by surprise."""

    move: str = ATTACK
    side: str = HERO

    def __post_init__(self) -> None:
        """Check the fields."""
        require_one_of("move of Action", self.move, MOVES)
        require_one_of("side of Action", self.side, SIDES)


class Flee(Signal):
    """Run, in turn or out of it: the other side has won."""

    side: str = HERO

    def __post_init__(self) -> None:
        """Check the field."""
        require_one_of("side of Flee", self.side, SIDES)


class CombatEnd(TypedDict):
    """How a fight ended: the winner, None after the last round, and the health that each side has left."""

    winner: str | None
    fled: bool
    rounds: int
    hp: int
    enemy: str
    enemy_hp: int


@workflow
async def combat(
    ctx: Context,
    enemy: str = "",
    *,
    hp: int = 20,
    strength: int = 5,
    enemy_hp: int = 12,
    enemy_strength: int = 4,
    action_timeout: float = 2.0,
    default_move: str = ATTACK,
    max_rounds: int = 50,
) -> CombatEnd:
    """Let hero and foe act in turn until one is down or gone, or until the rounds are over.

    Args:
        ctx: the world.
        enemy: the foe's name, for the game to read.
        hp: the hero's health.
        strength: the most that an attack of the hero takes.
        enemy_hp: the foe's health.
        enemy_strength: the most that an attack of the foe takes.
        action_timeout: seconds that a side has for its move, up to a day.
        default_move: its move when that time is up.
        max_rounds: rounds, of a turn for each side, after which nobody has won.
    """
    require_text("enemy of combat", enemy, 255)
    require_whole("hp of combat", hp, 1, MAX_HP)
    require_whole("strength of combat", strength, 1, MAX_HP)
    require_whole("enemy_hp of combat", enemy_hp, 1, MAX_HP)
    require_whole("enemy_strength of combat", enemy_strength, 1, MAX_HP)
    require_number("action_timeout of combat", action_timeout, 0.001, DAY_S)
    require_one_of("default_move of combat", default_move, MOVES)
    require_whole("max_rounds of combat", max_rounds, 1, 10_000)
    health = {HERO: hp, FOE: enemy_hp}
    power = {HERO: strength, FOE: enemy_strength}
    guard = {HERO: False, FOE: False}
    side = ctx.random.choice(SIDES)
    winner: str | None = None
    fled = False
    turns = 0
    while winner is None and turns < 2 * max_rounds:
        deadline = ctx.timer(action_timeout, name="act")
        move = ""
        while not move and not fled:
            ctx.step(f"{side} to act")
            match await ctx.select(deadline, Action, Flee):
                case Action(chosen, actor):
                    if actor == side:
                        move = chosen
                case Elapsed():
                    move = default_move
                case Flee(runner):
                    winner, fled = other_side(runner), True
        if fled:
            break
        turns += 1
        rival = other_side(side)
        guard[side] = move == GUARD
        health[rival] -= min(health[rival], damage(ctx.random, move, power[side], guarded=guard[rival]))
        if health[rival] == 0:
            winner = side
        side = rival
    return {
        "winner": winner,
        "fled": fled,
        "rounds": (turns + 1) // 2,
        "hp": health[HERO],
        "enemy": enemy,
        "enemy_hp": health[FOE],
    }


def other_side(side: str) -> str:
    """Return the side that this one fights."""
    return FOE if side == HERO else HERO


def damage(dice: random.Random, move: str, power: int, *, guarded: bool) -> int:
    """Throw the dice for a move and return what it takes from the other side; a guard's half is rounded up."""
    if move == GUARD:
        return 0
    chance, factor = (0.75, 1) if move == ATTACK else (0.4, 2)
    if dice.random() >= chance:
        return 0
    hit = dice.randint(1, power) * factor
    return (hit + 1) // 2 if guarded else hit

"""`quest`: things to do, in time, for a reward.

               +-- QuestDone: another of the required quests
               v   |
    start --> waiting -- QuestDone: the last one --> active -- Progress: counted --+-- all done --> ended (completed)
               |                                      ^  |                         |
               +-- Abandon --> ended (abandoned)      |  |                         |
                                                      +--|---- something is left --+
                                                         +-- Abandon ----> ended (abandoned)
                                                         +-- time is up -> ended (expired)

Without required quests it is active from the start. The time runs from then. A completed quest says `QuestDone` to
the other quests of its entity: that is how a chain of quests opens link by link.
"""

from __future__ import annotations

from typing import TypedDict

from ..context import Context
from ..definition import workflow
from ..signal import Signal
from ..sources import Elapsed
from .arguments import YEAR_S, require_amounts, require_names, require_number, require_text, require_whole
from .notices import notify

MAX_OBJECTIVES = 32
MAX_COUNT = 1_000_000_000
MAX_REWARDS = 32
MAX_QUESTS = 1_000
LONGEST_NAME = 64


class Progress(Signal):
    """Something is done towards an objective. More than its count, or out of order, is lost."""

    objective: str
    amount: int = 1

    def __post_init__(self) -> None:
        """Check the fields."""
        require_text("objective of Progress", self.objective, LONGEST_NAME)
        require_whole("amount of Progress", self.amount, 1, MAX_COUNT)


class Abandon(Signal):
    """Give the quest of this name up."""

    quest: str

    def __post_init__(self) -> None:
        """Check the field."""
        require_text("quest of Abandon", self.quest, LONGEST_NAME)


class QuestDone(Signal):
    """A quest is completed: sent to the workflows of its entity, or by the game for what it knows to be done."""

    quest: str

    def __post_init__(self) -> None:
        """Check the field."""
        require_text("quest of QuestDone", self.quest, LONGEST_NAME)


class QuestEnd(TypedDict):
    """How a quest ended ("completed", "abandoned" or "expired"), what was done, and the rewards where completed."""

    quest: str
    outcome: str
    done: dict[str, int]
    rewards: dict[str, int]


@workflow
async def quest(
    ctx: Context,
    name: str,
    objectives: dict[str, int],
    *,
    in_order: bool = False,
    deadline: float = YEAR_S,
    rewards: dict[str, int] | None = None,
    requires: list[str] | None = None,
    completed: list[str] | None = None,
) -> QuestEnd:
    """Wait for the required quests, then count progress until all objectives are met.

    Args:
        ctx: the world.
        name: its own, by which other quests require it.
        objectives: 1 to 32 things to do, and how often each.
        in_order: whether each takes progress only when those before it are done.
        deadline: seconds from when it is active, up to a year, which is also the default.
        rewards: what completing it brings, at most 32 things, for the game to hand out.
        requires: names of quests that must be completed before, at most 1,000.
        completed: names of those that already are.
    """
    require_text("name of quest", name, LONGEST_NAME)
    counts = require_amounts("objectives of quest", objectives, MAX_OBJECTIVES, MAX_COUNT)
    if not counts:
        raise ValueError("objectives of quest is a table of at least one objective, not {}")
    require_number("deadline of quest", deadline, 0.001, YEAR_S)
    prize = require_amounts("rewards of quest", {} if rewards is None else rewards, MAX_REWARDS, MAX_COUNT)
    needed = require_names("requires of quest", requires or [], MAX_QUESTS, LONGEST_NAME)
    have = require_names("completed of quest", completed or [], MAX_QUESTS, LONGEST_NAME)
    if name in needed:
        raise ValueError(f"quest {name!r} requires itself; drop it from requires")
    missing = [each for each in dict.fromkeys(needed) if each not in have]
    done = dict.fromkeys(counts, 0)
    while missing:
        ctx.step("waiting")
        match await ctx.select(QuestDone, Abandon, Progress):
            case QuestDone(other):
                missing = [each for each in missing if each != other]
            case Abandon(which):
                if which == name:
                    return {"quest": name, "outcome": "abandoned", "done": done, "rewards": {}}
            case Progress():
                pass
    expire = ctx.timer(deadline, name="expire")
    while left := [objective for objective in counts if done[objective] < counts[objective]]:
        ctx.step(f"active: {left[0]}" if in_order else "active")
        # QuestDone is of no use any more, but left unread it would pile up.
        match await ctx.select(expire, Progress, Abandon, QuestDone):
            case Progress(objective, amount):
                if objective in (left[:1] if in_order else left):
                    done[objective] = min(done[objective] + amount, counts[objective])
            case Abandon(which):
                if which == name:
                    return {"quest": name, "outcome": "abandoned", "done": done, "rewards": {}}
            case QuestDone():
                pass
            case Elapsed():
                return {"quest": name, "outcome": "expired", "done": done, "rewards": {}}
    if ctx.entity_id is not None:
        notify(ctx, QuestDone(name), entity_id=ctx.entity_id)
    return {"quest": name, "outcome": "completed", "done": done, "rewards": prize}

"""`trade`: two parties swap what they offer, all of it or nothing.

               +-- Offer: what a party gives instead -----+
               |   Lock: of one party                     |
               v                                          |
    start --> offering -----------------------------------+
               |    ^
    Lock: both |    | Offer, or the locks' time is up: both are unlocked
               v    |
              locked -- Confirm of both --> ended (outcome: "traded")

    In both states: Decline ---------> ended (outcome: "declined")
                    time is up ------> ended (outcome: "timed_out")

Each offer has a revision, a number that counts the offers of both sides. `Lock` and `Confirm` name the revision
that the party has seen: one that crossed a new offer is lost, so nobody agrees to what they did not see.
"""

from __future__ import annotations

from typing import TypedDict

from ..context import Context
from ..definition import workflow
from ..limits import MAX_ID
from ..signal import Signal
from ..sources import Elapsed
from .arguments import DAY_S, require_amounts, require_number, require_whole

MAX_ITEMS = 32
MAX_AMOUNT = 1_000_000_000
MAX_GOLD = 10**15
MAX_REVISION = 2**53


class Offer(Signal):
    """Give these items and this gold instead of what this party offered before; both sides are unlocked."""

    party: int
    items: dict[str, int]
    gold: int = 0

    def __post_init__(self) -> None:
        """Check the fields."""
        require_whole("party of Offer", self.party, 0, MAX_ID)
        require_amounts("items of Offer", self.items, MAX_ITEMS, MAX_AMOUNT)
        require_whole("gold of Offer", self.gold, 0, MAX_GOLD)


class Lock(Signal):
    """Agree to both offers as they are at this revision."""

    party: int
    revision: int

    def __post_init__(self) -> None:
        """Check the fields."""
        require_whole("party of Lock", self.party, 0, MAX_ID)
        require_whole("revision of Lock", self.revision, 0, MAX_REVISION)


class Confirm(Signal):
    """Swap, once both sides are locked at this revision."""

    party: int
    revision: int

    def __post_init__(self) -> None:
        """Check the fields."""
        require_whole("party of Confirm", self.party, 0, MAX_ID)
        require_whole("revision of Confirm", self.revision, 0, MAX_REVISION)


class Decline(Signal):
    """End the trade without a swap."""

    party: int

    def __post_init__(self) -> None:
        """Check the field."""
        require_whole("party of Decline", self.party, 0, MAX_ID)


class Goods(TypedDict):
    """What a party gives."""

    items: dict[str, int]
    gold: int


class TradeEnd(TypedDict):
    """How a trade ended ("traded", "declined" or "timed_out"), and what each party gives to the other.

    Unless it is "traded", nobody gives anything. The two move together: a game that does so in one step on this
    result is as safe against a crash as the trade is.
    """

    outcome: str
    first: int
    first_gives: Goods
    second: int
    second_gives: Goods


@workflow
async def trade(
    ctx: Context, first: int, second: int, *, trade_timeout: float = 300.0, confirm_timeout: float = 30.0
) -> TradeEnd:
    """Take offers of two parties until both have confirmed the same ones.

    Args:
        ctx: the world.
        first: the entity of one party.
        second: the entity of the other.
        trade_timeout: seconds for the whole trade, up to a day.
        confirm_timeout: seconds after the second lock until both locks open again.
    """
    require_whole("first of trade", first, 0, MAX_ID)
    require_whole("second of trade", second, 0, MAX_ID)
    if first == second:
        raise ValueError(
            f"the parties of trade are two entities, not {first!r} twice; give it another second"
        )
    require_number("trade_timeout of trade", trade_timeout, 0.001, DAY_S)
    require_number("confirm_timeout of trade", confirm_timeout, 0.001, DAY_S)
    offers: dict[int, Goods] = {first: nothing(), second: nothing()}
    revision = 0
    locked: list[int] = []
    confirmed: list[int] = []
    outcome = ""
    over = ctx.timer(trade_timeout, name="over")
    reopen = over
    while not outcome:
        if len(locked) < 2:
            ctx.step("offering")
            event = await ctx.select(over, Offer, Lock, Confirm, Decline)
        else:
            ctx.step("locked")
            event = await ctx.select(over, reopen, Offer, Lock, Confirm, Decline)
        match event:
            case Elapsed("over"):
                outcome = "timed_out"
            case Elapsed():
                locked, confirmed = [], []
            case Offer(party, items, gold) if party in offers:
                offers[party] = {"items": items, "gold": gold}
                revision += 1
                locked, confirmed = [], []
            case Lock(party, seen) if party in offers and seen == revision and party not in locked:
                locked.append(party)
                if len(locked) == 2:
                    reopen = ctx.timer(confirm_timeout, name="reopen")
            case Confirm(party, seen) if len(locked) == 2 and seen == revision and party in offers:
                if party not in confirmed:
                    confirmed.append(party)
                if len(confirmed) == 2:
                    outcome = "traded"
            case Decline(party) if party in offers:
                outcome = "declined"
    if outcome != "traded":
        offers = {first: nothing(), second: nothing()}
    return {
        "outcome": outcome,
        "first": first,
        "first_gives": offers[first],
        "second": second,
        "second_gives": offers[second],
    }


def nothing() -> Goods:
    """Return an offer of nothing."""
    return {"items": {}, "gold": 0}

"""`auction`: one lot goes to the highest bid.

               +-- Bid: the highest; Outbid to the one before; late: more time --+
               |   Bid: too low, or the seller's: Outbid to its bidder           |
               v                                                                 |
    start --> open --------------------------------------------------------------+
               |
               +-- Bid at the buy-out price --------------------------> closing (sold)
               +-- time is up, reserve met ---------------------------> closing (sold)
               +-- time is up, else: Outbid to the highest -----------> closing (unsold)
               +-- CallOff of the seller, before the first bid -------> closing (called_off)

    closing ---+-- Bid: too late, Outbid to its bidder
               +-- the bids that were under way are answered ---------> ended

Money: each bid is either answered by one `Outbid`, which gives its amount back, or is the one that `AuctionEnd`
names. A game puts the amount aside under the auction's workflow id when it sends the bid, gives it back at `Outbid`,
and at the end gives back all that still lies there but the winner's price: then no crash, cancel or late bid costs
anybody anything.
"""

from __future__ import annotations

from typing import TypedDict

from ..context import Context
from ..definition import routine, workflow
from ..errors import Cancelled
from ..limits import MAX_ID
from ..signal import Signal
from ..sources import Elapsed
from .arguments import DAY_S, YEAR_S, require_number, require_text, require_whole
from .notices import notify

MAX_PRICE = 10**15
MAX_EXTENSIONS = 1_000


class Bid(Signal):
    """Offer an amount, in the name of an entity."""

    bidder: int
    amount: int

    def __post_init__(self) -> None:
        """Check the fields."""
        require_whole("bidder of Bid", self.bidder, 0, MAX_ID)
        require_whole("amount of Bid", self.amount, 1, MAX_PRICE)


class CallOff(Signal):
    """Take the lot back: by its seller, while nobody has bid."""

    seller: int

    def __post_init__(self) -> None:
        """Check the field."""
        require_whole("seller of CallOff", self.seller, 0, MAX_ID)


class Outbid(Signal):
    """A bid does not win, and its amount is free again: sent to the workflows of the bidder's entity.

    `least` is what a next bid must offer, or None where there can be none.
    """

    auction: int
    item: str
    amount: int
    least: int | None


class AuctionEnd(TypedDict):
    """How an auction ended ("sold", "unsold" or "called_off"); who pays what where it sold, else None and 0."""

    item: str
    outcome: str
    winner: int | None
    price: int
    bids: int
    extensions: int


@workflow
async def auction(
    ctx: Context,
    item: str,
    seller: int,
    duration: float,
    *,
    start_price: int = 1,
    increment: int = 1,
    reserve: int = 0,
    buy_out: int | None = None,
    snipe_window: float = 10.0,
    max_extensions: int = 20,
) -> AuctionEnd:
    """Take bids until the time is up or the buy-out price is offered.

    Args:
        ctx: the world.
        item: what is sold, for the game to read.
        seller: the entity that sells, and cannot bid.
        duration: in seconds, up to a year.
        start_price: the least first bid.
        increment: how much more each further bid must offer.
        reserve: under this price it is not sold.
        buy_out: the price at which it is sold at once, and the most that anybody pays; None for no such price.
        snipe_window: a bid with fewer seconds than these to go sets the time left to these; 0 to leave it.
        max_extensions: how often that happens at most.
    """
    require_text("item of auction", item, 255)
    require_whole("seller of auction", seller, 0, MAX_ID)
    require_number("duration of auction", duration, 0.001, YEAR_S)
    require_whole("start_price of auction", start_price, 1, MAX_PRICE)
    require_whole("increment of auction", increment, 1, MAX_PRICE)
    require_whole("reserve of auction", reserve, 0, MAX_PRICE)
    if buy_out is not None:
        require_whole("buy_out of auction", buy_out, max(start_price, reserve), MAX_PRICE)
    require_number("snipe_window of auction", snipe_window, 0, DAY_S)
    require_whole("max_extensions of auction", max_extensions, 0, MAX_EXTENSIONS)
    highest: Bid | None = None
    bids = extensions = 0
    outcome = ""
    hammer, ends_at = ctx.timer(duration, name="hammer"), ctx.now + duration
    try:
        while not outcome:
            ctx.step("open")
            match await ctx.select(hammer, Bid, CallOff):
                case Bid(bidder, amount) as bid:
                    least = least_bid(highest, start_price, increment, buy_out)
                    if bidder == seller or amount < least:
                        give_back(ctx, item, bid, least)
                        continue
                    former, highest = highest, bid
                    bids += 1
                    if buy_out is not None and amount >= buy_out:
                        outcome = "sold"
                    elif max(ends_at - ctx.now, 0.0) < snipe_window and extensions < max_extensions:
                        extensions += 1
                        hammer, ends_at = ctx.timer(snipe_window, name="hammer"), ctx.now + snipe_window
                    if former is not None:
                        give_back(
                            ctx,
                            item,
                            former,
                            None if outcome else least_bid(bid, start_price, increment, buy_out),
                        )
                case CallOff(who):
                    if who == seller and highest is None:
                        outcome = "called_off"
                case Elapsed():
                    outcome = "sold" if highest is not None and highest.amount >= reserve else "unsold"
        if highest is not None and outcome == "unsold":
            give_back(ctx, item, highest, None)
            highest = None
        await close(ctx, item)
    except Cancelled:
        if highest is not None:
            give_back(ctx, item, highest, None)
        raise
    return {
        "item": item,
        "outcome": outcome,
        "winner": None if highest is None else highest.bidder,
        "price": 0 if highest is None else min(highest.amount, buy_out or highest.amount),
        "bids": bids,
        "extensions": extensions,
    }


@routine
async def close(ctx: Context, item: str) -> None:
    """Give back the bids that were under way when the hammer fell."""
    closed = ctx.timer(0.0, name="closed")
    closing = True
    while closing:
        ctx.step("closing")
        match await ctx.select(closed, Bid):
            case Bid() as bid:
                give_back(ctx, item, bid, None)
            case Elapsed():
                closing = False


def give_back(ctx: Context, item: str, bid: Bid, least: int | None) -> None:
    """Tell a bidder that an amount is free again."""
    notify(ctx, Outbid(ctx.workflow_id, item, bid.amount, least), entity_id=bid.bidder)


def least_bid(highest: Bid | None, start_price: int, increment: int, buy_out: int | None) -> int:
    """Return the least that the next bid must offer; the buy-out price is always enough."""
    least = start_price if highest is None else highest.amount + increment
    return least if buy_out is None else min(least, buy_out)

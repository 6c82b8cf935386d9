"""`auction`: bids, sniping, buy-out, reserve, calling off, and that no money is lost."""

import random

import pytest

from deathless import Context, Elapsed, workflow
from deathless.workflows.library import Bid, CallOff, Outbid, auction

SELLER, ANN, BOB = 1, 7, 8


@workflow
async def purse(ctx: Context):
    """Collect what comes back to an entity."""
    returned = []
    while True:
        match await ctx.select(ctx.timer(100_000.0), Outbid):
            case Outbid() as outbid:
                returned.append((outbid.auction, outbid.item, outbid.amount, outbid.least))
            case Elapsed():
                return returned


@workflow
async def deaf(ctx: Context):
    """Take `Outbid` only after a long sleep."""
    await ctx.sleep(100_000.0)
    await ctx.receive(Outbid)


@workflow
async def late_bidder(ctx: Context, lot: int, at: float):
    """Bid from within the world, at a time."""
    await ctx.sleep(at)
    ctx.signal(Bid(ctx.entity_id, 500), workflow_id=lot)


@pytest.fixture
def hall(make_world):
    world = make_world(purse, late_bidder, deaf)
    for entity in (ANN, BOB):
        world.start(purse(), entity_id=entity)
    return world


def returned(world, entity):
    return world.only(type="purse", entity_id=entity).locals["returned"]


def bid(world, lot, entity, amount, after=1.0):
    world.after(after, Bid(entity, amount), workflow_id=lot)


def end(world, lot):
    """Let the lot close, which takes the turn after the hammer fell."""
    world.advance(0.0)
    return world.result(lot)


def sold(item, winner, price, bids, extensions=0):
    return {
        "item": item,
        "outcome": "sold",
        "winner": winner,
        "price": price,
        "bids": bids,
        "extensions": extensions,
    }


def not_sold(outcome, bids=0):
    return {"item": "axe", "outcome": outcome, "winner": None, "price": 0, "bids": bids, "extensions": 0}


def test_the_highest_bid_wins_when_the_time_is_up(hall):
    lot = hall.start(auction("axe", SELLER, 60.0, increment=5))
    bid(hall, lot, ANN, 10)
    bid(hall, lot, BOB, 15)
    hall.advance(57.9)
    assert hall.get(lot).current_step == "open"
    hall.advance(0.1)
    assert end(hall, lot) == sold("axe", BOB, 15, 2)
    assert returned(hall, BOB) == []


def test_who_is_outbid_gets_the_amount_back_and_learns_what_a_next_bid_takes(hall):
    lot = hall.start(auction("axe", SELLER, 60.0, increment=5))
    bid(hall, lot, ANN, 10)
    bid(hall, lot, BOB, 15)
    assert returned(hall, ANN) == [(lot, "axe", 10, 20)]
    bid(hall, lot, BOB, 30)
    assert returned(hall, BOB) == [(lot, "axe", 15, 35)]


def test_a_bid_that_is_too_low_comes_back_and_changes_nothing(hall):
    lot = hall.start(auction("axe", SELLER, 60.0, start_price=10, increment=5))
    bid(hall, lot, ANN, 9)
    assert returned(hall, ANN) == [(lot, "axe", 9, 10)]
    bid(hall, lot, ANN, 10)
    bid(hall, lot, BOB, 14)
    assert returned(hall, BOB) == [(lot, "axe", 14, 15)]
    hall.advance(57.0)
    assert end(hall, lot) == sold("axe", ANN, 10, 1)


def test_the_seller_cannot_bid(hall):
    lot = hall.start(auction("axe", ANN, 60.0))
    bid(hall, lot, ANN, 1000)
    assert returned(hall, ANN) == [(lot, "axe", 1000, 1)]
    hall.advance(60.0)
    assert end(hall, lot) == not_sold("unsold")


def test_a_bid_in_the_last_seconds_gives_time_for_an_answer(hall):
    lot = hall.start(auction("axe", SELLER, 60.0, snipe_window=10.0))
    bid(hall, lot, ANN, 1, after=55.0)
    hall.advance(9.9)
    assert hall.get(lot).current_step == "open"
    bid(hall, lot, BOB, 2, after=0.0)
    hall.advance(9.9)
    assert hall.get(lot).current_step == "open"
    hall.advance(0.1)
    assert end(hall, lot) == sold("axe", BOB, 2, 2, extensions=2)


def test_a_bid_before_the_last_seconds_a_refused_one_and_a_full_count_give_no_time(hall):
    lot = hall.start(auction("axe", SELLER, 60.0, snipe_window=10.0, max_extensions=1))
    bid(hall, lot, ANN, 10, after=50.0)
    bid(hall, lot, BOB, 1, after=5.0)
    assert hall.get(lot).locals["extensions"] == 0
    bid(hall, lot, BOB, 11, after=1.0)
    assert hall.get(lot).locals["extensions"] == 1
    bid(hall, lot, ANN, 12, after=9.0)
    hall.advance(1.0)
    assert end(hall, lot) == sold("axe", ANN, 12, 3, extensions=1)


def test_a_bid_sent_before_the_turn_in_which_the_time_is_up_is_in_time(hall):
    lot = hall.start(auction("axe", SELLER, 60.0, snipe_window=0))
    hall.advance(59.5)
    hall.signal(Bid(ANN, 5), workflow_id=lot)
    hall.advance(1.0)
    assert end(hall, lot) == sold("axe", ANN, 5, 1)


def test_a_snipe_in_the_turn_in_which_the_time_is_up_gives_time_too(hall):
    lot = hall.start(auction("axe", SELLER, 60.0, snipe_window=10.0))
    hall.advance(59.5)
    hall.signal(Bid(ANN, 5), workflow_id=lot)
    hall.advance(1.0)
    hall.advance(9.9)
    assert hall.get(lot).current_step == "open"
    hall.advance(0.1)
    assert end(hall, lot)["extensions"] == 1


@pytest.mark.parametrize("offer", [100, 130])
def test_the_buy_out_price_ends_it_at_once_and_is_all_that_is_paid(hall, offer):
    lot = hall.start(auction("axe", SELLER, 60.0, buy_out=100))
    bid(hall, lot, ANN, 40)
    bid(hall, lot, BOB, offer)
    assert returned(hall, ANN) == [(lot, "axe", 40, None)]
    assert end(hall, lot) == sold("axe", BOB, 100, 2)


def test_the_buy_out_price_is_enough_where_the_increment_would_ask_for_more(hall):
    lot = hall.start(auction("axe", SELLER, 60.0, buy_out=100, increment=50))
    bid(hall, lot, ANN, 90)
    bid(hall, lot, BOB, 99)
    assert returned(hall, BOB) == [(lot, "axe", 99, 100)]
    bid(hall, lot, BOB, 100)
    assert end(hall, lot) == sold("axe", BOB, 100, 2)


def test_bids_that_are_under_way_when_it_ends_come_back(hall):
    lot = hall.start(auction("axe", SELLER, 60.0, buy_out=100))
    for bidder, amount in ((ANN, 100), (BOB, 100), (BOB, 200)):
        hall.signal(Bid(bidder, amount), workflow_id=lot)
    hall.advance(1.0)
    assert end(hall, lot) == sold("axe", ANN, 100, 1)
    assert returned(hall, BOB) == [(lot, "axe", 100, None), (lot, "axe", 200, None)]


def test_a_bid_of_another_workflow_in_the_turn_in_which_it_ends_comes_back(hall):
    lot = hall.start(auction("axe", SELLER, 60.0))
    hall.start(late_bidder(lot, 60.0), entity_id=ANN)
    hall.advance(60.0)
    hall.advance(0.0)
    assert end(hall, lot)["outcome"] == "unsold"
    assert returned(hall, ANN) == [(lot, "axe", 500, None)]


def test_under_the_reserve_it_is_not_sold_and_the_highest_bid_comes_back(hall):
    lot = hall.start(auction("axe", SELLER, 60.0, reserve=50))
    bid(hall, lot, ANN, 49)
    hall.advance(59.0)
    assert end(hall, lot) == not_sold("unsold", bids=1)
    assert returned(hall, ANN) == [(lot, "axe", 49, None)]


def test_at_the_reserve_it_is_sold(hall):
    lot = hall.start(auction("axe", SELLER, 60.0, reserve=50))
    bid(hall, lot, ANN, 50)
    hall.advance(59.0)
    assert end(hall, lot) == sold("axe", ANN, 50, 1)


def test_the_seller_can_call_it_off_before_the_first_bid(hall):
    lot = hall.start(auction("axe", SELLER, 60.0))
    hall.after(1.0, CallOff(SELLER), workflow_id=lot)
    assert end(hall, lot) == not_sold("called_off")


def test_nobody_else_can_call_it_off(hall):
    lot = hall.start(auction("axe", SELLER, 60.0))
    hall.after(1.0, CallOff(ANN), workflow_id=lot)
    assert hall.get(lot).current_step == "open"


def test_after_the_first_bid_it_cannot_be_called_off(hall):
    lot = hall.start(auction("axe", SELLER, 60.0))
    hall.signal(Bid(ANN, 5), workflow_id=lot)
    hall.signal(CallOff(SELLER), workflow_id=lot)
    hall.advance(60.0)
    hall.advance(10.0)
    assert end(hall, lot) == sold("axe", ANN, 5, 1, extensions=1)


def test_a_bid_that_crosses_the_calling_off_comes_back(hall):
    lot = hall.start(auction("axe", SELLER, 60.0))
    hall.signal(CallOff(SELLER), workflow_id=lot)
    hall.signal(Bid(ANN, 5), workflow_id=lot)
    hall.advance(1.0)
    assert end(hall, lot) == not_sold("called_off")
    assert returned(hall, ANN) == [(lot, "axe", 5, None)]


@pytest.mark.parametrize("closing", [False, True])
def test_when_it_is_cancelled_the_highest_bid_comes_back(hall, closing):
    lot = hall.start(auction("axe", SELLER, 60.0, buy_out=100))
    bid(hall, lot, ANN, 100 if closing else 50)
    assert hall.get(lot).current_step == ("closing" if closing else "open")
    hall.signal(Bid(BOB, 10), workflow_id=lot)
    hall.cancel(workflow_id=lot, reason="the hall burns")
    hall.advance(0.0)
    assert hall.get(lot).status == "Cancelled"
    assert returned(hall, ANN) == [(lot, "axe", 100 if closing else 50, None)]


def test_a_bidder_that_reads_no_mail_does_not_stop_it(hall):
    lot = hall.start(auction("axe", SELLER, 60.0, start_price=100))
    hall.start(deaf(), entity_id=9)
    for _ in range(2):
        for _ in range(900):
            hall.signal(Bid(9, 1), workflow_id=lot)
        hall.advance(0.01)
    unread = len(hall.only(type="deaf").unread)
    assert unread >= 1000
    bid(hall, lot, 9, 1)
    assert len(hall.only(type="deaf").unread) == unread
    bid(hall, lot, ANN, 100)
    hall.advance(60.0)
    assert end(hall, lot)["winner"] == ANN


def test_it_says_in_its_locals_who_leads(hall):
    lot = hall.start(auction("axe", SELLER, 60.0))
    bid(hall, lot, ANN, 12)
    assert hall.get(lot).locals["highest"] == Bid(ANN, 12)


@pytest.mark.parametrize("seed", range(3))
def test_no_money_appears_or_is_lost_whatever_is_bid(hall, seed):
    dice = random.Random(seed)
    lot = hall.start(auction("axe", SELLER, 20.0, increment=3, reserve=dice.choice([0, 90]), buy_out=100))
    spent = {ANN: 0, BOB: 0}
    while hall.get(lot).current_step == "open":
        for _ in range(dice.randint(0, 3)):
            bidder, amount = dice.choice([ANN, BOB]), dice.randint(1, 110)
            hall.signal(Bid(bidder, amount), workflow_id=lot)
            spent[bidder] += amount
        hall.advance(dice.choice([0.1, 1.0, 5.0]))
    result = end(hall, lot)
    for bidder in (ANN, BOB):
        kept = spent[bidder] - sum(amount for _, _, amount, _ in returned(hall, bidder))
        if result["winner"] != bidder:
            assert kept == 0, f"seed {seed}"
        else:
            # The game gives back what a bid over the buy-out price put aside beyond it.
            assert 0 <= kept - result["price"] <= 10, f"seed {seed}"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (auction(7, 1, 60.0), "item of auction is a text of at most 255 characters, not 7"),
        (
            auction("axe", "me", 60.0),
            "seller of auction is a whole number from 0 to 18446744073709551615, not 'me'",
        ),
        (auction("axe", 1, 0), "duration of auction is a number from 0.001 to 3.1536e+07, not 0"),
        (
            auction("axe", 1, 60.0, start_price=0),
            "start_price of auction is a whole number from 1 to 1000000000000000, not 0",
        ),
        (
            auction("axe", 1, 60.0, increment=0),
            "increment of auction is a whole number from 1 to 1000000000000000, not 0",
        ),
        (
            auction("axe", 1, 60.0, reserve=-1),
            "reserve of auction is a whole number from 0 to 1000000000000000, not -1",
        ),
        (
            auction("axe", 1, 60.0, reserve=50, buy_out=40),
            "buy_out of auction is a whole number from 50 to 1000000000000000, not 40",
        ),
        (
            auction("axe", 1, 60.0, snipe_window=-1),
            "snipe_window of auction is a number from 0 to 86400, not -1",
        ),
        (
            auction("axe", 1, 60.0, max_extensions=1001),
            "max_extensions of auction is a whole number from 0 to 1000, not 1001",
        ),
    ],
)
def test_bad_arguments_fail_it_with_their_name_and_range(world, call, message):
    assert world.error(world.start(call)) == "ValueError: " + message


def test_bad_signals_are_refused_where_they_are_made():
    with pytest.raises(ValueError, match="bidder of Bid is a whole number from 0 to 18446744073709551615"):
        Bid(-1, 5)
    for amount in (0, -5, 1.5, "5", True, None, 10**15 + 1):
        with pytest.raises(ValueError, match="amount of Bid is a whole number from 1 to 1000000000000000"):
            Bid(ANN, amount)
    with pytest.raises(ValueError, match="seller of CallOff is a whole number from 0 to"):
        CallOff("me")

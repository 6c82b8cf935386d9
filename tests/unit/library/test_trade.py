"""`trade`: offers, locks, confirmations, and that it is all or nothing."""

import pytest

from deathless.workflows.library import Confirm, Decline, Lock, Offer, trade

ANN, BOB = 7, 8
NOTHING = {"items": {}, "gold": 0}


def send(world, deal, *signals, after=1.0):
    for signal in signals:
        world.after(after, signal, workflow_id=deal)


def state(world, deal):
    view = world.get(deal)
    return view.current_step, view.locals["revision"], view.locals["locked"], view.locals["confirmed"]


def ended(outcome, first=NOTHING, second=NOTHING):
    return {
        "outcome": outcome,
        "first": ANN,
        "first_gives": first,
        "second": BOB,
        "second_gives": second,
    }


def agreed(world, deal):
    """Bring a trade to where both are locked at revision 2."""
    send(world, deal, Offer(ANN, {"axe": 1}), Offer(BOB, {}, gold=50), Lock(ANN, 2), Lock(BOB, 2))
    assert state(world, deal)[:2] == ("locked", 2)


def test_when_both_have_locked_and_confirmed_both_offers_change_hands(world):
    deal = world.start(trade(ANN, BOB))
    assert state(world, deal) == ("offering", 0, [], [])
    agreed(world, deal)
    send(world, deal, Confirm(BOB, 2))
    assert state(world, deal) == ("locked", 2, [ANN, BOB], [BOB])
    send(world, deal, Confirm(ANN, 2))
    assert world.result(deal) == ended("traded", {"items": {"axe": 1}, "gold": 0}, {"items": {}, "gold": 50})


def test_a_new_offer_takes_the_place_of_the_one_before(world):
    deal = world.start(trade(ANN, BOB))
    send(world, deal, Offer(ANN, {"axe": 1}, 5), Offer(ANN, {"hat": 2}))
    assert world.get(deal).locals["offers"] == {ANN: {"items": {"hat": 2}, "gold": 0}, BOB: NOTHING}


def test_a_gift_is_a_trade_too(world):
    deal = world.start(trade(ANN, BOB))
    send(world, deal, Offer(ANN, {}, 5), Lock(ANN, 1), Lock(BOB, 1), Confirm(ANN, 1), Confirm(BOB, 1))
    assert world.result(deal) == ended("traded", {"items": {}, "gold": 5})


@pytest.mark.parametrize("party", [ANN, BOB])
def test_a_changed_offer_unlocks_both(world, party):
    deal = world.start(trade(ANN, BOB))
    agreed(world, deal)
    send(world, deal, Confirm(ANN, 2), Offer(party, {"stone": 1}))
    assert state(world, deal) == ("offering", 3, [], [])


def test_a_changed_offer_undoes_a_single_lock(world):
    deal = world.start(trade(ANN, BOB))
    send(world, deal, Lock(ANN, 0), Offer(BOB, {"axe": 1}))
    assert state(world, deal) == ("offering", 1, [], [])


def test_a_lock_that_crossed_a_new_offer_is_lost(world):
    deal = world.start(trade(ANN, BOB))
    send(world, deal, Offer(ANN, {"axe": 1}), Lock(ANN, 1))
    world.signal(Offer(ANN, {"stone": 1}), workflow_id=deal)
    world.signal(Lock(BOB, 1), workflow_id=deal)
    world.advance(0.1)
    assert state(world, deal) == ("offering", 2, [], [])


def test_a_confirmation_that_crossed_a_new_offer_is_lost(world):
    deal = world.start(trade(ANN, BOB))
    agreed(world, deal)
    send(world, deal, Confirm(ANN, 2), Offer(ANN, {"stone": 1}), Confirm(BOB, 2))
    assert state(world, deal) == ("offering", 3, [], [])
    send(world, deal, Lock(ANN, 3), Lock(BOB, 3), Confirm(BOB, 2))
    assert state(world, deal) == ("locked", 3, [ANN, BOB], [])


def test_locking_twice_is_locking_once_and_so_with_confirming(world):
    deal = world.start(trade(ANN, BOB))
    send(world, deal, Lock(ANN, 0), Lock(ANN, 0))
    assert state(world, deal) == ("offering", 0, [ANN], [])
    send(world, deal, Lock(BOB, 0), Confirm(ANN, 0), Confirm(ANN, 0))
    assert state(world, deal) == ("locked", 0, [ANN, BOB], [ANN])


def test_confirming_before_both_are_locked_is_lost(world):
    deal = world.start(trade(ANN, BOB))
    send(world, deal, Confirm(BOB, 0), Lock(ANN, 0), Confirm(BOB, 0), Lock(BOB, 0))
    assert state(world, deal) == ("locked", 0, [ANN, BOB], [])


@pytest.mark.parametrize("signal", [Offer(9, {"axe": 1}), Lock(9, 2), Confirm(9, 2), Decline(9)])
def test_strangers_are_not_heard(world, signal):
    deal = world.start(trade(ANN, BOB))
    agreed(world, deal)
    before = state(world, deal)
    send(world, deal, signal, signal)
    assert state(world, deal) == before


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("party", [ANN, BOB])
def test_either_party_can_decline_at_any_time_and_nothing_moves(world, party, locked):
    deal = world.start(trade(ANN, BOB))
    if locked:
        agreed(world, deal)
    else:
        send(world, deal, Offer(ANN, {"axe": 1}))
    send(world, deal, Decline(party))
    assert world.result(deal) == ended("declined")


def test_the_time_of_the_whole_trade_is_not_lengthened_by_anything(world):
    deal = world.start(trade(ANN, BOB, trade_timeout=10.0))
    agreed(world, deal)
    send(world, deal, Confirm(ANN, 2))
    world.advance(4.9)
    assert world.get(deal).status == "Suspended"
    world.advance(0.1)
    assert world.result(deal) == ended("timed_out")


def test_locks_open_again_when_nobody_confirms_and_the_offers_stand(world):
    deal = world.start(trade(ANN, BOB, confirm_timeout=10.0))
    agreed(world, deal)
    send(world, deal, Confirm(ANN, 2))
    world.advance(8.9)
    assert state(world, deal)[0] == "locked"
    world.advance(0.1)
    assert state(world, deal) == ("offering", 2, [], [])
    send(world, deal, Lock(ANN, 2), Lock(BOB, 2), Confirm(ANN, 2), Confirm(BOB, 2))
    assert world.result(deal)["first_gives"] == {"items": {"axe": 1}, "gold": 0}


def test_each_locking_has_its_full_time(world):
    deal = world.start(trade(ANN, BOB, confirm_timeout=10.0))
    agreed(world, deal)
    send(world, deal, Offer(ANN, {}), Lock(ANN, 3), Lock(BOB, 3), after=3.0)
    world.advance(9.9)
    assert state(world, deal)[0] == "locked"


def test_when_both_times_are_up_in_one_turn_the_trade_is_over(world):
    deal = world.start(trade(ANN, BOB, trade_timeout=10.0, confirm_timeout=5.0))
    agreed(world, deal)
    world.advance(100.0)
    world.advance(0.0)
    assert world.result(deal) == ended("timed_out")


@pytest.mark.parametrize("timer", ["trade_timeout", "confirm_timeout"])
def test_a_confirmation_sent_before_the_turn_in_which_a_time_is_up_counts(world, timer):
    deal = world.start(trade(ANN, BOB, **{timer: 10.0}))
    agreed(world, deal)
    send(world, deal, Confirm(ANN, 2))
    world.advance(4.5)
    world.signal(Confirm(BOB, 2), workflow_id=deal)
    world.advance(20.0)
    assert world.result(deal)["outcome"] == "traded"


def test_what_was_offered_is_not_what_the_sender_changes_later(world):
    items = {"axe": 1}
    deal = world.start(trade(ANN, BOB))
    offer = Offer(ANN, items)
    world.signal(offer, workflow_id=deal)
    items["axe"] = 99
    world.advance(0.1)
    assert world.get(deal).locals["offers"][ANN] == {"items": {"axe": 1}, "gold": 0}


def test_a_cancelled_trade_has_no_result_and_moves_nothing(world):
    deal = world.start(trade(ANN, BOB))
    agreed(world, deal)
    world.cancel(workflow_id=deal, reason="disconnected")
    world.advance(0.0)
    assert (world.get(deal).status, world.get(deal).result) == ("Cancelled", None)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (trade("ann", 8), "first of trade is a whole number from 0 to 18446744073709551615, not 'ann'"),
        (trade(7, -1), "second of trade is a whole number from 0 to 18446744073709551615, not -1"),
        (trade(7, 7), "the parties of trade are two entities, not 7 twice; give it another second"),
        (trade(7, 8, trade_timeout=0), "trade_timeout of trade is a number from 0.001 to 86400, not 0"),
        (
            trade(7, 8, confirm_timeout=1e9),
            "confirm_timeout of trade is a number from 0.001 to 86400, not 1000000000.0",
        ),
    ],
)
def test_bad_arguments_fail_it_with_their_name_and_range(world, call, message):
    assert world.error(world.start(call)) == "ValueError: " + message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (("ann", {}), "party of Offer is a whole number from 0 to 18446744073709551615, not 'ann'"),
        ((7, ["axe"]), r"items of Offer is a table of at most 32 amounts, not \['axe'\]"),
        ((7, {str(n): 1 for n in range(33)}), "items of Offer is a table of at most 32 amounts, not"),
        ((7, {5: 1}), "each name in items of Offer is a text of at most 64 characters, not 5"),
        ((7, {"axe": 0}), "'axe' of items of Offer is a whole number from 1 to 1000000000, not 0"),
        ((7, {}, -1), "gold of Offer is a whole number from 0 to 1000000000000000, not -1"),
    ],
)
def test_bad_offers_are_refused_where_they_are_made(fields, message):
    with pytest.raises(ValueError, match=message):
        Offer(*fields)


def test_bad_signals_are_refused_where_they_are_made():
    for kind in (Lock, Confirm):
        with pytest.raises(ValueError, match=f"party of {kind.__name__} is a whole number from 0 to"):
            kind(-1, 0)
        with pytest.raises(ValueError, match=f"revision of {kind.__name__} is a whole number from 0 to"):
            kind(7, 1.0)
    with pytest.raises(ValueError, match="party of Decline is a whole number from 0 to"):
        Decline(None)

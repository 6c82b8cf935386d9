"""What the test can start, send and call, made from small numbers."""

from __future__ import annotations

from typing import Any

from runtime_model_flows import (
    Bear,
    Boom,
    Fetch,
    Finish,
    Follow,
    Forward,
    Gather,
    Lock,
    News,
    Note,
    Open,
    Pay,
    Price,
    Rest,
    Snooze,
    Tell,
    Unfollow,
    Unlock,
    courier,
    deposit,
    fetcher,
    found_branch,
    ledger,
    listener,
    metronome,
    mourner,
    parent,
    shop,
    sleeper,
    stubborn,
    teller,
    transfer,
    try_transfer,
)

SECONDS = (0.0, 0.3, 1.0, 4.0)
POLICIES = ("skip", "once", "catch_up", "shift")
PEOPLE = ("ann", "bob", "cid")
PATIENCE = (0.0, 0.5, 2.0)

CALLS: tuple[Any, ...] = (
    lambda n: ledger(PATIENCE[n % 3]),
    lambda n: stubborn(SECONDS[n % 4]),
    lambda n: mourner(SECONDS[n % 3], n % 2 == 0),
    lambda n: courier(),
    lambda n: parent(),
    lambda n: parent(),
    lambda n: listener(),
    lambda n: listener(),
    lambda n: shop(n % 3 > 0),
    lambda n: teller(),
    lambda n: metronome((0.1, 0.3, 0.7)[n // 4], POLICIES[n % 4]),
    lambda n: sleeper((0.4, 1.5, 3.0)[n % 3]),
    lambda n: fetcher(),
    lambda n: fetcher(),
)


def boom(n: int, now: float) -> Boom:
    return Boom(now + SECONDS[n % 4])


def note(n: int, now: float) -> Note:
    return Note(n)


def finish(n: int, now: float) -> Finish:
    return Finish()


def bear(n: int, now: float) -> Bear:
    how = ("fails", "returns", "clings", "parent")[n % 4]
    return Bear(how, ("cancel", "abandon")[n // 4 % 2], PATIENCE[n // 4])


def forward(n: int, now: float) -> Forward:
    ways = ((n % 6 + 1, None, None), (None, n % 3 + 1, None), (None, None, ("red", "blue")[n % 2]))
    return Forward(n, *ways[n % 3])


SIGNALS: dict[str, tuple[Any, ...]] = {
    "ledger": (note, note, lambda n, t: Lock(), lambda n, t: Unlock(), boom, finish),
    "stubborn": (note, boom),
    "mourner": (note, note, boom),
    "courier": (forward, forward, forward, finish),
    "kid": (note,),
    "parent": (bear, bear, bear, lambda n, t: Gather(), boom, finish),
    "listener": (
        lambda n, t: Follow(n % 3),
        lambda n, t: Follow(n % 3),
        lambda n, t: Follow(n % 3),
        lambda n, t: Unfollow(n % 3),
        lambda n, t: Tell(n % 3),
        lambda n, t: Tell(n % 3),
        lambda n, t: News(n % 3, n),
        boom,
        finish,
    ),
    "shop": (
        lambda n, t: Price(n % 4),
        lambda n, t: Price(n % 4 + 1),
        lambda n, t: Lock(),
        lambda n, t: Open(),
        finish,
    ),
    "teller": (lambda n, t: Pay(PEOPLE[n % 3], PEOPLE[n % 2], n % 5), boom, finish),
    "metronome": (lambda n, t: Rest(SECONDS[n % 4]), lambda n, t: Rest(SECONDS[n % 4]), note, boom),
    "sleeper": (note, lambda n, t: Rest(SECONDS[n % 4]), lambda n, t: Snooze(SECONDS[n % 4])),
    "fetcher": (
        lambda n, t: Fetch(n, n % 3 + 1),
        lambda n, t: Fetch(n, n % 3 + 1),
        lambda n, t: Fetch(n, n % 3 + 1),
        lambda n, t: Gather(),
        boom,
        finish,
    ),
}

REDUCER_CALLS: tuple[Any, ...] = (
    lambda n: (deposit, PEOPLE[n % 3], n),
    lambda n: (transfer, PEOPLE[n % 3], PEOPLE[n % 2], n % 5),
    lambda n: (try_transfer, PEOPLE[n % 3], PEOPLE[n % 2], n % 7),
    lambda n: (found_branch, n % 3 + 1, n % 4 == 0),
)

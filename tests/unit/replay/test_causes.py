"""Each kind of message, and each answer of the world, has its words."""

import msgpack
import pytest

from deathless.tools.replay.causes import Causes
from deathless.tools.replay.saved_world import SavedWorld
from deathless.workflows import rows
from deathless.workflows.messages import (
    ACTIVITY_FAILED,
    ASK,
    CANCEL,
    CHILD_DONE,
    FIRE,
    NEXT,
    RETRY,
    SIGNAL,
    START,
    STATUS_CODE,
    TICK,
    Status,
)
from deathless.workflows.values import engine_codec

DONE, FAILED, CANCELLED = (
    STATUS_CODE[status] for status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
)
pack = engine_codec().pack

MESSAGES = {
    "start": ((START, 0), ("start", "started")),
    "signal": (
        (SIGNAL, 100_000, "Alarm", pack(["gate"]), "where"),
        ("signal", "signal Alarm(where='gate') sent at 0.1 s"),
    ),
    "signal without fields": ((SIGNAL, 0, "Rest", pack([]), ""), ("signal", "signal Rest() sent at 0.0 s")),
    "damaged signal": ((SIGNAL, 0, "Alarm", b"\xc1", "where"), ("signal", "signal Alarm(...) sent at 0.0 s")),
    "ask": (
        (ASK, 0, "Price", pack(["moon"]), "of", 1, None),
        ("ask", "ask Price(of='moon') asked at 0.0 s"),
    ),
    "timer": ((TICK, 50_100_000), ("timer", "timer bored due 50.1 s")),
    "another timer": ((TICK, 7), ("timer", "timer due 0.000007 s")),
    "timer by hand": ((FIRE, 300_000), ("timer", "timer bored due 50.1 s, fired by hand at 0.3 s")),
    "child": ((CHILD_DONE, 0, 8, DONE, pack([1])), ("child", "child 8 completed: [1]")),
    "failed child": ((CHILD_DONE, 0, 8, FAILED, "no"), ("child", "child 8 failed: no")),
    "cancelled child": (
        (CHILD_DONE, 0, 8, CANCELLED, ""),
        ("child", "child 8 was cancelled: no reason given"),
    ),
    "activity": ((CHILD_DONE, 0, 9, DONE, pack("ding")), ("activity", "activity 9 completed: 'ding'")),
    "failed activity": ((CHILD_DONE, 0, 9, ACTIVITY_FAILED, "no"), ("activity", "activity 9 failed: no")),
    "cancel": ((CANCEL, 0, "off duty", False), ("cancel", "cancel: off duty")),
    "cancel by force": ((CANCEL, 0, "", True), ("cancel", "cancel by force: no reason given")),
    "retry": ((RETRY, 0), ("retry", "tried again: the step that failed")),
    "unread": ((NEXT, 0), ("signal", "signal Alarm(where='moat') sent at 0.2 s, unread until now")),
}
ANSWERS = {
    "yes": (None, "accepted"),
    "an id": (7, "new id 7"),
    "no": ("it has ended", "refused: it has ended"),
    "a result": (pack({"gold": 3}), "reducer gave {'gold': 3}"),
    "a limit": (
        ["", "unread signals", 9, 8, "max_unread"],
        "refused: unread signals is 9, over the limit of 8",
    ),
    "an error": (["builtins", "ValueError", ["no"]], "raised ValueError('no')"),
    "a game's error": (["game", "Broke", [1, "two"]], "raised game.Broke(1, 'two')"),
}


@pytest.fixture
def world(saved):
    with SavedWorld(saved) as opened:
        yield opened


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_has_its_words(world, name):
    message, expected = MESSAGES[name]
    unread = [
        [SIGNAL, 100_000, "Price", pack(["moon"]), "of"],
        [SIGNAL, 200_000, "Alarm", pack(["moat"]), "where"],
    ]
    row = rows.patch(world.row(3), unread=unread, children=[8, 1, 9, 2])
    assert Causes(world).message(message, row) == expected


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_has_its_words(world, name):
    answer, expected = ANSWERS[name]
    step = world.step(3, 2)
    told = msgpack.unpackb(msgpack.packb([answer]))
    assert Causes(world).of(step._replace(record=step.record._replace(answers=told))).answers == (expected,)

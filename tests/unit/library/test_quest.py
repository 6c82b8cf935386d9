"""`quest`: objectives, order, deadline, requirements, rewards."""

import pytest

from deathless.workflows.library import Abandon, Progress, QuestDone, quest

HERO = 42
RATS = {"rat": 3, "cheese": 1}


def send(world, *signals, after=1.0):
    for signal in signals:
        world.after(after, signal, entity_id=HERO)


def done(world, errand):
    return world.get(errand).locals["done"]


def test_it_is_completed_when_each_objective_has_its_count(world):
    errand = world.start(quest("rats", RATS, rewards={"gold": 50, "xp": 10}), entity_id=HERO)
    assert world.get(errand).current_step == "active"
    send(world, Progress("rat"), Progress("cheese"), Progress("rat", 2))
    assert world.result(errand) == {
        "quest": "rats",
        "outcome": "completed",
        "done": {"rat": 3, "cheese": 1},
        "rewards": {"gold": 50, "xp": 10},
    }


def test_more_than_the_count_and_what_it_does_not_ask_for_is_lost(world):
    errand = world.start(quest("rats", RATS), entity_id=HERO)
    send(world, Progress("rat", 99), Progress("rat"), Progress("wolf"))
    assert done(world, errand) == {"rat": 3, "cheese": 0}


def test_in_order_only_the_first_that_is_left_takes_progress(world):
    errand = world.start(quest("rats", RATS, in_order=True), entity_id=HERO)
    assert world.get(errand).current_step == "active: rat"
    send(world, Progress("cheese"), Progress("rat", 3))
    assert done(world, errand) == {"rat": 3, "cheese": 0}
    assert world.get(errand).current_step == "active: cheese"
    send(world, Progress("cheese"))
    assert world.result(errand)["outcome"] == "completed"


def test_it_expires_at_its_deadline_without_rewards(world):
    errand = world.start(quest("rats", RATS, deadline=60.0, rewards={"gold": 50}), entity_id=HERO)
    send(world, Progress("rat"), after=50.0)
    world.advance(9.9)
    assert world.get(errand).status == "Suspended"
    world.advance(0.1)
    assert world.result(errand) == {
        "quest": "rats",
        "outcome": "expired",
        "done": {"rat": 1, "cheese": 0},
        "rewards": {},
    }


def test_progress_sent_before_the_turn_of_the_deadline_counts(world):
    errand = world.start(quest("rats", {"rat": 1}, deadline=60.0), entity_id=HERO)
    world.advance(59.5)
    world.signal(Progress("rat"), entity_id=HERO)
    world.advance(1.0)
    assert world.result(errand)["outcome"] == "completed"


def test_progress_that_is_not_enough_does_not_hold_up_the_deadline_of_its_turn(world):
    errand = world.start(quest("rats", RATS, deadline=60.0), entity_id=HERO)
    world.advance(59.5)
    world.signal(Progress("rat"), entity_id=HERO)
    world.advance(1.0)
    world.advance(0.0)
    assert world.result(errand)["outcome"] == "expired"


@pytest.mark.parametrize("waiting", [False, True])
def test_it_can_be_abandoned_by_its_name(world, waiting):
    errand = world.start(quest("rats", RATS, requires=["letter"] if waiting else None), entity_id=HERO)
    send(world, Abandon("wolves"))
    assert world.get(errand).status == "Suspended"
    send(world, Abandon("rats"))
    assert world.result(errand) == {
        "quest": "rats",
        "outcome": "abandoned",
        "done": {"rat": 0, "cheese": 0},
        "rewards": {},
    }


def test_two_quests_of_one_entity_count_the_same_progress(world):
    first = world.start(quest("rats", {"rat": 1}), entity_id=HERO)
    second = world.start(quest("vermin", {"rat": 2}), entity_id=HERO)
    send(world, Progress("rat"))
    assert world.result(first)["outcome"] == "completed"
    assert done(world, second) == {"rat": 1}


def test_it_waits_for_the_quests_that_it_requires_and_counts_nothing_before(world):
    errand = world.start(
        quest("rats", {"rat": 1}, requires=["letter", "wolves"], deadline=60.0), entity_id=HERO
    )
    assert (world.get(errand).current_step, world.get(errand).locals["missing"]) == (
        "waiting",
        ["letter", "wolves"],
    )
    send(world, QuestDone("wolves"), Progress("rat"), QuestDone("bees"), after=1000.0)
    assert world.get(errand).locals["missing"] == ["letter"]
    send(world, QuestDone("letter"))
    assert (world.get(errand).current_step, done(world, errand)) == ("active", {"rat": 0})
    world.advance(59.9)
    assert world.get(errand).status == "Suspended"
    world.advance(0.1)
    assert world.result(errand)["outcome"] == "expired"


def test_what_is_completed_already_is_not_waited_for(world):
    errand = world.start(quest("rats", RATS, requires=["a", "b"], completed=["b", "c", "a"]), entity_id=HERO)
    assert world.get(errand).current_step == "active"


def test_a_chain_of_quests_opens_link_by_link(world):
    third = world.start(quest("c", {"x": 1}, requires=["b", "a"]), entity_id=HERO)
    second = world.start(quest("b", {"x": 1}, requires=["a"]), entity_id=HERO)
    first = world.start(quest("a", {"x": 1}), entity_id=HERO)
    elsewhere = world.start(quest("b", {"x": 1}, requires=["a"]), entity_id=HERO + 1)
    steps = []
    for _ in range(3):
        send(world, Progress("x"))
        steps.append([world.get(number).status == "Completed" for number in (first, second, third)])
    assert steps == [[True, False, False], [True, True, False], [True, True, True]]
    assert world.get(elsewhere).current_step == "waiting"


def test_an_active_quest_reads_the_news_of_others(world):
    errand = world.start(quest("rats", RATS), entity_id=HERO)
    for number in range(5):
        send(world, QuestDone(str(number)))
    assert world.get(errand).unread == ()


def test_a_quest_of_nobody_tells_nobody(world):
    errand = world.start(quest("rats", {"rat": 1}))
    waiting = world.start(quest("wolves", {"wolf": 1}, requires=["rats"]), entity_id=HERO)
    world.after(1.0, Progress("rat"), workflow_id=errand)
    assert world.result(errand)["outcome"] == "completed"
    assert world.get(waiting).current_step == "waiting"


def test_an_abandoned_or_expired_quest_opens_nothing(world):
    world.start(quest("a", {"x": 1}), entity_id=HERO)
    world.start(quest("b", {"x": 1}, deadline=5.0), entity_id=HERO)
    waiting = world.start(quest("c", {"x": 1}, requires=["a", "b"]), entity_id=HERO)
    send(world, Abandon("a"))
    world.advance(10.0)
    assert world.get(waiting).locals["missing"] == ["a", "b"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (quest(7, RATS), "name of quest is a text of at most 64 characters, not 7"),
        (quest("q", {}), "objectives of quest is a table of at least one objective, not {}"),
        (quest("q", ["rat"]), "objectives of quest is a table of at most 32 amounts, not ['rat']"),
        (
            quest("q", {"rat": 0}),
            "'rat' of objectives of quest is a whole number from 1 to 1000000000, not 0",
        ),
        (quest("q", {1: 1}), "each name in objectives of quest is a text of at most 64 characters, not 1"),
        (quest("q", RATS, deadline=0), "deadline of quest is a number from 0.001 to 3.1536e+07, not 0"),
        (quest("q", RATS, rewards=[50]), "rewards of quest is a table of at most 32 amounts, not [50]"),
        (quest("q", RATS, requires="a"), "requires of quest is a list of at most 1000 texts, not 'a'"),
        (
            quest("q", RATS, completed=[1]),
            "each of completed of quest is a text of at most 64 characters, not 1",
        ),
        (quest("q", RATS, requires=["q"]), "quest 'q' requires itself; drop it from requires"),
    ],
)
def test_bad_arguments_fail_it_with_their_name_and_range(world, call, message):
    assert world.error(world.start(call)) == "ValueError: " + message


def test_bad_signals_are_refused_where_they_are_made():
    with pytest.raises(ValueError, match="objective of Progress is a text of at most 64 characters, not 7"):
        Progress(7)
    for amount in (0, -1, 1.5, True, None):
        with pytest.raises(
            ValueError, match="amount of Progress is a whole number from 1 to 1000000000, not"
        ):
            Progress("rat", amount)
    with pytest.raises(ValueError, match="quest of Abandon is a text of at most 64 characters, not None"):
        Abandon(None)
    with pytest.raises(ValueError, match="quest of QuestDone is a text of at most 64 characters, not None"):
        QuestDone(None)

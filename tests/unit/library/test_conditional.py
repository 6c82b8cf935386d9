"""`conditional`: branches, conditions, facts, ends."""

import pytest

from deathless.workflows.library import Choose, Leave, conditional
from deathless.workflows.library.conditional import MAX_FACTS, MAX_PATH, open_options

SMITH = {
    "start": {
        "say": "What is it?",
        "choices": [
            {"say": "Who are you?", "to": "name", "gives": ["name"], "bars": ["name"]},
            {"say": "I bring your hammer, Brom.", "to": "thanks", "needs": ["name", "hammer"]},
            {"say": "Nothing."},
        ],
    },
    "name": {
        "say": "Brom. I have lost my hammer.",
        "choices": [{"say": "Is that so.", "to": "start", "gives": ["errand", "name"]}],
    },
    "thanks": {"say": "You have my thanks."},
}


def say(world, *answers, after=0.5):
    for at, option in answers:
        world.after(after, Choose(at, option), entity_id=5)


def test_a_talk_leads_from_node_to_node_and_gains_facts_once(world):
    talk = world.start(conditional(SMITH, facts=["hammer"]), entity_id=5)
    assert world.get(talk).current_step == "at start"
    say(world, ("start", 0))
    assert (world.get(talk).current_step, world.get(talk).locals["gained"]) == ("at name", ["name"])
    say(world, ("name", 0), ("start", 1))
    assert world.result(talk) == {
        "outcome": "ended",
        "path": ["start", "name", "start", "thanks"],
        "gained": ["name", "errand"],
    }


def test_a_choice_that_leads_nowhere_ends_it(world):
    talk = world.start(conditional(SMITH), entity_id=5)
    say(world, ("start", 2))
    assert world.result(talk) == {"outcome": "ended", "path": ["start"], "gained": []}


def test_what_is_known_opens_and_bars_choices():
    node = SMITH["start"]
    assert open_options(node, set()) == [0, 2]
    assert open_options(node, {"name"}) == [2]
    assert open_options(node, {"hammer"}) == [0, 2]
    assert open_options(node, {"name", "hammer"}) == [1, 2]
    assert open_options({"say": "Farewell."}, {"name"}) == []


@pytest.mark.parametrize("lost", [("name", 0), ("start", 1), ("start", 9), ("nowhere", 0)])
def test_an_answer_that_is_barred_or_to_another_node_is_lost_and_gives_no_more_time(world, lost):
    talk = world.start(conditional(SMITH, answer_timeout=10.0), entity_id=5)
    say(world, lost, after=6.0)
    assert world.get(talk).locals["path"] == ["start"]
    world.advance(4.0)
    assert world.result(talk)["outcome"] == "timed_out"


def test_an_answer_clicked_twice_is_not_taken_for_one_to_the_next_question(world):
    talk = world.start(conditional(SMITH), entity_id=5)
    for _ in range(2):
        world.signal(Choose("start", 0), entity_id=5)
    world.advance(0.1)
    assert world.get(talk).current_step == "at name"


def test_each_answer_has_its_full_time(world):
    talk = world.start(conditional(SMITH, answer_timeout=10.0), entity_id=5)
    say(world, ("start", 0), ("name", 0), ("start", 2), after=9.0)
    assert world.result(talk)["path"] == ["start", "name", "start"]


def test_one_can_walk_away_with_what_one_has_learned(world):
    talk = world.start(conditional(SMITH), entity_id=5)
    say(world, ("start", 0))
    world.after(0.5, Leave(), entity_id=5)
    assert world.result(talk) == {"outcome": "left", "path": ["start", "name"], "gained": ["name"]}


def test_silence_ends_it(world):
    talk = world.start(conditional(SMITH, answer_timeout=10.0), entity_id=5)
    world.advance(9.9)
    assert world.get(talk).status == "Suspended"
    world.advance(0.1)
    assert world.result(talk) == {"outcome": "timed_out", "path": ["start"], "gained": []}


@pytest.mark.parametrize(("signal", "outcome"), [(Choose("start", 2), "ended"), (Leave(), "left")])
def test_an_answer_sent_before_the_turn_in_which_the_time_is_up_counts(world, signal, outcome):
    talk = world.start(conditional(SMITH, answer_timeout=10.0), entity_id=5)
    world.advance(9.5)
    world.signal(signal, entity_id=5)
    world.advance(1.0)
    assert world.result(talk)["outcome"] == outcome


def test_an_answer_that_is_lost_does_not_stop_the_timer_of_the_same_turn(world):
    talk = world.start(conditional(SMITH, answer_timeout=10.0), entity_id=5)
    world.advance(9.5)
    world.signal(Choose("name", 0), entity_id=5)
    world.advance(1.0)
    world.advance(0.0)
    assert world.result(talk)["outcome"] == "timed_out"


def test_a_node_where_no_choice_is_open_ends_it(world):
    tree = {"start": {"say": "Password?", "choices": [{"say": "Swordfish.", "needs": ["password"]}]}}
    assert world.result(world.start(conditional(tree))) == {
        "outcome": "ended",
        "path": ["start"],
        "gained": [],
    }


def test_a_talk_that_goes_round_is_cut_when_its_path_is_full(world):
    tree = {"start": {"say": "Why?", "choices": [{"say": "Because.", "to": "start"}]}}
    talk = world.start(conditional(tree), entity_id=5)
    for _ in range(MAX_PATH - 1):
        world.signal(Choose("start", 0), entity_id=5)
    world.advance(0.1)
    assert len(world.get(talk).locals["path"]) == MAX_PATH
    say(world, ("start", 0))
    end = world.result(talk)
    assert (end["outcome"], len(end["path"])) == ("cut", MAX_PATH)


def test_it_starts_by_name_with_a_tree_from_json(world):
    talk = world.runtime.start("conditional", kwargs={"tree": SMITH, "start": "name"}, entity_id=5).id
    world.advance(0.0)
    assert world.get(talk).current_step == "at name"


HI = {"say": "Hi"}


def node(**choice):
    return {"start": {"say": "Hi", "choices": [{"say": "Ho", **choice}]}}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (conditional({}), "tree of conditional is a table of 1 to 128 nodes, not {}"),
        (conditional([HI]), "tree of conditional is a table of 1 to 128 nodes, not [{'say': 'Hi'}]"),
        (
            conditional({"n" * 65: HI}),
            f"each name in tree of conditional is a text of at most 64 characters, not {'n' * 65!r}",
        ),
        (conditional({"a": HI}), "start of conditional is one of a, not 'start'"),
        (conditional({"a": HI}, ["a"]), "start of conditional is one of a, not ['a']"),
        (
            conditional({"start": HI, "b": HI, "c": HI}),
            "no choice of conditional leads to b, c: add a choice with that `to`, or drop it",
        ),
        (
            conditional({"start": "Hi"}),
            "node 'start' of conditional is a table with say, choices, not 'Hi'",
        ),
        (conditional({"start": {}}), "node 'start' of conditional has no 'say': add it"),
        (
            conditional({"start": {"say": "Hi", "choises": []}}),
            "node 'start' of conditional has an unknown 'choises'; its keys are say, choices",
        ),
        (
            conditional({"start": {"say": 7}}),
            "say of node 'start' of conditional is a text of at most 500 characters, not 7",
        ),
        (
            conditional({"start": {"say": "Hi", "choices": 7}}),
            "choices of node 'start' of conditional is a list of at most 16, not 7",
        ),
        (
            conditional(node(to="nowhere")),
            "to of choice 0 of node 'start' of conditional is one of start, not 'nowhere'",
        ),
        (
            conditional(node(to=["start"])),
            "to of choice 0 of node 'start' of conditional is one of start, not ['start']",
        ),
        (
            conditional(node(gives="fact")),
            "gives of choice 0 of node 'start' of conditional is a list of at most 64 texts, not 'fact'",
        ),
        (
            conditional(node(needs=[7])),
            "each of needs of choice 0 of node 'start' of conditional is a text of at most 64 characters, not 7",
        ),
        (
            conditional(node(gives=["new"]), facts=[f"fact {n}" for n in range(MAX_FACTS)]),
            "conditional knows at most 64 facts, not 65: give it fewer, or split the talk",
        ),
        (
            conditional(SMITH, answer_timeout=0),
            "answer_timeout of conditional is a number from 0.001 to 86400, not 0",
        ),
    ],
)
def test_bad_arguments_fail_it_with_their_name_and_range(world, call, message):
    assert world.error(world.start(call)) == "ValueError: " + message


def test_a_tree_of_too_many_nodes_or_choices_is_refused(world):
    many = {str(n): {"say": "Hi", "choices": [{"say": "Ho", "to": str(n + 1)}]} for n in range(128)}
    assert "is a table of 1 to 128 nodes" in world.error(world.start(conditional({**many, "128": HI}, "0")))
    wide = {"start": {"say": "Hi", "choices": [{"say": "Ho"}] * 17}}
    assert "is a list of at most 16" in world.error(world.start(conditional(wide)))


def test_bad_choices_are_refused_where_they_are_made():
    with pytest.raises(ValueError, match="at of Choose is a text of at most 64 characters, not 7"):
        Choose(7, 0)
    for option in (-1, 16, 1.0, "0", True):
        with pytest.raises(ValueError, match="option of Choose is a whole number from 0 to 15, not"):
            Choose("start", option)

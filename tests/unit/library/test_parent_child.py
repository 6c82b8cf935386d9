"""`parent_child`: waves, fights in parallel, reports, retreat."""

import pytest

from deathless.workflows.library import Action, Flee, Retreat, parent_child

SURE = {"enemy": "rabbit", "hp": 1_000_000, "strength": 1_000_000, "enemy_hp": 1, "enemy_strength": 1}
HOPELESS = {"enemy": "dragon", "hp": 1, "strength": 1, "enemy_hp": 1_000_000, "enemy_strength": 1_000_000}
LONG = {"hp": 1_000_000, "strength": 1, "enemy_hp": 1_000_000, "enemy_strength": 1}
KEYS = "hero, enemy, hp, strength, enemy_hp, enemy_strength"
SKIPPED = {"fate": "skipped", "hp": None, "enemy_hp": None, "error": ""}
RETREATED = {**SKIPPED, "fate": "retreated"}


def fights(world, **what):
    return world.workflows(type="combat", status="Suspended", **what)


def fates(end):
    return [[fight["fate"] for fight in wave] for wave in end["fights"]]


def flee(world, side, **address):
    world.signal(Flee(side), **address)
    world.advance(0.0)
    world.advance(0.0)


def test_the_fights_of_a_wave_run_at_once_and_the_next_wave_after_the_last_of_them(world):
    raid = world.start(parent_child([[LONG, LONG], [LONG]]), entity_id=1)
    assert world.get(raid).current_step == "wave 1 of 2"
    first, second = fights(world)
    assert (first.entity_id, first.parent_id) == (1, raid)
    flee(world, "foe", workflow_id=second.id)
    assert [fight.id for fight in fights(world)] == [first.id]
    flee(world, "foe", workflow_id=first.id)
    assert world.get(raid).current_step == "wave 2 of 2"
    (last,) = fights(world)
    flee(world, "hero", workflow_id=last.id)
    end = world.result(raid)
    assert (end["outcome"], end["waves"], end["won"], fates(end)) == (
        "routed",
        2,
        2,
        [["won", "won"], ["lost"]],
    )


def test_at_most_so_many_fights_run_at_once_and_the_next_takes_the_place_of_one_that_ends(world):
    raid = world.start(parent_child([[LONG] * 5], parallel=2), entity_id=1)
    seen = []
    for ended in range(5):
        running = fights(world)
        assert len(running) == min(2, 5 - ended)
        seen += [fight.id for fight in running if fight.id not in seen]
        flee(world, "foe", workflow_id=running[-1].id)
    assert len(seen) == 5
    assert (world.result(raid)["outcome"], world.result(raid)["won"]) == ("done", 5)


def test_reports_stand_where_their_fights_stood_with_what_the_fight_told(world):
    raid = world.start(parent_child([[HOPELESS, SURE], [SURE]], action_timeout=1.0), entity_id=1)
    end = world.run_to_end(raid, 1.0)
    assert (end["outcome"], end["waves"], end["won"]) == ("done", 2, 2)
    lost, won = end["fights"][0]
    assert (lost["fate"], lost["hp"], lost["error"]) == ("lost", 0, "")
    assert (won["fate"], won["enemy_hp"], won["error"]) == ("won", 0, "")
    assert end["fights"][1][0]["fate"] == "won"


def test_a_wave_without_a_victory_is_the_end(world):
    raid = world.start(parent_child([[HOPELESS, HOPELESS], [SURE]], action_timeout=1.0), entity_id=1)
    end = world.run_to_end(raid, 1.0)
    assert (end["outcome"], end["waves"], end["won"]) == ("routed", 1, 0)
    assert end["fights"][1] == [SKIPPED]


def test_each_fight_takes_the_actions_of_its_own_hero(world):
    world.start(parent_child([[{**LONG, "hero": 7}, {**LONG, "hero": 8}, LONG]]), entity_id=1)
    assert sorted(fight.entity_id for fight in fights(world)) == [1, 7, 8]
    (fight,) = fights(world, entity_id=7)
    side = fight.current_step.removesuffix(" to act")
    world.after(0.1, Action("guard", side), entity_id=7)
    turns = {fight.entity_id: fight.locals["turns"] for fight in fights(world)}
    assert turns == {1: 0, 7: 1, 8: 0}


def test_a_retreat_cancels_the_running_fights_and_the_waiting_never_begin(world):
    raid = world.start(parent_child([[SURE], [LONG, LONG, LONG], [SURE]], parallel=2), entity_id=1)
    while world.get(raid).current_step != "wave 2 of 3":
        world.advance(2.0)
    first, second = fights(world)
    flee(world, "foe", workflow_id=second.id)
    world.after(0.1, Retreat(), entity_id=1)
    end = world.result(raid)
    assert (end["outcome"], end["waves"], end["won"]) == ("retreated", 1, 2)
    assert fates(end) == [["won"], ["retreated", "won", "retreated"], ["skipped"]]
    assert end["fights"][1][0] == RETREATED
    assert fights(world) == []
    assert world.get(first.id).status == "Cancelled"


def test_a_fight_that_ended_in_the_turn_of_the_retreat_and_before_it_counts(world):
    raid = world.start(parent_child([[LONG, LONG]]), entity_id=1)
    first, second = fights(world)
    world.signal(Flee("foe"), workflow_id=first.id)
    world.advance(0.0)
    world.signal(Retreat(), entity_id=1)
    world.signal(Flee("foe"), workflow_id=second.id)
    world.advance(0.0)
    assert fates(world.result(raid)) == [["won", "retreated"]]


def test_a_retreat_comes_before_the_fight_that_would_end_by_a_timer_of_the_same_turn(world):
    raid = world.start(parent_child([[SURE]], action_timeout=1.0), entity_id=1)
    world.signal(Retreat(), entity_id=1)
    world.advance(1.0)
    assert world.result(raid)["fights"] == [[RETREATED]]


def test_a_fight_that_fails_is_reported_with_its_error_and_stops_nobody(world):
    raid = world.start(parent_child([[{"hp": 0}, SURE]], action_timeout=1.0), entity_id=1)
    end = world.run_to_end(raid, 1.0)
    failed, won = end["fights"][0]
    assert (failed["fate"], failed["hp"], won["fate"], end["outcome"]) == ("failed", None, "won", "done")
    assert failed["error"].startswith("child workflow 2 failed: ValueError: hp of combat is a whole")
    assert len(failed["error"]) == 80


def test_a_fight_that_is_cancelled_is_reported_with_the_reason(world):
    raid = world.start(parent_child([[LONG, LONG]]), entity_id=1)
    first, second = fights(world)
    world.cancel(workflow_id=first.id, reason="the bridge broke")
    world.advance(0.0)
    flee(world, "foe", workflow_id=second.id)
    end = world.result(raid)
    assert fates(end) == [["cancelled", "won"]]
    assert end["fights"][0][0]["error"] == f"child workflow {first.id} was cancelled: the bridge broke"


def test_a_draw_is_no_victory(world):
    peace = {"hp": 1_000_000, "enemy_hp": 1_000_000, "strength": 1, "enemy_strength": 1}
    raid = world.start(parent_child([[peace]], action_timeout=1.0), entity_id=1)
    end = world.run_to_end(raid, 1.0)
    assert (end["outcome"], fates(end)) == ("routed", [["drawn"]])


def test_a_cancelled_raid_takes_its_fights_with_it(world):
    raid = world.start(parent_child([[LONG, LONG], [LONG]]), entity_id=1)
    world.cancel(workflow_id=raid, reason="peace")
    world.advance(0.0)
    assert {str(view.status) for view in world.workflows()} == {"Cancelled"}
    assert len(world.workflows()) == 3


def test_a_hundred_fights_may_run_at_once(world):
    raid = world.start(parent_child([[SURE] * 100], parallel=100, action_timeout=1.0), entity_id=1)
    assert len(fights(world)) == 100
    assert world.run_to_end(raid, 1.0)["won"] == 100


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (parent_child([]), "waves of parent_child is a list of 1 to 32 waves, not []"),
        (parent_child("waves"), "waves of parent_child is a list of 1 to 32 waves, not 'waves'"),
        (parent_child([[SURE], []]), "wave 1 of parent_child is a list of at least one fight, not []"),
        (parent_child([SURE]), f"wave 0 of parent_child is a list of at least one fight, not {SURE!r}"),
        (
            parent_child([["wolf"]]),
            f"each fight in wave 0 of parent_child is a table with {KEYS}, not 'wolf'",
        ),
        (
            parent_child([[{"enmy": "wolf"}]]),
            f"each fight in wave 0 of parent_child has an unknown 'enmy'; its keys are {KEYS}",
        ),
        (
            parent_child([[{"hero": -1}]]),
            "hero of a fight in wave 0 of parent_child is a whole number from 0 to 18446744073709551615, not -1",
        ),
        (
            parent_child([[SURE] * 60, [SURE] * 41]),
            "parent_child takes at most 100 fights, not 101: start several raids",
        ),
        (
            parent_child([[SURE]], parallel=0),
            "parallel of parent_child is a whole number from 1 to 100, not 0",
        ),
        (
            parent_child([[SURE]], action_timeout=0),
            "action_timeout of parent_child is a number from 0.001 to 86400, not 0",
        ),
    ],
)
def test_bad_arguments_fail_it_with_their_name_and_range(world, call, message):
    assert world.error(world.start(call)) == "ValueError: " + message
    assert fights(world) == []

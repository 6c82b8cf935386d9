"""`npc_patrol`: walking, resting, fighting, dying."""

import pytest

from deathless.workflows.library import Flee, Threat, npc_patrol
from deathless.workflows.library.npc_patrol import between

SQUARE = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
HARMLESS = Threat("rabbit", hp=1, strength=1)
DEADLY = Threat("dragon", hp=1_000_000, strength=1_000_000)


def where(world, patrol):
    view = world.get(patrol)
    seen = view.locals
    return between((seen["x"], seen["y"]), seen["target"], seen["departed_at"], seen["arrives_at"], world.now)


def test_it_rests_at_each_waypoint_and_walks_between_them_at_its_speed(world):
    patrol = world.start(npc_patrol(SQUARE, speed=2.0, pause=1.0), entity_id=42)
    assert world.get(patrol).current_step == "resting"
    world.advance(1.0)
    assert world.get(patrol).current_step == "walking"
    world.advance(4.0)
    assert where(world, patrol) == (8.0, 0.0)
    world.advance(1.0)
    assert world.get(patrol).current_step == "resting"
    world.advance(1.0)
    world.advance(2.5)
    assert where(world, patrol) == (10.0, 5.0)


def test_it_ends_after_its_laps(world):
    patrol = world.start(npc_patrol(SQUARE, speed=10.0, pause=1.0, laps=2), entity_id=42)
    for _ in range(15):
        assert world.get(patrol).status == "Suspended"
        world.advance(1.0)
    world.advance(1.0)
    assert world.result(patrol) == {"fate": "done", "x": 0.0, "y": 10.0, "laps": 2, "fights": 0}


def test_a_route_of_one_waypoint_is_a_post(world):
    patrol = world.start(npc_patrol([(3.0, 4.0)], pause=1.0, at=(0.0, 0.0), speed=1.0), entity_id=42)
    world.advance(2.5)
    assert where(world, patrol) == (1.5, 2.0)
    for _ in range(5):
        world.advance(2.5)
    assert (world.get(patrol).current_step, world.get(patrol).locals["x"]) == ("resting", 3.0)


def test_a_threat_on_the_way_stops_it_where_it_is_and_it_walks_on_from_there(world):
    patrol = world.start(npc_patrol(SQUARE, speed=1.0, pause=0.0, hp=1000, strength=1000), entity_id=42)
    world.advance(0.0)
    world.after(4.0, HARMLESS, entity_id=42)
    view = world.get(patrol)
    assert (view.current_step, view.locals["x"], view.locals["y"]) == ("fighting", 4.0, 0.0)
    (fight,) = world.workflows(type="combat")
    assert (fight.entity_id, fight.parent_id, fight.locals["enemy"]) == (42, patrol, "rabbit")
    world.after(1.0, Flee("foe"), entity_id=42)
    assert world.get(patrol).current_step == "walking"
    world.advance(5.0)
    assert where(world, patrol) == (9.0, 0.0)


def test_a_fight_is_fought_with_its_own_health_and_it_mends_while_it_rests(world):
    patrol = world.start(
        npc_patrol(SQUARE, speed=1.0, pause=1000.0, hp=1000, strength=1, mend=3), entity_id=42
    )
    world.after(1.0, Threat("bear", hp=1_000_000, strength=100), entity_id=42)
    (fight,) = world.workflows(type="combat")
    assert fight.locals["health"] == {"hero": 1000, "foe": 1_000_000}
    while world.get(fight.id).locals["health"]["hero"] == 1000:
        world.advance(2.0)
    hurt = world.get(fight.id).locals["health"]["hero"]
    world.signal(Flee(), entity_id=42)
    world.advance(0.0)
    assert world.result(fight.id)["hp"] == hurt
    assert world.get(patrol).locals["health"] == hurt
    assert world.get(patrol).current_step == "resting"
    # The rest ends when it would have ended without the fight.
    world.advance(1000.0 - world.now)
    assert world.get(patrol).current_step == "walking"
    assert world.get(patrol).locals["health"] == hurt + 3


def test_a_lost_fight_is_its_end(world):
    patrol = world.start(npc_patrol(SQUARE, speed=1.0, pause=0.0, hp=1, strength=1), entity_id=42)
    world.advance(0.0)
    world.after(4.0, DEADLY, entity_id=42)
    assert world.run_to_end(patrol, 2.0) == {"fate": "killed", "x": 4.0, "y": 0.0, "laps": 0, "fights": 1}


def test_a_lost_fight_at_rest_is_its_end_too(world):
    patrol = world.start(npc_patrol(SQUARE, pause=60.0, hp=1, strength=1), entity_id=42)
    world.after(1.0, DEADLY, entity_id=42)
    assert world.run_to_end(patrol, 2.0)["fate"] == "killed"


def test_a_second_threat_waits_for_the_end_of_the_first(world):
    patrol = world.start(npc_patrol(SQUARE, speed=1.0, pause=0.0), entity_id=42)
    world.advance(0.0)
    world.after(1.0, Threat("wolf"), entity_id=42)
    world.after(0.5, Threat("bear"), entity_id=42)
    assert world.get(patrol).unread == ("Threat",)
    world.after(0.5, Flee("foe"), entity_id=42)
    assert [fight.locals.get("enemy") for fight in world.workflows(type="combat", status="Suspended")] == [
        "bear"
    ]


def test_a_fight_that_is_broken_off_has_hurt_nobody(world):
    patrol = world.start(npc_patrol(SQUARE, speed=1.0, pause=0.0, hp=20), entity_id=42)
    world.advance(0.0)
    world.after(1.0, Threat("wolf"), entity_id=42)
    (fight,) = world.workflows(type="combat")
    world.cancel(workflow_id=fight.id, reason="the game master says no")
    world.advance(0.0)
    view = world.get(patrol)
    assert (view.current_step, view.locals["health"], view.locals["x"]) == ("walking", 20, 1.0)


def test_a_cancelled_patrol_takes_its_fight_with_it(world):
    patrol = world.start(npc_patrol(SQUARE, speed=1.0), entity_id=42)
    world.after(1.0, Threat("wolf"), entity_id=42)
    world.cancel(workflow_id=patrol, reason="night falls")
    world.advance(0.0)
    assert {view.type: str(view.status) for view in world.workflows(entity_id=42)} == {
        "npc_patrol": "Cancelled",
        "combat": "Cancelled",
    }


def test_lists_from_json_are_waypoints_too(world):
    patrol = world.runtime.start("npc_patrol", args=([[0, 0], [3, 4]],), kwargs={"pause": 0}).id
    world.advance(0.0)
    world.advance(0.0)
    assert world.get(patrol).locals["target"] == (3, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (npc_patrol([]), "ValueError: route of npc_patrol is a list of 1 to 256 waypoints, not []"),
        (npc_patrol("home"), "ValueError: route of npc_patrol is a list of 1 to 256 waypoints, not 'home'"),
        (npc_patrol([(1, 2), (3,)]), "ValueError: waypoint 1 of npc_patrol is a pair (x, y), not (3,)"),
        (
            npc_patrol([(1, "2")]),
            "ValueError: y of waypoint 0 of npc_patrol is a number from -1e+06 to 1e+06, not '2'",
        ),
        (npc_patrol(SQUARE, 0), "ValueError: speed of npc_patrol is a number from 0.001 to 1e+06, not 0"),
        (npc_patrol(SQUARE, hp=0), "ValueError: hp of npc_patrol is a whole number from 1 to 1000000, not 0"),
        (npc_patrol(SQUARE, at=7), "ValueError: at of npc_patrol is a pair (x, y), not 7"),
    ],
)
def test_bad_arguments_fail_it_with_their_name_and_range(world, call, message):
    assert world.error(world.start(call)) == message


def test_bad_threats_are_refused_where_they_are_made():
    with pytest.raises(ValueError, match="hp of Threat is a whole number from 1 to 1000000, not 0"):
        Threat(hp=0)


def test_walking_is_where_the_clock_says_and_never_beyond_either_end():
    assert between((0.0, 0.0), (10.0, 20.0), 5.0, 10.0, 7.5) == (5.0, 10.0)
    assert between((0.0, 0.0), (10.0, 20.0), 5.0, 10.0, 4.0) == (0.0, 0.0)
    assert between((0.0, 0.0), (10.0, 20.0), 5.0, 10.0, 11.0) == (10.0, 20.0)
    assert between((0.0, 0.0), (10.0, 20.0), 5.0, 5.0, 5.0) == (10.0, 20.0)

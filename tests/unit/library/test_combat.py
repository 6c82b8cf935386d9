"""`combat`: turns, moves, timeouts, flight, ends."""

import random

import pytest

from deathless.workflows.library import Action, Flee, combat
from deathless.workflows.library.combat import ATTACK, GUARD, SIDES, STRIKE, damage, other_side


def side_to_act(world, fight):
    side = world.get(fight).current_step.removesuffix(" to act")
    assert side in SIDES
    return side


def test_a_side_that_says_nothing_makes_its_default_move_when_its_time_is_up(world):
    fight = world.start(combat("wolf", action_timeout=2.0, default_move=GUARD), entity_id=42)
    first = side_to_act(world, fight)
    world.advance(1.9)
    assert side_to_act(world, fight) == first
    world.advance(0.1)
    assert side_to_act(world, fight) == other_side(first)
    assert world.get(fight).locals["guard"] == {first: True, other_side(first): False}


def test_an_action_of_the_side_to_act_is_made_at_once(world):
    fight = world.start(combat(), entity_id=42)
    first = side_to_act(world, fight)
    world.after(0.5, Action(GUARD, side=first), entity_id=42)
    assert side_to_act(world, fight) == other_side(first)
    assert world.get(fight).locals["turns"] == 1


def test_an_action_out_of_turn_is_lost_and_gives_no_more_time(world):
    fight = world.start(combat(action_timeout=2.0, default_move=GUARD), entity_id=42)
    first = side_to_act(world, fight)
    world.after(1.5, Action(ATTACK, side=other_side(first)), entity_id=42)
    assert side_to_act(world, fight) == first
    world.advance(0.5)
    assert side_to_act(world, fight) == other_side(first)
    world.advance(1.0)
    assert side_to_act(world, fight) == other_side(first)


@pytest.mark.parametrize("runner", SIDES)
def test_who_flees_has_lost_in_turn_or_out_of_it(world, runner):
    fight = world.start(combat("wolf", hp=20, enemy_hp=12), entity_id=42)
    world.after(0.5, Flee(runner), entity_id=42)
    assert world.result(fight) == {
        "winner": other_side(runner),
        "fled": True,
        "rounds": 0,
        "hp": 20,
        "enemy": "wolf",
        "enemy_hp": 12,
    }


def test_it_ends_when_a_side_has_no_health_left(world):
    fight = world.start(combat(hp=1000, strength=1, enemy_hp=1, enemy_strength=1), entity_id=42)
    end = world.run_to_end(fight, 2.0)
    assert (end["winner"], end["enemy_hp"], end["fled"]) == ("hero", 0, False)
    assert 900 < end["hp"] <= 1000


def test_health_never_falls_below_zero(world):
    fight = world.start(combat(hp=1, strength=1, enemy_hp=1000, enemy_strength=1000), entity_id=42)
    end = world.run_to_end(fight, 2.0)
    assert (end["winner"], end["hp"]) == ("foe", 0)


def test_when_the_rounds_are_over_nobody_has_won(world):
    fight = world.start(combat(default_move=GUARD, max_rounds=3, action_timeout=1.0), entity_id=42)
    for _ in range(6):
        assert world.get(fight).status == "Suspended"
        world.advance(1.0)
    end = world.result(fight)
    assert (end["winner"], end["rounds"], end["hp"], end["enemy_hp"]) == (None, 3, 20, 12)


def test_the_same_world_throws_the_same_dice_whatever_happens_to_the_process(world):
    fight = world.start(combat(hp=20, enemy_hp=20), entity_id=42)
    turns = 0
    while world.get(fight).status == "Suspended":
        side = side_to_act(world, fight)
        move = (ATTACK, STRIKE, GUARD, STRIKE)[turns % 4]
        world.after(0.1, Action(move, side=side), entity_id=42)
        turns += 1
    # The seed of the world is 7 and this is its workflow 1: another outcome means other dice.
    end = world.result(fight)
    assert (fight, end["winner"], end["rounds"], end["hp"]) == (1, "hero", 15, 3)


def test_moves_hit_as_often_and_as_hard_as_promised():
    dice = random.Random(1)
    attacks = [damage(dice, ATTACK, 6, guarded=False) for _ in range(4000)]
    strikes = [damage(dice, STRIKE, 6, guarded=False) for _ in range(4000)]
    guarded = [damage(dice, ATTACK, 6, guarded=True) for _ in range(4000)]
    assert {damage(dice, GUARD, 6, guarded=False) for _ in range(10)} == {0}
    assert set(attacks) == {0, 1, 2, 3, 4, 5, 6}
    assert set(strikes) == {0, 2, 4, 6, 8, 10, 12}
    assert set(guarded) == {0, 1, 2, 3}
    assert 0.70 < sum(hit > 0 for hit in attacks) / 4000 < 0.80
    assert 0.35 < sum(hit > 0 for hit in strikes) / 4000 < 0.45


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (combat(hp=0), "ValueError: hp of combat is a whole number from 1 to 1000000, not 0"),
        (
            combat(enemy_strength=1.5),
            "ValueError: enemy_strength of combat is a whole number from 1 to 1000000, not 1.5",
        ),
        (
            combat(action_timeout=0),
            "ValueError: action_timeout of combat is a number from 0.001 to 86400, not 0",
        ),
        (
            combat(default_move="sing"),
            "ValueError: default_move of combat is one of attack, strike, guard, not 'sing'",
        ),
        (combat(max_rounds=0), "ValueError: max_rounds of combat is a whole number from 1 to 10000, not 0"),
        (combat(7), "ValueError: enemy of combat is a text of at most 255 characters, not 7"),
    ],
)
def test_bad_arguments_fail_it_with_their_name_and_range(world, call, message):
    assert world.error(world.start(call)) == message


def test_bad_signals_are_refused_where_they_are_made():
    with pytest.raises(ValueError, match="move of Action is one of attack, strike, guard, not 'sing'"):
        Action("sing")
    with pytest.raises(ValueError, match="side of Action is one of hero, foe, not 'me'"):
        Action(side="me")
    with pytest.raises(ValueError, match="side of Flee is one of hero, foe, not \\['hero'\\]"):
        Flee(["hero"])

"""`buff`: time, stacks, dispel, bounds."""

import pytest

from deathless.workflows.library import Dispel, Stack, buff


def test_it_ends_when_its_time_is_up_and_not_before(world):
    haste = world.start(buff(30.0, "haste"), entity_id=42)
    world.advance(29.9)
    assert world.get(haste).status == "Suspended"
    world.advance(0.2)
    assert world.result(haste) == {"effect": "haste", "stacks": 1, "dispelled": False}


def test_a_stack_starts_the_full_time_anew(world):
    haste = world.start(buff(30.0), entity_id=42)
    world.after(20.0, Stack(2), entity_id=42)
    assert world.get(haste).locals["stacks"] == 3
    world.advance(29.0)
    assert world.get(haste).status == "Suspended"
    world.advance(1.5)
    assert world.result(haste)["stacks"] == 3


def test_stacks_are_bounded_and_a_stack_over_the_bound_still_starts_the_time_anew(world):
    haste = world.start(buff(10.0, max_stacks=3), entity_id=42)
    world.after(1.0, Stack(50), entity_id=42)
    world.after(8.0, Stack(), entity_id=42)
    world.advance(9.0)
    assert world.get(haste).status == "Suspended"
    world.advance(1.5)
    assert world.result(haste)["stacks"] == 3


def test_a_dispel_ends_it_at_once(world):
    haste = world.start(buff(30.0, "haste"), entity_id=42)
    world.after(1.0, Dispel(), entity_id=42)
    assert world.result(haste) == {"effect": "haste", "stacks": 1, "dispelled": True}


def test_a_dispel_sent_before_the_second_in_which_it_would_expire_wins(world):
    haste = world.start(buff(10.0), entity_id=42)
    world.advance(9.5)
    world.signal(Dispel(), entity_id=42)
    world.advance(1.0)
    assert world.result(haste)["dispelled"] is True


def test_two_buffs_of_one_entity_take_the_same_signals(world):
    first = world.start(buff(10.0, "haste"), entity_id=42)
    second = world.start(buff(20.0, "shield"), entity_id=42)
    world.after(1.0, Dispel(), entity_id=42)
    assert [world.result(number)["effect"] for number in (first, second)] == ["haste", "shield"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (buff(-1.0), "ValueError: duration of buff is a number from 0 to 3.1536e+07, not -1.0"),
        (buff("30"), "ValueError: duration of buff is a number from 0 to 3.1536e+07, not '30'"),
        (buff(float("nan")), "ValueError: duration of buff is a number from 0 to 3.1536e+07, not nan"),
        (buff(1.0, effect=3), "ValueError: effect of buff is a text of at most 255 characters, not 3"),
        (
            buff(1.0, max_stacks=0),
            "ValueError: max_stacks of buff is a whole number from 1 to 1000000, not 0",
        ),
    ],
)
def test_bad_arguments_fail_it_with_their_name_and_range(world, call, message):
    assert world.error(world.start(call)) == message


@pytest.mark.parametrize("amount", [0, -1, 1.5, "1", True, None])
def test_a_bad_stack_is_refused_where_it_is_made(amount):
    with pytest.raises(ValueError, match="amount of Stack is a whole number from 1"):
        Stack(amount)


def test_it_starts_by_name_with_a_number_alone_as_any_client_does(world):
    haste = world.runtime.start("buff", args=(30,), entity_id=42).id
    world.advance(0.0)
    assert world.get(haste).locals["duration"] == 30

"""`countdown`: beats, pauses, extensions, abort."""

import pytest

from deathless import Context, workflow
from deathless.workflows.library import Abort, Counted, Extend, Pause, Resume, countdown
from deathless.workflows.library.countdown import MAX_BEATS, beats_within


@workflow
async def crowd(ctx: Context):
    heard = []
    while not heard or heard[-1] > 0:
        beat = await ctx.receive(Counted)
        heard.append(beat.left)
    return heard


def left(world, launch):
    return world.get(launch).locals["left"]


def test_it_counts_one_at_each_beat_and_ends_at_zero(world):
    launch = world.start(countdown(3, 2.0, label="ignition"), entity_id=7)
    assert world.get(launch).current_step == "counting"
    for beats in (3, 2, 1):
        assert left(world, launch) == beats
        world.advance(1.9)
        assert left(world, launch) == beats
        world.advance(0.1)
    assert world.result(launch) == {"label": "ignition", "left": 0, "aborted": False}


def test_each_beat_is_told_to_the_group(make_world):
    world = make_world(crowd)
    heard = world.start(crowd(), correlation_id="launch")
    world.start(countdown(3, report_to="launch"), entity_id=7)
    for _ in range(3):
        world.advance(1.0)
    assert world.result(heard) == [2, 1, 0]


def test_beats_that_pass_in_one_turn_are_counted_together_and_the_next_comes_when_it_was_due(make_world):
    world = make_world(crowd)
    heard = world.start(crowd(), correlation_id="launch")
    launch = world.start(countdown(6, report_to="launch"), entity_id=7)
    world.advance(3.6)
    assert left(world, launch) == 3
    world.advance(0.4)
    assert left(world, launch) == 2
    world.advance(100.0)
    assert world.result(launch)["left"] == 0
    assert world.result(heard) == [3, 2, 0]


def test_late_turns_do_not_add_up(world):
    launch = world.start(countdown(100, 0.1), entity_id=7)
    for _ in range(33):
        world.advance(0.3)
    assert left(world, launch) == 1
    world.advance(0.1)
    assert world.result(launch)["left"] == 0


def test_a_pause_keeps_the_part_of_the_beat(world):
    launch = world.start(countdown(2, 10.0), entity_id=7)
    world.after(4.0, Pause(), entity_id=7)
    assert world.get(launch).current_step == "paused"
    world.after(1000.0, Resume(), entity_id=7)
    world.advance(5.9)
    assert left(world, launch) == 2
    world.advance(0.1)
    assert left(world, launch) == 1
    world.advance(10.0)
    assert world.result(launch)["aborted"] is False


def test_pausing_again_and_again_gains_no_time(world):
    launch = world.start(countdown(1, 5.0), entity_id=7)
    for _ in range(4):
        world.after(1.0, Pause(), entity_id=7)
        world.after(50.0, Resume(), entity_id=7)
    world.advance(1.0)
    assert world.result(launch)["left"] == 0


def test_pausing_twice_is_pausing_once_and_a_resume_while_it_counts_is_spent(world):
    launch = world.start(countdown(1, 5.0), entity_id=7)
    world.after(1.0, Resume(), entity_id=7)
    world.after(1.0, Pause(), entity_id=7)
    world.after(1.0, Pause(), entity_id=7)
    world.after(1.0, Resume(), entity_id=7)
    assert world.get(launch).current_step == "counting"
    world.advance(2.9)
    assert world.get(launch).status == "Suspended"
    world.advance(0.1)
    assert world.result(launch)["left"] == 0


def test_an_extension_adds_beats_and_leaves_the_running_one_as_it_is(world):
    launch = world.start(countdown(1, 5.0), entity_id=7)
    world.after(3.0, Extend(2), entity_id=7)
    assert left(world, launch) == 3
    world.advance(2.0)
    assert left(world, launch) == 2
    world.advance(10.0)
    assert world.result(launch)["left"] == 0


def test_an_extension_while_it_is_paused_counts_after_the_pause(world):
    launch = world.start(countdown(1, 5.0), entity_id=7)
    world.after(3.0, Pause(), entity_id=7)
    world.after(1.0, Extend(), entity_id=7)
    assert (world.get(launch).current_step, left(world, launch)) == ("paused", 2)
    world.after(1.0, Resume(), entity_id=7)
    world.advance(2.0)
    assert left(world, launch) == 1
    world.advance(5.0)
    assert world.result(launch)["left"] == 0


def test_extensions_are_bounded(world):
    launch = world.start(countdown(MAX_BEATS - 1), entity_id=7)
    world.after(0.5, Extend(MAX_BEATS), entity_id=7)
    assert left(world, launch) == MAX_BEATS


@pytest.mark.parametrize("paused", [False, True])
def test_an_abort_ends_it_in_either_state(world, paused):
    launch = world.start(countdown(3, label="ignition"), entity_id=7)
    if paused:
        world.after(0.5, Pause(), entity_id=7)
    world.after(0.5 if paused else 1.0, Abort(), entity_id=7)
    assert world.result(launch) == {"label": "ignition", "left": 3 - (not paused), "aborted": True}


@pytest.mark.parametrize(
    ("signal", "end"),
    [
        (Abort(), {"label": "", "left": 1, "aborted": True}),
        (Resume(), {"label": "", "left": 0, "aborted": False}),
    ],
)
def test_a_signal_sent_before_the_turn_in_which_the_last_beat_is_due_comes_first(world, signal, end):
    launch = world.start(countdown(1, 5.0), entity_id=7)
    world.advance(4.5)
    world.signal(signal, entity_id=7)
    world.advance(1.0)
    world.advance(0.0)
    assert world.result(launch) == end


def test_a_pause_in_the_turn_of_the_last_beat_holds_it_until_the_resume(world):
    launch = world.start(countdown(1, 5.0), entity_id=7)
    world.advance(4.5)
    world.signal(Pause(), entity_id=7)
    world.advance(1.0)
    assert (world.get(launch).current_step, left(world, launch)) == ("paused", 1)
    world.after(9.0, Resume(), entity_id=7)
    world.advance(0.0)
    assert world.result(launch)["aborted"] is False


def test_an_extension_in_the_turn_of_the_last_beat_is_in_time(world):
    launch = world.start(countdown(1, 5.0), entity_id=7)
    world.advance(4.5)
    world.signal(Extend(), entity_id=7)
    world.advance(1.0)
    world.advance(0.0)
    assert left(world, launch) == 1
    world.advance(4.5)
    assert world.result(launch)["left"] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (countdown(0), "ValueError: beats of countdown is a whole number from 1 to 1000000, not 0"),
        (countdown(1.5), "ValueError: beats of countdown is a whole number from 1 to 1000000, not 1.5"),
        (
            countdown(MAX_BEATS + 1),
            "ValueError: beats of countdown is a whole number from 1 to 1000000, not 1000001",
        ),
        (countdown(1, 0.001), "ValueError: beat of countdown is a number from 0.01 to 86400, not 0.001"),
        (countdown(1, label=3), "ValueError: label of countdown is a text of at most 255 characters, not 3"),
        (
            countdown(1, report_to=3),
            "ValueError: report_to of countdown is a text of at most 255 characters, not 3",
        ),
    ],
)
def test_bad_arguments_fail_it_with_their_name_and_range(world, call, message):
    assert world.error(world.start(call)) == message


@pytest.mark.parametrize("beats", [0, -1, 1.5, "1", True, None, MAX_BEATS + 1])
def test_a_bad_extension_is_refused_where_it_is_made(beats):
    with pytest.raises(ValueError, match="beats of Extend is a whole number from 1 to 1000000, not"):
        Extend(beats)


def test_a_beat_that_has_just_come_due_is_over():
    assert [beats_within(seconds, 2.0) for seconds in (6.0, 4.000001, 4.0, 3.999999, 0.5, 0.0, -9.0)] == [
        3,
        2,
        2,
        2,
        1,
        0,
        0,
    ]

"""`day_night`: phases, days, set phases, pauses, what is announced."""

import pytest

from deathless import Context, workflow
from deathless.workflows.library import Pause, PhaseChanged, Resume, SetPhase, day_night
from deathless.workflows.library.day_night import after

SHORT = [("dawn", 10.0), ("day", 30.0), ("night", 20.0)]
ONE = "day_night"


@workflow
async def lamplighter(ctx: Context, many: int):
    ctx.subscribe(PhaseChanged)
    heard = []
    while len(heard) < many:
        change = await ctx.receive(PhaseChanged)
        heard.append((change.phase, change.day, change.lasts))
    return heard


@workflow
async def owl(ctx: Context):
    ctx.subscribe(PhaseChanged, phase="night")
    nights = []
    while len(nights) < 2:
        nights.append((await ctx.receive(PhaseChanged)).day)
    return nights


@workflow
async def sleeper(ctx: Context):
    """Subscribe, and read nothing for a long time."""
    ctx.subscribe(PhaseChanged)
    await ctx.sleep(1e6)
    await ctx.receive(PhaseChanged)


def now(world, cycle):
    view = world.get(cycle)
    return view.current_step, view.locals["day"]


def test_phases_follow_one_another_day_after_day(world):
    cycle = world.start(day_night(SHORT), correlation_id=ONE)
    assert now(world, cycle) == ("dawn", 1)
    world.advance(9.9)
    assert now(world, cycle) == ("dawn", 1)
    for length, expected in (
        (0.1, ("day", 1)),
        (30.0, ("night", 1)),
        (20.0, ("dawn", 2)),
        (10.0, ("day", 2)),
    ):
        world.advance(length)
        assert now(world, cycle) == expected


def test_without_phases_of_its_own_a_day_is_ten_minutes_of_light_and_ten_of_dark(world):
    cycle = world.start(day_night(), correlation_id=ONE)
    assert now(world, cycle) == ("day", 1)
    world.advance(600.0)
    assert now(world, cycle) == ("night", 1)
    world.advance(600.0)
    assert now(world, cycle) == ("day", 2)


def test_each_change_is_announced_the_first_phase_too(make_world):
    world = make_world(lamplighter)
    heard = world.start(lamplighter(4))
    world.start(day_night(SHORT), correlation_id=ONE)
    for length in (10.0, 30.0, 20.0):
        world.advance(length)
    assert world.result(heard) == [("dawn", 1, 10.0), ("day", 1, 30.0), ("night", 1, 20.0), ("dawn", 2, 10.0)]


def test_who_lives_by_night_hears_of_nights_alone(make_world):
    world = make_world(owl)
    nights = world.start(owl())
    world.start(day_night(SHORT), correlation_id=ONE)
    for length in (10.0, 30.0, 20.0, 10.0, 30.0):
        world.advance(length)
    assert world.result(nights) == [1, 2]


def test_a_subscriber_that_reads_no_mail_does_not_stop_the_sun(make_world):
    world = make_world(sleeper)
    asleep = world.start(sleeper())
    cycle = world.start(day_night(SHORT), correlation_id=ONE)
    for _ in range(2):
        for _ in range(600):
            world.signal(SetPhase("dawn"), correlation_id=ONE)
        world.advance(1.0)
    heard = len(world.get(asleep).unread)
    assert heard >= 1000
    world.advance(10.0)
    assert now(world, cycle) == ("day", 1)
    assert len(world.get(asleep).unread) == heard


def test_it_ends_after_its_days(world):
    cycle = world.start(day_night(SHORT, days=2), correlation_id=ONE)
    for length in (10.0, 30.0, 20.0, 10.0, 30.0):
        world.advance(length)
        assert world.get(cycle).status == "Suspended"
    world.advance(20.0)
    assert world.result(cycle) == {"days": 2, "phase": "night"}


def test_phases_that_pass_in_one_turn_are_passed_over_and_the_course_is_kept(make_world):
    world = make_world(lamplighter)
    heard = world.start(lamplighter(3))
    cycle = world.start(day_night(SHORT), correlation_id=ONE)
    world.advance(60.0 * 1000 + 15.0)
    assert now(world, cycle) == ("day", 1001)
    world.advance(24.9)
    assert now(world, cycle) == ("day", 1001)
    world.advance(0.1)
    # The day had begun five seconds before anybody could say so.
    assert world.result(heard) == [("dawn", 1, 10.0), ("day", 1001, 25.0), ("night", 1001, 20.0)]


def test_a_world_that_was_down_over_its_last_day_ends(world):
    cycle = world.start(day_night(SHORT, days=3), correlation_id=ONE)
    world.advance(1000.0)
    assert world.result(cycle)["days"] == 3


def test_setting_a_later_phase_begins_it_with_its_full_time_on_the_same_day(make_world):
    world = make_world(lamplighter)
    heard = world.start(lamplighter(2))
    cycle = world.start(day_night(SHORT), correlation_id=ONE)
    world.after(5.0, SetPhase("night"), correlation_id=ONE)
    assert now(world, cycle) == ("night", 1)
    world.advance(19.9)
    assert now(world, cycle) == ("night", 1)
    world.advance(0.1)
    assert now(world, cycle) == ("dawn", 2)
    assert world.result(heard) == [("dawn", 1, 10.0), ("night", 1, 20.0)]


def test_setting_an_earlier_phase_begins_it_on_the_next_day(world):
    cycle = world.start(day_night(SHORT), correlation_id=ONE)
    world.after(5.0, SetPhase("night"), correlation_id=ONE)
    world.after(5.0, SetPhase("day"), correlation_id=ONE)
    assert now(world, cycle) == ("day", 2)


def test_setting_the_phase_that_it_is_begins_it_anew(world):
    cycle = world.start(day_night(SHORT), correlation_id=ONE)
    world.after(9.0, SetPhase("dawn"), correlation_id=ONE)
    world.advance(9.9)
    assert now(world, cycle) == ("dawn", 1)
    world.advance(0.1)
    assert now(world, cycle) == ("day", 1)


def test_setting_an_earlier_phase_on_the_last_day_is_the_end(world):
    cycle = world.start(day_night(SHORT, days=1), correlation_id=ONE)
    world.after(10.0, SetPhase("night"), correlation_id=ONE)
    world.after(1.0, SetPhase("dawn"), correlation_id=ONE)
    assert world.result(cycle) == {"days": 1, "phase": "night"}


def test_an_unknown_phase_changes_nothing(world):
    cycle = world.start(day_night(SHORT), correlation_id=ONE)
    world.after(5.0, SetPhase("noon"), correlation_id=ONE)
    assert now(world, cycle) == ("dawn", 1)
    world.advance(5.0)
    assert now(world, cycle) == ("day", 1)


def test_a_pause_keeps_the_time_that_was_left(world):
    cycle = world.start(day_night(SHORT), correlation_id=ONE)
    world.after(6.0, Pause(), correlation_id=ONE)
    assert now(world, cycle) == ("dawn, paused", 1)
    world.after(1000.0, Pause(), correlation_id=ONE)
    world.after(1000.0, Resume(), correlation_id=ONE)
    world.advance(3.9)
    assert now(world, cycle) == ("dawn", 1)
    world.advance(0.1)
    assert now(world, cycle) == ("day", 1)


def test_a_resume_while_it_runs_changes_nothing(world):
    cycle = world.start(day_night(SHORT), correlation_id=ONE)
    world.after(6.0, Resume(), correlation_id=ONE)
    world.advance(4.0)
    assert now(world, cycle) == ("day", 1)


def test_a_phase_set_while_it_is_paused_is_announced_and_waits_for_the_resume(make_world):
    world = make_world(lamplighter)
    heard = world.start(lamplighter(2))
    cycle = world.start(day_night(SHORT), correlation_id=ONE)
    world.after(6.0, Pause(), correlation_id=ONE)
    world.after(6.0, SetPhase("night"), correlation_id=ONE)
    assert now(world, cycle) == ("night, paused", 1)
    assert world.result(heard) == [("dawn", 1, 10.0), ("night", 1, 20.0)]
    world.after(1000.0, Resume(), correlation_id=ONE)
    world.advance(19.9)
    assert now(world, cycle) == ("night", 1)
    world.advance(0.1)
    assert now(world, cycle) == ("dawn", 2)


def test_a_pause_sent_before_the_turn_in_which_the_phase_ends_holds_it(world):
    cycle = world.start(day_night(SHORT), correlation_id=ONE)
    world.advance(9.5)
    world.signal(Pause(), correlation_id=ONE)
    world.advance(1.0)
    assert now(world, cycle) == ("dawn, paused", 1)
    world.after(50.0, Resume(), correlation_id=ONE)
    world.advance(0.0)
    assert now(world, cycle) == ("day", 1)


def test_a_phase_set_in_the_turn_in_which_the_one_before_ends_has_its_full_time(world):
    cycle = world.start(day_night(SHORT), correlation_id=ONE)
    world.advance(9.5)
    world.signal(SetPhase("night"), correlation_id=ONE)
    world.advance(1.0)
    assert now(world, cycle) == ("night", 1)
    world.advance(19.9)
    assert now(world, cycle) == ("night", 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (day_night([]), "phases of day_night is a list of 1 to 24 phases, not []"),
        (day_night("day"), "phases of day_night is a list of 1 to 24 phases, not 'day'"),
        (day_night(["day"]), "phase 0 of day_night is a pair (name, seconds), not 'day'"),
        (
            day_night([(7, 1.0)]),
            "the name of phase 0 of day_night is a text of at most 64 characters, not 7",
        ),
        (
            day_night([("day", 0.5)]),
            "the seconds of phase 'day' of day_night is a number from 1 to 3.1536e+07, not 0.5",
        ),
        (
            day_night([("day", 1), ("day", 2)]),
            "two phases of day_night are named 'day'; rename one",
        ),
        (day_night(days=-1), "days of day_night is a whole number from 0 to 1000000000, not -1"),
    ],
)
def test_bad_arguments_fail_it_with_their_name_and_range(world, call, message):
    assert world.error(world.start(call)) == "ValueError: " + message


def test_too_many_phases_are_refused(world):
    many = [(str(n), 1.0) for n in range(25)]
    assert "is a list of 1 to 24 phases" in world.error(world.start(day_night(many)))


def test_bad_phases_are_refused_where_they_are_made():
    for phase in (7, None, "n" * 65):
        with pytest.raises(ValueError, match="phase of SetPhase is a text of at most 64 characters, not"):
            SetPhase(phase)


def test_where_one_is_after_a_while_is_counted_from_the_first_phase():
    course = [("day", 30.0), ("night", 20.0)]
    assert after(course, 0, 30.0, 30.0) == (1, 50.0)
    assert after(course, 0, 30.0, 49.9) == (1, 50.0)
    assert after(course, 1, 50.0, 50.0) == (2, 80.0)
    assert after(course, 0, 30.0, 30.0 + 50e9) == (2_000_000_001, 50e9 + 50.0)
    # A due time is a whole microsecond, which may be a little before the end.
    assert after(course, 0, 30.0, 29.9999999) == (1, 50.0)

"""The timer wheel: never early, in a fixed order, and at the cost of what is due."""

from __future__ import annotations

import random
import sys

import pytest

from deathless.actors.timer_wheel import TimerWheel

SECOND = 1_000_000
DAY = 86_400 * SECOND


def test_a_timer_fires_at_its_microsecond_and_not_before():
    wheel = TimerWheel(tick_us=10_000)
    wheel.schedule(1, 123_456)
    assert wheel.advance(123_455) == []
    assert wheel.advance(123_456) == [(123_456, 1)]
    assert wheel.advance(200_000) == []
    assert 1 not in wheel


def test_timers_fire_sorted_by_due_and_then_key():
    wheel = TimerWheel(tick_us=10_000)
    for key, due_us in [(9, 500), (3, 700), (2, 500), (8, 100), (1, 40_000)]:
        wheel.schedule(key, due_us)
    assert wheel.advance(50_000) == [(100, 8), (500, 2), (500, 9), (700, 3), (40_000, 1)]


def test_rearming_for_later_replaces_the_due():
    wheel = TimerWheel()
    wheel.schedule(1, 1 * SECOND)
    wheel.schedule(1, 30 * SECOND)
    assert len(wheel) == 1
    assert wheel.due(1) == 30 * SECOND
    assert wheel.advance(30 * SECOND - 1) == []
    assert wheel.advance(30 * SECOND) == [(30 * SECOND, 1)]


def test_rearming_for_sooner_replaces_the_due():
    wheel = TimerWheel()
    wheel.schedule(1, 30 * SECOND)
    wheel.schedule(1, 1 * SECOND)
    assert wheel.next_due() == 1 * SECOND
    assert wheel.advance(1 * SECOND) == [(1 * SECOND, 1)]
    assert wheel.advance(60 * SECOND) == []


def test_rearming_for_just_before_its_slot_is_not_late():
    wheel = TimerWheel(tick_us=10)
    wheel.schedule(1, 25)
    wheel.schedule(1, 19)
    assert wheel.advance(19) == [(19, 1)]


def test_a_timer_may_be_rearmed_right_after_it_fired():
    wheel = TimerWheel()
    wheel.schedule(1, 5)
    assert wheel.advance(5) == [(5, 1)]
    wheel.schedule(1, 5)
    assert wheel.advance(5) == [(5, 1)]


def test_a_cancelled_timer_does_not_fire_and_an_unknown_key_is_fine():
    wheel = TimerWheel()
    wheel.schedule(1, SECOND)
    wheel.schedule(2, SECOND)
    wheel.cancel(1)
    wheel.cancel(1)
    wheel.cancel(77)
    assert wheel.advance(SECOND) == [(SECOND, 2)]


def test_a_due_in_the_past_fires_at_the_next_advance():
    wheel = TimerWheel(now_us=10 * SECOND)
    wheel.schedule(1, 3 * SECOND)
    wheel.schedule(2, -5)
    assert wheel.next_due() == -5
    assert wheel.advance(10 * SECOND) == [(-5, 2), (3 * SECOND, 1)]


def test_the_ends_of_i64_are_times_like_any_other():
    far = 2**63 - 1
    wheel = TimerWheel(tick_us=1, now_us=-(2**63))
    wheel.schedule(1, far)
    wheel.schedule(2, -(2**63))
    assert wheel.next_due() == -(2**63)
    assert wheel.advance(far - 1) == [(-(2**63), 2)]
    assert wheel.next_due() == far
    assert wheel.advance(far) == [(far, 1)]


def test_the_clock_may_stand_still_but_not_go_back():
    wheel = TimerWheel(now_us=100)
    assert wheel.advance(100) == []
    with pytest.raises(ValueError, match="went back from 100 to 99"):
        wheel.advance(99)
    assert wheel.now_us == 100


def test_a_tick_has_a_width():
    with pytest.raises(ValueError, match="tick_us is 0"):
        TimerWheel(tick_us=0)


def test_next_due_is_exact_and_changes_nothing_that_fires():
    wheel = TimerWheel()
    assert wheel.next_due() is None
    wheel.schedule(1, 3 * DAY + 17)
    assert wheel.next_due() == 3 * DAY + 17
    wheel.schedule(2, 3 * DAY + 16)
    assert wheel.next_due() == 3 * DAY + 16
    wheel.cancel(2)
    assert wheel.next_due() == 3 * DAY + 17
    wheel.schedule(1, 4 * DAY)
    assert wheel.next_due() == 4 * DAY
    assert wheel.advance(4 * DAY - 1) == []
    assert wheel.advance(4 * DAY) == [(4 * DAY, 1)]
    assert wheel.next_due() is None


def test_next_due_looks_past_a_timer_that_was_rearmed_in_place():
    wheel = TimerWheel(tick_us=10)
    wheel.schedule(1, 25)
    wheel.schedule(1, 95)
    wheel.schedule(2, 50)
    assert wheel.next_due() == 50


def test_next_due_looks_past_a_wide_slot_to_a_narrow_one_with_the_same_start():
    wheel = TimerWheel(tick_us=10)
    wheel.schedule(1, 3_005)
    wheel.advance(1_000)
    wheel.schedule(2, 3_001)
    assert wheel._slot_of[1] is not wheel._slot_of[2]
    assert wheel._slot_of[1].start_us == wheel._slot_of[2].start_us
    assert wheel.next_due() == 3_001


def test_many_timers_can_be_armed_at_once_and_the_last_due_of_a_key_counts():
    wheel = TimerWheel()
    wheel.schedule(1, 50)
    wheel.schedule_many([(1, 10), (2, 20), (3, 5), (2, 8)])
    assert dict(wheel.items()) == {1: 10, 2: 8, 3: 5}
    assert wheel.advance(10) == [(5, 3), (8, 2), (10, 1)]


def test_items_and_due_show_what_is_armed():
    wheel = TimerWheel()
    wheel.schedule(4, 70)
    wheel.schedule(5, 10 * DAY)
    assert sorted(wheel.items()) == [(4, 70), (5, 10 * DAY)]
    assert wheel.due(4) == 70
    assert wheel.due(6) is None
    assert 4 in wheel
    assert 6 not in wheel


class CountedWheel(TimerWheel):
    """Counts the timers put into a slot: the work that must not grow with time or with the living."""

    placed = 0

    def _place(self, pairs, from_tick):
        pairs = list(pairs)
        self.placed += len(pairs)
        super()._place(pairs, from_tick)


def test_rearming_for_later_moves_no_timer():
    wheel = CountedWheel()
    for key in range(100):
        wheel.schedule(key, 30 * SECOND)
    armed = wheel.placed
    for step in range(1_000):
        wheel.schedule(step % 100, 30 * SECOND + step)
    assert wheel.placed == armed


def test_an_empty_stretch_costs_nothing_however_long():
    """A world that slept for a year is advanced by its slots, not by the ticks that went by."""
    wheel = CountedWheel()
    wheel.schedule_many((key, key * DAY) for key in range(1, 366))
    armed = wheel.placed
    fired = wheel.advance(366 * DAY)
    assert [key for _, key in fired] == list(range(1, 366))
    assert wheel.placed == armed
    assert not wheel._slots


def test_live_timers_that_are_not_due_are_left_alone():
    wheel = CountedWheel()
    wheel.schedule_many((key, 10 * DAY + key) for key in range(10_000))
    wheel.schedule(-1, SECOND)
    armed = wheel.placed
    fired = [timer for frame in range(120) for timer in wheel.advance(frame * 16_667)]
    assert fired == [(SECOND, -1)]
    assert wheel.placed == armed


def test_each_timer_moves_a_few_times_in_its_life():
    wheel = CountedWheel(tick_us=1)
    rng = random.Random(7)
    wheel.schedule_many((key, rng.randrange(64**5)) for key in range(2_000))
    now_us = 0
    while wheel:
        now_us = wheel.next_due()
        wheel.advance(now_us)
    # Armed once, then at most once per factor of 64 in distance.
    assert wheel.placed <= 2_000 * 6


def test_a_crowd_does_not_move_all_at_once():
    """Timers of one minute spread over a minute: no frame moves more than a small part of them."""
    wheel = CountedWheel()
    crowd = 20_000
    wheel.schedule_many((key, 60 * SECOND + key * 60 * SECOND // crowd) for key in range(crowd))
    worst = 0
    for frame in range(130 * 60):
        before = wheel.placed
        wheel.advance(frame * SECOND // 60)
        worst = max(worst, wheel.placed - before)
    assert len(wheel) == 0
    assert worst <= crowd // 32


def test_cancelled_timers_leave_nothing_that_grows():
    """Two million timers come and go; the wheel stays as large as the most that lived at once."""
    wheel = TimerWheel()
    seed = 11
    rng = random.Random(seed)
    live: list[int] = []
    most_slots = 0
    key = 0
    for batch in range(2_000):
        fresh = range(key, key + 1_000)
        key += 1_000
        base = rng.choice((SECOND, 60 * SECOND, DAY, 1_000 * DAY))
        wheel.schedule_many((k, wheel.now_us + base + (k * 7919) % base) for k in fresh)
        live.extend(fresh)
        if batch % 3 == 0:
            wheel.next_due()
        while len(live) > 500:
            wheel.cancel(live.pop())
        if batch % 50 == 0:
            wheel.advance(wheel.now_us + SECOND)
        most_slots = max(most_slots, len(wheel._slots))
    assert most_slots <= 2 * 1_500 + 65, f"seed {seed}"
    assert len(wheel._coming) == len(wheel._slots)
    for victim in live:
        wheel.cancel(victim)
    assert len(wheel) == 0
    assert sys.getsizeof(wheel._slot_of) < 1_000_000, f"seed {seed}"


def test_opening_far_slots_and_cancelling_does_not_pile_up_empty_slots():
    wheel = TimerWheel()
    for step in range(20_000, 0, -1):
        wheel.schedule(1, step * DAY)
        assert wheel.next_due() == step * DAY
        wheel.cancel(1)
    assert len(wheel._slots) <= 66
    assert len(wheel._coming) == len(wheel._slots)

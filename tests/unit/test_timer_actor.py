"""The central timer actor: time comes in as a message and goes out to who is due."""

from __future__ import annotations

import pytest

from deathless.actors import Advance, ScheduledActor, Scheduler, TimerWheel, TimerWheelActor


class Sleeper(ScheduledActor):
    registered = False

    def __init__(self, scheduler, key, log):
        super().__init__(scheduler)
        self.key = key
        self.log = log

    def on_receive(self, message):
        self.log.append((self.key, message))


@pytest.fixture
def scheduler():
    scheduler = Scheduler()
    yield scheduler
    scheduler.close()


def test_due_actors_are_told_in_order_of_due_and_key(scheduler):
    log = []
    sleepers = {key: Sleeper(scheduler, key, log) for key in (1, 2, 3)}
    for sleeper in sleepers.values():
        sleeper.launch()

    def deliver(key, due_us):
        scheduler.queue.append((sleepers[key], due_us, None))

    timers = TimerWheelActor(scheduler, TimerWheel(), deliver)
    timers.launch()
    timers.schedule(3, 100)
    timers.schedule(2, 200)
    timers.schedule(1, 200)
    timers.schedule(2, 300)
    reply = timers.actor_ref.ask(Advance(250), block=False)
    scheduler.run(limit=100)
    assert reply.get() == 2
    assert log == [(3, 100), (1, 200)]
    timers.cancel(2)
    reply = timers.actor_ref.ask(Advance(1_000), block=False)
    scheduler.run(limit=100)
    assert reply.get() == 0
    assert len(timers.wheel) == 0


def test_a_timer_armed_by_a_delivery_for_now_fires_with_the_next_advance(scheduler):
    fired = []

    def deliver(key, due_us):
        fired.append((key, due_us))
        timers.schedule(key, due_us)

    timers = TimerWheelActor(scheduler, TimerWheel(), deliver)
    timers.schedule(1, 5)
    assert timers.advance(10) == 1
    assert timers.advance(10) == 1
    assert fired == [(1, 5), (1, 5)]


def test_it_takes_over_a_wheel_that_recovery_has_armed(scheduler):
    wheel = TimerWheel()
    wheel.schedule_many([(7, 1), (8, 2)])
    fired = []
    timers = TimerWheelActor(scheduler, wheel, lambda key, due_us: fired.append((key, due_us)))
    assert timers.advance(2) == 2
    assert fired == [(7, 1), (8, 2)]


def test_other_messages_are_logged_as_unexpected(scheduler, caplog):
    timers = TimerWheelActor.start(scheduler, TimerWheel(), lambda key, due_us: None)
    reply = timers.ask("tick", block=False)
    scheduler.run(limit=10)
    assert reply.get() is None
    assert "Unexpected message" in caplog.text


def test_a_clock_that_went_back_is_reported_to_who_sent_it(scheduler):
    timers = TimerWheelActor.start(scheduler, TimerWheel(now_us=10), lambda key, due_us: None)
    reply = timers.ask(Advance(9), block=False)
    scheduler.run(limit=10)
    with pytest.raises(ValueError, match="went back"):
        reply.get()

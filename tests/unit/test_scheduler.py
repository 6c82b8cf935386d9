"""The run queue: its order, its bounds, and what it does when things go wrong."""

from __future__ import annotations

import threading

import pykka
import pytest
from pykka import ActorDeadError, ActorRegistry

from deathless.actors import ScheduledActor, Scheduler
from deathless.workflows.errors import WrongThreadError

PATIENCE_S = 10


class FakeClock:
    """A clock that moves by a fixed step each time it is read."""

    def __init__(self, step_ns: int) -> None:
        self.now_ns = 0
        self.step_ns = step_ns

    def __call__(self) -> int:
        self.now_ns += self.step_ns
        return self.now_ns


class Logger(ScheduledActor):
    """Writes (name, message) into a shared log; a callable message is called with the actor."""

    registered = False

    def __init__(self, scheduler, name, log):
        super().__init__(scheduler)
        self.name = name
        self.log = log

    def on_receive(self, message):
        if callable(message):
            return message(self)
        self.log.append((self.name, message))
        return message

    def on_stop(self):
        self.log.append((self.name, "on_stop"))


@pytest.fixture
def scheduler():
    return Scheduler()


@pytest.fixture
def log():
    return []


@pytest.fixture
def pair(scheduler, log):
    """Two running actors."""
    actors = Logger(scheduler, "a", log), Logger(scheduler, "b", log)
    for actor in actors:
        actor.launch()
    return actors


def interrupted(_actor):
    raise KeyboardInterrupt


def test_messages_of_all_actors_are_handled_in_order_of_arrival(scheduler, pair, log):
    a, b = pair
    for n in range(3):
        a.actor_ref.tell(n)
        b.actor_ref.tell(n)
    scheduler.queue.append((a, "direct", None))
    assert scheduler.run(limit=100) == 7
    assert log == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", "direct")]


def test_what_a_message_sends_is_handled_after_what_was_queued(scheduler, pair, log):
    a, b = pair
    a.actor_ref.tell(lambda _: b.actor_ref.tell("sent by a"))
    b.actor_ref.tell("queued")
    assert scheduler.run(limit=100) == 3
    assert log == [("b", "queued"), ("b", "sent by a")]


def test_an_empty_queue_is_nothing_to_do(scheduler):
    assert scheduler.run(limit=100) == 0


def test_the_limit_bounds_a_run_and_the_rest_stays_queued(scheduler, pair, log):
    a, _ = pair
    for n in range(5):
        a.actor_ref.tell(n)
    assert scheduler.run(limit=2) == 2
    assert scheduler.pending() == [(a, 2, None), (a, 3, None), (a, 4, None)]
    assert scheduler.run(limit=0) == 0
    assert scheduler.run(limit=100) == 3
    assert [message for _, message in log] == [0, 1, 2, 3, 4]
    assert scheduler.pending() == []


def test_actors_that_message_each_other_for_ever_do_not_hold_the_pump(scheduler, pair):
    a, b = pair

    def ping(actor):
        (b if actor is a else a).actor_ref.tell(ping)

    a.actor_ref.tell(ping)
    assert scheduler.run(limit=1_000) == 1_000
    assert len(scheduler.pending()) == 1


def test_the_deadline_ends_a_run_between_two_messages(log):
    scheduler = Scheduler(clock_ns=FakeClock(10))
    actor = Logger(scheduler, "a", log)
    actor.launch()
    for n in range(10):
        actor.actor_ref.tell(n)
    assert scheduler.run(limit=100, deadline_ns=30) == 3
    assert len(scheduler.pending()) == 7


def test_a_deadline_that_has_passed_still_lets_one_message_through(log):
    """Otherwise a pump whose budget is gone before it comes to the actors would never get anywhere."""
    scheduler = Scheduler(clock_ns=FakeClock(1_000))
    actor = Logger(scheduler, "a", log)
    actor.launch()
    for n in range(3):
        actor.actor_ref.tell(n)
    assert [scheduler.run(limit=100, deadline_ns=0) for _ in range(4)] == [1, 1, 1, 0]


def test_the_clock_is_not_read_without_a_deadline(log):
    clock = FakeClock(1)
    scheduler = Scheduler(clock_ns=clock)
    actor = Logger(scheduler, "a", log)
    actor.launch()
    actor.actor_ref.tell(1)
    scheduler.run(limit=100)
    assert clock.now_ns == 0


def test_a_failing_actor_does_not_stop_the_others(scheduler, pair, log):
    a, b = pair
    a.actor_ref.tell(lambda _: 1 / 0)
    a.actor_ref.tell("to a stopped actor")
    b.actor_ref.tell("fine")
    assert scheduler.run(limit=100) == 3
    assert log == [("b", "fine")]


def test_run_cannot_be_entered_from_inside_an_actor(scheduler, pair):
    a, b = pair
    b.actor_ref.tell("waits")
    future = a.actor_ref.ask(lambda _: scheduler.run(limit=1), block=False)
    scheduler.run(limit=100)
    with pytest.raises(WrongThreadError, match="never from inside an actor"):
        future.get()


def test_run_cannot_be_entered_while_another_thread_is_inside(scheduler, pair):
    a, _ = pair
    inside, leave = threading.Event(), threading.Event()

    def hold(_actor):
        inside.set()
        assert leave.wait(PATIENCE_S)

    a.actor_ref.tell(hold)
    pump = threading.Thread(target=scheduler.run, kwargs={"limit": 10}, name="the pump")
    pump.start()
    assert inside.wait(PATIENCE_S)
    with pytest.raises(WrongThreadError, match="already running .*'the pump'"):
        scheduler.run(limit=1)
    with pytest.raises(WrongThreadError):
        scheduler.close()
    leave.set()
    pump.join(PATIENCE_S)
    assert scheduler.run(limit=1) == 0


def test_a_keyboard_interrupt_reaches_the_caller_of_run_and_ends_only_the_actor_it_struck(
    scheduler, pair, log
):
    a, b = pair
    a.actor_ref.tell(interrupted)
    a.actor_ref.tell("dropped")
    b.actor_ref.tell("kept")
    with pytest.raises(KeyboardInterrupt):
        scheduler.run(limit=100)
    assert not a.actor_ref.is_alive()
    assert b.actor_ref.is_alive()
    assert scheduler.run(limit=100) == 2
    assert log == [("a", "on_stop"), ("b", "kept")]


def test_who_asked_when_the_interrupt_struck_is_not_left_waiting(scheduler, pair):
    a, _ = pair
    future = a.actor_ref.ask(interrupted, block=False)
    with pytest.raises(KeyboardInterrupt):
        scheduler.run(limit=100)
    with pytest.raises(ActorDeadError, match="was interrupted"):
        future.get()


def test_a_reply_that_somebody_else_gave_already_is_dropped_with_a_warning(scheduler, pair, caplog):
    a, b = pair
    answered = a.actor_ref.ask("late", block=False)
    failed = a.actor_ref.ask(lambda _: 1 / 0, block=False)
    answered.set("early")
    failed.set("early")
    b.actor_ref.tell("goes on")
    assert scheduler.run(limit=100) == 3
    assert answered.get() == "early"
    assert failed.get() == "early"
    assert caplog.text.count("set by somebody else") == 2


def test_waiting_on_the_pump_thread_raises_instead_of_dead_locking(scheduler, pair):
    a, b = pair
    scheduler.run(limit=1)
    with pytest.raises(WrongThreadError, match="block=False"):
        a.actor_ref.ask("never")
    with pytest.raises(WrongThreadError, match="block=False"):
        a.actor_ref.ask("never", timeout=5)
    with pytest.raises(WrongThreadError, match="block=False"):
        a.actor_ref.stop()
    assert scheduler.pending() == [], "a refused call must not have sent anything"
    future = a.actor_ref.ask("later", block=False)
    with pytest.raises(WrongThreadError, match="after the next pump"):
        future.get()
    with pytest.raises(WrongThreadError):
        future.map(str).get()
    with pytest.raises(pykka.Timeout):
        future.get(timeout=0)
    inner = b.actor_ref.ask(lambda _: a.actor_ref.ask("from inside an actor"), block=False)
    scheduler.run(limit=100)
    assert future.get() == "later"
    with pytest.raises(WrongThreadError):
        inner.get()


def test_a_thread_that_gave_up_the_pump_may_wait(scheduler, pair):
    a, _ = pair
    scheduler.run(limit=1)
    scheduler.owner = None
    ready = threading.Event()

    def pump():
        assert ready.wait(PATIENCE_S)
        while not scheduler.run(limit=1):
            pass

    thread = threading.Thread(target=pump)
    thread.start()
    future = a.actor_ref.ask("handled elsewhere", block=False)
    ready.set()
    assert future.get(timeout=PATIENCE_S) == "handled elsewhere"
    thread.join(PATIENCE_S)
    assert a.actor_ref.ask("on this thread", block=False) is not None
    assert not scheduler.is_pump_thread()


def test_the_pump_thread_of_one_scheduler_may_wait_for_an_actor_of_another(scheduler, pair, log):
    a, _ = pair
    other = Scheduler()
    far = Logger(other, "far", log)
    far.launch()
    asked = threading.Event()
    a.actor_ref.tell(lambda actor: actor.log.append(far.actor_ref.ask("across", timeout=PATIENCE_S)))

    def pump_other():
        assert asked.wait(PATIENCE_S)
        while not other.run(limit=1):
            pass

    thread = threading.Thread(target=pump_other)
    thread.start()
    asked.set()
    scheduler.run(limit=10)
    thread.join(PATIENCE_S)
    assert log == [("far", "across"), "across"]


def test_threads_may_tell_while_the_pump_runs(scheduler, pair, log):
    a, b = pair
    together = threading.Barrier(3)

    def send(actor, sender):
        together.wait(PATIENCE_S)
        for n in range(2_000):
            actor.actor_ref.tell((sender, n))

    senders = [threading.Thread(target=send, args=(actor, actor.name)) for actor in pair]
    for thread in senders:
        thread.start()
    together.wait(PATIENCE_S)
    handled = 0
    while handled < 4_000:
        handled += scheduler.run(limit=100)
    for thread in senders:
        thread.join(PATIENCE_S)
    for name in "ab":
        assert [n for owner, (_, n) in log if owner == name] == list(range(2_000))


def test_the_pump_is_woken_by_messages_from_outside_and_not_by_its_own_appends(log):
    wakes = []
    scheduler = Scheduler(wake=lambda: wakes.append(len(scheduler.queue)))
    actor = Logger(scheduler, "a", log)
    actor.launch()
    assert wakes == []
    actor.actor_ref.tell(1)
    actor.actor_ref.ask(2, block=False)
    actor.stop()
    assert wakes == [1, 2, 3]
    scheduler.queue.append((actor, 3, None))
    assert len(wakes) == 3


def test_close_stops_the_registered_actors_newest_first_and_answers_who_waits(scheduler, log):
    class Registered(Logger):
        registered = True

    refs = [Registered.start(scheduler, name, log) for name in "abc"]
    waiting = refs[0].ask("never handled", block=False)
    stopping = refs[1].stop(block=False)
    scheduler.close()
    assert log == [("c", "on_stop"), ("b", "on_stop"), ("a", "on_stop")]
    assert ActorRegistry.get_all() == []
    assert stopping.get() is True
    with pytest.raises(ActorDeadError):
        waiting.get()
    assert scheduler.closed
    assert scheduler.run(limit=10) == 0


def test_close_leaves_the_actors_of_others_alone(scheduler, log):
    class Registered(Logger):
        registered = True

    other = Scheduler()
    theirs = Registered.start(other, "theirs", log)
    scheduler.close()
    assert theirs.is_alive()
    other.close()
    assert not theirs.is_alive()


def test_after_close_an_ask_is_answered_at_once(scheduler, pair, log):
    a, _ = pair
    queued = a.actor_ref.ask("queued", block=False)
    scheduler.close()
    late = a.actor_ref.ask("late", block=False)
    a.actor_ref.tell("dropped")
    for future in (queued, late):
        with pytest.raises(ActorDeadError, match="stopped before handling"):
            future.get(timeout=0)
    assert a.actor_ref.stop(block=False).get(timeout=0) is False
    assert scheduler.pending() == []
    assert log == []

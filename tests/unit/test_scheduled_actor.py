"""What is particular to our kind of actor; what it shares with pykka's is in test_pykka_contracts.py."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref

import pytest
from pykka import Actor, ActorDeadError, ActorRef, ActorRegistry

from deathless.actors import ScheduledActor, Scheduler


class Quiet(ScheduledActor):
    """An actor of which there may be very many."""

    registered = False

    def on_receive(self, message):
        return message


@pytest.fixture
def scheduler():
    scheduler = Scheduler()
    yield scheduler
    scheduler.close()
    assert ActorRegistry.get_all() == []


def test_it_is_a_pykka_actor_with_a_pykka_reference(scheduler):
    ref = Quiet.start(scheduler)
    assert isinstance(ref, ActorRef)
    assert issubclass(ref.actor_class, Actor)


def test_an_idle_actor_is_small(scheduler):
    """Pykka's own needs kilobytes for its thread, inbox, event and reference."""
    count = 2_000
    actors = [None] * count
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for n in range(count):
            actors[n] = Quiet(scheduler)
            actors[n].launch()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / count < 200
    assert scheduler.pending() == []


def test_a_subclass_with_slots_needs_no_more_than_its_slots(scheduler):
    class Slotted(Quiet):
        __slots__ = ("row",)

    actor = Slotted(scheduler)
    actor.row = b"state"
    actor.launch()
    assert Slotted.__basicsize__ == Quiet.__basicsize__ + 8
    assert actor.actor_ref.ask("hello", block=False) is not None


def test_urn_inbox_flag_and_reference_are_made_when_asked_for_and_only_once(scheduler):
    actor = Quiet(scheduler)
    actor.launch()
    assert not actor.referenced
    ref = actor.actor_ref
    assert actor.referenced
    assert actor.actor_ref is ref
    assert (actor.actor_urn, actor.actor_inbox, actor.actor_stopped) == (
        ref.actor_urn,
        ref.actor_inbox,
        ref.actor_stopped,
    )
    assert str(actor) == f"Quiet ({ref.actor_urn})"


def test_threads_that_ask_for_the_reference_at_once_get_the_same_one(scheduler):
    for _ in range(50):
        actor = Quiet(scheduler)
        actor.launch()
        together = threading.Barrier(3)
        seen = []

        def look(actor=actor, together=together, seen=seen):
            together.wait(10)
            seen.append((actor.actor_ref, actor.actor_urn))

        threads = [threading.Thread(target=look) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert len({id(ref) for ref, _ in seen}) == 1
        assert len({urn for _, urn in seen}) == 1


def test_an_unregistered_class_stays_out_of_pykkas_registry(scheduler):
    ref = Quiet.start(scheduler)
    assert ActorRegistry.get_all() == []
    assert ref.is_alive()
    stopping = ref.stop(block=False)
    scheduler.run(limit=10)
    assert stopping.get() is True


def test_on_start_runs_when_the_scheduler_runs_and_is_the_actors_first_message(scheduler):
    log = []

    class Starter(Quiet):
        def on_start(self):
            log.append("on_start")

        def on_receive(self, message):
            log.append(message)

    ref = Starter.start(scheduler)
    ref.tell("first")
    assert log == []
    assert scheduler.run(limit=1) == 1
    assert log == ["on_start"]
    assert scheduler.run(limit=1) == 1
    assert log == ["on_start", "first"]


def test_a_class_without_on_start_queues_nothing_at_its_start(scheduler):
    Quiet(scheduler).launch()
    assert scheduler.pending() == []


def test_messages_before_the_start_wait_for_it(scheduler):
    actor = Quiet(scheduler)
    future = actor.actor_ref.ask("early", block=False)
    stopping = actor.actor_ref.stop(block=False)
    assert scheduler.run(limit=10) == 0
    assert not actor.actor_inbox.empty()
    actor.launch()
    assert scheduler.run(limit=10) == 2
    assert future.get() == "early"
    assert stopping.get() is True


def test_an_actor_that_stops_itself_in_its_constructor_still_starts_first(scheduler):
    log = []

    class ShortLived(Quiet):
        def __init__(self, scheduler):
            super().__init__(scheduler)
            self.stop()

        def on_start(self):
            log.append("on_start")

        def on_stop(self):
            log.append("on_stop")

    ref = ShortLived.start(scheduler)
    scheduler.run(limit=10)
    assert log == ["on_start", "on_stop"]
    assert not ref.is_alive()


def test_a_reference_keeps_its_actor_alive_until_it_stops(scheduler):
    actor = Quiet(scheduler)
    actor.launch()
    ref = actor.actor_ref
    watch = weakref.ref(actor)
    del actor
    gc.collect()
    future = ref.ask("still there", block=False)
    stopping = ref.stop(block=False)
    scheduler.run(limit=10)
    assert future.get() == "still there"
    assert stopping.get() is True
    gc.collect()
    assert watch() is None
    with pytest.raises(ActorDeadError):
        ref.tell("hello")


def test_an_actor_nobody_can_reach_is_freed_without_being_stopped(scheduler):
    """That is how a directory passivates one: it drops the object."""
    actor = Quiet(scheduler)
    actor.launch()
    watch = weakref.ref(actor)
    del actor
    assert watch() is None


def test_a_message_that_lost_the_race_against_the_stop_is_answered(scheduler):
    """The sender saw the actor alive, and it stopped before the message was put."""
    actor = Quiet(scheduler)
    actor.launch()
    ref = actor.actor_ref
    ref.stop(block=False)
    scheduler.run(limit=10)
    ref.is_alive = lambda: True
    with pytest.raises(ActorDeadError, match="stopped before handling"):
        ref.ask("late", block=False).get(timeout=0)
    assert ref.tell("late") is None
    assert scheduler.pending() == []


def test_a_reference_made_after_the_stop_is_a_dead_one(scheduler):
    actor = Quiet(scheduler)
    actor.launch()
    actor.stop()
    scheduler.run(limit=10)
    assert not actor.actor_ref.is_alive()
    assert actor.actor_stopped.wait(0) is True
    with pytest.raises(ActorDeadError):
        actor.actor_ref.ask("hello", block=False).get()


def test_the_inbox_shows_whether_messages_wait_but_hands_none_out(scheduler):
    actor, other = Quiet(scheduler), Quiet(scheduler)
    actor.launch()
    other.launch()
    other.actor_ref.tell("not mine")
    assert actor.actor_inbox.empty()
    actor.actor_ref.tell("mine")
    assert not actor.actor_inbox.empty()
    with pytest.raises(NotImplementedError, match="Scheduler.run"):
        actor.actor_inbox.get()
    with pytest.raises(NotImplementedError):
        Quiet._create_actor_inbox()


def test_a_subclass_can_survive_an_interrupt(scheduler):
    """A workflow's step is undone and run again; its actor need not end."""

    class Tough(Quiet):
        def on_receive(self, message):
            raise KeyboardInterrupt

        def _interrupted(self):
            pass

    ref = Tough.start(scheduler)
    ref.tell("struck")
    with pytest.raises(KeyboardInterrupt):
        scheduler.run(limit=10)
    assert ref.is_alive()

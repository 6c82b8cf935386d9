"""What pykka documents for actors, shown of its own threading actor and of ours by the same tests.

Each test runs twice: over `pykka.ThreadingActor`, and over `ScheduledActor` with a thread that pumps. A test
that passes for the first and fails for the second is a broken promise of docs/reference/pykka.md.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pykka
import pytest
from pykka import ActorDeadError, ActorRegistry
from pykka.messages import ProxyCall, ProxyGetAttr, ProxySetAttr

from deathless.actors import ScheduledActor, Scheduler

# Nothing here takes long; the bound turns a dead-lock into a failure.
PATIENCE_S = 10


class PumpThread:
    """Runs a scheduler whenever a message comes in."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self._closing = False
        self.scheduler = Scheduler(wake=self._woken.set)
        self._thread = threading.Thread(target=self._pump, name="pump")
        self._thread.start()

    def _pump(self) -> None:
        while not self._closing:
            self._woken.wait()
            self._woken.clear()
            while self.scheduler.queue:
                self.scheduler.run(limit=1_000)

    def close(self) -> None:
        self._closing = True
        self._woken.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        assert not self.scheduler.queue


@pytest.fixture(params=["threading", "scheduled"])
def base(request) -> Iterator[type[pykka.Actor]]:
    """The class that a test's actors inherit from."""
    assert ActorRegistry.get_all() == []
    if request.param == "threading":
        yield pykka.ThreadingActor
        ActorRegistry.stop_all(timeout=PATIENCE_S)
    else:
        pump = PumpThread()

        class Pumped(ScheduledActor):
            def __init__(self, *_args, **_kwargs) -> None:
                super().__init__(pump.scheduler)

        yield Pumped
        ActorRegistry.stop_all(timeout=PATIENCE_S)
        pump.close()
    assert ActorRegistry.get_all() == []


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Holds an actor inside a message until it is set."""
    event = threading.Event()
    yield event
    event.set()


class Log(list):
    """What happened to an actor; `ended` is set with its last hook."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = threading.Event()


@pytest.fixture
def recorder(base, gate) -> type[pykka.Actor]:
    """An actor that writes down all that happens to it, and behaves as its messages say."""

    class Recorder(base):
        def __init__(self, *args, log=None, fail_in=(), **kwargs) -> None:
            super().__init__(*args, **kwargs)
            self.log = Log() if log is None else log
            self.fail_in = fail_in

        def note(self, what) -> None:
            self.log.append(what)
            if what in {"on_stop", "on_failure"}:
                self.log.ended.set()
            if what in self.fail_in:
                raise ValueError(f"failed in {what}")

        def on_start(self) -> None:
            self.note("on_start")

        def on_stop(self) -> None:
            self.note("on_stop")

        def on_failure(self, exception_type, exception_value, traceback) -> None:
            assert traceback is not None
            self.log.append((exception_type, str(exception_value)))
            self.note("on_failure")

        def on_receive(self, message):
            if message == "block":
                assert gate.wait(PATIENCE_S)
                return "unblocked"
            if message == "fail":
                raise LookupError("on purpose")
            if message == "stop yourself":
                self.stop()
            self.note(message)
            return ("seen", message)

    return Recorder


def settle(ref) -> None:
    """Wait until the actor has stopped; its last hook may still be running."""
    assert ref.actor_stopped.wait(PATIENCE_S)


# -- the life of an actor ----------------------------------------------------------------------------------


def test_the_constructor_runs_on_the_calling_thread_and_hooks_and_messages_on_the_actors(base):
    threads = {}

    class Where(base):
        def __init__(self, *args):
            super().__init__(*args)
            threads["init"] = threading.get_ident()

        def on_start(self):
            threads["on_start"] = threading.get_ident()

        def on_receive(self, message):
            threads["on_receive"] = threading.get_ident()

        def on_stop(self):
            threads["on_stop"] = threading.get_ident()

    ref = Where.start()
    ref.ask("go", timeout=PATIENCE_S)
    ref.stop(timeout=PATIENCE_S)
    here = threads.pop("init")
    assert here == threading.get_ident()
    assert set(threads) == {"on_start", "on_receive", "on_stop"}
    assert len(set(threads.values())) == 1
    assert here not in threads.values()


def test_start_hands_its_arguments_to_the_constructor(base):
    class Keeper(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.given = (args, kwargs)

    proxy = Keeper.start(1, two=2).proxy()
    assert proxy.given.get(timeout=PATIENCE_S) == ((1,), {"two": 2})


def test_on_start_runs_before_any_message(recorder):
    log = Log()
    ref = recorder.start(log=log)
    ref.ask("first", timeout=PATIENCE_S)
    assert log == ["on_start", "first"]


def test_messages_that_the_constructor_sends_to_itself_come_after_on_start(recorder):
    class Eager(recorder):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.actor_ref.tell("from the constructor")
            self._in_future = self.actor_ref.proxy()
            self._in_future.note.defer("deferred")

    log = Log()
    ref = Eager.start(log=log)
    ref.ask("from outside", timeout=PATIENCE_S)
    assert log == ["on_start", "from the constructor", "deferred", "from outside"]


def test_an_exception_in_on_start_is_logged_and_stops_the_actor(recorder, caplog):
    log = Log()
    with caplog.at_level(logging.ERROR, "pykka"):
        ref = recorder.start(log=log, fail_in=("on_start",))
        settle(ref)
    assert log == ["on_start"]
    assert not ref.is_alive()
    assert ActorRegistry.get_by_urn(ref.actor_urn) is None
    assert [record.exc_info[0] for record in caplog.records] == [ValueError]
    with pytest.raises(ActorDeadError):
        ref.ask("too late", timeout=PATIENCE_S)


def test_each_actor_has_a_urn_of_its_own_that_its_reference_shows(base):
    class Named(base):
        pass

    first, second = Named.start(), Named.start()
    assert first.actor_urn.startswith("urn:uuid:")
    assert first.actor_urn != second.actor_urn
    assert first.actor_class is Named
    assert str(first) == f"Named ({first.actor_urn})"
    assert repr(first) == f"<ActorRef for Named ({first.actor_urn})>"


def test_an_actor_sees_its_own_urn_and_reference_from_its_constructor_on(base):
    seen = []

    class Introspective(base):
        def __init__(self, *args):
            super().__init__(*args)
            seen.append((self.actor_urn, self.actor_ref, str(self)))

        def on_receive(self, message):
            return (self.actor_urn, self.actor_ref, str(self))

    ref = Introspective.start()
    inside = ref.ask("who are you", timeout=PATIENCE_S)
    assert inside == seen[0]
    assert inside[0] == ref.actor_urn
    assert inside[1] is ref
    assert inside[2] == str(ref)


# -- tell and ask ------------------------------------------------------------------------------------------


def test_messages_of_one_sender_are_handled_in_order(recorder):
    log = Log()
    ref = recorder.start(log=log)
    for n in range(100):
        ref.tell(n)
    ref.ask("last", timeout=PATIENCE_S)
    assert log == ["on_start", *range(100), "last"]


def test_tell_does_not_wait(recorder, gate):
    ref = recorder.start()
    ref.tell("block")
    assert ref.tell("another") is None
    gate.set()


def test_messages_of_many_threads_all_arrive_in_each_senders_order(recorder):
    log = Log()
    ref = recorder.start(log=log)
    together = threading.Barrier(4)

    def send(sender):
        together.wait(PATIENCE_S)
        for n in range(500):
            ref.tell((sender, n))

    senders = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join(PATIENCE_S)
    ref.ask("last", timeout=PATIENCE_S)
    for sender in range(4):
        assert [entry for entry in log if entry[0] == sender] == [(sender, n) for n in range(500)]


def test_ask_waits_for_the_reply(recorder):
    assert recorder.start().ask("hello", timeout=PATIENCE_S) == ("seen", "hello")


def test_ask_without_blocking_gives_a_future(recorder, gate):
    ref = recorder.start()
    future = ref.ask("block", block=False)
    assert isinstance(future, pykka.ThreadingFuture)
    gate.set()
    assert future.get(timeout=PATIENCE_S) == "unblocked"
    assert future.get(timeout=PATIENCE_S) == "unblocked"


def test_a_reply_that_does_not_come_in_time_raises_timeout(recorder, gate):
    ref = recorder.start()
    with pytest.raises(pykka.Timeout, match="seconds"):
        ref.ask("block", timeout=0)
    future = ref.ask("behind it", block=False)
    with pytest.raises(pykka.Timeout):
        future.get(timeout=0)
    gate.set()
    assert future.get(timeout=PATIENCE_S) == ("seen", "behind it")


def test_an_exception_goes_back_to_the_asker_and_the_actor_lives_on(recorder, caplog):
    log = Log()
    ref = recorder.start(log=log)
    with caplog.at_level(logging.INFO, "pykka"), pytest.raises(LookupError, match="on purpose") as raised:
        ref.ask("fail", timeout=PATIENCE_S)
    assert "on_receive" in [entry.name for entry in raised.traceback]
    assert "Exception returned from" in caplog.text
    assert ref.is_alive()
    assert ref.ask("still there", timeout=PATIENCE_S) == ("seen", "still there")
    assert log == ["on_start", "still there"]


def test_an_exception_nobody_asked_for_is_logged_reported_and_ends_the_actor(recorder, caplog):
    log = Log()
    ref = recorder.start(log=log)
    with caplog.at_level(logging.ERROR, "pykka"):
        ref.tell("fail")
        assert log.ended.wait(PATIENCE_S)
    assert log == ["on_start", (LookupError, "on purpose"), "on_failure"]
    assert not ref.is_alive()
    assert ActorRegistry.get_all() == []
    (record,) = caplog.records
    assert record.name == "pykka"
    assert record.getMessage() == f"Unhandled exception in {ref}:"
    assert record.exc_info[0] is LookupError


def test_an_exception_in_on_failure_is_logged_too(recorder, caplog):
    log = Log()
    hooks_over = threading.Event()

    class Doubly(recorder):
        def _handle_failure(self, exception_type, exception_value, traceback):
            super()._handle_failure(exception_type, exception_value, traceback)
            if exception_type is ValueError:
                hooks_over.set()

    with caplog.at_level(logging.ERROR, "pykka"):
        ref = Doubly.start(log=log, fail_in=("on_failure",))
        ref.tell("fail")
        assert hooks_over.wait(PATIENCE_S)
    assert [record.exc_info[0] for record in caplog.records] == [LookupError, ValueError]
    assert not ref.is_alive()


def test_asks_behind_a_failure_get_actor_dead_error(recorder, gate):
    ref = recorder.start()
    ref.tell("block")
    ref.tell("fail")
    behind = ref.ask("behind", block=False)
    gate.set()
    with pytest.raises(ActorDeadError, match="stopped before handling the message"):
        behind.get(timeout=PATIENCE_S)


def test_the_default_on_receive_logs_the_message_and_replies_none(base, caplog):
    class Silent(base):
        pass

    ref = Silent.start()
    with caplog.at_level(logging.WARNING, "pykka"):
        assert ref.ask({"odd": 1}, timeout=PATIENCE_S) is None
    assert caplog.records[-1].getMessage() == f"Unexpected message received by {ref}: {{'odd': 1}}"
    assert ref.is_alive()


# -- stopping ----------------------------------------------------------------------------------------------


def test_stop_lets_earlier_messages_be_handled_and_refuses_later_ones(recorder, gate):
    log = Log()
    ref = recorder.start(log=log)
    ref.tell("block")
    ref.tell("before")
    answered = ref.ask("asked before", block=False)
    stopping = ref.stop(block=False)
    ref.tell("after")
    refused = ref.ask("asked after", block=False)
    gate.set()
    assert answered.get(timeout=PATIENCE_S) == ("seen", "asked before")
    assert stopping.get(timeout=PATIENCE_S) is True
    with pytest.raises(ActorDeadError, match="stopped before handling the message"):
        refused.get(timeout=PATIENCE_S)
    assert log == ["on_start", "before", "asked before", "on_stop"]


def test_stop_says_whether_the_actor_was_alive(recorder):
    ref = recorder.start()
    assert ref.stop(timeout=PATIENCE_S) is True
    assert ref.stop(timeout=PATIENCE_S) is False
    assert ref.stop(block=False).get(timeout=PATIENCE_S) is False


def test_a_second_stop_while_the_first_is_under_way_is_true(recorder, gate):
    log = Log()
    ref = recorder.start(log=log)
    ref.tell("block")
    both = [ref.stop(block=False), ref.stop(block=False)]
    gate.set()
    assert pykka.get_all(both, timeout=PATIENCE_S) == [True, True]
    assert log.count("on_stop") == 1


def test_stop_gives_up_after_its_timeout(recorder, gate):
    ref = recorder.start()
    ref.tell("block")
    with pytest.raises(pykka.Timeout):
        ref.stop(timeout=0)


def test_an_actor_can_stop_itself_after_what_is_already_queued(recorder, gate):
    log = Log()
    ref = recorder.start(log=log)
    ref.tell("block")
    ref.tell("stop yourself")
    ref.tell("queued already")
    gate.set()
    assert log.ended.wait(PATIENCE_S)
    assert log == ["on_start", "stop yourself", "queued already", "on_stop"]


def test_an_actor_that_has_stopped_cannot_be_told_asked_or_proxied(recorder):
    ref = recorder.start()
    proxy = ref.proxy()
    ref.stop(timeout=PATIENCE_S)
    assert not ref.is_alive()
    with pytest.raises(ActorDeadError, match="not found"):
        ref.tell("hello")
    with pytest.raises(ActorDeadError, match="not found"):
        ref.ask("hello", timeout=PATIENCE_S)
    future = ref.ask("hello", block=False)
    with pytest.raises(ActorDeadError, match="not found"):
        future.get(timeout=PATIENCE_S)
    with pytest.raises(ActorDeadError, match="not found"):
        ref.proxy()
    with pytest.raises(ActorDeadError):
        proxy.log.get(timeout=PATIENCE_S)
    with pytest.raises(ActorDeadError):
        proxy.note("hello").get(timeout=PATIENCE_S)
    with pytest.raises(ActorDeadError):
        proxy.note.defer("hello")
    with pytest.raises(ActorDeadError):
        proxy.log = []


def test_an_actor_that_has_stopped_cannot_stop_itself_again(recorder):
    ref = recorder.start()
    actor = ref._actor_weakref()
    ref.stop(timeout=PATIENCE_S)
    with pytest.raises(ActorDeadError, match="not found"):
        actor.stop()


def test_an_exception_in_on_stop_is_logged_and_the_actor_is_stopped_all_the_same(recorder, caplog):
    with caplog.at_level(logging.ERROR, "pykka"):
        ref = recorder.start(fail_in=("on_stop",))
        assert ref.stop(timeout=PATIENCE_S) is True
    assert [record.exc_info[0] for record in caplog.records] == [ValueError]
    assert not ref.is_alive()


def test_the_stopped_flag_is_an_event_that_can_be_waited_for(recorder):
    ref = recorder.start()
    assert not ref.actor_stopped.is_set()
    assert ref.actor_stopped.wait(0) is False
    ref.stop(block=False)
    assert ref.actor_stopped.wait(PATIENCE_S) is True


def test_setting_the_stopped_flag_ends_the_actor_after_the_message_it_is_in(base):
    class Quitter(base):
        def on_receive(self, message):
            self.actor_stopped.set()
            return "last words"

    ref = Quitter.start()
    assert ref.ask("quit", timeout=PATIENCE_S) == "last words"
    assert not ref.is_alive()
    with pytest.raises(ActorDeadError):
        ref.tell("hello")
    ActorRegistry.unregister(ref)


def test_hooks_run_once_each_and_in_order(recorder):
    log = Log()
    ref = recorder.start(log=log)
    ref.tell("only")
    ref.stop(timeout=PATIENCE_S)
    assert log == ["on_start", "only", "on_stop"]


# -- the registry ------------------------------------------------------------------------------------------


def test_the_registry_finds_running_actors(recorder, base):
    class Other(base):
        pass

    first, second, other = recorder.start(), recorder.start(), Other.start()
    assert ActorRegistry.get_all() == [first, second, other]
    assert ActorRegistry.get_by_class(recorder) == [first, second]
    assert ActorRegistry.get_by_class(base) == [first, second, other]
    assert ActorRegistry.get_by_class_name("Other") == [other]
    assert ActorRegistry.get_by_urn(second.actor_urn) is second
    assert ActorRegistry.get_by_urn("urn:uuid:nobody") is None
    first.stop(timeout=PATIENCE_S)
    assert ActorRegistry.get_all() == [second, other]
    assert ActorRegistry.get_by_urn(first.actor_urn) is None


def test_a_broadcast_reaches_the_actors_of_a_class_or_all(recorder):
    class Second(recorder):
        pass

    logs = Log(), Log()
    refs = recorder.start(log=logs[0]), Second.start(log=logs[1])
    ActorRegistry.broadcast("to all")
    ActorRegistry.broadcast("to the second", target_class=Second)
    ActorRegistry.broadcast("by name", target_class="Recorder")
    for ref in refs:
        ref.ask("done", timeout=PATIENCE_S)
    assert logs[0] == ["on_start", "to all", "by name", "done"]
    assert logs[1] == ["on_start", "to all", "to the second", "done"]


def test_stop_all_stops_the_last_started_first(recorder):
    stopped = []

    class Ordered(recorder):
        def on_stop(self):
            stopped.append(self.actor_urn)

    refs = [Ordered.start() for _ in range(5)]
    assert ActorRegistry.stop_all(timeout=PATIENCE_S) == [True] * 5
    assert stopped == [ref.actor_urn for ref in reversed(refs)]
    assert ActorRegistry.get_all() == []


def test_stop_all_without_blocking_gives_futures(recorder):
    for _ in range(3):
        recorder.start()
    futures = ActorRegistry.stop_all(block=False)
    assert pykka.get_all(futures, timeout=PATIENCE_S) == [True] * 3


# -- proxies -----------------------------------------------------------------------------------------------


@pytest.fixture
def person(base) -> type[pykka.Actor]:
    """An actor with attributes and methods to use through a proxy."""

    class Pocket:
        pykka_traversable = True
        content = "coins"

        def count(self, start):
            return start + 7

    class Person(base):
        kind = "human"

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.name = "Ann"
            self.pocket = Pocket()
            self.shelf = pykka.traversable(type("Shelf", (), {"books": 3})())
            self._secret = 1

        @property
        def age(self):
            return 30

        @age.setter
        def age(self, value):
            raise ValueError(f"nobody becomes {value}")

        def greet(self, whom, *, loud=False):
            return f"hello {whom}{'!' if loud else ''}"

        def fail(self):
            raise LookupError("on purpose")

        def rename(self, name):
            self.name = name

    return Person


def test_a_proxy_reads_and_writes_attributes_in_the_actor(person):
    proxy = person.start().proxy()
    assert proxy.name.get(timeout=PATIENCE_S) == "Ann"
    assert proxy.kind.get(timeout=PATIENCE_S) == "human"
    assert proxy.age.get(timeout=PATIENCE_S) == 30
    proxy.name = "Bea"
    assert proxy.name.get(timeout=PATIENCE_S) == "Bea"


def test_a_proxy_shows_the_actors_pykka_attributes(person):
    ref = person.start()
    proxy = ref.proxy()
    assert proxy.actor_ref is ref
    assert proxy.actor_urn.get(timeout=PATIENCE_S) == ref.actor_urn


def test_setting_an_attribute_raises_what_the_actor_raised(person):
    proxy = person.start().proxy()
    with pytest.raises(ValueError, match="nobody becomes 200"):
        proxy.age = 200


def test_a_proxy_calls_methods_and_gives_futures(person):
    proxy = person.start().proxy()
    assert proxy.greet("Tom", loud=True).get(timeout=PATIENCE_S) == "hello Tom!"
    with pytest.raises(LookupError, match="on purpose"):
        proxy.fail().get(timeout=PATIENCE_S)
    assert proxy.greet("again").get(timeout=PATIENCE_S) == "hello again"


def test_a_deferred_call_has_tell_semantics(person):
    ref = person.start()
    proxy = ref.proxy()
    assert proxy.rename.defer("Cleo") is None
    assert proxy.name.get(timeout=PATIENCE_S) == "Cleo"
    proxy.fail.defer()
    settle(ref)
    assert not ref.is_alive()


def test_a_proxy_hides_private_and_unknown_names(person):
    proxy = person.start().proxy()
    with pytest.raises(AttributeError, match="_secret"):
        proxy._secret
    with pytest.raises(AttributeError, match="has no attribute 'shoes'"):
        proxy.shoes
    listed = dir(proxy)
    assert "greet" in listed
    assert "name" in listed
    assert "_secret" not in listed


def test_a_proxy_goes_through_traversable_attributes(person):
    proxy = person.start().proxy()
    assert proxy.pocket.content.get(timeout=PATIENCE_S) == "coins"
    assert proxy.pocket.count(10).get(timeout=PATIENCE_S) == 17
    assert proxy.shelf.books.get(timeout=PATIENCE_S) == 3
    proxy.pocket.content = "keys"
    assert proxy.pocket.content.get(timeout=PATIENCE_S) == "keys"


def test_proxies_of_one_actor_are_equal(person):
    ref, other = person.start(), person.start()
    assert ref.proxy() == ref.proxy()
    assert hash(ref.proxy()) == hash(ref.proxy())
    assert ref.proxy() != other.proxy()


def test_work_given_to_a_proxy_of_oneself_comes_after_what_is_queued(base, gate):
    class Cooperative(base):
        def __init__(self, *args):
            super().__init__(*args)
            self.done = []
            self._in_future = self.actor_ref.proxy()

        def work(self, parts):
            assert gate.wait(PATIENCE_S)
            self.done.append(parts)
            if parts > 1:
                self._in_future.work.defer(parts - 1)

        def interrupt(self):
            self.done.append("interrupt")
            return self.done

    proxy = Cooperative.start().proxy()
    proxy.work.defer(3)
    seen = proxy.interrupt()
    gate.set()
    assert seen.get(timeout=PATIENCE_S)[:2] == [3, "interrupt"]
    proxy.interrupt().get(timeout=PATIENCE_S)
    assert [part for part in proxy.interrupt().get(timeout=PATIENCE_S) if part != "interrupt"] == [3, 2, 1]


def test_pykkas_messages_work_without_a_proxy(person):
    ref = person.start()
    call = ProxyCall(attr_path=("greet",), args=("Tom",), kwargs={"loud": True})
    assert ref.ask(call, timeout=PATIENCE_S) == "hello Tom!"
    ref.tell(ProxySetAttr(attr_path=("name",), value="Dora"))
    assert ref.ask(ProxyGetAttr(attr_path=("name",)), timeout=PATIENCE_S) == "Dora"


# -- futures -----------------------------------------------------------------------------------------------


def test_futures_can_be_mapped_filtered_joined_and_reduced(recorder, person):
    people = person.start()
    greeting = people.proxy().greet("Tom")
    assert greeting.map(len).get(timeout=PATIENCE_S) == 9
    assert greeting.filter(str.isupper).get(timeout=PATIENCE_S) == ["T"]
    assert greeting.join(people.proxy().greet("Ann")).get(timeout=PATIENCE_S) == ["hello Tom", "hello Ann"]
    assert greeting.reduce(lambda total, _: total + 1, 0).get(timeout=PATIENCE_S) == 9


def test_get_all_collects_in_the_order_given(recorder):
    ref = recorder.start()
    futures = [ref.ask(n, block=False) for n in range(5)]
    assert pykka.get_all(futures, timeout=PATIENCE_S) == [("seen", n) for n in range(5)]


def test_a_future_can_be_awaited(recorder):
    ref = recorder.start()

    async def ask():
        return await ref.ask("hello", block=False)

    assert asyncio.run(ask()) == ("seen", "hello")


def test_an_actor_may_reply_with_the_future_of_its_question_to_another(recorder, base):
    other = recorder.start()

    class Asker(base):
        def on_receive(self, message):
            return other.ask(message, block=False)

    inner = Asker.start().ask("passed on", timeout=PATIENCE_S)
    assert inner.get(timeout=PATIENCE_S) == ("seen", "passed on")


# -- the page ----------------------------------------------------------------------------------------------


def test_the_page_of_promises_names_tests_that_exist_and_all_of_these():
    here = Path(__file__).parent
    page = (here.parents[1] / "docs" / "reference" / "pykka.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    files = "test_pykka_contracts.py", "test_scheduled_actor.py", "test_scheduler.py"
    here_defined, *others = (
        set(re.findall(r"^def (test_\w+)", (here / file).read_text("utf-8"), re.MULTILINE)) for file in files
    )
    assert named <= here_defined.union(*others)
    assert here_defined - named == {"test_the_page_of_promises_names_tests_that_exist_and_all_of_these"}

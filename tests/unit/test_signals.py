"""Signals: whom they reach, in which order, and what is refused at the call."""

from dataclasses import dataclass

import pytest

from deathless import (
    Context,
    Elapsed,
    LimitError,
    Limits,
    Signal,
    SignalNotAccepted,
    UnknownSignalError,
    UnknownWorkflowError,
    UnstorableError,
    workflow,
)
from deathless.workflows.errors import DefinitionError


class Note(Signal):
    text: str = ""


class Stop(Signal):
    pass


class Stray(Signal):
    pass


class Holder(Signal):
    value: object = None


@workflow
async def notebook(ctx: Context) -> list[str]:
    notes: list[str] = []
    while True:
        match await ctx.receive(Note, Stop):
            case Note(text):
                notes.append(text)
            case Stop():
                return notes


@workflow
async def stopper(ctx: Context) -> str:
    await ctx.receive(Stop)
    return "stopped"


@workflow
async def late_reader(ctx: Context) -> list[str]:
    await ctx.receive(Stop)
    return [(await ctx.receive(Note)).text, (await ctx.receive(Note)).text]


@workflow
async def postman(ctx: Context, workflow_id: int = 0, entity_id: int = 0, group: str = "") -> str:
    if workflow_id:
        ctx.signal(Note("by id"), workflow_id=workflow_id)
    if entity_id:
        ctx.signal(Note("by entity"), entity_id=entity_id)
    if group:
        ctx.signal(Note("by group"), correlation_id=group)
    await ctx.sleep(0.1)
    return "sent"


@workflow
async def holder(ctx: Context) -> object:
    return (await ctx.receive(Holder)).value


def test_signals_arrive_in_the_order_in_which_they_were_sent(open_world):
    world = open_world(notebook)
    handle = world.start(notebook(), entity_id=1)
    for text in "abc":
        world.signal(Note(text), entity_id=1)
    world.signal(Stop(), entity_id=1)
    world.advance(0.1)
    assert handle.result() == ["a", "b", "c"]


def test_a_signal_by_entity_skips_workflows_that_do_not_accept_it(open_world):
    world = open_world(notebook, stopper)
    first, second = world.start(stopper(), entity_id=1), world.start(notebook(), entity_id=1)
    world.signal(Note("x"), entity_id=1)
    world.advance(0.1)
    assert world.get(second.id).locals["notes"] == ["x"]
    assert world.get(first.id).unread == ()


def test_a_signal_waits_unread_until_it_is_awaited_and_keeps_its_order(open_world):
    world = open_world(late_reader)
    handle = world.start(late_reader(), entity_id=1)
    world.signal(Note("1"), entity_id=1)
    world.signal(Note("2"), entity_id=1)
    world.advance(0.1)
    assert world.get(handle.id).unread == ("Note", "Note")
    world.signal(Stop(), entity_id=1)
    world.advance(0.1)
    assert handle.result() == ["1", "2"]


def test_a_signal_to_nobody_is_no_error(open_world):
    world = open_world(notebook)
    assert world.signal(Note("x"), entity_id=99) == 1
    world.advance(0.1)


def test_workflows_signal_each_other_by_each_kind_of_address(open_world):
    world = open_world(notebook, postman)
    target = world.start(notebook(), entity_id=7, correlation_id="guild")
    world.advance(0.1)
    world.start(postman(target.id, 7, "guild"))
    world.advance(0.1)
    assert world.get(target.id).locals["notes"] == ["by id", "by entity", "by group"]


def test_a_workflow_that_signals_an_ended_one_fails_with_the_reason(open_world):
    world = open_world(notebook, postman, stopper)
    target = world.start(stopper())
    world.signal(Stop(), workflow_id=target.id)
    world.advance(0.1)
    sender = world.start(postman(workflow_id=target.id))
    world.advance(0.1)
    view = world.get(sender.id)
    assert view.status == "Failed"
    assert "does not take signal 'Note': it has ended" in view.error_message


def test_an_unknown_signal_class_is_refused_at_the_call(open_world):
    world = open_world(notebook)
    with pytest.raises(UnknownSignalError, match=r"unknown signal 'Stray'; accepted .* Note, Stop"):
        world.signal(Stray(), entity_id=1)


@pytest.mark.parametrize("wrong", [Note, "note", None])
def test_what_is_no_signal_is_refused_at_the_call(open_world, wrong):
    world = open_world(notebook)
    with pytest.raises(TypeError, match="a signal is an instance"):
        world.signal(wrong, entity_id=1)


def test_exactly_one_address_is_needed(open_world):
    world = open_world(notebook)
    for address in ({}, {"entity_id": 1, "workflow_id": 1}, {"entity_id": 1, "correlation_id": "x"}):
        with pytest.raises(TypeError, match="exactly one of"):
            world.signal(Note(), **address)


def test_a_signal_by_id_to_a_type_that_never_awaits_it_is_refused(open_world):
    world = open_world(notebook, stopper)
    handle = world.start(stopper())
    for _ in range(2):
        with pytest.raises(SignalNotAccepted, match="'stopper' never awaits it"):
            world.signal(Note(), workflow_id=handle.id)
        world.advance(0.1)


def test_a_signal_to_no_workflow_is_refused(open_world):
    world = open_world(notebook)
    with pytest.raises(SignalNotAccepted, match="there is no such workflow"):
        world.signal(Note(), workflow_id=12345)
    with pytest.raises(UnknownWorkflowError):
        world.signal(Note(), workflow_id=-1)
    with pytest.raises(UnknownWorkflowError):
        world.signal(Note(), workflow_id=2**64)


def test_a_field_that_cannot_be_stored_is_refused_and_nothing_is_queued(open_world):
    world = open_world(holder)
    handle = world.start(holder(), entity_id=1)
    world.advance(0.1)
    with pytest.raises(UnstorableError, match="cannot be stored"):
        world.signal(Holder(lambda: None), entity_id=1)
    assert world.advance(0.1).steps == 0
    world.signal(Holder([1]), entity_id=1)
    world.advance(0.1)
    assert handle.result() == [1]


def test_a_signal_over_the_payload_limit_is_refused(open_world):
    world = open_world(holder, limits=Limits(payload=100))
    with pytest.raises(LimitError, match=r"the size of signal Holder is \d+, over the limit of 100"):
        world.signal(Holder("x" * 200), entity_id=1)


def test_a_full_mailbox_is_an_error_at_the_sender(open_world):
    world = open_world(late_reader, limits=Limits(unread=3))
    handle = world.start(late_reader(), entity_id=1)
    for _ in range(3):
        world.signal(Note(), entity_id=1)
    world.advance(0.1)
    for address in ({"entity_id": 1}, {"workflow_id": handle.id}):
        with pytest.raises(
            LimitError, match=f"unread signals of workflow {handle.id} is 4, over the limit of 3"
        ):
            world.signal(Note(), **address)
    assert world.get(handle.id).unread == ("Note",) * 3


def test_sender_and_receiver_never_share_an_object(open_world):
    world = open_world(holder)
    handle = world.start(holder(), entity_id=1)
    value = [1, 2]
    world.signal(Holder(value), entity_id=1)
    value.append(3)
    world.advance(0.1)
    assert handle.result() == [1, 2]


def test_a_dispel_sent_before_advance_beats_a_timer_inside_that_second(open_world):
    @workflow(name="short")
    async def short(ctx: Context) -> str:
        match await ctx.select(ctx.timer(0.5), Stop):
            case Elapsed():
                return "elapsed"
            case Stop():
                return "stopped"

    world = open_world(short)
    handle = world.start(short(), entity_id=1)
    world.advance(0.1)
    world.signal(Stop(), entity_id=1)
    world.advance(1.0)
    assert handle.result() == "stopped"


def test_a_signal_class_is_a_frozen_slotted_dataclass():
    note = Note("x")
    with pytest.raises(AttributeError):
        note.text = "y"
    assert not hasattr(note, "__dict__")
    assert Note("x") == note
    assert Note.__match_args__ == ("text",)


def test_a_signal_cannot_derive_from_another():
    with pytest.raises(DefinitionError, match="derives from signal Note"):
        type(Note)("Loud", (Note,), {})


def test_two_signals_of_one_name_are_refused_at_open(worlds):
    def make():
        class Twin(Signal):
            pass

        return Twin

    one, two = make(), make()

    @workflow(name="one", signals=(one,))
    async def first(ctx: Context) -> None:
        await ctx.sleep(1)

    @workflow(name="two", signals=(two,))
    async def second(ctx: Context) -> None:
        await ctx.sleep(1)

    with pytest.raises(DefinitionError, match="two signal classes are named 'Twin'"):
        worlds.open([first, second])


@workflow
async def hoarder(ctx: Context) -> int:
    await ctx.select(ctx.timer(5.0), Stop)
    read = 0
    while read < 20:
        await ctx.receive(Note)
        read += 1
    return read


def test_what_others_send_does_not_count_against_a_workflows_own_state(open_world):
    world = open_world(hoarder, limits=Limits(state_max=100_000, payload=60_000))
    handle = world.start(hoarder(), entity_id=1)
    for _ in range(20):
        world.signal(Note("x" * 50_000), entity_id=1)
    world.advance(0.1)
    world.signal(Stop(), entity_id=1)
    world.advance(0.1)
    world.run_until_idle()
    assert handle.result() == 20


def test_the_bound_on_unread_signals_holds_within_a_turn_too(open_world):
    world = open_world(hoarder, limits=Limits(unread=10))
    handle = world.start(hoarder(), entity_id=1)
    world.advance(0.1)
    for _ in range(20):
        world.signal(Note(""), entity_id=1)
        world.signal(Note(""), workflow_id=handle.id)
    for address in ({"entity_id": 1}, {"workflow_id": handle.id}):
        with pytest.raises(LimitError, match="unread signals of workflow 1 is 11"):
            world.signal(Note(""), **address)
    world.advance(0.1)
    world.signal(Stop(), entity_id=1)
    world.advance(0.1)
    assert handle.result() == 20


def test_a_full_mailbox_still_takes_the_signal_that_is_awaited(open_world):
    world = open_world(hoarder, limits=Limits(unread=5))
    handle = world.start(hoarder(), entity_id=1)
    world.advance(0.1)
    for _ in range(5):
        world.signal(Note(""), entity_id=1)
    world.advance(0.1)
    world.signal(Stop(), workflow_id=handle.id)
    world.advance(0.1)
    assert world.get(handle.id).current_step != "Suspended"
    assert world.get(handle.id).unread == ()


@pytest.mark.parametrize(
    ("entity_id", "error"),
    [
        ("x", TypeError),
        ([1], TypeError),
        (1.0, TypeError),
        (True, TypeError),
        (-1, ValueError),
        (2**64, ValueError),
    ],
    ids=repr,
)
def test_an_address_that_is_none_is_refused_at_the_call(open_world, entity_id, error):
    @workflow(name="sender", signals=(Stop,))
    async def sender(ctx: Context) -> str:
        try:
            ctx.signal(Stop(), entity_id=entity_id)
        except error as refused:
            return str(refused)
        return "sent"

    world = open_world(hoarder, sender)
    for call in (
        lambda: world.signal(Stop(), entity_id=entity_id),
        lambda: world.cancel(entity_id=entity_id),
        lambda: world.start(hoarder(), entity_id=entity_id),
    ):
        with pytest.raises(error, match="entity_id"):
            call()
    handle = world.start(sender())
    world.advance(0.1)
    assert "entity_id" in handle.result()


def test_a_class_that_senders_are_told_is_not_taken_cannot_be_awaited(open_world):
    @workflow(name="by_parameter")
    async def by_parameter(ctx: Context) -> None:
        kind = [Stop][0]
        await ctx.receive(kind)

    world = open_world(by_parameter)
    handle = world.start(by_parameter())
    world.advance(0.1)
    assert "@workflow(signals=(Stop,))" in world.get(handle.id).error_message


def test_fields_may_have_any_names_but_those_of_every_signal_class():
    class Odd(Signal):
        x: int
        _set_x: int = 2
        self_: int = 3

    assert (Odd(1).x, Odd(1)._set_x, Odd(1, 4)._set_x) == (1, 2, 4)
    for taken in ("layout", "field_names", "_form"):
        with pytest.raises(
            DefinitionError, match=f"has a field '{taken}', a name that every signal class uses"
        ):
            type(Signal)("Bad", (Signal,), {"__annotations__": {taken: int}})


def test_fields_may_come_from_a_plain_base():
    @dataclass(frozen=True, slots=True)
    class Placed:
        zone: int

    class Noise(Placed, Signal):
        loud: bool = False

    assert Noise(3, loud=True) == Noise(zone=3, loud=True)
    assert Noise(3).zone == 3

"""What another thread leaves to the next pump, and the other calls that operators use."""

import threading

import pytest

from deathless import (
    Context,
    RuntimeClosedError,
    Signal,
    UnknownSignalError,
    UnknownWorkflowError,
    WrongThreadError,
    workflow,
)


class StackUp(Signal):
    amount: int = 1


@workflow(name="sleeper")
async def sleeper(ctx: Context, seconds: float) -> str:
    await ctx.sleep(seconds)
    return "rested"


@workflow(name="stacker")
async def stacker(ctx: Context) -> int:
    return (await ctx.receive(StackUp)).amount


luck = [False]


@workflow(name="unlucky")
async def unlucky(ctx: Context) -> str:
    if not luck[0]:
        raise ValueError("no luck")
    return "lucky"


@pytest.fixture
def no_luck():
    luck[0] = False


def test_the_next_pump_calls_it_before_its_turn_on_the_thread_that_pumps(open_world):
    world = open_world(sleeper)
    seen = []
    futures = []

    def leave():
        futures.append(
            world.between_turns(lambda: seen.append((world.turn, threading.current_thread())) or "done")
        )

    other = threading.Thread(target=leave)
    other.start()
    other.join()
    assert not futures[0].done()
    world.pump()
    assert seen == [(0, threading.current_thread())]
    assert futures[0].result() == "done"


def test_what_it_raises_goes_to_its_future_and_not_to_the_pump(open_world):
    world = open_world(sleeper)
    first = world.between_turns(lambda: 1 / 0)
    second = world.between_turns(lambda: 5)
    assert world.pump().turn == 1
    assert isinstance(first.exception(), ZeroDivisionError)
    assert second.result() == 5


def test_a_reload_from_another_thread_happens_between_two_turns(open_world):
    world = open_world(sleeper)
    future = world.between_turns(lambda: world.reload([sleeper, stacker]))
    world.pump()
    assert future.result() is None
    assert world.start(stacker()).id == 1


def test_a_reload_that_its_check_refuses_leaves_the_old_code(open_world):
    world = open_world(sleeper)
    seen = []

    def refuse(registry):
        seen.append(sorted(registry.workflows))
        raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        world.reload([stacker], check=refuse)
    assert seen == [["stacker"]]
    world.start(sleeper(1.0))
    assert world.pump().steps == 1


def test_what_is_left_while_functions_run_waits_for_the_next_pump(open_world):
    world = open_world(sleeper)
    later = []
    world.between_turns(lambda: later.append(world.between_turns(lambda: world.turn)))
    world.pump()
    assert not later[0].done()
    world.pump()
    assert later[0].result() == 1


def test_one_that_was_given_up_is_not_called(open_world):
    world = open_world(sleeper)
    called = []
    assert world.between_turns(lambda: called.append(1)).cancel()
    world.pump()
    assert not called


def test_a_wait_for_it_on_the_thread_that_pumps_is_refused(open_world):
    world = open_world(sleeper)
    world.pump()
    future = world.between_turns(lambda: 1)
    with pytest.raises(WrongThreadError, match="pump first"):
        future.result()


def test_a_world_that_closes_calls_it_no_more(open_world):
    world = open_world(sleeper)
    future = world.between_turns(lambda: 1)
    world.close()
    assert isinstance(future.exception(), RuntimeClosedError)
    with pytest.raises(RuntimeClosedError):
        world.between_turns(lambda: 1)


@pytest.mark.parametrize("name", ["StackUp", "stack_up", "stackup"])
def test_a_signal_class_is_found_by_its_name(open_world, name):
    assert open_world(stacker).signal_class(name) is StackUp


def test_an_unknown_signal_name_is_refused_with_the_known_ones(open_world):
    with pytest.raises(UnknownSignalError, match="'Stick'; accepted by the registered workflows are StackUp"):
        open_world(stacker).signal_class("Stick")


def test_many_are_retried_or_none(open_world, no_luck):
    world = open_world(unlucky)
    handles = [world.start(unlucky()) for _ in range(3)]
    world.pump()
    luck[0] = True
    with pytest.raises(UnknownWorkflowError):
        world.retry_many([handles[0].id, 99])
    assert world.pump().steps == 0
    turn = world.retry_many([handle.id for handle in handles[:2]])
    assert world.pump().turn == turn
    assert [handle.status for handle in handles] == ["Completed", "Completed", "Failed"]


def test_cleanup_counts_in_seconds_and_deletes_only_what_ended_before(open_world):
    world = open_world(sleeper)
    world.start(sleeper(10.0))
    world.start(sleeper(50.0))
    world.run_until(60.0, step=10.0)
    future = world.cleanup(older_than=30.0)
    world.pump()
    assert future.result() == 1
    assert [view.id for view in world.workflows()] == [2]


@pytest.mark.parametrize("older_than", [-1.0, float("nan"), "7d", None, True])
def test_cleanup_refuses_what_is_no_age(open_world, older_than):
    with pytest.raises(ValueError, match="older_than is a number of seconds from 0.0 up"):
        open_world(sleeper).cleanup(older_than)


def test_timers_fire_by_hand_before_their_time(open_world):
    world = open_world(sleeper)
    handle = world.start(sleeper(3_600.0))
    world.pump()
    future = world.fire_timers()
    world.run_until_idle()
    assert future.result() == 1
    assert handle.result() == "rested"


def test_a_pump_from_inside_of_a_turn_calls_nothing(open_world):
    called, refused = [], []

    @workflow(name="meddler")
    async def meddler(ctx: Context) -> None:
        world.between_turns(lambda: called.append(world.turn))
        try:
            world.pump()
        except WrongThreadError as error:
            refused.append(str(error))

    world = open_world(meddler)
    world.start(meddler())
    world.pump()
    assert (called, len(refused)) == ([], 1)
    world.pump()
    assert called == [1]

"""Wrong calls: each a clear error at the call, with nothing stored and nothing lost."""

import os
import subprocess
import sys
import threading

import pytest

from deathless import (
    ArgumentsError,
    Context,
    GameClock,
    LimitError,
    Limits,
    NotFinishedError,
    Runtime,
    RuntimeClosedError,
    Signal,
    UnknownWorkflowError,
    UnknownWorkflowTypeError,
    WorldInUse,
    WrongThreadError,
    workflow,
)
from deathless.workflows.errors import DefinitionError


class Go(Signal):
    pass


@workflow
async def plain(ctx: Context, number: int, *, label: str = "") -> int:
    await ctx.receive(Go)
    return number


@workflow
async def stranger(ctx: Context) -> None:
    await ctx.sleep(1)


@pytest.fixture
def world(worlds):
    return worlds.open([plain])


def unchanged(world):
    return world.advance(0.1).steps == 0 and world.count() == 0


def test_an_unknown_type_is_refused(world):
    with pytest.raises(UnknownWorkflowTypeError, match="unknown workflow type 'nope'; registered are plain"):
        world.start("nope")
    with pytest.raises(UnknownWorkflowTypeError, match="'stranger'"):
        world.start(stranger())
    assert unchanged(world)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), ((1, 2), {}), ((1,), {"size": 2}), ((1,), {".pc": 1}), ((1,), {"number": 1})],
)
def test_arguments_that_do_not_bind_are_refused(world, args, kwargs):
    with pytest.raises(ArgumentsError, match="bad arguments for workflow 'plain'"):
        world.start("plain", args=args, kwargs=kwargs)
    with pytest.raises(ArgumentsError):
        plain(*args, **kwargs)
    assert unchanged(world)


def test_arguments_that_cannot_be_stored_are_refused(world):
    with pytest.raises(ArgumentsError, match="cannot be stored"):
        world.start(plain(threading.Lock()))
    assert unchanged(world)


def test_arguments_over_the_limit_are_refused(worlds):
    world = worlds.open([plain], limits=Limits(payload=100))
    with pytest.raises(LimitError, match="the size of the arguments of workflow 'plain'"):
        world.start(plain(1, label="x" * 100))
    assert unchanged(world)


@pytest.mark.parametrize("wrong", [plain, None, 5, "plain()"])
def test_what_is_no_call_is_refused(world, wrong):
    with pytest.raises((TypeError, UnknownWorkflowTypeError)):
        world.start(wrong)
    assert unchanged(world)


@pytest.mark.parametrize(
    ("entity", "error"),
    [(-1, ValueError), (2**64, ValueError), ("42", TypeError), (1.5, TypeError), (True, TypeError)],
)
def test_an_entity_id_is_a_u64(world, entity, error):
    with pytest.raises(error, match="entity_id"):
        world.start(plain(1), entity_id=entity)
    assert unchanged(world)


def test_the_largest_entity_id_works(world):
    handle = world.start(plain(1), entity_id=2**64 - 1)
    world.advance(0.1)
    world.signal(Go(), entity_id=2**64 - 1)
    world.advance(0.1)
    assert handle.result() == 1


def test_a_correlation_id_has_at_most_255_bytes(world):
    world.start(plain(1), correlation_id="é" * 127)
    with pytest.raises(LimitError, match="correlation id is 256, over the limit of 255"):
        world.start(plain(1), correlation_id="é" * 128)
    with pytest.raises(TypeError, match="correlation_id is a text"):
        world.start(plain(1), correlation_id=5)


def test_start_many_takes_all_or_none(world):
    with pytest.raises(UnknownWorkflowTypeError):
        world.start_many([(plain(1), 1), (stranger(), 2)])
    assert unchanged(world)
    handles = world.start_many([(plain(1), 1), (plain(2), 2)])
    world.advance(0.1)
    assert [handle.status for handle in handles] == ["Suspended"] * 2
    assert [view.entity_id for view in world.workflows()] == [1, 2]


def test_start_many_takes_calls_with_and_without_addresses(world):
    handles = world.start_many(
        [plain(1), (plain(2),), (plain(3), 7), (plain(4), 7, "group"), (plain(5), None, "group")]
    )
    world.pump()
    views = [world.get(handle.id) for handle in handles]
    assert [(view.entity_id, view.correlation_id) for view in views] == [
        (None, None), (None, None), (7, None), (7, "group"), (None, "group"),
    ]  # fmt: skip
    for wrong in ((plain(1), 1, "a", "b"), (), (plain(1), 1, 3)):
        with pytest.raises(TypeError):
            world.start_many([plain(1), wrong])
    assert world.count() == 5


def test_a_result_is_asked_too_early(world):
    handle = world.start(plain(1))
    with pytest.raises(NotFinishedError, match="has no result, it is not started"):
        handle.result()
    world.advance(0.1)
    with pytest.raises(NotFinishedError, match="it is Suspended"):
        handle.result()


def test_an_unknown_workflow_is_refused(world):
    with pytest.raises(UnknownWorkflowError, match="no workflow 5"):
        world.get(5)
    with pytest.raises(UnknownWorkflowError):
        world.cancel(workflow_id=5)
    assert unchanged(world)


def test_a_closed_world_refuses_every_call(worlds):
    world = worlds.open([plain])
    handle = world.start(plain(1), entity_id=1)
    world.advance(0.1)
    world.close()
    world.close()
    calls = [
        lambda: world.start(plain(1)),
        lambda: world.signal(Go(), entity_id=1),
        lambda: world.cancel(entity_id=1),
        lambda: world.retry(handle.id),
        lambda: world.pump(),
        lambda: world.advance(1),
        lambda: world.get(handle.id),
        lambda: world.workflows(),
        lambda: world.digest(),
        lambda: handle.status,
        lambda: world.reload([plain]),
        lambda: world.__enter__(),
    ]
    for call in calls:
        with pytest.raises(RuntimeClosedError, match="closed"):
            call()


def test_pump_from_a_second_thread_is_refused(worlds):
    inside, leave = threading.Event(), threading.Event()

    @workflow(name="slow")
    async def slow(ctx: Context) -> None:
        inside.set()
        assert leave.wait(30)

    world = worlds.open([slow])
    world.start(slow())
    pumping = threading.Thread(target=lambda: world.advance(0.1))
    pumping.start()
    assert inside.wait(30)
    try:
        for call in (lambda: world.pump(), lambda: world.advance(1.0), lambda: world.run_until(9.0)):
            with pytest.raises(WrongThreadError, match="one thread at a time"):
                call()
    finally:
        leave.set()
        pumping.join()
    assert world.now == pytest.approx(0.1)


def test_waiting_for_a_commit_on_the_pump_thread_is_refused(world):
    turn = world.start(plain(1)).turn
    world.advance(0.1)
    world.wait_committed(turn)
    with pytest.raises(WrongThreadError, match="this thread is the one that pumps"):
        world.wait_committed(world.turn + 5, timeout=1)


def test_waiting_for_a_commit_in_another_thread_ends_with_it(world):
    world.advance(0.1)
    turn = world.start(plain(1)).turn
    done = []
    waiting = threading.Thread(target=lambda: (world.wait_committed(turn, timeout=30), done.append(turn)))
    waiting.start()
    world.advance(0.1)
    waiting.join()
    assert done == [turn]


def test_a_second_runtime_on_the_world_is_refused(worlds):
    worlds.open([plain])
    with pytest.raises(WorldInUse):
        worlds.open([plain])


def test_a_world_of_another_process_is_refused(worlds):
    world = worlds.open([plain])
    code = (
        "import sys; from deathless import *\n"
        "try: Runtime(sys.argv[1], [])\n"
        "except WorldInUse as error: print('refused:', error); sys.exit(7)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(world._engine.store.path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert str(os.getpid()) in done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_cannot_use_the_world(worlds):
    world = worlds.open([plain])
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            world.signal(Go(), entity_id=1)
        except RuntimeClosedError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    assert b"fork of the one that owns the world" in os.read(read, 1000)
    os.close(read)
    world.start(plain(1), entity_id=1)
    assert world.advance(0.1).steps == 1


def test_two_workflows_of_one_name_are_refused(worlds):
    @workflow(name="plain")
    async def other(ctx: Context) -> None:
        await ctx.sleep(1)

    with pytest.raises(DefinitionError, match="two workflows are named 'plain'"):
        worlds.open([plain, other])
    with pytest.raises(DefinitionError, match="decorated with @workflow"):
        worlds.open([len])
    assert worlds.open([plain]).recovery.created


def test_options_out_of_range_are_refused(tmp_path):
    for options in (
        {"commit_every": -1},
        {"max_steps_per_turn": 0},
        {"durability": "hope"},
        {"tick": float("nan")},
    ):
        with pytest.raises(ValueError):
            Runtime(tmp_path / "w", [plain], clock=GameClock(), **options)
    with Runtime(tmp_path / "w", [plain], clock=GameClock()) as world:
        for call in (
            lambda: world.run(hz=0),
            lambda: world.run_until(1, step=0),
            lambda: world.pump(budget=-1),
        ):
            with pytest.raises(ValueError):
                call()


def test_a_step_or_a_callback_cannot_commit_half_a_turn(worlds):
    refused = []

    def meddle(_):
        for call in (world.commit, world.digest, world.workflows, world.count, lambda: world.get(1)):
            try:
                call()
            except WrongThreadError as error:
                refused.append(str(error))

    @workflow(name="meddling")
    async def meddling(ctx: Context) -> None:
        await ctx.receive(Go)
        meddle(None)

    world = worlds.open([meddling])
    world.start(meddling(), entity_id=1)
    world.pump()
    world.signal(Go(), entity_id=1)
    world.pump()
    assert len(refused) == 5
    assert "call it between turns" in refused[0]
    world.on_change(meddle)
    world.start(meddling())
    world.pump()
    assert len(refused) == 5


def test_what_is_accepted_while_the_world_closes_is_there_or_was_refused(worlds):
    @workflow(name="counting")
    async def counting(ctx: Context) -> None:
        count = 0
        while True:
            await ctx.receive(Go)
            count += 1

    for _ in range(10):
        world = worlds.open([counting])
        handles = [world.start(counting(), entity_id=number) for number in range(2)]
        world.pump()
        accepted, last = [0, 0], [0, 0]
        begun = threading.Barrier(3)

        def send(number, world=world, accepted=accepted, last=last, begun=begun):
            begun.wait()
            try:
                while True:
                    last[number] = world.signal(Go(), entity_id=number)
                    accepted[number] += 1
            except (RuntimeClosedError, LimitError):
                return

        threads = [threading.Thread(target=send, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        begun.wait()
        world.close()
        for thread in threads:
            thread.join()
        for turn in last:
            # Neither hangs: the turn is committed, or never comes.
            assert world.committed(turn).done()
        world = worlds.open([counting])
        world.run_until_idle()
        assert [world.get(handle.id).locals["count"] for handle in handles] == accepted
        for handle in handles:
            world.cancel(workflow_id=handle.id, force=True)
        world.close()


def test_waiting_for_a_commit_after_the_end_fails_at_once(worlds):
    world = worlds.open([plain])
    world.pump()
    future = world.committed(99)
    world.close()
    for wait in (future.result, lambda: world.wait_committed(99), world.committed(99).result):
        with pytest.raises(RuntimeClosedError):
            wait()


def test_the_thread_that_pumps_is_not_let_wait_for_itself(world):
    world.pump()
    handle = world.start(plain(1))
    for wait in (
        handle.committed.result,
        handle.committed.exception,
        lambda: world.wait_committed(handle.turn),
    ):
        with pytest.raises(WrongThreadError, match="pump first, or wait in another thread"):
            wait()
    world.pump()
    assert handle.committed.result() == handle.turn


def test_a_call_that_is_refused_moves_no_time(worlds):
    world = worlds.open([plain])
    for call in (
        lambda: world.advance(5.0, budget=-1.0),
        lambda: world.pump(now=5.0, budget=-1.0),
        lambda: world.run_until(5.0, step=1e-7),
    ):
        with pytest.raises(ValueError, match="budget|step"):
            call()
    world.pump()
    assert world.now == 0.0


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ({"commit_every": float("nan")}, ValueError),
        ({"tick": 0}, ValueError),
        ({"max_steps_per_turn": 2.5}, ValueError),
        ({"seed": "x"}, ValueError),
        ({"seed": 2**80}, ValueError),
        ({"limits": {"unread": 3}}, TypeError),
        ({"on_turn": 3}, TypeError),
        ({"mapsize": 3}, TypeError),
        ({"durability": "both"}, ValueError),
    ],
    ids=str,
)
def test_a_wrong_option_is_named_and_nothing_is_made(worlds, option, error):
    with pytest.raises(error, match=next(iter(option))):
        worlds.open([plain], **option)
    assert not worlds.path.exists()


def test_one_listeners_trouble_is_not_the_others(worlds):
    world = worlds.open([plain])
    seen = []

    def broken(_):
        raise ValueError("client gone")

    end = world.on_change(broken)
    world.on_change(seen.extend)
    with pytest.raises(TypeError, match="on_change takes a function"):
        world.on_change("client")
    world.start(plain(1))
    world.pump()
    world.start(plain(2))
    world.close()
    assert [change.workflow_id for change in seen] == [1, 2]
    end()
    end()


def test_a_recorder_that_breaks_is_heard_and_loses_nothing(worlds):
    def broken(_):
        raise OSError("recorder disk full")

    world = worlds.open([plain], on_turn=broken, commit_every=1000.0)
    world.start(plain(1))
    with pytest.raises(OSError, match="recorder"):
        world.pump()
    with pytest.raises(OSError, match="recorder"):
        world.close()
    world = worlds.open([plain])
    assert world.count() == 1


def test_a_failed_workflow_can_be_dismissed(worlds):
    @workflow(name="doomed")
    async def doomed(ctx: Context) -> None:
        raise ValueError("no luck")

    world = worlds.open([doomed])
    handle = world.start(doomed())
    world.pump()
    world.cancel(workflow_id=handle.id, reason="given up", force=True)
    world.pump()
    assert (handle.status, world.get(handle.id).error_message) == ("Cancelled", "given up")


@pytest.mark.parametrize("default", ["[]", "{}", "set()"])
def test_a_default_that_runs_would_share_is_refused(load_module, default):
    source = f"""
from deathless import Context, workflow

@workflow
async def walk(ctx: Context, route={default}) -> None:
    await ctx.sleep(1)
"""
    with pytest.raises(DefinitionError, match="the default of 'route' is a .* which all runs would share"):
        load_module(source)


def test_a_bound_on_names_that_no_key_could_hold_is_refused():
    with pytest.raises(ValueError, match="name is at most 480 bytes, not 600"):
        Limits(name=600)

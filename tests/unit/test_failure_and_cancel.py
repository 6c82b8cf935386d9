"""A failing step leaves nothing half done; a cancelled workflow cleans up."""

import signal

import pytest
import structlog

from deathless import (
    Cancelled,
    Context,
    Limits,
    RuntimeClosedError,
    Signal,
    UnknownWorkflowError,
    workflow,
)


class Hit(Signal):
    power: int = 1


class Heal(Signal):
    pass


BROKEN = [True]


@workflow
async def fragile(ctx: Context) -> list[int]:
    taken: list[int] = []
    while len(taken) < 3:
        hit = await ctx.receive(Hit)
        taken.append(hit.power)
        draw = ctx.random.random()
        ctx.signal(Heal(), entity_id=2)
        if hit.power == 13 and BROKEN[0]:
            raise RuntimeError(f"unlucky {draw}")
    return taken


@workflow
async def healed(ctx: Context) -> int:
    count = 0
    while count < 99:
        await ctx.receive(Heal)
        count += 1
    return count


@workflow
async def tidy(ctx: Context, cleanup: float = 0.0) -> str:
    log = []
    try:
        await ctx.receive(Hit)
    finally:
        log.append("cleaning")
        if cleanup:
            await ctx.sleep(cleanup)
        log.append("cleaned")
        ctx.signal(Heal(), entity_id=2)
    return "".join(log)


@workflow
async def stubborn(ctx: Context, seconds: float) -> str:
    end = ctx.timer(seconds)
    refused = 0
    while True:
        try:
            await ctx.select(end)
            return f"refused {refused}"
        except Cancelled:
            refused += 1


@workflow
async def wrong_start(ctx: Context, number: int) -> float:
    return 1 / number


@workflow
async def big(ctx: Context, size: int) -> None:
    blob = "x" * size
    await ctx.receive(Hit)
    ctx.log.info("unused", size=len(blob))


ALL = [fragile, healed, tidy, stubborn, wrong_start, big]


@pytest.fixture(autouse=True)
def broken():
    BROKEN[0] = True


def test_a_failed_step_undoes_its_sends_its_locals_and_its_draws(open_world):
    world = open_world(*ALL)
    handle, other = world.start(fragile(), entity_id=1), world.start(healed(), entity_id=2)
    world.signal(Hit(1), entity_id=1)
    world.signal(Hit(13), entity_id=1)
    world.advance(0.1)
    view = world.get(handle.id)
    assert view.status == "Failed"
    assert view.error_message.startswith("RuntimeError: unlucky")
    assert "raise RuntimeError" in view.traceback
    assert view.locals["taken"] == [1]
    assert world.get(other.id).locals["count"] == 1


def test_retry_runs_the_failed_message_again_on_the_last_good_snapshot(open_world):
    world = open_world(*ALL)
    handle, other = world.start(fragile(), entity_id=1), world.start(healed(), entity_id=2)
    world.signal(Hit(13), entity_id=1)
    world.advance(0.1)
    first = world.get(handle.id).error_message
    world.retry(handle.id)
    world.advance(0.1)
    assert world.get(handle.id).error_message == first
    BROKEN[0] = False
    world.retry(handle.id)
    world.advance(0.1)
    assert world.get(handle.id).locals["taken"] == [13]
    assert world.get(other.id).locals["count"] == 1
    world.signal(Hit(2), entity_id=1)
    world.signal(Hit(3), entity_id=1)
    world.advance(0.1)
    assert handle.result() == [13, 2, 3]


def test_a_failure_on_an_unread_message_keeps_that_message(open_world):
    @workflow(name="napper")
    async def napper(ctx: Context) -> int:
        await ctx.sleep(1.0)
        hit = await ctx.receive(Hit)
        if BROKEN[0]:
            raise RuntimeError("not yet")
        return hit.power

    world = open_world(napper)
    handle = world.start(napper(), entity_id=1)
    world.signal(Hit(5), entity_id=1)
    world.advance(0.1)
    world.advance(1.0)
    assert handle.status == "Failed"
    BROKEN[0] = False
    world.retry(handle.id)
    world.advance(0.1)
    assert handle.result() == 5


def test_a_first_step_that_fails_can_be_retried(open_world):
    world = open_world(*ALL)
    handle = world.start(wrong_start(0))
    world.advance(0.1)
    assert world.get(handle.id).error_message == "ZeroDivisionError: division by zero"
    world.retry(handle.id)
    world.advance(0.1)
    assert handle.status == "Failed"


def test_retry_of_a_workflow_that_has_not_failed_does_nothing(open_world):
    world = open_world(*ALL)
    handle = world.start(tidy(), entity_id=1)
    world.advance(0.1)
    world.retry(handle.id)
    assert world.advance(0.1).steps == 0
    with pytest.raises(UnknownWorkflowError, match="no workflow 999"):
        world.retry(999)


def test_a_failed_workflow_is_not_active_until_it_is_retried(open_world):
    world = open_world(*ALL)
    handle = world.start(fragile(), entity_id=1)
    world.signal(Hit(13), entity_id=1)
    world.advance(0.1)
    assert world.count() == 0
    world.signal(Hit(1), entity_id=1)
    world.advance(0.1)
    BROKEN[0] = False
    world.retry(handle.id)
    world.advance(0.1)
    assert world.count() == 1
    assert world.get(handle.id).unread == ()
    world.signal(Hit(1), entity_id=1)
    world.advance(0.1)
    assert world.get(handle.id).locals["taken"] == [13, 1]


def test_cancel_runs_finally_blocks_which_may_await(open_world):
    world = open_world(*ALL)
    other = world.start(healed(), entity_id=2)
    handle = world.start(tidy(2.0), entity_id=1)
    world.advance(0.1)
    world.cancel(entity_id=1, reason="over")
    world.advance(0.1)
    assert world.get(handle.id).locals["log"] == ["cleaning"]
    world.run_until(3.0)
    view = world.get(handle.id)
    assert (view.status, view.error_message) == ("Cancelled", "over")
    assert world.get(other.id).locals["count"] == 1


def test_cancel_comes_ahead_of_buffered_messages(open_world):
    @workflow(name="buffered")
    async def buffered(ctx: Context) -> str:
        try:
            await ctx.sleep(5.0)
            await ctx.receive(Hit)
        except Cancelled as error:
            return f"cancelled {error.reason}"
        return "hit"

    world = open_world(buffered)
    handle = world.start(buffered(), entity_id=1)
    world.signal(Hit(), entity_id=1)
    world.advance(0.1)
    world.cancel(workflow_id=handle.id, reason="now")
    world.advance(0.1)
    assert handle.result() == "cancelled now"


def test_a_workflow_may_refuse_to_be_cancelled_but_not_by_force(open_world):
    world = open_world(*ALL)
    polite, forced = world.start(stubborn(5.0)), world.start(stubborn(5.0))
    world.advance(0.1)
    for handle in (polite, forced):
        world.cancel(workflow_id=handle.id)
        world.cancel(workflow_id=handle.id)
    world.cancel(workflow_id=forced.id, force=True, reason="enough")
    world.advance(0.1)
    assert forced.status == "Cancelled"
    world.run_until(6.0)
    assert polite.result() == "refused 2"


def test_a_cancel_before_the_first_step_runs_nothing(open_world):
    world = open_world(*ALL)
    other = world.start(healed(), entity_id=2)
    world.pump()
    handle = world.start(tidy(), entity_id=1)
    world.cancel(workflow_id=handle.id, reason="never mind")
    world.advance(0.1)
    # The start is first in the queue: the workflow had its first step, and was cancelled after it.
    assert handle.status == "Cancelled"
    assert world.get(other.id).locals["count"] == 1


def test_a_state_over_the_limit_fails_the_step(open_world):
    world = open_world(*ALL, limits=Limits(state_warn=100, state_error=200, state_max=1000))
    small, large = world.start(big(500)), world.start(big(5000))
    world.advance(0.1)
    assert small.status == "Suspended"
    assert "LimitError: the state of workflow" in world.get(large.id).error_message


def test_a_local_that_cannot_be_stored_fails_the_step_and_is_named(open_world):
    @workflow(name="net")
    async def net(ctx: Context) -> None:
        s = object()
        await ctx.receive(Hit)
        print(s)

    world = open_world(net)
    handle = world.start(net())
    world.advance(0.1)
    message = world.get(handle.id).error_message
    assert "local variable 's' of workflow 'net' holds a " in message
    assert "object that cannot be stored across the await at" in message
    assert "test_failure_and_cancel.py:" in message


def test_awaiting_what_is_no_routine_fails_the_step_and_is_named(open_world):
    async def helper(ctx: Context) -> None:
        await ctx.sleep(1)

    @workflow(name="err")
    async def err(ctx: Context) -> None:
        await helper(ctx)

    world = open_world(err)
    handle = world.start(err())
    world.advance(0.1)
    message = world.get(handle.id).error_message
    assert "which is not decorated with @routine" in message
    assert "helper" in message


def test_a_result_that_cannot_be_stored_fails_the_workflow(open_world):
    @workflow(name="opaque")
    async def opaque(ctx: Context) -> object:
        return object()

    world = open_world(opaque)
    handle = world.start(opaque())
    world.advance(0.1)
    assert "the result of workflow 'opaque' holds a" in world.get(handle.id).error_message


@workflow
async def interrupted(ctx: Context, times: int) -> int:
    hit = await ctx.receive(Hit)
    for _ in range(times * BROKEN[0]):
        signal.raise_signal(signal.SIGINT)
    return hit.power


@pytest.fixture
def ctrl_c():
    """Let Ctrl-C raise, also where whoever runs the tests has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_waits_for_the_end_of_the_turn(open_world):
    world = open_world(interrupted)
    handle = world.start(interrupted(1), entity_id=1)
    world.advance(0.1)
    turn = world.signal(Hit(4), entity_id=1)
    BROKEN[0] = True
    with pytest.raises(KeyboardInterrupt):
        world.advance(0.1)
    assert world.committed_turn == turn
    assert handle.result() == 4
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    world.advance(0.1)


@pytest.mark.usefixtures("ctrl_c")
def test_a_second_ctrl_c_gives_the_turn_up_and_the_last_commit_stands(worlds):
    world = worlds.open([interrupted])
    handle = world.start(interrupted(2), entity_id=1)
    world.advance(0.1)
    turn = world.signal(Hit(4), entity_id=1)
    lost = world.committed(turn)
    BROKEN[0] = True
    with pytest.raises(KeyboardInterrupt):
        world.advance(0.1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(RuntimeClosedError, match="open it again to go on from the last commit"):
        world.advance(0.1)
    with pytest.raises(RuntimeClosedError):
        lost.result(0)
    world = worlds.open([interrupted])
    assert world.get(handle.id).status == "Suspended"
    BROKEN[0] = False
    world.signal(Hit(5), entity_id=1)
    world.advance(0.1)
    assert world.get(handle.id).result == 5


class Untellable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Untellable(), "Untellable: (its text cannot be made: RuntimeError)"),
        (ValueError("file \udc80"), "ValueError: file \\udc80"),
        (SystemExit(3), "SystemExit: 3"),
        (GeneratorExit(), "GeneratorExit: "),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_step_raises_fails_its_workflow_and_nothing_else(open_world, error, text):
    @workflow(name="raising")
    async def raising(ctx: Context) -> None:
        await ctx.sleep(1.0)
        raise error

    world = open_world(raising)
    handle = world.start(raising())
    world.advance(0.1)
    world.advance(1.0)
    assert world.get(handle.id).error_message == text
    world.advance(1.0)


def test_a_reason_that_is_no_text_becomes_one(open_world):
    @workflow(name="leaving")
    async def leaving(ctx: Context) -> None:
        await ctx.sleep(1.0)
        raise Cancelled(404)

    world = open_world(leaving)
    handle = world.start(leaving())
    world.advance(0.1)
    world.advance(1.0)
    assert (handle.status, world.get(handle.id).error_message) == ("Cancelled", "404")


class Patient:
    """An awaitable of the user's own, with something to do after its await."""

    def __init__(self, inner):
        self.inner = inner

    def __await__(self):
        yield from self.inner.__await__() if hasattr(self.inner, "__await__") else self.inner
        return "not in any snapshot"


@pytest.mark.parametrize("first", [False, True], ids=["at once", "after a good await"])
@pytest.mark.parametrize("kind", ["coroutine", "awaitable"])
def test_only_primitives_children_and_routines_are_awaited(open_world, kind, first):
    async def helper(ctx: Context) -> None:
        await ctx.sleep(1)

    @workflow(name="impatient")
    async def impatient(ctx: Context) -> None:
        if first:
            await ctx.sleep(1)
        if kind == "coroutine":
            await helper(ctx)
        else:
            await Patient(ctx.sleep(1))

    world = open_world(impatient)
    handles = [world.start(impatient()) for _ in range(2)]
    world.advance(0.1)
    world.advance(1.0)
    for handle in handles:
        assert "which is not decorated with @routine" in world.get(handle.id).error_message


def test_a_large_state_is_warned_of_at_each_doubling_and_not_at_each_step(open_world):
    @workflow(name="growing")
    async def growing(ctx: Context) -> None:
        bag: list[bytes] = []
        while True:
            await ctx.receive(Hit)
            bag.append(b"x" * 200)

    with structlog.testing.capture_logs() as logs:
        world = open_world(growing, limits=Limits(state_warn=1_000, state_error=10_000))
        world.start(growing(), entity_id=1)
        for _ in range(100):
            world.signal(Hit(), entity_id=1)
        world.run_until_idle()
    said = [(entry["log_level"], entry["bytes"]) for entry in logs if entry["event"] == "large_state"]
    assert [level for level, _ in said] == ["warning", "warning", "warning", "warning", "error"]
    assert all(after >= 1.8 * before for (_, before), (_, after) in zip(said, said[1:], strict=False))

"""Children: every rule of spawn, await, ChildDone, failure, cancel and close."""

import pytest

from deathless import (
    ChildCancelled,
    ChildDone,
    ChildFailed,
    Context,
    Elapsed,
    LimitError,
    Limits,
    Signal,
    Status,
    routine,
    workflow,
)


class Go(Signal):
    value: int = 0


class Hit(Signal):
    pass


@workflow
async def worker(ctx: Context, seconds: float, result: int = 0) -> int:
    await ctx.sleep(seconds)
    if result < 0:
        raise ValueError(f"no {result}")
    return result


@workflow
async def patient(ctx: Context) -> int:
    return (await ctx.receive(Go)).value


@workflow
async def family(ctx: Context, count: int) -> list[int]:
    children = [ctx.spawn(worker(count - i, i * 10), entity_id=100 + i) for i in range(count)]
    return await gather_all(ctx, children)


@routine
async def gather_all(ctx: Context, children: list) -> list[int]:
    results = []
    for child in children:
        results.append(await child)
    return results


@workflow
async def careful(ctx: Context, seconds: float, result: int) -> str:
    child = ctx.spawn(worker(seconds, result))
    try:
        return f"got {await child}"
    except ChildFailed as error:
        return f"failed: {error.message}"
    except ChildCancelled as error:
        return f"cancelled: {error.message}"


@workflow
async def chooser(ctx: Context, limit: float, seconds: float, result: int = 5) -> object:
    child = ctx.spawn(worker(seconds, result))
    match await ctx.select(child, ctx.timer(limit), Hit):
        case ChildDone(done, value, error):
            return [done == child, value, type(error).__name__]
        case Elapsed():
            return "too late"
        case Hit():
            return "hit"


@workflow
async def leaver(ctx: Context, policy: str, wait: float = 1.0) -> str:
    ctx.spawn(worker(10.0, 1), entity_id=5, on_parent_close=policy)
    await ctx.sleep(wait)
    return "left"


@workflow
async def late_awaiter(ctx: Context) -> int:
    child = ctx.spawn(worker(1.0, 7))
    await ctx.receive(Go)
    return await child


@workflow
async def forgetful(ctx: Context) -> str:
    ctx.spawn(worker(1.0, 7))
    for _ in range(5):
        await ctx.sleep(1.0)
    return "done"


@workflow
async def broken_parent(ctx: Context) -> int:
    child = ctx.spawn(worker(5.0, 3))
    await ctx.sleep(1.0)
    if not REPAIRED[0]:
        raise RuntimeError("broken")
    return await child


REPAIRED = [False]


@workflow
async def prolific(ctx: Context) -> int:
    children = []
    for _ in range(10):
        children.append(ctx.spawn(worker(1.0)))
        await ctx.sleep(0.1)
    return len(children)


ALL = [worker, patient, family, careful, chooser, leaver, late_awaiter, forgetful, broken_parent, prolific]


def test_results_come_back_in_the_order_in_which_they_are_awaited(open_world):
    world = open_world(*ALL)
    handle = world.start(family(4))
    world.run_until(10.0)
    assert handle.result() == [0, 10, 20, 30]


def test_the_result_of_a_child_is_what_await_gives(open_world):
    world = open_world(*ALL)
    handle = world.start(careful(1.0, 8))
    world.run_until(2.0)
    assert handle.result() == "got 8"


def test_a_failed_child_raises_childfailed_with_its_message(open_world):
    world = open_world(*ALL)
    handle = world.start(careful(1.0, -8))
    world.run_until(2.0)
    assert handle.result() == "failed: ValueError: no -8"


def test_a_cancelled_child_raises_childcancelled_with_the_reason(open_world):
    world = open_world(*ALL)
    handle = world.start(careful(5.0, 8))
    world.advance(1.0)
    (child,) = world.get(handle.id).children
    world.cancel(workflow_id=child, reason="bored")
    world.advance(0.1)
    assert world.get(child).status == Status.CANCELLED
    assert world.get(child).error_message == "bored"
    assert handle.result() == "cancelled: bored"


@pytest.mark.parametrize(
    ("limit", "seconds", "result", "outcome"),
    [
        (5.0, 1.0, 5, [True, 5, "NoneType"]),
        (5.0, 1.0, -5, [True, None, "ChildFailed"]),
        (1.0, 5.0, 5, "too late"),
    ],
)
def test_select_takes_whichever_comes_first(open_world, limit, seconds, result, outcome):
    world = open_world(*ALL)
    handle = world.start(chooser(limit, seconds, result))
    world.run_until(6.0)
    assert handle.result() == outcome


@pytest.mark.parametrize(("policy", "status"), [("cancel", "Cancelled"), ("abandon", "Completed")])
def test_children_go_or_stay_by_their_policy_when_the_parent_completes(open_world, policy, status):
    world = open_world(*ALL)
    handle = world.start(leaver(policy))
    world.advance(0.5)
    (child,) = world.get(handle.id).children
    world.run_until(12.0)
    assert handle.result() == "left"
    assert world.get(child).status == status


@pytest.mark.parametrize(("policy", "status"), [("cancel", "Cancelled"), ("abandon", "Suspended")])
def test_children_go_or_stay_by_their_policy_when_the_parent_is_cancelled(open_world, policy, status):
    world = open_world(*ALL)
    handle = world.start(leaver(policy))
    world.advance(0.5)
    (child,) = world.get(handle.id).children
    world.cancel(workflow_id=handle.id)
    world.advance(0.1)
    assert handle.status == "Cancelled"
    assert world.get(child).status == status


def test_a_result_after_the_parent_has_ended_goes_nowhere(open_world):
    world = open_world(*ALL)
    handle = world.start(leaver("abandon"))
    world.run_until(12.0)
    assert world.get(handle.id).unread == ()
    assert world.advance(1.0).steps == 0


def test_a_result_waits_in_the_row_of_the_parent_until_it_is_awaited(open_world):
    world = open_world(*ALL)
    handle = world.start(late_awaiter(), entity_id=1)
    world.run_until(2.0)
    view = world.get(handle.id)
    assert view.unread == ("ChildDone",)
    assert view.children == ()
    world.signal(Go(), entity_id=1)
    world.advance(0.1)
    assert handle.result() == 7


def test_a_result_that_no_handle_reaches_is_forgotten(open_world):
    world = open_world(*ALL)
    handle = world.start(forgetful())
    world.run_until(3.5)
    assert world.get(handle.id).unread == ()
    world.run_until(6.0)
    assert handle.result() == "done"


def test_children_of_a_failed_parent_run_on_and_a_retry_gets_their_results(open_world):
    REPAIRED[0] = False
    world = open_world(*ALL)
    handle = world.start(broken_parent())
    world.run_until(2.0)
    view = world.get(handle.id)
    assert view.status == "Failed"
    (child,) = view.children
    assert world.get(child).status == "Suspended"
    world.run_until(7.0)
    assert world.get(child).status == "Completed"
    assert world.get(handle.id).unread == ("ChildDone",)
    REPAIRED[0] = True
    world.retry(handle.id)
    world.advance(0.1)
    assert handle.result() == 3


def test_a_failed_step_starts_no_children(open_world):
    @workflow(name="stillborn")
    async def stillborn(ctx: Context) -> None:
        ctx.spawn(worker(1.0), entity_id=77)
        raise RuntimeError("no")

    world = open_world(worker, stillborn)
    handle = world.start(stillborn())
    world.advance(0.1)
    assert handle.status == "Failed"
    assert world.workflows(entity_id=77) == []
    assert world.count() == 0


def test_too_many_children_fail_the_step_that_spawns_one_more(open_world):
    world = open_world(*ALL, limits=Limits(children=3))
    handle = world.start(prolific())
    world.run_until(0.6)
    view = world.get(handle.id)
    assert view.status == "Failed"
    assert "number of children" in view.error_message
    assert LimitError.__name__ in view.error_message


def test_a_child_knows_its_parent_and_its_entity(open_world):
    world = open_world(*ALL)
    handle = world.start(leaver("cancel"))
    world.advance(0.1)
    (child,) = world.workflows(entity_id=5)
    assert child.parent_id == handle.id
    assert child.type == "worker"


def test_a_result_is_taken_once(open_world):
    @workflow(name="quick")
    async def quick(ctx: Context) -> int:
        await ctx.sleep(1.0)
        return 7

    @workflow(name="greedy")
    async def greedy(ctx: Context) -> list[int]:
        child = ctx.spawn(quick())
        return [await child, await child]

    world = open_world(quick, greedy)
    handle = world.start(greedy())
    world.advance(0.1)
    world.advance(1.0)
    assert "whose result it has taken before" in world.get(handle.id).error_message


def test_only_the_latest_result_of_a_child_that_is_retried_again_and_again_is_kept(open_world):
    @workflow(name="hopeless")
    async def hopeless(ctx: Context) -> None:
        raise ValueError("no luck")

    @workflow(name="waiting")
    async def waiting(ctx: Context) -> str:
        child = ctx.spawn(hopeless())
        await ctx.sleep(10.0)
        try:
            await child
        except ChildFailed as error:
            return error.message
        return ""

    world = open_world(hopeless, waiting)
    parent = world.start(waiting())
    world.run_until_idle()
    (child,) = world.workflows(type="hopeless")
    for _ in range(5):
        world.retry(child.id)
        world.run_until_idle()
    assert world.get(parent.id).unread == ("ChildDone",)
    world.advance(10.0)
    assert parent.result() == "ValueError: no luck"

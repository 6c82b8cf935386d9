"""`ctx.gather`: results in the order of the arguments, failures too, at whatever instant the world crashes."""

import pytest

from deathless import (
    ActivityContext,
    Child,
    ChildCancelled,
    ChildFailed,
    Context,
    Elapsed,
    Signal,
    activity,
    routine,
    workflow,
)


class Go(Signal):
    pass


@workflow
async def worker(ctx: Context, seconds: float, result: int) -> int:
    await ctx.sleep(seconds)
    if result < 0:
        raise ValueError(f"no {result}")
    return result


@workflow
async def raid(ctx: Context, fights: list[tuple[float, int]]) -> list[int]:
    children = [ctx.spawn(worker(seconds, result)) for seconds, result in fights]
    return await ctx.gather(*children)


@workflow
async def two(ctx: Context) -> str:
    one, other = await ctx.gather(ctx.spawn(worker(2.0, 1)), ctx.spawn(worker(1.0, 2)))
    return f"{one} and {other}"


@workflow
async def careful(ctx: Context, fights: list[tuple[float, int]]) -> tuple[str, int, float]:
    children = [ctx.spawn(worker(seconds, result)) for seconds, result in fights]
    try:
        await ctx.gather(*children)
    except (ChildFailed, ChildCancelled) as error:
        return error.message, children.index(Child(error.child_id)), ctx.now
    return "", -1, ctx.now


@routine
async def all_but_one(ctx: Context, children: list[Child[int]]) -> list[int]:
    return await ctx.gather(*children[1:])


@workflow
async def nested(ctx: Context) -> list[list[int]]:
    children = [ctx.spawn(worker(3.0 - i, i)) for i in range(3)]
    rest = await all_but_one(ctx, children)
    return [rest, await ctx.gather(children[0])]


@workflow
async def after_a_select(ctx: Context) -> list[int]:
    children = [ctx.spawn(worker(1.0, 1)), ctx.spawn(worker(2.0, 2))]
    match await ctx.select(ctx.timer(5.0), Go):
        case Go() | Elapsed():
            return await ctx.gather(*children)


@activity
def double(ctx: ActivityContext, number: int) -> int:
    return 2 * number


@workflow
async def mixed(ctx: Context) -> list[int]:
    return await ctx.gather(ctx.run(double(1)), ctx.spawn(worker(1.0, 3)), ctx.run(double(2)))


@workflow
async def wrong(ctx: Context, what: str) -> None:
    await ctx.gather({"call": worker(1.0, 1), "number": 5, "timer": ctx.timer(1.0)}[what])


TYPES = (worker, raid, two, careful, nested, after_a_select, double, mixed, wrong)
ORDERS = [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [2.0, 1.0, 3.0], [1.0, 1.0, 1.0]]


@pytest.mark.parametrize("crash", [False, True], ids=["stays up", "crashes"])
@pytest.mark.parametrize("seconds", ORDERS, ids=str)
def test_results_come_in_the_order_of_the_arguments(open_world, seconds, crash):
    world = open_world(*TYPES)
    handle = world.start(raid([(each, number) for number, each in enumerate(seconds)]))
    for _ in range(8):
        world.advance(0.5)
        if crash:
            world.commit()
            open_world.crash(world)
            world = open_world(*TYPES)
    assert world.get(handle.id).result == [0, 1, 2]


def test_nothing_is_gathered_at_once(open_world):
    world = open_world(*TYPES)
    handle = world.start(raid([]))
    world.pump()
    assert handle.result() == []


def test_results_can_be_unpacked(open_world):
    world = open_world(*TYPES)
    handle = world.start(two())
    world.run_until(3.0, step=0.5)
    assert handle.result() == "1 and 2"


@pytest.mark.parametrize(
    ("fights", "first", "at"),
    [
        ([(1.0, 1), (2.0, -1), (3.0, -2)], ("ValueError: no -1", 1, 2.0), 2.0),
        ([(2.0, 1), (1.0, -1)], ("ValueError: no -1", 1, 2.0), 2.0),
        ([(3.0, -1), (1.0, -2)], ("ValueError: no -1", 0, 3.0), 3.0),
    ],
    ids=["in order", "before an earlier one is done", "a later one first"],
)
def test_the_first_failure_in_the_order_of_the_arguments_is_raised(open_world, fights, first, at):
    world = open_world(*TYPES)
    handle = world.start(careful(fights))
    world.pump()
    world.run_until(at, step=0.5)
    assert handle.result() == first


def test_a_cancelled_child_is_raised_and_the_others_run_on(open_world):
    world = open_world(*TYPES)
    handle = world.start(careful([(5.0, 1), (6.0, 2)]))
    world.pump()
    first, second = world.get(handle.id).children
    world.cancel(workflow_id=first, reason="enough")
    world.pump()
    world.pump()
    assert handle.result() == ("enough", 0, 0.0)
    # The parent completed, and with it went the other child.
    assert [str(world.get(child).status) for child in (first, second)] == ["Cancelled", "Cancelled"]


def test_a_gather_stands_in_a_routine_and_its_frame_is_seen(open_world):
    world = open_world(*TYPES)
    handle = world.start(nested())
    world.pump()
    frames = world.get(handle.id).frames
    assert [frame.name.split(":")[-1] for frame in frames] == ["all_but_one", "gathered"]
    world.run_until(4.0, step=0.5)
    assert handle.result() == [[1, 2], [0]]


def test_results_that_came_before_the_gather_are_taken(open_world):
    world = open_world(*TYPES)
    handle = world.start(after_a_select(), entity_id=1)
    world.run_until(3.0, step=0.5)
    world.signal(Go(), entity_id=1)
    world.run_until_idle()
    assert handle.result() == [1, 2]


def test_activities_and_children_are_gathered_together(open_world):
    world = open_world(*TYPES)
    handle = world.start(mixed())
    world.pump()
    world.advance(1.0)
    world.run_until_idle()
    while world._engine.activities.running:
        assert world._engine.activities.wait_any(60.0)
        world.run_until_idle()
    assert handle.result() == [2, 3, 4]


@pytest.mark.parametrize(
    ("what", "shown"), [("call", "worker(1.0, 1)"), ("number", "5"), ("timer", "Timer(due_us=1000000")]
)
def test_what_cannot_be_awaited_is_refused_and_named(open_world, what, shown):
    world = open_world(*TYPES)
    handle = world.start(wrong(what))
    world.pump()
    message = world.get(handle.id).error_message
    assert message.startswith(
        f"WorkflowMisuseError: ctx.gather takes children and activities, as ctx.spawn and ctx.run give them, not {shown}"
    )

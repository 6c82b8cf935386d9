"""Workflows that nobody addressed for longest leave the memory, and nothing else tells that they have."""

import gc
import types

import pytest

from deathless import (
    Cancelled,
    ChildDone,
    Context,
    Signal,
    workflow,
)

FINALLY = []


class Ping(Signal):
    text: str = "ping"


class Noise(Signal):
    zone: int


@workflow
async def listener(ctx: Context) -> list[str]:
    heard: list[str] = []
    ctx.subscribe(Noise, zone=1)
    try:
        while True:
            match await ctx.receive(Ping, Noise):
                case Ping("stop"):
                    return heard
                case Ping(text):
                    heard.append(text)
                case Noise(zone):
                    heard.append(f"noise {zone}")
    finally:
        FINALLY.append(ctx.workflow_id)


@workflow
async def sleeper(ctx: Context, seconds: float) -> float:
    await ctx.sleep(seconds)
    return ctx.now


@workflow
async def parent(ctx: Context) -> list[float]:
    children = [ctx.spawn(sleeper(1.0 + number)) for number in range(3)]
    times: list[float] = []
    while children:
        match await ctx.select(*children):
            case ChildDone(child, result, _):
                children.remove(child)
                times.append(result)
    return times


@workflow
async def fragile(ctx: Context) -> str:
    heard = await ctx.receive(Ping)
    if ctx.now < 5.0:
        raise RuntimeError("too early")
    return heard.text


@workflow
async def tidy(ctx: Context) -> str:
    try:
        await ctx.receive(Ping)
    except Cancelled as cancelled:
        await ctx.sleep(1.0)
        return f"cleaned up after {cancelled.reason}"
    return "pinged"


@workflow
async def chatty(ctx: Context, to: int) -> None:
    for _ in range(3):
        ctx.signal(Ping(f"from {ctx.workflow_id}"), entity_id=to)
        await ctx.sleep(0.0)


TYPES = (listener, sleeper, parent, fragile, tidy, chatty)


def residents(world):
    return list(world._engine.system.directory.actors)


def test_no_more_stay_than_may(open_world):
    world = open_world(*TYPES, max_resident=5)
    for _ in range(4):
        world.start_many([(listener(), None) for _ in range(10)])
        world.pump()
        assert len(residents(world)) == 5
    assert world.count() == 40


def coroutines():
    gc.collect()
    name = listener.program.function.__qualname__
    return sum(
        each.__qualname__ == name for each in gc.get_objects() if isinstance(each, types.CoroutineType)
    )


def test_their_coroutines_are_gone_and_none_of_their_code_has_run(worlds):
    FINALLY.clear()
    before = coroutines()
    world = worlds.open(TYPES, max_resident=3, manage_gc=False)
    world.start_many([(listener(), None) for _ in range(50)])
    world.pump()
    world.pump()
    assert coroutines() - before == 3
    assert FINALLY == []


def test_those_that_were_used_last_stay(open_world):
    world = open_world(*TYPES, max_resident=3)
    ids = [handle.id for handle in world.start_many([(listener(), number) for number in range(10)])]
    world.pump()
    for used in ([0, 1, 2], [7, 8, 9], [4, 2, 6]):
        for number in used:
            world.signal(Ping(), entity_id=number)
        world.pump()
        assert sorted(residents(world)) == sorted(ids[number] for number in used)
    world.signal(Ping(), entity_id=3)
    world.pump()
    assert ids[3] in residents(world)
    assert len(residents(world)) == 3


@pytest.mark.parametrize("most", [0, 1, 4])
@pytest.mark.parametrize(
    "send",
    [
        lambda world, ids: [world.signal(Ping("a"), workflow_id=number) for number in ids],
        lambda world, ids: [world.signal(Ping("a"), entity_id=number) for number in range(6)],
        lambda world, ids: world.signal(Ping("a"), correlation_id="all"),
    ],
    ids=["by id", "by entity", "by correlation id"],
)
def test_signals_find_them(open_world, most, send):
    world = open_world(*TYPES, max_resident=most)
    ids = [world.start(listener(), entity_id=number, correlation_id="all").id for number in range(6)]
    world.pump()
    for _ in range(3):
        send(world, ids)
        world.pump()
        assert len(residents(world)) == most
    assert [world.get(number).locals["heard"] for number in ids] == [["a", "a", "a"]] * 6


def test_publishes_find_them_and_what_they_send_arrives(open_world):
    world = open_world(*TYPES, max_resident=1)
    ids = [world.start(listener(), entity_id=number).id for number in range(4)]
    world.pump()
    world.publish(Noise(1))
    world.publish(Noise(2))
    first = world.start(chatty(0)).id
    second = world.start(chatty(3)).id
    for _ in range(5):
        world.advance(0.1)
    said = [[f"from {first}"] * 3, [], [], [f"from {second}"] * 3]
    assert [world.get(number).locals["heard"] for number in ids] == [["noise 1", *each] for each in said]


def test_timers_children_cancels_and_retries_find_them(open_world):
    world = open_world(*TYPES, max_resident=0)
    alarm = world.start(sleeper(2.5))
    family = world.start(parent())
    broken = world.start(fragile(), entity_id=1)
    cleaning = world.start(tidy(), entity_id=2)
    world.pump()
    world.signal(Ping("hello"), entity_id=1)
    world.advance(0.5)
    assert broken.status == "Failed"
    world.cancel(entity_id=2, reason="test")
    world.run_until(5.0, step=0.5)
    world.retry(broken.id)
    world.pump()
    assert residents(world) == []
    assert [handle.result() for handle in (alarm, family, broken, cleaning)] == [
        2.5,
        [1.0, 2.0, 3.0],
        "hello",
        "cleaned up after test",
    ]


def test_whoever_has_messages_left_stays_until_they_are_handled(open_world):
    world = open_world(*TYPES, max_resident=0, max_steps_per_turn=4)
    ids = [world.start(listener(), entity_id=number).id for number in range(4)]
    world.pump()
    for number in (0, 1, 2, 3, 0, 1):
        world.signal(Ping(), entity_id=number)
    report = world.pump()
    assert (report.carried_over, sorted(residents(world))) == (2, ids[:2])
    world.pump()
    assert residents(world) == []
    assert [len(world.get(number).locals["heard"]) for number in ids] == [2, 2, 1, 1]


def test_whoever_is_referenced_from_outside_stays(open_world):
    world = open_world(*TYPES, max_resident=2)
    ids = [world.start(listener(), entity_id=number).id for number in range(8)]
    world.pump()
    kept = world._engine.system.directory.find(ids[0]).actor_ref
    for _ in range(3):
        for number in range(1, 8):
            world.signal(Ping(), entity_id=number)
        world.pump()
        assert ids[0] in residents(world)
        assert len(residents(world)) == 2
    assert kept.is_alive()
    kept.tell(Ping("told"))
    world.run_until_idle()
    world.run_until_idle()
    assert world.get(ids[0]).locals["heard"] == ["told"]


def test_held_workflows_stay_and_wake_at_a_reload(open_world, load_module):
    source = """
from deathless import workflow, Context
@workflow
async def changing(ctx: Context) -> str:
    {before}
    await ctx.sleep(1.0)
    return "done"
"""
    first = load_module(source.format(before="pass"))
    world = open_world(first.changing, *TYPES, max_resident=2)
    handles = [world.start(first.changing()) for _ in range(5)]
    world.pump()
    world.reload(TYPES)
    world.advance(1.0)
    assert world.get(handles[0].id).held_reason is not None
    world.advance(1.0)
    assert sorted(residents(world)) == [handle.id for handle in handles]
    world.reload([load_module(source.format(before="x = 1")).changing, *TYPES])
    world.advance(0.0)
    world.advance(0.0)
    assert [handle.result() for handle in handles] == ["done"] * 5


def test_those_that_have_ended_are_not_kept_for_the_order(open_world):
    world = open_world(*TYPES, max_resident=50)
    for _ in range(20):
        world.start_many([(sleeper(0.0), None) for _ in range(40)])
        world.advance(0.1)
        world.advance(0.1)
    line = world._engine.system.directory.residents._line
    assert residents(world) == []
    assert len(line) <= 64 + 40


def test_what_a_turn_pays_is_what_leaves_or_had_a_message(open_world):
    world = open_world(*TYPES, max_resident=1000)
    world.start_many([(listener(), number) for number in range(1000)])
    world.pump()
    line = world._engine.system.directory.residents._line

    class Counting(type(line)):
        looked = 0

        def popleft(self):
            type(self).looked += 1
            return super().popleft()

    # The first that is too many makes the round, in which all lose their mark.
    counted = world._engine.system.directory.residents._line = Counting(line)
    looks = []
    for number in range(1000, 1010):
        world.start(listener(), entity_id=number)
        world.pump()
        looks.append(counted.looked)
        Counting.looked = 0
    assert looks == [1002] + [1] * 9


@pytest.mark.parametrize("most", [0, 1, 7])
def test_rows_do_not_tell_who_was_in_memory(tmp_path, worlds, most):
    digests = []
    for number, options in enumerate([{}, {"max_resident": most}]):
        worlds.path = tmp_path / f"world{number}"
        world = worlds.open(TYPES, **options)
        for entity in range(10):
            world.start(listener(), entity_id=entity, correlation_id="all")
            world.start(chatty((entity + 3) % 10))
            world.start(parent())
            world.start(fragile(), entity_id=entity)
        for turn in range(12):
            world.signal(Ping("x"), entity_id=turn % 10)
            if turn % 4 == 0:
                world.publish(Noise(1))
            world.advance(0.3)
            digests.append(world.digest())
        world.close()
    assert digests[:12] == digests[12:]


@pytest.mark.parametrize("wrong", [-1, 2.5, True, "many"])
def test_a_wrong_number_is_refused(worlds, wrong):
    with pytest.raises(ValueError, match="max_resident is a whole number from 0 up, or None, not"):
        worlds.open(TYPES, max_resident=wrong)

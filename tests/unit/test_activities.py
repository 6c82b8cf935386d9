"""Activities: begun after the commit, at least once, and their results delivered once."""

import asyncio
import re
import threading

import pytest

from deathless import (
    ActivityContext,
    ActivityDone,
    ActivityFailed,
    ArgumentsError,
    Context,
    Elapsed,
    GameClock,
    Limits,
    Retry,
    Runtime,
    Signal,
    activity,
    workflow,
)
from deathless.workflows.errors import DefinitionError

PATIENCE_S = 30
AT_ONCE = Retry(attempts=3, delay=0.0)


class Go(Signal):
    pass


class Outside:
    """What the activities of these tests talk to: it notes calls, and answers when it is told to."""

    def __init__(self):
        self.calls = []
        self.changed = threading.Condition()
        self.open = threading.Event()
        self.open.set()
        self.failures = 0

    def note(self, call):
        with self.changed:
            self.calls.append(call)
            self.changed.notify_all()

    def wait_for(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.calls) >= count, PATIENCE_S), self.calls


outside = Outside()


@pytest.fixture(autouse=True)
def fresh_outside():
    outside.__init__()


@activity
def double(ctx: ActivityContext, number: int) -> int:
    outside.note((number, ctx.idempotency_key, ctx.attempt, ctx.workflow_id, ctx.entity_id))
    assert outside.open.wait(PATIENCE_S)
    if len(outside.calls) <= outside.failures:
        raise ConnectionError(f"no route, try {ctx.attempt}")
    return number * 2


@activity
async def async_double(ctx: ActivityContext, number: int) -> int:
    await asyncio.sleep(0)
    outside.note((number, ctx.idempotency_key, ctx.attempt, ctx.workflow_id, ctx.entity_id))
    return number * 2


@activity
def patient(ctx: ActivityContext) -> bool:
    outside.note("began")
    told = ctx.wait(PATIENCE_S)
    outside.note(("told", told, ctx.cancelled))
    return told


@activity
async def async_patient(ctx: ActivityContext) -> None:
    outside.note("began")
    try:
        await asyncio.sleep(PATIENCE_S)
    except asyncio.CancelledError:
        outside.note("cancelled")
        raise


@workflow
async def asking(ctx: Context, number: int) -> int:
    return await ctx.run(double(number), retry=AT_ONCE)


@workflow
async def asking_async(ctx: Context, number: int) -> int:
    return await ctx.run(async_double(number))


@workflow
async def catching(ctx: Context, number: int) -> str:
    try:
        return str(await ctx.run(double(number), retry=AT_ONCE))
    except ActivityFailed as failed:
        return str(failed)


@workflow
async def selecting(ctx: Context) -> list:
    work = ctx.run(double(4))
    seen = []
    while len(seen) < 3:
        match await ctx.select(work, Go, ctx.timer(1.0)):
            case ActivityDone(activity, result, error):
                seen.append([activity == work, result, error])
            case Go():
                seen.append("go")
            case Elapsed():
                seen.append("elapsed")
    return seen


@workflow
async def leaving(ctx: Context, stay: bool) -> None:
    ctx.run(patient())
    if stay:
        await ctx.receive(Go)


ALL = [double, async_double, patient, async_patient, asking, asking_async, catching, selecting, leaving]


def settle(world):
    """Pump until no activity runs and nothing waits."""
    world.run_until_idle()
    while world._engine.activities.running:
        assert world._engine.activities.wait_any(PATIENCE_S)
        world.run_until_idle()


@pytest.mark.parametrize("kind", [asking, asking_async])
def test_the_result_comes_back_to_the_await(open_world, kind):
    world = open_world(*ALL)
    handle = world.start(kind(21), entity_id=5)
    settle(world)
    assert handle.result() == 42
    ((number, key, attempt, workflow_id, entity_id),) = outside.calls
    assert (number, attempt, workflow_id, entity_id) == (21, 1, 1, 5)
    assert key.startswith("1-")
    assert world._engine.store.stats().entries.get("activity", 0) == 0


def test_nothing_begins_before_the_step_that_asked_is_durable(open_world):
    world = open_world(*ALL, commit_every=1000.0)
    world.start(asking(1))
    world.pump()
    world.pump()
    assert world._engine.activities.running == 0
    world.commit()
    outside.wait_for(1)
    settle(world)
    world.commit()


def test_it_is_tried_again_with_the_same_key_and_its_last_failure_is_raised(open_world):
    world = open_world(*ALL)
    outside.failures = 2
    handle = world.start(catching(1))
    settle(world)
    assert handle.result() == "2"
    assert [call[2] for call in outside.calls] == [1, 2, 3]
    assert len({call[1] for call in outside.calls}) == 1
    outside.failures = 99
    handle = world.start(catching(1))
    settle(world)
    assert handle.result().endswith("failed: ConnectionError: no route, try 3")
    failing = world.start(asking(1))
    settle(world)
    assert "ActivityFailed" in world.get(failing.id).error_message


def test_it_is_one_of_the_sources_of_a_select(open_world):
    world = open_world(*ALL)
    outside.open.clear()
    handle = world.start(selecting(), entity_id=1)
    world.pump()
    world.signal(Go(), entity_id=1)
    world.pump()
    outside.open.set()
    settle(world)
    world.advance(1.0)
    assert handle.result() == ["go", [True, 8, None], "elapsed"]


@pytest.mark.parametrize("after", ["launch", "result"])
def test_a_crash_begins_it_again_and_the_result_is_delivered_once(worlds, after):
    world = worlds.open(ALL)
    outside.open.clear()
    handle = world.start(asking(3), entity_id=1)
    world.pump()
    outside.wait_for(1)
    if after == "result":
        outside.open.set()
        assert world._engine.activities.wait_any(PATIENCE_S)
    worlds.crash(world)
    outside.open.set()
    world = worlds.open(ALL)
    settle(world)
    assert world.get(handle.id).result == 6
    assert len(outside.calls) == 2
    assert len({call[1] for call in outside.calls}) == 1
    worlds.crash(world)
    world = worlds.open(ALL)
    settle(world)
    assert len(outside.calls) == 2


def test_a_workflow_that_ends_gives_its_activities_up(open_world):
    world = open_world(*ALL)
    handle = world.start(leaving(True))
    world.pump()
    outside.wait_for(1)
    world.cancel(workflow_id=handle.id)
    world.pump()
    outside.wait_for(2)
    assert outside.calls[1] == ("told", True, True)
    settle(world)
    assert world._engine.store.stats().entries.get("activity", 0) == 0


def test_one_that_is_asked_for_and_given_up_in_one_step_never_begins(open_world):
    world = open_world(*ALL)
    world.start(leaving(False))
    settle(world)
    assert outside.calls == []


@pytest.mark.parametrize("slow", [patient, async_patient])
def test_a_try_that_takes_too_long_fails_and_is_told(open_world, slow):
    @workflow(name="hurried")
    async def hurried(ctx: Context) -> str:
        try:
            await ctx.run(slow(), timeout=0.05)
        except ActivityFailed as failed:
            return failed.message
        return "in time"

    world = open_world(*ALL, hurried)
    handle = world.start(hurried())
    settle(world)
    assert handle.result() == "TimeoutError: it took longer than 0.05 seconds"
    outside.wait_for(2)
    assert outside.calls[1] in (("told", True, True), "cancelled")


def test_the_pool_is_bounded_and_all_get_their_turn(open_world):
    world = open_world(*ALL, activity_workers=2)
    outside.open.clear()
    handles = [world.start(asking(number)) for number in range(6)]
    world.pump()
    outside.wait_for(2)
    assert len(outside.calls) == 2
    outside.open.set()
    settle(world)
    assert [handle.result() for handle in handles] == [0, 2, 4, 6, 8, 10]


def test_one_whose_code_is_not_loaded_waits_for_it(worlds):
    world = worlds.open(ALL)
    outside.open.clear()
    handle = world.start(asking(3))
    world.pump()
    outside.wait_for(1)
    worlds.crash(world)
    outside.open.set()
    world = worlds.open([asking])
    world.run_until_idle()
    assert len(outside.calls) == 1
    world.reload(ALL)
    settle(world)
    assert world.get(handle.id).result == 6


def test_a_world_that_closes_tells_what_runs_and_begins_it_again_when_it_is_pumped(worlds):
    world = worlds.open(ALL)
    world.start(leaving(True))
    world.pump()
    outside.wait_for(1)
    world.close()
    outside.wait_for(2)
    assert outside.calls[1] == ("told", True, True)
    world = worlds.open(ALL)
    world.pump()
    outside.wait_for(3)
    world.close()


def test_the_results_of_a_failed_workflow_wait_in_its_row(open_world):
    broken = [True]

    @workflow(name="fragile")
    async def fragile(ctx: Context) -> int:
        work = ctx.run(double(4))
        await ctx.receive(Go)
        if broken[0]:
            raise RuntimeError("not now")
        return await work

    world = open_world(*ALL, fragile)
    outside.open.clear()
    handle = world.start(fragile(), entity_id=1)
    world.pump()
    world.signal(Go(), entity_id=1)
    world.pump()
    assert handle.status == "Failed"
    outside.open.set()
    settle(world)
    broken[0] = False
    world.retry(handle.id)
    settle(world)
    assert handle.result() == 8


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (
            lambda ctx: ctx.run(double),
            "ctx.run takes a called activity such as fetch\\(url\\), not <activity double>",
        ),
        (lambda ctx: ctx.run(activity(name="stray")(lambda ctx: 1)()), "activity 'stray' is not registered"),
        (lambda ctx: ctx.run(double(1), retry=3), "retry of ctx.run is a Retry"),
        (lambda ctx: ctx.run(double(1), timeout=-1), "timeout of ctx.run is more than 0"),
        (lambda ctx: ctx.run(double(object())), "an argument of activity 'double'.*cannot be stored"),
        (lambda ctx: ctx.run(double("x" * 9_000)), "the size of the arguments of activity 'double'"),
        (lambda ctx: [ctx.run(double(1)) for _ in range(5)], "the number of children of workflow 1 is 4"),
    ],
)
def test_wrong_uses_fail_the_step_and_begin_nothing(open_world, wrong, error):
    @workflow(name="misusing")
    async def misusing(ctx: Context) -> None:
        wrong(ctx)
        await ctx.receive(Go)

    world = open_world(*ALL, misusing, limits=Limits(children=3, payload=5_000))
    handle = world.start(misusing())
    world.pump()
    assert re.search(error, world.get(handle.id).error_message), world.get(handle.id).error_message
    assert world._engine.activities.running == 0


def test_a_result_that_has_no_durable_form_or_is_too_large_is_a_failure(open_world):
    @activity
    def bad(ctx: ActivityContext, large: bool) -> object:
        return "x" * 9_000 if large else object()

    @workflow(name="hopeful")
    async def hopeful(ctx: Context, large: bool) -> str:
        try:
            await ctx.run(bad(large))
        except ActivityFailed as failed:
            return failed.message
        return ""

    world = open_world(bad, hopeful, limits=Limits(payload=5_000))
    handles = [world.start(hopeful(large)) for large in (False, True)]
    settle(world)
    assert "cannot be stored" in handles[0].result()
    assert "over the limit of 5000" in handles[1].result()


def test_wrong_declarations_and_arguments():
    with pytest.raises(DefinitionError, match="takes its context as its first parameter"):
        activity(lambda: None)
    with pytest.raises(ArgumentsError, match="bad arguments for activity 'double'"):
        double()
    for wrong in ({"attempts": 0}, {"delay": -1}, {"backoff": 0.5}, {"max_delay": float("nan")}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Retry(**wrong)


def test_pauses_grow_up_to_a_bound():
    policy = Retry(attempts=6, delay=1.0, backoff=3.0, max_delay=10.0)
    assert [policy.pause_s(failed) for failed in range(1, 7)] == [1.0, 3.0, 9.0, 10.0, 10.0, None]
    assert Retry(attempts=10_000, backoff=1e9).pause_s(9_000) == 60.0


def test_a_quick_one_does_not_wait_for_a_slow_one(open_world):
    world = open_world(*ALL)
    world.start(leaving(True))
    world.pump()
    outside.wait_for(1)
    quick = world.start(asking(4))
    world.pump()
    outside.wait_for(2)
    while world._engine.activities.running > 1:
        world._engine.activities.wait_any(0.1)
    world.run_until_idle()
    assert quick.result() == 8


def test_a_replay_takes_results_from_the_record_and_runs_nothing(tmp_path):
    records = []
    options = {"clock": GameClock(), "durability": "process"}
    with Runtime(tmp_path / "first", ALL, on_turn=records.append, **options) as world:
        for number in range(5):
            world.start(asking(number))
        settle(world)
        digest = world.digest()
    called = len(outside.calls)
    with Runtime(tmp_path / "second", ALL, clock=GameClock(), durability="process") as world:
        for record in records[:-1]:
            world.replay_turn(record)
        assert world.digest() == digest
        world.start(asking(1))
        with pytest.raises(ValueError, match="takes its inputs from the records alone"):
            world.replay_turn(records[-1])
    assert len(outside.calls) == called


def test_what_a_deleted_workflow_began_is_given_up(open_world):
    @workflow(name="careless")
    async def careless(ctx: Context) -> None:
        ctx.run(patient())
        ctx.spawn(leaving(True))
        await ctx.sleep(1.0)
        raise RuntimeError("no more")

    world = open_world(*ALL, careless)
    handle = world.start(careless())
    world.pump()
    outside.wait_for(2)
    world.advance(1.0)
    assert handle.status == "Failed"
    world.advance(10.0)
    world.call("cleanup_old_workflows", 0)
    world.run_until_idle()
    assert world.find(handle.id) is None
    outside.wait_for(4)
    assert world.count() == 0

"""Broadcast: who gets what is published, when a subscription begins and ends, and what a cut leaves."""

import random

import pytest

from deathless import (
    Context,
    GameClock,
    LimitError,
    Limits,
    Runtime,
    Signal,
    UnknownSignalError,
    workflow,
)


class Noise(Signal):
    zone: int
    loud: bool = False
    tags: tuple[str, ...] = ()


class Tell(Signal):
    pass


class Shout(Signal):
    zone: int


class Deafen(Signal):
    pass


@workflow
async def listener(ctx: Context, filters: list[dict]) -> list[int]:
    for fields in filters:
        ctx.subscribe(Noise, **fields)
    heard = []
    while True:
        match await ctx.receive(Noise, Tell, Deafen):
            case Noise(zone):
                heard.append(zone)
            case Deafen():
                ctx.unsubscribe(Noise)
            case Tell():
                return heard


@workflow
async def crier(ctx: Context, *, listens: bool = False) -> None:
    if listens:
        ctx.subscribe(Noise)
    while True:
        match await ctx.receive(Shout, Noise):
            case Shout(zone):
                ctx.publish(Noise(zone))
            case Noise():
                raise AssertionError("a publisher does not hear itself")


def heard(world, handles):
    for handle in handles:
        world.signal(Tell(), workflow_id=handle.id)
    world.run_until_idle()
    return [handle.result() for handle in handles]


def test_it_reaches_those_whose_filters_match_and_each_once(open_world):
    world = open_world(listener)
    filters = [
        [{}],
        [{"zone": 1}],
        [{"zone": 2}],
        [{"zone": 1, "loud": True}],
        [{"zone": 1}, {"loud": True}, {}],
        [],
    ]
    handles = [world.start(listener(each), entity_id=number) for number, each in enumerate(filters)]
    world.pump()
    world.publish(Noise(1))
    world.publish(Noise(2, loud=True))
    world.publish(Noise(1, loud=True, tags=("a",)))
    world.pump()
    assert heard(world, handles) == [[1, 2, 1], [1, 1], [2], [1], [1, 2, 1], []]


def test_a_workflow_publishes_to_others_and_not_to_itself(open_world):
    world = open_world(listener, crier)
    handles = [world.start(listener([{"zone": 7}])) for _ in range(3)]
    loud = world.start(crier(listens=True))
    world.pump()
    world.signal(Shout(7), workflow_id=loud.id)
    world.pump()
    assert loud.status == "Suspended"
    assert heard(world, handles) == [[7], [7], [7]]


def test_receivers_are_those_of_the_moment_of_the_publish_in_order_of_their_ids(open_world):
    order = []

    @workflow(name="noting")
    async def noting(ctx: Context) -> None:
        ctx.subscribe(Noise)
        while True:
            await ctx.receive(Noise)
            order.append(ctx.workflow_id)

    world = open_world(noting, crier)
    speaker = world.start(crier())
    early = [world.start(noting()) for _ in range(5)]
    world.pump()
    # The late one is started before it, in the same turn, and has not run yet when the turn takes the publish.
    late = world.start(noting())
    world.publish(Noise(1))
    world.signal(Shout(1), workflow_id=speaker.id)
    world.pump()
    ids = [handle.id for handle in early]
    assert order == [*ids, *ids, late.id]


def test_a_subscription_ends_with_unsubscribe_and_with_the_workflow(open_world):
    world = open_world(listener)
    deaf, gone, fine = (world.start(listener([{}, {"zone": 1}]), entity_id=number) for number in range(3))
    world.pump()
    world.signal(Deafen(), workflow_id=deaf.id)
    world.cancel(workflow_id=gone.id)
    world.pump()
    world.publish(Noise(1))
    world.pump()
    assert heard(world, [deaf, fine]) == [[], [1]]
    subscriptions = world._engine.system.directory.subscriptions
    assert subscriptions.receivers("Noise", dict) == []
    assert not subscriptions._tables


def test_subscriptions_outlive_a_crash(worlds):
    world = worlds.open([listener])
    handles = [world.start(listener([{"zone": number % 2}])) for number in range(4)]
    world.pump()
    worlds.crash(world)
    world = worlds.open([listener])
    world.publish(Noise(1))
    world.pump()
    for handle in handles:
        world.signal(Tell(), workflow_id=handle.id)
    world.pump()
    assert [world.get(handle.id).result for handle in handles] == [[], [1], [], [1]]


def test_a_failed_step_subscribes_to_nothing_and_a_failed_workflow_hears_nothing(open_world):
    broken = [True]

    @workflow(name="fragile")
    async def fragile(ctx: Context) -> int:
        ctx.subscribe(Noise, zone=1)
        await ctx.receive(Tell)
        ctx.subscribe(Noise, zone=2)
        ctx.unsubscribe(Noise, zone=1)
        if broken[0]:
            raise ValueError("no luck")
        return (await ctx.receive(Noise)).zone

    world = open_world(fragile)
    handle = world.start(fragile())
    world.pump()
    world.signal(Tell(), workflow_id=handle.id)
    world.pump()
    assert handle.status == "Failed"
    world.publish(Noise(1))
    world.publish(Noise(2))
    assert world.pump().steps == 0
    broken[0] = False
    world.retry(handle.id)
    world.pump()
    world.publish(Noise(1))
    world.publish(Noise(2))
    world.pump()
    assert handle.result() == 2


@pytest.mark.parametrize("crash", [False, True])
def test_a_publish_that_a_budget_cuts_is_one_body_and_reaches_the_rest_later(worlds, crash):
    world = worlds.open([listener], max_steps_per_turn=10)
    handles = [world.start(listener([{}])) for _ in range(35)]
    world.run_until_idle()
    world.publish(Noise(5, tags=("x" * 5_000,)))
    report = world.pump()
    assert (report.steps, report.carried_over) == (10, 1)
    leftover = world._engine.store.get("turn", b"leftover")
    assert leftover.count(b"x" * 5_000) == 1
    ended = handles[20]
    world.cancel(workflow_id=ended.id, force=True)
    if crash:
        world.pump()
        worlds.crash(world)
        world = worlds.open([listener], max_steps_per_turn=10)
    world.run_until_idle()
    world.publish(Noise(6))
    world.run_until_idle()
    alive = [handle for handle in handles if handle is not ended]
    for handle in alive:
        world.signal(Tell(), workflow_id=handle.id)
    world.run_until_idle()
    assert [world.get(handle.id).result for handle in alive] == [[5, 6]] * 34


@pytest.mark.parametrize(
    ("subscribe", "error"),
    [
        (lambda ctx: ctx.subscribe(Shout), "which it never awaits"),
        (lambda ctx: ctx.subscribe(Noise, place=1), "has no field 'place'; its fields are zone, loud, tags"),
        (lambda ctx: ctx.subscribe("Noise"), "takes a Signal class, not 'Noise'"),
        (lambda ctx: ctx.subscribe(Noise, zone=object()), "cannot be stored"),
        (lambda ctx: ctx.publish(Noise), "ctx.publish takes a Signal, not"),
        (
            lambda ctx: [ctx.subscribe(Noise, zone=zone) for zone in range(5)],
            "subscriptions of workflow 1 is 5",
        ),
    ],
    ids=["never awaited", "no such field", "no class", "unstorable", "no instance", "too many"],
)
def test_wrong_subscriptions_fail_the_step_with_the_remedy(open_world, subscribe, error):
    @workflow(name="wrong", signals=(Noise,))
    async def wrong(ctx: Context) -> None:
        subscribe(ctx)
        await ctx.receive(Noise)

    world = open_world(wrong, crier, limits=Limits(topics=4))
    handle = world.start(wrong())
    world.pump()
    assert error in world.get(handle.id).error_message


def test_wrong_publishes_are_refused_at_the_call(open_world):
    class Stray(Signal):
        pass

    world = open_world(listener, limits=Limits(unread=2, payload=1_000))
    for wrong, error in (
        (Stray(), UnknownSignalError),
        (Noise, TypeError),
        (Noise(1, tags=("x" * 2_000,)), LimitError),
    ):
        with pytest.raises(error):
            world.publish(wrong)
    assert world.pump().steps == 0


def test_a_subscriber_that_does_not_read_stops_its_publishers_and_nothing_is_lost(open_world):
    @workflow(name="busy", signals=(Noise,))
    async def busy(ctx: Context) -> list[int]:
        ctx.subscribe(Noise)
        await ctx.receive(Tell)
        return [(await ctx.receive(Noise)).zone, (await ctx.receive(Noise)).zone]

    world = open_world(busy, crier, limits=Limits(unread=2))
    handle, speaker = world.start(busy()), world.start(crier())
    world.pump()
    for zone in (1, 2):
        world.publish(Noise(zone))
    world.pump()
    with pytest.raises(LimitError, match="unread signals of workflow 1 is 3"):
        world.publish(Noise(3))
    world.signal(Shout(3), workflow_id=speaker.id)
    world.pump()
    assert "unread signals of workflow 1" in world.get(speaker.id).error_message
    world.signal(Tell(), workflow_id=handle.id)
    world.run_until_idle()
    assert handle.result() == [1, 2]


@pytest.mark.parametrize("seed", range(5))
def test_random_subscriptions_reach_whom_a_list_of_them_says(tmp_path, seed):
    rng = random.Random(seed)
    with Runtime(tmp_path / "w", [listener], clock=GameClock(), durability="process") as world:
        filters = [
            [
                {
                    name: value
                    for name, value in (("zone", rng.randrange(3)), ("loud", rng.random() < 0.5))
                    if rng.random() < 0.6
                }
                for _ in range(rng.randrange(4))
            ]
            for _ in range(30)
        ]
        handles = [world.start(listener(each)) for each in filters]
        world.pump()
        expected = [[] for _ in filters]
        for _ in range(20):
            noise = Noise(rng.randrange(4), loud=rng.random() < 0.5)
            world.publish(noise)
            for index, each in enumerate(filters):
                if any(
                    all(getattr(noise, name) == value for name, value in fields.items()) for fields in each
                ):
                    expected[index].append(noise.zone)
        world.run_until_idle()
        assert heard(world, handles) == expected, f"seed {seed}"


@pytest.mark.parametrize("how", ["from outside", "from a step"])
def test_the_bound_on_unread_signals_holds_for_publishes_within_a_turn(open_world, how):
    @workflow(name="busy", signals=(Noise,))
    async def busy(ctx: Context) -> None:
        ctx.subscribe(Noise)
        await ctx.receive(Tell)

    @workflow(name="shouting")
    async def shouting(ctx: Context, to: int) -> list[int]:
        sent = [0, 0]
        try:
            while sent[0] < 99:
                ctx.publish(Noise(1))
                sent[0] += 1
        except LimitError:
            pass
        try:
            while sent[1] < 99:
                ctx.signal(Noise(1), workflow_id=to)
                sent[1] += 1
        except LimitError:
            pass
        await ctx.sleep(1.0)
        return sent

    world = open_world(busy, shouting, limits=Limits(unread=10))
    handle = world.start(busy())
    world.pump()
    if how == "from outside":
        for _ in range(40):
            world.publish(Noise(1))
        with pytest.raises(LimitError, match="unread signals of workflow 1"):
            world.publish(Noise(1))
    else:
        speaker = world.start(shouting(handle.id))
        world.pump()
        world.advance(1.0)
        assert speaker.result() == [10, 10]
    world.run_until_idle()
    assert len(world.get(handle.id).unread) == (40 if how == "from outside" else 20)

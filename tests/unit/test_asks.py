"""Questions and answers, inputs that are named, and starts that conflict."""

import threading

import pytest

from deathless import (
    ArgumentsError,
    AskFailed,
    CallFailed,
    Cancelled,
    Context,
    Handle,
    InputIdError,
    LimitError,
    Limits,
    ReducerContext,
    RuntimeClosedError,
    Signal,
    SignalNotAccepted,
    Table,
    UnknownSignalError,
    WorkflowExistsError,
    WrongThreadError,
    reducer,
    workflow,
)


class Price(Signal):
    item: str


class Deal(Signal):
    pass


class Open(Signal):
    pass


@workflow
async def shop(ctx: Context) -> int:
    asked = 0
    while True:
        match await ctx.receive(Price, Deal):
            case Price(item) as question:
                asked += 1
                ctx.reply(question, {"item": item, "price": 10 * len(item), "nth": asked})
            case Deal():
                return asked


@workflow
async def slow_shop(ctx: Context) -> None:
    waiting = []
    while len(waiting) < 3:
        match await ctx.receive(Price, Deal):
            case Price() as question:
                waiting.append(question)
            case Deal():
                if waiting[0].item == "bug":
                    raise RuntimeError("out of paper")
                if waiting[0].item == "bye":
                    return
    await ctx.receive(Open)
    for number, question in enumerate(waiting):
        assert ctx.reply(question, number)
    assert not ctx.reply(waiting[0], "again")
    await ctx.receive(Open)


def ask(world, signal, **address):
    future = world.ask(signal, **address)
    world.run_until_idle()
    return future.result(0)


def test_a_question_is_answered_when_the_answer_is_durable(open_world):
    world = open_world(shop, commit_every=1000.0)
    world.start(shop(), entity_id=1)
    future = world.ask(Price("axe"), entity_id=1)
    world.pump()
    assert not future.done()
    with pytest.raises(WrongThreadError, match="the question is answered"):
        future.result()
    world.commit()
    assert future.result() == {"item": "axe", "price": 30, "nth": 1}


def test_another_thread_waits_for_the_answer(open_world):
    world = open_world(shop)
    world.start(shop(), entity_id=1)
    world.pump()
    answers = []
    asked = threading.Event()

    def player():
        future = world.ask(Price("axe"), entity_id=1)
        asked.set()
        answers.append(future.result(30))

    thread = threading.Thread(target=player)
    thread.start()
    asked.wait(30)
    world.pump()
    thread.join()
    assert answers[0]["price"] == 30


def test_questions_that_wait_are_part_of_the_snapshot_and_equal_ones_are_answered_in_order(open_world):
    world = open_world(slow_shop)
    world.start(slow_shop(), entity_id=1)
    futures = [world.ask(Price(item), entity_id=1) for item in ("axe", "bow", "axe")]
    world.run_until_idle()
    assert not any(future.done() for future in futures)
    world.signal(Open(), entity_id=1)
    world.run_until_idle()
    assert [future.result(0) for future in futures] == [0, 1, 2]


def test_an_ordinary_signal_needs_no_answer(open_world):
    world = open_world(shop)
    handle = world.start(shop(), entity_id=1)
    world.signal(Price("axe"), entity_id=1)
    world.signal(Deal(), entity_id=1)
    world.pump()
    assert handle.result() == 1


@pytest.mark.parametrize(
    ("item", "end", "error"),
    [
        ("bug", Deal, "workflow 1 failed: RuntimeError: out of paper"),
        ("bye", Deal, r"has ended \(Completed\) without an answer"),
        ("axe", None, r"has ended \(Cancelled\) without an answer"),
    ],
)
def test_a_receiver_that_ends_without_an_answer_fails_the_question(open_world, item, end, error):
    world = open_world(slow_shop)
    handle = world.start(slow_shop(), entity_id=1)
    future = world.ask(Price(item), entity_id=1)
    world.pump()
    assert not future.done()
    if end is None:
        world.cancel(workflow_id=handle.id)
    else:
        world.signal(end(), entity_id=1)
    world.pump()
    with pytest.raises(AskFailed, match=error):
        future.result(0)
    assert world._engine.rows.row(handle.id)


def test_a_step_that_fails_after_its_answer_has_not_answered(open_world):
    @workflow(name="two_faced")
    async def two_faced(ctx: Context) -> None:
        question = await ctx.receive(Price)
        ctx.reply(question, "yes")
        raise RuntimeError("no")

    world = open_world(two_faced)
    world.start(two_faced(), entity_id=1)
    with pytest.raises(AskFailed, match="workflow 1 failed: RuntimeError: no"):
        ask(world, Price("axe"), entity_id=1)


def test_wrong_questions(open_world):
    class Stray(Signal):
        pass

    @workflow(name="other", signals=(Deal,))
    async def other(ctx: Context) -> None:
        await ctx.receive(Deal)

    world = open_world(shop, other)
    handle, deaf = world.start(shop(), entity_id=1), world.start(other(), entity_id=2)
    world.pump()
    with pytest.raises(UnknownSignalError):
        world.ask(Stray(), entity_id=1)
    with pytest.raises(SignalNotAccepted):
        world.ask(Price("axe"), workflow_id=deaf.id)
    with pytest.raises(TypeError):
        world.ask(Price("axe"))
    with pytest.raises(LimitError):
        world.ask(Price("x" * 70_000), entity_id=1)
    for nobody in ({"entity_id": 2}, {"entity_id": 9}, {"correlation_id": "none"}):
        with pytest.raises(AskFailed, match="nobody takes Price there"):
            ask(world, Price("axe"), **nobody)
    world.cancel(workflow_id=handle.id)
    late = world.ask(Price("axe"), workflow_id=handle.id)
    world.pump()
    with pytest.raises(AskFailed, match="ended"):
        late.result(0)


def test_a_question_outlives_a_crash_for_whoever_asks_again_by_its_name(worlds):
    world = worlds.open([slow_shop])
    world.start(slow_shop(), entity_id=1)
    lost = world.ask(Price("axe"), entity_id=1, input_id="q1")
    world.pump()
    worlds.crash(world)
    with pytest.raises(RuntimeClosedError):
        lost.result(0)
    world = worlds.open([slow_shop])
    again = world.ask(Price("axe"), entity_id=1, input_id="q1")
    for item in ("bow", "cat"):
        world.ask(Price(item), entity_id=1)
    world.signal(Open(), entity_id=1)
    world.run_until_idle()
    assert again.result(0) == 0
    worlds.crash(world)
    world = worlds.open([slow_shop])
    assert world.ask(Price("axe"), entity_id=1, input_id="q1").result(0) == 0
    assert world.pump().steps == 0


@pytest.mark.parametrize("pumped", [False, True])
def test_a_named_repeat_before_the_next_turn_gets_the_same_answer(open_world, pumped):
    world = open_world(shop)
    world.start(shop(), entity_id=1)
    first = world.ask(Price("axe"), entity_id=1, input_id="q")
    if pumped:
        world.pump()
    again = world.ask(Price("axe"), entity_id=1, input_id="q")
    world.pump()
    assert first.result(0) == again.result(0)


def test_a_question_that_a_budget_cuts_off_from_its_receivers_end_is_refused(worlds):
    world = worlds.open([shop], max_steps_per_turn=1)
    world.start(shop(), entity_id=1)
    world.pump()
    world.signal(Deal(), entity_id=1)
    future = world.ask(Price("axe"), entity_id=1, input_id="q")
    world.run_until_idle()
    with pytest.raises(AskFailed, match="has ended"):
        future.result(0)
    with pytest.raises(AskFailed, match="has ended"):
        world.ask(Price("axe"), entity_id=1, input_id="q").result(0)


def test_a_question_is_put_to_the_oldest_that_takes_it(open_world):
    world = open_world(shop, slow_shop)
    for kind in (slow_shop, shop, shop):
        world.start(kind(), entity_id=1)
    world.pump()
    world.cancel(workflow_id=1, force=True)
    world.pump()
    assert ask(world, Price("axe"), entity_id=1)["nth"] == 1
    assert ask(world, Price("axe"), entity_id=1)["nth"] == 2


def test_open_questions_are_bounded_and_their_size_is_not_the_receivers(open_world):
    @workflow(name="silent", signals=(Price,))
    async def silent(ctx: Context) -> None:
        while True:
            await ctx.receive(Price)

    world = open_world(silent, limits=Limits(asks=20, state_max=20_000, unread=1_000))
    handle = world.start(silent(), entity_id=1)
    futures = [world.ask(Price("x" * 5_000 + str(number)), entity_id=1) for number in range(25)]
    world.run_until_idle()
    assert handle.status == "Suspended"
    assert [future.done() for future in futures] == [False] * 20 + [True] * 5
    with pytest.raises(AskFailed, match="has 20 open questions already"):
        futures[-1].result(0)


def test_callbacks_of_futures_may_use_the_world(open_world):
    world = open_world(shop, counter, count_up, counts)
    handle = world.start(shop(), entity_id=1)
    seen = []

    def then(future):
        seen.append(world.get(handle.id).status)
        world.start(counter(), entity_id=2, on_conflict="existing")
        world.call(count_up, "x", input_id=f"call {len(seen)}")

    handle.committed.add_done_callback(then)
    world.ask(Price("axe"), entity_id=1).add_done_callback(then)
    world.run_until_idle()
    assert seen == ["Suspended", "Suspended"]
    assert world.count() == 2


# -- named inputs ----------------------------------------------------------------------------------------------


counts = Table("count", key=str, value=int)


@reducer
def count_up(ctx: ReducerContext, name: str) -> int:
    rows = ctx.table(counts)
    rows[name] = rows.get(name, 0) + 1
    if rows[name] > 1:
        raise ValueError("twice")
    return rows[name]


@workflow
async def counter(ctx: Context) -> int:
    ctx.subscribe(Price)
    count = 0
    while True:
        match await ctx.receive(Price, Deal):
            case Price():
                count += 1
            case Deal():
                return count


INPUTS = {
    "signal": lambda world, name: world.signal(Price("a"), entity_id=1, input_id=name),
    "publish": lambda world, name: world.publish(Price("a"), input_id=name),
    "cancel": lambda world, name: world.cancel(entity_id=7, input_id=name),
    "start": lambda world, name: world.start(counter(), entity_id=2, input_id=name).id,
    "ask": lambda world, name: world.ask(Price("a"), entity_id=1, input_id=name) and None,
    "call": lambda world, name: world.call(count_up, "x", input_id=name) and None,
}


@pytest.mark.parametrize(
    "when", ["at once", "in the next turn", "after a restart", "after a crash", "after losing it"]
)
@pytest.mark.parametrize("kind", list(INPUTS))
def test_an_input_that_is_repeated_with_its_name_takes_effect_once(worlds, kind, when):
    world = worlds.open(
        [counter, count_up, counts], commit_every=1000.0 if when == "after losing it" else 0.0
    )
    reader = world.start(counter(), entity_id=1)
    world.pump()
    world.commit()
    first = INPUTS[kind](world, "once")
    if when != "at once":
        world.pump()
    if when == "after a restart":
        world.close()
    elif when.startswith("after"):
        worlds.crash(world)
    if when.startswith("after"):
        world = worlds.open([counter, count_up, counts])
    second = INPUTS[kind](world, "once")
    world.run_until_idle()
    if when != "after losing it":
        assert second == first
    world.signal(Deal(), entity_id=1)
    world.run_until_idle()
    assert world.get(reader.id).result == (kind in ("signal", "publish", "ask"))
    assert len(world.workflows(entity_id=2)) == (kind == "start")
    if kind == "call":
        future = world.call(count_up, "x", input_id="once")
        world.run_until_idle()
        assert future.result(0) == 1


def test_a_call_that_failed_is_told_so_again(worlds):
    world = worlds.open([counter, count_up, counts])
    world.call(count_up, "x")
    failed = world.call(count_up, "x", input_id="second")
    world.run_until_idle()
    with pytest.raises(CallFailed, match="ValueError: twice"):
        failed.result(0)
    worlds.crash(world)
    world = worlds.open([counter, count_up, counts])
    with pytest.raises(CallFailed, match="ValueError: twice"):
        world.call(count_up, "x", input_id="second").result(0)


def test_wrong_names_of_inputs(open_world):
    world = open_world(counter)
    world.start(counter(), entity_id=1, input_id="a")
    with pytest.raises(
        InputIdError, match="'a' was given to a start before, and now to a signal; take a new one"
    ):
        world.signal(Price("x"), entity_id=1, input_id="a")
    for wrong, error in ((3, TypeError), ("", ValueError), ("x" * 256, ValueError)):
        with pytest.raises(error, match="input_id"):
            world.signal(Price("x"), entity_id=1, input_id=wrong)
    with pytest.raises(ArgumentsError):
        world.start("counter", args=(1,), input_id="b")
    # What was refused has used no name.
    assert isinstance(world.start(counter(), entity_id=2, input_id="b"), Handle)


def test_old_names_are_forgotten_with_old_workflows(open_world):
    world = open_world(counter)
    world.start(counter(), entity_id=1, input_id="a")
    world.pump()
    world.advance(10 * 86_400.0)
    world.call("cleanup_old_workflows", 7)
    world.pump()
    world.signal(Price("x"), entity_id=1, input_id="a")
    assert world.pump().steps == 1


# -- conflicts -------------------------------------------------------------------------------------------------


@workflow
async def day_night(ctx: Context) -> str:
    try:
        await ctx.receive(Deal)
    except Cancelled as cancelled:
        ctx.step(cancelled.reason)
        raise
    return "done"


@workflow
async def other_type(ctx: Context) -> None:
    await ctx.receive(Deal)


@pytest.mark.parametrize("pumped", [False, True])
def test_a_singleton_by_correlation_id_is_started_once(open_world, pumped):
    world = open_world(day_night, other_type)
    world.start(other_type(), correlation_id="sky")
    world.start(day_night(), correlation_id="ground")
    world.start(day_night(), correlation_id="sky", entity_id=5)
    first = world.start(day_night(), correlation_id="sky", on_conflict="existing")
    if pumped:
        world.pump()
    again = [world.start(day_night(), correlation_id="sky", on_conflict="existing") for _ in range(3)]
    world.pump()
    assert again == [first] * 3
    assert world.count() == 4
    assert again[0].committed.done()
    world.signal(Deal(), workflow_id=first.id)
    world.pump()
    assert world.start(day_night(), correlation_id="sky", on_conflict="existing") != first


@pytest.mark.parametrize("pumped", [False, True])
def test_a_conflict_may_be_an_error_or_a_replacement(open_world, pumped):
    world = open_world(day_night)
    first = world.start(day_night(), entity_id=1, on_conflict="error")
    if pumped:
        world.pump()
    with pytest.raises(WorkflowExistsError, match="workflow 1 of type 'day_night' is already active"):
        world.start(day_night(), entity_id=1, on_conflict="error")
    second = world.start(day_night(), entity_id=1, on_conflict="replace")
    world.pump()
    assert (first.status, world.get(first.id).error_message) == ("Cancelled", "replaced by a new start")
    assert [view.id for view in world.workflows(entity_id=1, status="Suspended")] == [second.id]
    for _ in range(2):
        world.start(day_night(), entity_id=1, on_conflict="parallel")
    world.pump()
    assert world.count() == 3


def test_an_existing_one_that_no_turn_has_taken_is_not_committed_yet(open_world):
    world = open_world(day_night, commit_every=1000.0)
    world.start(day_night(), correlation_id="sky")
    existing = world.start(day_night(), correlation_id="sky", on_conflict="existing")
    assert not existing.committed.done()
    world.pump()
    assert not existing.committed.done()
    world.commit()
    assert existing.committed.done()


@pytest.mark.parametrize("address", [{"correlation_id": "sky"}, {"workflow_id": 1}])
def test_one_that_is_about_to_be_cancelled_is_no_conflict(open_world, address):
    world = open_world(day_night)
    world.start(day_night(), correlation_id="sky")
    world.pump()
    world.cancel(**address)
    fresh = world.start(day_night(), correlation_id="sky", on_conflict="existing")
    assert fresh.id != 1
    assert world.start(day_night(), correlation_id="sky", on_conflict="existing") == fresh
    world.pump()
    assert [view.id for view in world.workflows(status="Suspended")] == [fresh.id]
    replaced = world.start(day_night(), correlation_id="sky", on_conflict="replace")
    assert world.start(day_night(), correlation_id="sky", on_conflict="existing") == replaced


def test_wrong_policies(open_world):
    world = open_world(day_night)
    with pytest.raises(
        ValueError, match="on_conflict is one of 'parallel', 'existing', 'error', 'replace', not 'ignore'"
    ):
        world.start(day_night(), on_conflict="ignore")
    with pytest.raises(ValueError, match="needs an entity_id or a correlation_id"):
        world.start(day_night(), on_conflict="existing")
    with pytest.raises(ArgumentsError):
        world.start("day_night", args=(1,), entity_id=1, on_conflict="replace")
    with pytest.raises(TypeError, match="call it first: day_night"):
        world.start(day_night, entity_id=1, on_conflict="existing")
    assert world.pump().steps == 0


def test_a_child_can_be_signalled_in_the_step_that_spawns_it(open_world):
    @workflow(name="hasty")
    async def hasty(ctx: Context) -> str:
        child = ctx.spawn(day_night())
        ctx.signal(Deal(), workflow_id=child.workflow_id)
        return await child

    world = open_world(hasty, day_night)
    handle = world.start(hasty())
    world.run_until_idle()
    assert handle.result() == "done"

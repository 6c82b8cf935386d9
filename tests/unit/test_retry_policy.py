"""A step that fails is tried again by the policy of its type, with all that was sent meanwhile, crash or no crash."""

import pytest

from deathless import (
    AskFailed,
    Beat,
    Cancelled,
    ChildFailed,
    Context,
    DefinitionError,
    Elapsed,
    LimitError,
    Limits,
    Retry,
    Signal,
    workflow,
)

POLICY = Retry(attempts=4, delay=1.0, backoff=2.0, max_delay=3.0)
HOWS = ("stays up", "is opened again", "crashes")


class Hit(Signal):
    power: int = 1


class Word(Signal):
    text: str


@workflow(retry=POLICY)
async def fragile(ctx: Context, good_from: float, seconds: float = 100.0) -> tuple[list[int], float]:
    """Fail on a 13 until a certain time; count what came."""
    taken: list[int] = []
    end = ctx.timer(seconds)
    while True:
        match await ctx.select(Hit, end):
            case Hit(power):
                taken.append(power)
                ctx.signal(Word(f"hit {power}"), correlation_id="ear")
                if power == 13 and ctx.now < good_from:
                    raise RuntimeError(f"unlucky at {ctx.now}, drew {ctx.random.random():.3f}")
                if power == 0:
                    return taken, ctx.now
            case Elapsed():
                if ctx.now < good_from:
                    raise RuntimeError(f"too early at {ctx.now}")
                return taken, ctx.now


@workflow(retry=POLICY)
async def moody(ctx: Context) -> None:
    """Take each hit three seconds after it came."""
    hits = 0
    while True:
        since = ctx.now
        await ctx.receive(Hit)
        if ctx.now < since + 3.0:
            raise RuntimeError("not now")
        hits += 1


@workflow(retry=POLICY)
async def late_starter(ctx: Context, good_from: float) -> float:
    if ctx.now < good_from:
        raise RuntimeError("not yet")
    return ctx.now


@workflow(retry=POLICY)
async def bad_result(ctx: Context) -> object:
    await ctx.sleep(1.0)
    return object()


@workflow(retry=Retry(attempts=2, delay=5.0))
async def untidy(ctx: Context) -> None:
    try:
        await ctx.receive(Hit)
        raise RuntimeError("bad hit")
    finally:
        ctx.signal(Word("cleaned"), correlation_id="ear")
        if ctx.now < 20.0:
            raise ValueError("cannot clean up yet")


@workflow(retry=POLICY)
async def tidy(ctx: Context) -> str:
    try:
        await ctx.receive(Hit)
        raise RuntimeError("bad hit")
    except Cancelled as cancelled:
        return f"cancelled: {cancelled.reason}"


@workflow(retry=POLICY)
async def beating(ctx: Context, good_from: float) -> tuple[int, int]:
    every = ctx.every(0.5)
    match await ctx.select(every):
        case Beat(n, missed):
            if ctx.now < good_from:
                raise RuntimeError("no")
            return n, missed


@workflow(retry=POLICY)
async def oracle(ctx: Context, good_from: float) -> None:
    while True:
        question = await ctx.receive(Hit)
        ctx.reply(question, ctx.now)
        if ctx.now < good_from:
            raise RuntimeError("no answer yet")


@workflow
async def parent(ctx: Context, good_from: float) -> str:
    child = ctx.spawn(late_starter(good_from))
    try:
        return f"{await child}"
    except ChildFailed as error:
        return f"{error.message} at {ctx.now}"


@workflow
async def worker(ctx: Context) -> int:
    await ctx.sleep(1.5)
    return 7


@workflow(retry=POLICY)
async def parent_that_fails(ctx: Context, good_from: float) -> int:
    child = ctx.spawn(worker())
    await ctx.receive(Hit)
    if ctx.now < good_from:
        raise RuntimeError("no")
    return await child


@workflow
async def ear(ctx: Context) -> None:
    heard: list[str] = []
    while True:
        heard.append((await ctx.receive(Word)).text)


TYPES = (
    fragile,
    moody,
    late_starter,
    bad_result,
    untidy,
    tidy,
    beating,
    oracle,
    parent,
    worker,
    parent_that_fails,
    ear,
)


class Stage:
    """A world that may be left and opened again after each turn."""

    def __init__(self, open_world, how="stays up", **options):
        self.open_world, self.how, self.options = open_world, how, options
        self.world = open_world(*TYPES, **options)

    def advance(self, *steps):
        for step in steps:
            self.world.advance(step)
            if self.how != "stays up":
                self.world.commit()
                self.open_world.crash(self.world) if self.how == "crashes" else self.world.close()
                self.world = self.open_world(*TYPES, **self.options)

    def start(self, call, **address):
        handle = self.world.start(call, **address)
        self.world.pump()
        return handle.id

    def hit(self, workflow_id, *powers):
        for power in powers:
            self.world.signal(Hit(power), workflow_id=workflow_id)


@pytest.mark.parametrize("how", HOWS)
def test_a_failed_step_runs_again_after_each_pause_until_it_succeeds(open_world, how):
    stage = Stage(open_world, how)
    ears = stage.start(ear(), correlation_id="ear")
    number = stage.start(fragile(6.5))
    stage.hit(number, 5, 13)
    stage.advance(0.0)
    seen = []
    for _ in range(14):
        view = stage.world.get(number)
        seen.append((view.status, view.retry_at, view.locals["taken"]))
        stage.advance(0.5)
    # Tried at 0, then after 1, 2 and 3 seconds, on the snapshot of before.
    waiting = [("Suspended", at, [5]) for at, turns in ((1.0, 2), (3.0, 4), (6.0, 6)) for _ in range(turns)]
    assert seen[:12] == waiting
    assert [status for status, *_ in seen[12:]] == ["Failed", "Failed"]
    # What the failed tries sent was never sent.
    assert stage.world.get(ears).locals["heard"] == ["hit 5"]


@pytest.mark.parametrize("how", HOWS)
def test_a_step_that_succeeds_in_the_end_leaves_no_trace_of_its_failures(open_world, how):
    stage = Stage(open_world, how)
    number = stage.start(fragile(3.0))
    stage.hit(number, 13)
    stage.advance(0.0, 1.0, 2.0)
    view = stage.world.get(number)
    assert (view.status, view.retry_at, view.error_message, view.traceback) == (
        "Suspended",
        None,
        None,
        None,
    )
    assert (view.locals["taken"], [timer.due for timer in view.timers]) == ([13], [100.0])
    stage.hit(number, 0)
    stage.advance(0.0)
    assert stage.world.get(number).result == ([13, 0], 3.0)


@pytest.mark.parametrize("how", HOWS)
def test_success_sets_the_count_back(open_world, how):
    stage = Stage(open_world, how)
    number = stage.start(moody())
    pauses = []
    for _ in range(3):
        stage.hit(number, 1)
        stage.advance(0.0)
        at = stage.world.get(number).retry_at
        while at is not None:
            pauses.append(round(at - stage.world.now, 6))
            stage.advance(at - stage.world.now)
            at = stage.world.get(number).retry_at
    assert stage.world.get(number).locals["hits"] == 3
    assert pauses == [1.0, 2.0] * 3


@pytest.mark.parametrize("how", HOWS)
def test_what_is_sent_meanwhile_waits_and_comes_in_order(open_world, how):
    stage = Stage(open_world, how)
    number = stage.start(fragile(3.0))
    stage.hit(number, 13)
    stage.advance(0.0)
    stage.hit(number, 1, 2)
    stage.advance(1.0)
    stage.hit(number, 3)
    stage.advance(1.0)
    assert stage.world.get(number).unread == ("Hit", "Hit", "Hit", "Hit")
    stage.hit(number, 0)
    stage.advance(1.0)
    assert stage.world.get(number).result == ([13, 1, 2, 3, 0], 3.0)


@pytest.mark.parametrize("how", HOWS)
def test_the_timer_of_the_wait_does_not_fire_meanwhile_and_counts_after(open_world, how):
    stage = Stage(open_world, how)
    number = stage.start(fragile(3.0, 2.0))
    stage.hit(number, 13)
    stage.advance(0.0, 1.0, 1.0)
    view = stage.world.get(number)
    assert (view.status, view.retry_at, [timer.due for timer in view.timers]) == ("Suspended", 3.0, [2.0])
    stage.advance(1.0, 0.0)
    assert stage.world.get(number).result == ([13], 3.0)


@pytest.mark.parametrize("how", HOWS)
def test_a_timer_whose_step_failed_is_tried_again(open_world, how):
    stage = Stage(open_world, how)
    number = stage.start(fragile(3.0, 1.0))
    stage.advance(1.0, 1.0)
    assert stage.world.get(number).error_message == "RuntimeError: too early at 2.0"
    stage.advance(1.0, 1.0)
    assert stage.world.get(number).result == ([], 4.0)


@pytest.mark.parametrize("how", HOWS)
def test_a_skipping_source_gives_the_retried_step_its_beat(open_world, how):
    stage = Stage(open_world, how)
    number = stage.start(beating(3.0))
    stage.advance(0.5, 1.0, 2.0)
    assert stage.world.get(number).result == (7, 6)


@pytest.mark.parametrize("how", HOWS)
def test_a_parent_hears_of_the_failure_when_no_try_is_left(open_world, how):
    stage = Stage(open_world, how)
    number = stage.start(parent(100.0))
    other = stage.start(parent(2.0))
    stage.advance(1.0, 2.0, 2.9)
    assert stage.world.get(number).status == "Suspended"
    assert stage.world.get(other).result == "3.0"
    stage.advance(0.1)
    assert stage.world.get(number).result == "RuntimeError: not yet at 6.0"


@pytest.mark.parametrize("how", HOWS)
def test_results_of_children_wait_too(open_world, how):
    stage = Stage(open_world, how)
    number = stage.start(parent_that_fails(3.0))
    stage.hit(number, 1)
    stage.advance(0.0, 1.0, 1.0)
    view = stage.world.get(number)
    assert (view.unread, view.children) == (("Hit", "ChildDone"), ())
    stage.advance(1.0)
    assert stage.world.get(number).result == 7


def test_a_view_shows_why_it_failed_and_when_it_is_tried_again(open_world):
    stage = Stage(open_world)
    number = stage.start(fragile(3.0))
    stage.hit(number, 13)
    stage.advance(0.5)
    view = stage.world.get(number)
    assert view.error_message.startswith("RuntimeError: unlucky at 0.5, drew ")
    assert 'raise RuntimeError(f"unlucky' in view.traceback
    assert (view.status, view.retry_at, view.held_reason) == ("Suspended", 1.5, None)
    assert [each.id for each in stage.world.workflows(status="Suspended")] == [number]


def test_each_try_draws_the_same_random_numbers(open_world):
    stage = Stage(open_world)
    number = stage.start(fragile(30.0))
    stage.hit(number, 13)
    drawn = set()
    for step in (0.0, 1.0, 2.0, 3.0):
        stage.advance(step)
        drawn.add(stage.world.get(number).error_message.split("drew ")[1])
    assert len(drawn) == 1


@pytest.mark.parametrize("how", HOWS)
def test_a_cancel_ends_the_pause_at_once_and_is_raised_at_the_await(open_world, how):
    stage = Stage(open_world, how)
    number = stage.start(tidy())
    stage.hit(number, 1)
    stage.advance(0.0)
    stage.world.cancel(workflow_id=number, reason="enough")
    stage.advance(0.1)
    assert stage.world.get(number).result == "cancelled: enough"


@pytest.mark.parametrize("how", HOWS)
def test_a_cleanup_that_fails_is_tried_again(open_world, how):
    stage = Stage(open_world, how)
    ears = stage.start(ear(), correlation_id="ear")
    number = stage.start(untidy())
    stage.advance(16.0)
    stage.world.cancel(workflow_id=number, reason="enough")
    stage.advance(0.0)
    assert stage.world.get(number).error_message == "ValueError: cannot clean up yet"
    stage.advance(5.0, 0.0)
    view = stage.world.get(number)
    assert (view.status, view.error_message) == ("Cancelled", "enough")
    assert stage.world.get(ears).locals["heard"] == ["cleaned"]


def test_force_ends_it_without_running_anything(open_world):
    stage = Stage(open_world)
    ears = stage.start(ear(), correlation_id="ear")
    number = stage.start(untidy())
    stage.hit(number, 1)
    stage.advance(0.0)
    stage.world.cancel(workflow_id=number, reason="now", force=True)
    stage.advance(0.0)
    view = stage.world.get(number)
    assert (view.status, view.error_message, view.retry_at) == ("Cancelled", "now", None)
    # Whatever still comes finds it ended.
    stage.world.retry(number)
    stage.advance(5.0, 5.0)
    assert stage.world.get(number).status == "Cancelled"
    assert stage.world.get(ears).locals["heard"] == []


def test_a_first_step_that_failed_is_cancelled_without_running(open_world):
    stage = Stage(open_world)
    number = stage.start(late_starter(1.5))
    stage.world.cancel(workflow_id=number, reason="never mind")
    stage.advance(0.0, 5.0)
    assert stage.world.get(number).status == "Cancelled"


@pytest.mark.parametrize("how", HOWS)
def test_a_first_step_is_tried_again_with_its_arguments(open_world, how):
    stage = Stage(open_world, how)
    number = stage.start(late_starter(2.0))
    stage.advance(1.0, 1.0, 1.0)
    assert stage.world.get(number).result == 3.0


def test_retry_tries_at_once_and_counts_as_a_try(open_world):
    stage = Stage(open_world)
    number = stage.start(late_starter(50.0))
    for retry_at in (1.0, 2.0, 3.0):
        assert stage.world.get(number).retry_at == retry_at
        stage.world.retry(number)
        stage.advance(0.0)
    assert stage.world.get(number).status == "Failed"
    # From Failed on, the tries are counted anew.
    stage.world.retry(number)
    stage.advance(0.0)
    assert stage.world.get(number).retry_at == 1.0
    stage.advance(50.0)
    assert stage.world.get(number).result == 50.0


def test_a_question_is_answered_by_the_try_that_succeeds(open_world):
    stage = Stage(open_world)
    number = stage.start(oracle(3.0))
    answers = [stage.world.ask(Hit(power), workflow_id=number) for power in (1, 2)]
    stage.advance(0.0, 1.0)
    assert [answer.done() for answer in answers] == [False, False]
    stage.advance(2.0)
    stage.world.run_until_idle()
    assert [answer.result() for answer in answers] == [3.0, 3.0]


def test_a_question_is_refused_when_no_try_is_left(open_world):
    stage = Stage(open_world)
    number = stage.start(oracle(100.0))
    answer = stage.world.ask(Hit(), workflow_id=number)
    stage.advance(0.0, 1.0, 2.0)
    assert not answer.done()
    stage.advance(3.0)
    with pytest.raises(AskFailed, match="failed: RuntimeError: no answer yet"):
        answer.result()


CHANGING = """
from deathless import Context, Retry, workflow
@workflow(retry=Retry(attempts=3, delay=1.0))
async def changing(ctx: Context) -> str:
    await ctx.sleep(1.0)
    {body}
"""


@pytest.mark.parametrize("gone", [False, True], ids=["loaded at once", "missing meanwhile"])
def test_the_next_try_runs_the_code_that_is_loaded_then(open_world, load_module, gone):
    world = open_world(load_module(CHANGING.format(body="raise RuntimeError('bad code')")).changing)
    handle = world.start("changing")
    world.pump()
    world.advance(1.0)
    assert world.get(handle.id).retry_at == 2.0
    if gone:
        world.reload([])
        world.advance(1.0)
        world.advance(1.0)
        assert world.get(handle.id).held_reason is not None
    world.reload([load_module(CHANGING.format(body="return 'good'")).changing])
    world.advance(1.0)
    assert handle.result() == "good"


@pytest.mark.parametrize("how", HOWS)
def test_it_need_not_be_in_memory_meanwhile(open_world, how):
    stage = Stage(open_world, how, max_resident=0)
    number = stage.start(fragile(3.0))
    stage.hit(number, 13)
    stage.advance(0.0)
    stage.hit(number, 1)
    stage.advance(1.0, 2.0)
    stage.hit(number, 0)
    stage.advance(0.0)
    assert stage.world.get(number).result == ([13, 1, 0], 3.0)


def test_a_result_that_cannot_be_stored_is_a_failure_like_any_other(open_world):
    stage = Stage(open_world)
    number = stage.start(bad_result())
    stage.advance(1.0)
    assert stage.world.get(number).retry_at == 2.0
    stage.advance(1.0, 2.0, 3.0)
    assert stage.world.get(number).status == "Failed"


def test_senders_hear_when_too_much_waits(open_world):
    stage = Stage(open_world, limits=Limits(unread=3))
    number = stage.start(fragile(100.0))
    stage.hit(number, 13)
    stage.advance(0.0)
    stage.hit(number, 1, 2)
    stage.advance(0.0)
    with pytest.raises(LimitError, match=f"unread signals of workflow {number}"):
        stage.hit(number, 3)


def test_rows_are_the_same_however_the_world_runs(tmp_path, worlds):
    rows = []
    for number, (paranoid, how) in enumerate([(False, HOWS[0]), (True, HOWS[0]), (False, HOWS[1])]):
        worlds.path = tmp_path / f"world{number}"
        stage = Stage(lambda *types, paranoid=paranoid: worlds.open(types, paranoid=paranoid), how)
        stage.world.start(ear(), correlation_id="ear")
        for good_from in (2.0, 4.0, 50.0):
            hit = stage.start(fragile(good_from, 5.0))
            stage.start(parent(good_from))
            stage.hit(hit, 1, 13, 2)
        digests = []
        for step in (0.0, 0.5, 0.5, 1.0, 1.0, 1.0, 3.0, 3.0):
            stage.advance(step)
            digests.append(stage.world.digest())
        rows.append(digests)
        stage.world.close()
    assert rows[0] == rows[1] == rows[2]


@pytest.mark.parametrize("wrong", [3, "twice", Retry])
def test_what_is_no_policy_is_refused_at_decoration(wrong):
    with pytest.raises(DefinitionError, match=r"workflow flow: retry= takes a Retry\(\.\.\.\)"):

        @workflow(retry=wrong)
        async def flow(ctx: Context) -> None:
            pass


def test_a_pause_beyond_the_end_of_time_is_cut(open_world):
    @workflow(retry=Retry(attempts=3, delay=1e300, max_delay=1e300))
    async def hopeless(ctx: Context) -> None:
        raise RuntimeError("no")

    world = open_world(hopeless)
    handle = world.start(hopeless())
    world.pump()
    assert world.get(handle.id).retry_at > 1e12

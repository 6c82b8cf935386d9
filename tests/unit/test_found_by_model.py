"""What games of a Runtime against its model (tests/property/test_runtime_model.py) have found, each by itself."""

from deathless import ActivityContext, AskFailed, Context, Signal, activity, workflow


class Fetch(Signal):
    pass


class Price(Signal):
    pass


@activity
def errand(ctx: ActivityContext) -> None:
    """Never end before nobody waits for it any more."""
    while not ctx.wait(60.0):
        pass


@workflow
async def fetcher(ctx: Context) -> None:
    job = ctx.run(errand())
    while True:
        match await ctx.select(Fetch, job):
            case Fetch():
                pass
            case _:
                return


@workflow
async def shop(ctx: Context) -> None:
    await ctx.receive(Price)
    await ctx.receive(Price)


def test_an_activity_that_is_awaited_is_no_timer(open_world):
    world = open_world(fetcher, errand)
    handle = world.start(fetcher())
    world.pump()
    view = world.get(handle.id)
    assert view.timers == ()
    assert view.awaiting[0] == "Fetch"
    assert view.awaiting[1].startswith("activity ")


def test_a_question_that_is_carried_over_and_finds_its_receiver_ended_has_failed(open_world):
    world = open_world(shop, max_steps_per_turn=1)
    handle = world.start(shop())
    world.pump()
    world.cancel(workflow_id=handle.id)
    answer = world.ask(Price(), workflow_id=handle.id)
    world.run_until_idle()
    assert isinstance(answer.exception(), AskFailed)

"""A world that is closed or crashes comes back as a finished turn."""

import pytest

from deathless import Context, Runtime, RuntimeClosedError, Signal, workflow


class Add(Signal):
    amount: int = 1


class Stop(Signal):
    pass


@workflow
async def counter(ctx: Context, step: float = 0.0) -> int:
    total = 0
    while True:
        match await ctx.receive(Add, Stop):
            case Add(amount):
                total += amount
                if step:
                    await ctx.sleep(step)
            case Stop():
                return total


@workflow
async def relay(ctx: Context, to: int, hops: int) -> int:
    for hop in range(hops):
        ctx.signal(Add(1), entity_id=to)
        await ctx.sleep(0.0)
    return hops


def test_a_world_comes_back_where_it_stood(worlds):
    world = worlds.open([counter])
    handle = world.start(counter(), entity_id=1, correlation_id="team")
    world.signal(Add(5), entity_id=1)
    world.advance(2.0)
    before = world.get(handle.id)
    digest = world.digest()
    world.close()
    world = worlds.open([counter])
    assert (world.recovery.workflows, world.recovery.turn, world.recovery.created) == (1, 2, False)
    assert world.digest() == digest
    assert world.get(handle.id) == before
    world.signal(Add(2), correlation_id="team")
    world.signal(Stop(), entity_id=1)
    world.advance(0.1)
    assert world.get(handle.id).result == 7


def test_a_crash_takes_back_what_was_not_committed_and_nothing_else(worlds):
    world = worlds.open([counter], commit_every=3600.0)
    world.start(counter(), entity_id=1)
    world.advance(0.1)
    world.commit()
    durable = world.turn
    world.signal(Add(1), entity_id=1)
    world.advance(0.1)
    assert world.committed_turn == durable
    worlds.crash(world)
    world = worlds.open([counter])
    assert world.recovery.turn == durable
    (view,) = world.workflows(entity_id=1)
    assert view.locals["total"] == 0


def test_close_commits_accepted_inputs_without_running_them(worlds):
    world = worlds.open([counter])
    handle = world.start(counter(), entity_id=1)
    world.advance(0.1)
    world.signal(Add(3), entity_id=1)
    late = world.start(counter(), entity_id=2)
    world.signal(Add(9), entity_id=2)
    world.close()
    world = worlds.open([counter])
    assert world.recovery.carried_over == 3
    assert world.get(handle.id).locals["total"] == 0
    world.pump()
    assert world.get(handle.id).locals["total"] == 3
    assert world.get(late.id).locals["total"] == 9


def test_ids_are_never_reused_after_a_crash(worlds):
    seen = set()
    for _ in range(4):
        world = worlds.open([counter], commit_every=3600.0)
        for _ in range(3):
            handle = world.start(counter())
            assert handle.id not in seen
            seen.add(handle.id)
        world.advance(0.1)
        worlds.crash(world)


def test_a_turn_cut_by_its_limit_carries_the_rest_over_a_crash(worlds):
    world = worlds.open([counter], max_steps_per_turn=2)
    for entity in range(5):
        world.start(counter(), entity_id=entity)
    report = world.advance(0.1)
    assert (report.steps, report.carried_over) == (2, 3)
    worlds.crash(world)
    world = worlds.open([counter], max_steps_per_turn=2)
    assert world.recovery.carried_over == 3
    assert [world.advance(0.1).steps for _ in range(3)] == [2, 1, 0]
    assert all(view.current_step != "start" for view in world.workflows(type="counter"))


def test_a_zero_budget_still_makes_progress(worlds):
    world = worlds.open([counter])
    for entity in range(5):
        world.start(counter(), entity_id=entity)
    reports = [world.advance(0.1, budget=0.0) for _ in range(5)]
    assert [report.steps for report in reports] == [1] * 5
    with pytest.raises(ValueError, match="budget is at least"):
        world.advance(0.1, budget=-1.0)


def test_committed_futures_wait_for_the_commit(worlds):
    world = worlds.open([counter], commit_every=3600.0)
    handle = world.start(counter())
    future = handle.committed
    world.advance(0.1)
    assert not future.done()
    world.commit()
    assert future.result(timeout=0) == 1
    assert handle.committed.result(timeout=0) == 1


def test_futures_of_turns_that_never_come_fail_at_close(worlds):
    world = worlds.open([counter])
    future = world.committed(1000)
    world.close()
    with pytest.raises(RuntimeClosedError):
        future.result(timeout=0)


def test_on_change_tells_what_a_commit_changed(worlds):
    world = worlds.open([counter, relay])
    seen = []
    end = world.on_change(seen.append)
    handle = world.start(counter(), entity_id=4, correlation_id="c")
    world.advance(0.1)
    world.signal(Stop(), entity_id=4)
    world.advance(0.1)
    assert [[(c.workflow_id, c.type, c.entity_id, c.status) for c in changes] for changes in seen] == [
        [(handle.id, "counter", 4, "Suspended")],
        [(handle.id, "counter", 4, "Completed")],
    ]
    end()
    world.start(counter())
    world.advance(0.1)
    assert len(seen) == 2


def test_every_turn_can_be_replayed_from_its_record(tmp_path):
    from deathless import GameClock

    def open_it(name, **options):
        options = {"clock": GameClock(), "durability": "process", **options}
        return Runtime(tmp_path / name, [counter, relay], **options)

    records = []
    with open_it("one", on_turn=records.append, max_steps_per_turn=7) as world:
        for entity in range(10):
            world.start(counter(0.5), entity_id=entity)
            world.start(relay((entity + 1) % 10, 5))
        for turn in range(30):
            world.signal(Add(turn), entity_id=turn % 10)
            world.advance(0.1)
        digest = world.digest()
    with open_it("two", paranoid=True) as world:
        for record in records:
            if record.turn <= 30:
                world.replay_turn(record)
        assert world.digest() == digest


def test_backup_is_a_world_of_its_own(worlds, tmp_path):
    from deathless import GameClock

    world = worlds.open([counter])
    world.start(counter(), entity_id=1)
    world.advance(0.1)
    world.backup(tmp_path / "copy")
    with Runtime(tmp_path / "copy", [counter], clock=GameClock()) as copy:
        assert copy.digest() == world.digest()


def test_a_world_hands_out_no_id_that_replayed_turns_have_used(tmp_path):
    from deathless import GameClock

    records = []
    with Runtime(tmp_path / "one", [counter], clock=GameClock(), on_turn=records.append) as world:
        started = [world.start(counter(), entity_id=entity).id for entity in range(3)]
        world.advance(0.1)
    # The second one begins where a crash of the first would have let it go on: beyond what was handed out.
    later = [
        record._replace(
            inputs=tuple(given._replace(workflow_id=10**6 + given.workflow_id) for given in record.inputs)
        )
        for record in records[:1]
    ]
    with Runtime(tmp_path / "two", [counter], clock=GameClock()) as world:
        world.replay_turn(later[0])
        assert world.start(counter()).id > 10**6 + max(started)

"""Timers: never early, restarted where they are made anew, kept where they are kept; beats; both clocks."""

import time

import pytest

from deathless import (
    Beat,
    ClockMismatchError,
    Context,
    Elapsed,
    Every,
    GameClock,
    Signal,
    WallClock,
    routine,
    workflow,
)


class Poke(Signal):
    pass


@workflow
async def sleeper(ctx: Context, seconds: float) -> float:
    await ctx.sleep(seconds)
    return ctx.now


@workflow
async def rearming(ctx: Context, seconds: float) -> int:
    pokes = 0
    while True:
        match await ctx.select(ctx.timer(seconds), Poke):
            case Poke():
                pokes += 1
            case Elapsed():
                return pokes


@workflow
async def deadline(ctx: Context, seconds: float) -> int:
    pokes = 0
    end = ctx.timer(seconds, name="end")
    while True:
        match await ctx.select(end, Poke):
            case Poke():
                pokes += 1
            case Elapsed(name, due):
                assert (name, due) == ("end", seconds)
                return pokes


@workflow
async def two_timers(ctx: Context, first: float, second: float) -> list[str]:
    order = []
    a, b = ctx.timer(first, name="a"), ctx.timer(second, name="b")
    for _ in range(2):
        elapsed = await ctx.select(a, b)
        order.append(elapsed.name)
        if elapsed.name == "a":
            a = ctx.timer(1000.0, name="a")
        else:
            b = ctx.timer(1000.0, name="b")
    return order


@workflow
async def drummer(ctx: Context, period: float, count: int) -> list[tuple[int, int, float]]:
    beats = []
    every = ctx.every(period)
    while len(beats) < count:
        match await ctx.select(every, Poke):
            case Beat(n, missed):
                beats.append((n, missed, round(ctx.now, 3)))
            case Poke():
                await ctx.receive(Poke)
    return beats


@routine
async def next_beat(ctx: Context, source: Every) -> Beat:
    return await ctx.select(source)


@workflow
async def in_a_routine(ctx: Context) -> list[int]:
    every = ctx.every(1.0)
    numbers: list[int] = []
    while len(numbers) < 3:
        numbers.append((await next_beat(ctx, every)).n)
    return numbers


@workflow
async def in_a_list(ctx: Context) -> list[int]:
    sources = [ctx.every(1.0), ctx.every(100.0)]
    return [
        (await ctx.select(sources[0])).n,
        (await ctx.select(*sources)).n,
        (await ctx.select(sources[0])).n,
    ]


@workflow
async def in_two_locals(ctx: Context) -> list[int]:
    one = other = ctx.every(1.0)
    return [(await ctx.select(one)).n, (await ctx.select(other)).n, (await ctx.select(one)).n]


@workflow
async def in_no_local(ctx: Context) -> list[int]:
    first, second = await ctx.select(ctx.every(1.0)), await ctx.select(ctx.every(1.0))
    return [first.n, second.n, (await ctx.select(ctx.every(1.0))).n]


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.5, 1.0, 3599.999])
def test_a_sleep_never_ends_early_and_ends_in_the_first_turn_that_reaches_it(open_world, seconds):
    world = open_world(sleeper)
    handle = world.start(sleeper(seconds))
    world.advance(1.0)
    if seconds > 0:
        world.advance(seconds - 0.000_001 if seconds > 0.001 else 0.000_999)
        assert handle.status == "Suspended"
    world.advance(0.000_001)
    assert handle.result() == pytest.approx(1.0 + seconds, abs=1e-6)


def test_a_timer_made_in_a_loop_starts_anew_and_one_kept_does_not(open_world):
    world = open_world(rearming, deadline)
    again, kept = world.start(rearming(1.0), entity_id=1), world.start(deadline(1.0), entity_id=1)
    world.pump()
    for _ in range(3):
        world.advance(0.4)
        world.signal(Poke(), entity_id=1)
    world.advance(0.0)
    assert kept.result() == 2
    assert again.status == "Suspended"
    world.advance(0.999_999)
    assert again.status == "Suspended"
    world.advance(0.000_001)
    assert again.result() == 3


@pytest.mark.parametrize(("first", "second", "order"), [(1.0, 2.0, "ab"), (2.0, 1.0, "ba"), (1.0, 1.0, "ab")])
def test_timers_fire_in_due_order_and_equals_as_listed(open_world, first, second, order):
    world = open_world(two_timers)
    handle = world.start(two_timers(first, second))
    world.pump()
    world.advance(5.0)
    world.advance(0.0)
    assert "".join(handle.result()) == order


def test_beats_do_not_drift(open_world):
    world = open_world(drummer)
    handle = world.start(drummer(0.1, 5))
    world.pump()
    world.run_until(1.0, step=0.03)
    assert handle.result() == [(1, 0, 0.12), (2, 0, 0.21), (3, 0, 0.3), (4, 0, 0.42), (5, 0, 0.51)]


@pytest.mark.parametrize(
    ("kind", "beats"),
    [(in_a_routine, [1, 2, 3]), (in_a_list, [1, 2, 3]), (in_two_locals, [1, 2, 3]), (in_no_local, [1, 1, 1])],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_periodic_source_goes_on_counting_wherever_it_is_kept(open_world, kind, beats):
    world = open_world(kind)
    handle = world.start(kind())
    world.pump()
    for beat in range(3):
        assert min(timer.due for timer in world.get(handle.id).timers) == beat + 1.0
        world.advance(1.0)
    assert handle.result() == beats


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), "soon", 1e300])
def test_a_duration_that_is_no_finite_number_fails_the_step_with_its_value(open_world, wrong):
    @workflow(name="wrong")
    async def wrong_sleeper(ctx: Context) -> None:
        await ctx.sleep(wrong)

    world = open_world(wrong_sleeper)
    handle = world.start(wrong_sleeper())
    world.pump()
    assert "ctx.sleep" in world.get(handle.id).error_message


def test_a_wall_clock_counts_downtime(worlds):
    class Wall(WallClock):
        def now_us(self):
            return self.at

    clock = Wall()
    clock.at = 1_000_000_000
    world = worlds.open([sleeper], clock=clock)
    handle = world.start(sleeper(300.0))
    world.pump()
    world.close()
    for minutes, status in ((4, "Suspended"), (5, "Completed")):
        clock.at = 1_000_000_000 + minutes * 60_000_000
        world = worlds.open([sleeper], clock=clock)
        assert world.recovery.timers_due == (minutes == 5)
        world.pump()
        assert world.get(handle.id).status == status
        world.close()


def test_a_wall_clock_that_is_set_back_keeps_timers_going(worlds, monkeypatch):
    wall = [1_000_000_000_000_000]
    monkeypatch.setattr(time, "time_ns", lambda: wall[0])
    world = worlds.open([sleeper], clock=WallClock())
    handle = world.start(sleeper(60.0))
    world.pump()
    wall[0] -= 3_600_000_000_000
    for _ in range(2):
        world.pump()
        wall[0] += 30_000_000_000
        assert world.get(handle.id).status == "Suspended"
    world.pump()
    assert world.get(handle.id).status == "Completed"
    now = world.now
    world.close()
    world = worlds.open([sleeper], clock=WallClock())
    wall[0] += 1_000_000_000
    world.pump()
    assert now <= world.now <= now + 1.0


def test_a_game_clock_stands_still_while_the_game_is_down(worlds):
    world = worlds.open([sleeper])
    handle = world.start(sleeper(5.0))
    world.advance(1.0)
    world.advance(2.0)
    world.close()
    world = worlds.open([sleeper])
    assert world.now == 3.0
    world.advance(2.9)
    assert world.get(handle.id).status == "Suspended"
    world.advance(0.1)
    assert world.get(handle.id).status == "Completed"


def test_another_kind_of_clock_is_refused_unless_rebased(worlds):
    world = worlds.open([sleeper])
    handle = world.start(sleeper(5.0))
    world.advance(3.0)
    world.close()
    with pytest.raises(ClockMismatchError, match="made with a game clock and opened with a wall clock"):
        worlds.open([sleeper], clock=WallClock())
    world = worlds.open([sleeper], clock=WallClock(), rebase=True)
    assert 3.0 <= world.now < 63.0
    assert 3.0 <= world.get(handle.id).timers[0].due - world.now < 6.0
    world.close()
    world = worlds.open([sleeper], clock=WallClock())
    assert world.now < 120.0
    world.close()
    world = worlds.open([sleeper], rebase=True)
    world.advance(8.0)
    assert world.get(handle.id).status == "Completed"


def test_time_never_goes_back(open_world):
    world = open_world(sleeper)
    world.advance(5.0)
    with pytest.raises(ValueError, match="time never goes back"):
        world.advance(-1.0)
    with pytest.raises(ValueError, match="time never goes back"):
        world.pump(now=1.0)
    assert world.pump(now=6.0).turn == 2
    assert world.now == 6.0


def test_only_a_game_clock_is_advanced(worlds):
    world = worlds.open([sleeper], clock=WallClock())
    for call in (lambda: world.advance(1.0), lambda: world.pump(now=1.0), lambda: world.run_until(1.0)):
        with pytest.raises(TypeError, match="runs on a wall clock"):
            call()


def test_run_until_goes_in_frames(open_world):
    world = open_world(sleeper)
    clock = world._engine.clock
    assert isinstance(clock, GameClock)
    report = world.run_until(1.0, step=0.1)
    assert (report.turn, world.now) == (10, 1.0)

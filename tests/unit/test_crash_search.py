"""The crash search: it passes workflows that keep their state where it lasts, and finds those that do not."""

import random

import pytest

from deathless import (
    ChildFailed,
    Context,
    Elapsed,
    GameClock,
    ReducerContext,
    Runtime,
    Signal,
    Table,
    reducer,
    routine,
    workflow,
)
from deathless.runtime.world_state import Leftover
from deathless.tools.crash_search import OutcomeDiffers, crash_everywhere
from deathless.tools.stepped_world import SteppedWorld
from deathless.workflows.library import buff, combat, npc_patrol, production
from deathless.workflows.library.buff import Dispel, Stack
from deathless.workflows.library.npc_patrol import Threat
from deathless.workflows.library.production import Deliver, Pause, Resume


class Hit(Signal):
    amount: int = 1


@pytest.fixture
def search(tmp_path):
    def run(scenario, *workflows, **options):
        return crash_everywhere(scenario, workflows, directory=tmp_path, **options)

    return run


# -- what passes -----------------------------------------------------------------------------------------------


def buffs(world):
    handles = [world.start(buff(10.0, "haste"), entity_id=number) for number in range(3)]
    world.advance(5)
    world.signal(Stack(2), entity_id=0)
    world.signal(Dispel(), entity_id=1)
    world.advance(20)
    return [handle.status == "Completed" and handle.result() for handle in handles]


def workshop(world):
    handle = world.start(production("sword", {"iron": 2}, 3.0, quantity=2), entity_id=1)
    world.advance(1)
    world.signal(Deliver("iron", 4), entity_id=1)
    world.advance(1)
    world.signal(Pause(), entity_id=1)
    world.advance(10)
    world.signal(Deliver("wood", 1), entity_id=1)
    world.signal(Resume(), entity_id=1)
    world.advance(10)
    return handle.result()


def patrol(world):
    handle = world.start(npc_patrol([(0, 0), (10, 0)], laps=2), entity_id=1)
    world.advance(3)
    world.signal(Threat(), entity_id=1)
    world.signal(Threat(hp=3), entity_id=1)
    world.advance(90)
    return handle.result()


@pytest.mark.parametrize(
    ("scenario", "workflows"),
    [(buffs, [buff]), (workshop, [production]), (patrol, [npc_patrol, combat])],
    ids=["buff", "production", "npc_patrol"],
)
def test_the_library_passes(search, scenario, workflows):
    report = search(scenario, *workflows)
    assert report.crashes == report.steps >= 7
    assert report.outcome


@workflow
async def hero(ctx: Context, hp: int) -> tuple[int, list[int]]:
    rolls = []
    while hp > 0:
        match await ctx.select(Hit, ctx.timer(5)):
            case Hit(amount):
                rolls.append(ctx.random.randrange(10))
                hp -= amount
            case Elapsed():
                break
    return hp, rolls


@workflow
async def party(ctx: Context) -> list[object]:
    heroes = [ctx.spawn(hero(hp), entity_id=hp) for hp in (2, 3)]
    await ctx.sleep(0)
    for member in heroes:
        ctx.signal(Hit(1), workflow_id=member.workflow_id)
    ends: list[object] = []
    for member in heroes:
        ends.append(await member)
    try:
        await ctx.spawn(faint())
    except ChildFailed as error:
        ends.append(str(error))
    return ends


@workflow
async def faint(ctx: Context) -> None:
    await ctx.sleep(1)
    raise RuntimeError("fainted")


def adventure(world):
    handle = world.start(party())
    world.advance(1)
    world.signal(Hit(2), entity_id=3)
    world.advance(10)
    late = world.start(hero(9))
    world.advance(1)
    return handle.result(), late.id


def test_chance_children_their_ids_and_failures_are_the_same_after_a_crash(search):
    assert search(adventure, party, hero, faint).crashes == 15


class Alarm(Signal):
    zone: int
    echo: bool = False


@workflow
async def watchman(ctx: Context, zone: int) -> list[tuple[float, bool]]:
    """Hear alarms, and hand on each that is no echo."""
    ctx.subscribe(Alarm, zone=zone)
    heard = []
    while len(heard) < 5:
        alarm = await ctx.receive(Alarm)
        heard.append((ctx.now, alarm.echo))
        if not alarm.echo:
            ctx.publish(Alarm(zone, echo=True))
    return heard


def alarms(world):
    guards = [world.start(watchman(zone)) for zone in (1, 2, 1, 1)]
    for zone in (1, 2, 1):
        world.advance(1)
        world.publish(Alarm(zone))
    world.advance(1)
    return [(guard.status, guard.status == "Completed" and guard.result()) for guard in guards]


def test_broadcasts_are_the_same_after_a_crash_between_their_receivers(search):
    report = search(alarms, watchman)
    assert [status for status, _ in report.outcome] == ["Completed", "Suspended", "Completed", "Completed"]
    # Four starts, one alarm with one receiver, and two with three, who each send an echo to the other two; the last
    # echo finds nobody who still listens.
    assert report.steps == 4 + 1 + 2 * (3 + 3 * 2) - 3


def test_a_step_is_a_message_and_not_a_turn(search):
    def scenario(world):
        for _ in range(5):
            world.start(buff(60.0))
        world.advance(1)

    assert search(scenario, buff).steps == 5


def test_each_crash_is_one_recovery_at_the_step_and_time_that_it_names(tmp_path):
    def run(name, crash_after):
        world = SteppedWorld(tmp_path / name, [npc_patrol, combat], crash_after)
        opened = []
        open_world = world._open
        world._open = lambda: (open_world(), opened.append((world.steps, world.now)))
        patrol(world)
        digest = world.digest()
        world.close()
        return opened, digest, world.places

    _, expected, places = run("plain", 0)
    for step in (1, 2, len(places) // 2, len(places)):
        opened, digest, crashed = run(f"crash{step}", step)
        assert [number for number, _ in opened] == [step]
        assert f", at {round(opened[0][1], 3)} s" in places[step - 1]
        assert (digest, crashed) == (expected, places)


def test_turns_of_one_message_leave_what_whole_turns_leave(tmp_path):
    @workflow
    async def restless(ctx: Context, rounds: int) -> list[float]:
        when = []
        for _ in range(rounds):
            await ctx.sleep(0)
            when.append(ctx.now)
        return when

    def scenario(world):
        for rounds in (5, 3, 4):
            world.start(restless(rounds))
        patrol(world)
        buffs(world)
        alarms(world)

    types = [restless, npc_patrol, combat, buff, watchman]
    with Runtime(tmp_path / "whole", types, clock=GameClock(), durability="process") as whole:
        # `advance` of a Runtime is one turn; a game calls it for each frame.
        whole.advance = lambda dt: whole.run_until(whole.now + dt)
        scenario(whole)
        expected = whole.digest()
    stepped = SteppedWorld(tmp_path / "stepped", types)
    scenario(stepped)
    assert stepped.digest() == expected
    stepped.close()


def test_timers_without_delay_end_no_frame_and_no_search(search):
    @workflow
    async def busy(ctx: Context) -> None:
        while True:
            await ctx.sleep(0)

    def scenario(world):
        for _ in range(3):
            world.start(busy())
        world.advance(0.1)
        return world.now

    report = search(scenario, busy)
    assert report.outcome == 0.1
    assert report.steps == 3 * 6


def test_a_scenario_may_crash_and_restart_by_itself(search):
    def scenario(world):
        handle = world.start(buff(10.0))
        world.advance(2)
        world.crash()
        world.signal(Stack(), workflow_id=handle.id)
        world.restart()
        world.advance(11)
        return handle.result()["stacks"]

    assert search(scenario, buff).outcome == 2


def test_handles_and_values_that_are_not_equal_to_themselves_may_be_returned(search):
    def scenario(world):
        handle = world.start(buff(10.0))
        world.advance(1)
        return handle, float("nan"), {handle: {3, 1, 2}}

    search(scenario, buff)


def test_every_and_at_choose_the_crashes(search):
    runs = []

    def told(number, total, place):
        runs.append((number, total, place.split(":")[0]))

    assert search(patrol, npc_patrol, combat, every=10, progress=told).crashes == len(runs)
    assert [step for _, _, step in runs] == [
        f"step {1 + 10 * i} of {runs[0][2].split()[-1]}" for i in range(len(runs))
    ]
    runs.clear()
    assert search(patrol, npc_patrol, combat, at=7, progress=told).crashes == 1
    assert runs == [(1, 1, runs[0][2])]
    assert runs[0][2].startswith("step 7 of ")


def test_no_world_is_left_on_the_disk(search, tmp_path):
    search(buffs, buff)
    assert not list(tmp_path.iterdir())


# -- what is found ----------------------------------------------------------------------------------------------

tally = {}
total = 0


def count_globally():
    global total
    total += 1
    return total


class Scoreboard:
    hits = 0


scoreboard = Scoreboard()


def count_in_an_object():
    scoreboard.hits += 1
    return scoreboard.hits


def count_in_a_table():
    tally["hits"] = tally.get("hits", 0) + 1
    return tally["hits"]


@workflow
async def in_a_table(ctx: Context) -> int:
    for _ in range(3):
        await ctx.receive(Hit)
        hits = count_in_a_table()
    return hits


@workflow
async def in_a_variable(ctx: Context) -> int:
    for _ in range(3):
        await ctx.receive(Hit)
        hits = count_globally()
    return hits


@workflow
async def in_an_object(ctx: Context) -> int:
    for _ in range(3):
        await receive_hit(ctx)
        hits = count_in_an_object()
    return hits


@routine
async def receive_hit(ctx: Context) -> None:
    await ctx.receive(Hit)


def hits_on(kind):
    def scenario(world):
        handle = world.start(kind(), entity_id=7)
        for _ in range(3):
            world.advance(1)
            world.signal(Hit(), entity_id=7)
        world.advance(1)
        return handle.result()

    return scenario


@pytest.mark.parametrize("kind", [in_a_table, in_a_variable, in_an_object], ids=lambda kind: kind.name)
def test_state_outside_of_the_workflow_is_found_and_named(search, kind):
    with pytest.raises(OutcomeDiffers) as caught:
        search(hits_on(kind), kind)
    # After the first step nothing is counted yet.
    assert caught.value.step == 2
    text = str(caught.value)
    assert text.startswith(
        f"the outcome is another after a crash that followed step 2 of 4: {kind.name} 1 (entity 7), "
        "which then awaited Hit (test_crash_search.py:"
    )
    assert caught.value.differences == [
        "  the scenario returned\n    without: 3\n    with it: 2",
        f"  workflow 1 ({kind.name}), result\n    without: 3\n    with it: 2",
    ]
    assert text.endswith("This crash alone: crash_everywhere(..., at=2)")


def test_state_around_a_workflow_is_found(search):
    seen = []

    @workflow
    async def closed_over(ctx: Context) -> int:
        await ctx.receive(Hit)
        seen.append(1)
        await ctx.receive(Hit)
        seen.append(1)
        await ctx.receive(Hit)
        return len(seen)

    with pytest.raises(OutcomeDiffers, match="step 2 of 4"):
        search(hits_on(closed_over), closed_over)


def test_a_difference_in_a_workflow_that_goes_on_is_found(search):
    @workflow
    async def forever(ctx: Context) -> None:
        hits = 0
        while True:
            await ctx.receive(Hit)
            hits = max(hits, count_globally())

    def scenario(world):
        world.start(forever())
        world.advance(1)
        for _ in range(2):
            world.signal(Hit(), workflow_id=1)
            world.advance(1)

    with pytest.raises(OutcomeDiffers, match=r"workflow 1 \(forever\), locals"):
        search(scenario, forever)


def test_a_failure_after_a_crash_shows_status_and_error(search):
    @workflow
    async def brittle(ctx: Context) -> int:
        tally["ready"] = 1
        await ctx.receive(Hit)
        return tally["ready"]

    def scenario(world):
        world.start(brittle(), entity_id=7)
        world.advance(1)
        world.signal(Hit(), entity_id=7)
        world.advance(1)

    with pytest.raises(OutcomeDiffers) as caught:
        search(scenario, brittle)
    text = str(caught.value)
    assert "workflow 1 (brittle), status" in text
    assert "KeyError: 'ready'" in text


scores = Table("scores", key=str, value=int)


@reducer
def score(ctx: ReducerContext, who: str, points: int) -> int:
    rows = ctx.table(scores)
    rows[who] = rows.get(who, 0) + points
    return rows[who]


@reducer
def score_from_memory(ctx: ReducerContext, who: str, points: int) -> int:
    ctx.table(scores)[who] = count_in_a_table() * points
    return 0


def scoring(reduce):
    @workflow
    async def scorer(ctx: Context) -> None:
        for _ in range(3):
            await ctx.receive(Hit)
            ctx.call(reduce, "hero", 10)

    def scenario(world):
        world.start(scorer(), entity_id=7)
        for _ in range(3):
            world.advance(1)
            world.signal(Hit(), entity_id=7)
        world.advance(1)
        world.call(reduce, "foe", 5)
        world.advance(1)

    return scenario, scorer, reduce, scores


def test_tables_are_compared_too(search):
    steps = []
    assert search(*scoring(score), progress=lambda *told: steps.append(told[2])).crashes == 5
    assert "a call that changed no workflow, at 4.017 s" in steps[-1]
    with pytest.raises(OutcomeDiffers) as caught:
        search(*scoring(score_from_memory))
    assert caught.value.step == 2
    (told,) = caught.value.differences
    assert (
        told == "  table scores\n    without: {'foe': 20, 'hero': 30}\n    with it: {'foe': 15, 'hero': 20}"
    )


def test_workflows_that_are_there_in_one_run_only_are_named(search):
    @workflow
    async def breeder(ctx: Context) -> None:
        await ctx.receive(Hit)
        if count_in_a_table() == 1:
            await ctx.receive(Hit)
        if count_in_a_table() == 2:
            ctx.spawn(in_a_table(), on_parent_close="abandon")

    def scenario(world):
        world.start(breeder(), entity_id=7)
        world.advance(1)
        for _ in range(2):
            world.signal(Hit(), entity_id=7)
            world.advance(1)

    with pytest.raises(OutcomeDiffers) as caught:
        search(scenario, breeder, in_a_table)
    assert "  workflow 2 (in_a_table)\n    without: is there\n    with it: is not there" in str(caught.value)


def test_large_values_are_shown_by_what_differs_in_them(search):
    def scenario(world):
        handle = world.start(in_a_table(), entity_id=7)
        for _ in range(3):
            world.signal(Hit(), entity_id=7)
            world.advance(1)
        return {f"item {number}": number for number in range(50)} | {"hits": handle.result()}

    with pytest.raises(OutcomeDiffers) as caught:
        search(scenario, in_a_table)
    (returned, _) = caught.value.differences
    assert "    -{'hits': 3," in returned
    assert "    +{'hits': 2," in returned
    assert "item 30" not in returned


def test_what_a_scenario_raises_after_a_crash_says_where_the_crash_was(search):
    def scenario(world):
        assert hits_on(in_a_table)(world) == 3

    with pytest.raises(AssertionError) as caught:
        search(scenario, in_a_table)
    assert not isinstance(caught.value, OutcomeDiffers)
    (note,) = caught.value.__notes__
    assert note.startswith("raised in a crash search, after a crash that followed step 2 of 4: in_a_table 1")


def test_what_a_scenario_raises_without_a_crash_says_so(search):
    def scenario(world):
        raise KeyError("sword")

    with pytest.raises(KeyError) as caught:
        search(scenario, buff)
    assert caught.value.__notes__ == ["raised in a crash search, in the run without a crash"]


def test_a_scenario_that_is_never_the_same_twice_is_not_blamed_on_a_crash(search):
    def scenario(world):
        world.start(buff(10.0))
        world.advance(1)
        return random.random()  # noqa: S311 - it is the fault that is planted.

    with pytest.raises(OutcomeDiffers, match="another each time, without any crash") as caught:
        search(scenario, buff)
    assert caught.value.step == 0


def test_a_scenario_that_carries_something_over_to_its_next_run_is_told_so(search):
    runs = []

    def scenario(world):
        runs.append(world)
        for _ in range(3 if len(runs) < 4 else 1):
            world.start(buff(10.0))
        world.advance(1)

    with pytest.raises(OutcomeDiffers, match="nothing left from the run before") as caught:
        search(scenario, buff)
    (difference,) = caught.value.differences
    assert difference.startswith("  a step before any crash\n    first: buff 2, which then awaited")
    assert difference.endswith("    again: none")


def test_a_world_that_loses_messages_of_a_cut_turn_is_found(search, monkeypatch):
    monkeypatch.setattr("deathless.runtime.recovery.load_leftover", lambda store: Leftover([], [], []))
    with pytest.raises(OutcomeDiffers, match="step 1 of 7"):
        search(buffs, buff)


# -- misuse ------------------------------------------------------------------------------------------------------


async def asynchronous(world):
    pass


@pytest.mark.parametrize(
    ("scenario", "options", "error", "message"),
    [
        (lambda world: None, {}, ValueError, "made no step: let it start a workflow"),
        (lambda world: world.start(buff(1.0)), {}, ValueError, "and then advance the world"),
        (None, {}, TypeError, "ordinary function of a world, not None"),
        (asynchronous, {}, TypeError, "ordinary function of a world"),
        (buffs, {"every": 0}, ValueError, "every is at least 1, not 0"),
        (buffs, {"at": 0}, ValueError, "one of the scenario's steps, 1 to 7, not 0"),
        (buffs, {"at": 8}, ValueError, "1 to 7, not 8"),
        (buffs, {"max_steps_per_turn": 2}, TypeError, "leave max_steps_per_turn= out"),
        (buffs, {"commit_every": 0.5}, TypeError, "leave commit_every= out"),
    ],
)
def test_misuse_is_explained(search, scenario, options, error, message):
    with pytest.raises(error, match=message):
        search(scenario, buff, **options)

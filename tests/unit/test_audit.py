"""The audit log: which events a world writes down, of what, for how long, and how they are read."""

import itertools
import time

import pytest

from deathless import (
    ActivityContext,
    Context,
    GameClock,
    Retention,
    Retry,
    Runtime,
    Signal,
    WorldCorruptError,
    activity,
    reducer,
    workflow,
)
from deathless.runtime.audit.events import EVENTS, PLACES
from deathless.runtime.audit.reader import AuditReader
from deathless.runtime.audit.tables import EVENT_TABLE
from deathless.runtime.storage.store import Store
from deathless.runtime.storage.world_reader import WorldReader
from deathless.tools.replay.saved_world import SavedWorld
from deathless.tools.replay.verification import verify_world


class Hit(Signal):
    damage: int


class Heal(Signal):
    pass


class Ready(Signal):
    pass


@workflow
async def orc(ctx: Context, hp: int) -> str:
    while hp > 0:
        match await ctx.select(Hit, ctx.timer(1.0, name="regenerate")):
            case Hit(damage):
                if damage < 0:
                    raise ValueError("no such damage")
                hp -= damage
            case _:
                ctx.step("regenerating")
                hp += 1
    return "dead"


@workflow
async def pack_leader(ctx: Context) -> str:
    child = ctx.spawn(orc(1))
    ctx.signal(Hit(1), workflow_id=child.workflow_id)
    await ctx.receive(Ready)
    await child
    return await ctx.run(howl())


@activity
def howl(ctx: ActivityContext) -> str:
    return "owooo"


@workflow(retry=Retry(attempts=2, delay=1.0))
async def clumsy(ctx: Context) -> None:
    await ctx.receive(Heal)
    raise ValueError("dropped it")


@workflow
async def drummer(ctx: Context) -> None:
    beats = ctx.every(1.0)
    for _ in range(2):
        await ctx.select(beats)
    await ctx.sleep(1.0)


@workflow(name="courier")
async def old_courier(ctx: Context) -> None:
    parcel = "a"
    await ctx.sleep(1.0)
    await ctx.receive(Ready)
    assert parcel


@workflow(name="courier")
async def new_courier(ctx: Context) -> None:
    while True:
        await ctx.select(Heal)


@reducer
def bless(ctx, entity: int) -> str:
    if entity == 0:
        raise ValueError("nobody is there")
    ctx.signal(Hit(0), entity_id=entity)
    return "blessed"


TYPES = [orc, pack_leader, howl, clumsy, drummer, bless]


def open_world(path, types=TYPES, **options):
    return Runtime(path, types, clock=GameClock(), durability="process", **{"audit": True, **options})


def wait_for(condition):
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends


def said(world, workflow_id=None):
    return [(event.event, event.detail) for event in world.audit(workflow_id, limit=1000)]


def test_what_becomes_of_a_workflow_is_written_down_with_where_it_stood(tmp_path):
    with open_world(tmp_path / "world") as world:
        fighter = world.start(orc(3), entity_id=7)
        world.advance(0.5)
        world.signal(Hit(1), entity_id=7)
        world.advance(0.75)
        world.advance(1.0)
        world.signal(Hit(9), entity_id=7)
        world.advance(0.25)
        found = world.audit()
        awaits = found[1].current_step
        assert [(e.turn, e.time, e.event, e.detail, str(e.status), e.current_step) for e in found] == [
            (1, 0.5, "started", "", "Suspended", "start"),
            (2, 1.25, "signalled", "Hit", "Suspended", awaits),
            (3, 2.25, "timer_fired", "regenerate", "Suspended", "regenerating"),
            (4, 2.5, "signalled", "Hit", "Completed", "Completed"),
            (4, 2.5, "completed", "", "Completed", "Completed"),
        ]
        assert "regenerate" in awaits
        assert {(e.workflow_id, e.type, e.entity_id) for e in found} == {(fighter.id, "orc", 7)}
        assert [e.id for e in found] == [1 * PLACES, 2 * PLACES, 3 * PLACES, 4 * PLACES, 4 * PLACES + 1]


def test_a_step_is_where_the_workflow_says_it_is(tmp_path):
    with open_world(tmp_path / "world") as world:
        fighter = world.start(orc(3))
        for signal in (None, Hit(1), Hit(1), Hit(-1)):
            if signal is not None:
                world.signal(signal, workflow_id=fighter.id)
            world.advance(0.5)
            now = world.get(fighter.id)
            last = world.audit()[-1]
            if signal is not None:
                assert (last.status, last.current_step) == (now.status, now.current_step)
        assert last.event == "failed"


def test_a_failure_says_its_error_and_a_retry_is_written_down(tmp_path):
    with open_world(tmp_path / "world") as world:
        fighter = world.start(orc(3), entity_id=1)
        world.advance(0.1)
        world.signal(Hit(-1), entity_id=1)
        world.advance(0.1)
        world.retry(fighter.id)
        world.advance(0.1)
        world.cancel(workflow_id=fighter.id, reason="hopeless", force=True)
        world.advance(0.1)
        assert said(world, fighter.id) == [
            ("started", ""),
            ("signalled", "Hit"),
            ("failed", "ValueError: no such damage"),
            ("retried", ""),
            ("failed", "ValueError: no such damage"),
            ("cancel_requested", "hopeless"),
            ("cancelled", "hopeless"),
        ]


def test_tries_of_a_step_are_written_down_each(tmp_path):
    with open_world(tmp_path / "world") as world:
        one = world.start(clumsy())
        world.advance(0.1)
        world.signal(Heal(), workflow_id=one.id)
        world.advance(0.1)
        world.advance(1.5)
        assert said(world) == [
            ("started", ""),
            ("signalled", "Heal"),
            ("step_failed", "ValueError: dropped it"),
            ("retried", ""),
            ("failed", "ValueError: dropped it"),
        ]


def test_a_message_that_nobody_awaits_is_buffered_until_it_is(tmp_path):
    with open_world(tmp_path / "world") as world:
        leader = world.start(pack_leader())
        world.advance(0.1)
        (child,) = (e.workflow_id for e in world.audit() if e.type == "orc" and e.event == "started")
        assert said(world, child) == [
            ("started", f"child of {leader.id}"),
            ("signalled", "Hit"),
            ("completed", ""),
        ]
        world.signal(Ready(), workflow_id=leader.id)
        world.advance(0.1)
        # The activity runs on a thread of its own.
        wait_for(lambda: bool(world.advance(0.1)) and not leader.status.active)
        found = said(world, leader.id)
        assert found[:-2] == [
            ("started", ""),
            ("buffered", f"child {child} Completed"),
            ("signalled", "Ready"),
            ("child_ended", f"{child} Completed"),
        ]
        assert found[-2][0] == "activity_ended"
        assert found[-2][1].endswith(" Completed")
        assert found[-1] == ("completed", "")


def test_beats_and_sleeps_are_timers(tmp_path):
    with open_world(tmp_path / "world") as world:
        world.start(drummer())
        for _ in range(5):
            world.advance(1.0)
        assert said(world) == [
            ("started", ""),
            ("timer_fired", "beat 1"),
            ("timer_fired", "beat 2"),
            ("timer_fired", ""),
            ("completed", ""),
        ]


def test_calls_from_outside_are_written_down_with_their_callers(tmp_path):
    with open_world(tmp_path / "world") as world:
        world.start(orc(3), entity_id=4)
        world.advance(0.1)
        world.call(bless, 4)
        world.call("bless", 0)
        world.advance(0.1)
        found = world.audit()[1:]
        assert [(e.event, e.type, e.workflow_id) for e in found] == [
            ("reducer_called", "bless", None),
            ("reducer_called", "bless", None),
            ("reducer_failed", "bless", None),
            ("signalled", "orc", 1),
        ]
        assert found[2].detail == "ValueError: nobody is there"
        assert (found[0].status, found[0].current_step, found[0].entity_id) == (None, None, None)


def test_a_deletion_is_written_down_and_what_was_said_before_stays(tmp_path):
    with open_world(tmp_path / "world") as world:
        fighter = world.start(orc(1), entity_id=3)
        world.advance(0.1)
        world.signal(Hit(1), entity_id=3)
        world.advance(0.1)
        world.call("cleanup_old_workflows", 0)
        world.advance(0.1)
        assert world.find(fighter.id) is None
        last = world.audit(fighter.id)[-1]
        assert (last.event, last.type, last.entity_id, str(last.status)) == ("deleted", "orc", 3, "Completed")
        assert len(world.audit(fighter.id)) == 4


def test_a_workflow_is_held_once_however_often_the_world_is_opened_and_resumes(tmp_path):
    path = tmp_path / "world"
    with open_world(path, [old_courier]) as world:
        started = world.start(old_courier())
        world.advance(0.5)
        waiting = world.start(old_courier())
    for _ in range(3):
        with open_world(path, [new_courier]) as world:
            world.advance(1.0)
            world.advance(1.0)
    with open_world(path, [orc]) as world:
        world.advance(1.0)
        held = {number: said(world, number) for number in (started.id, waiting.id)}
    assert [event for event, _ in held[started.id]] == ["started", "held"]
    with open_world(path, [old_courier]) as world:
        world.advance(1.0)
        assert [event for event, _ in said(world, started.id)] == [
            "started",
            "held",
            "resumed",
            "timer_fired",
        ]


@pytest.mark.parametrize("paranoid", [False, True])
def test_a_type_that_is_not_there_yet_holds_a_workflow_until_a_reload(tmp_path, paranoid):
    path = tmp_path / "world"
    with open_world(path, [orc, drummer]) as world:
        world.start(drummer())
    with open_world(path, [orc], paranoid=paranoid) as world:
        world.advance(0.1)
        world.advance(0.1)
        world.reload([orc, drummer])
        world.advance(0.1)
        found = said(world)
    assert [event for event, _ in found] == ["started", "held", "resumed"]
    assert "drummer" in found[1][1]


def play(world):
    """Play a little of everything."""
    leader = world.start(pack_leader(), entity_id=1)
    fighters = [world.start(orc(n), entity_id=n) for n in range(2, 9)]
    for n in range(2, 9):
        world.advance(0.3)
        world.signal(Hit(n - 4), entity_id=n)
    world.call(bless, 0)
    world.cancel(workflow_id=fighters[4].id, reason="enough")
    world.signal(Ready(), workflow_id=leader.id)
    world.advance(0.5)


def test_a_world_is_the_same_with_and_without_an_audit_log(tmp_path):
    digests, hashes = set(), set()
    for at, (audit, paranoid) in enumerate(itertools.product((False, True), (False, True))):
        with open_world(tmp_path / str(at), audit=audit, history="all", paranoid=paranoid) as world:
            play(world)
            # The activity ends when it ends.
            digests.add(world.digest())
            hashes.add(world._engine.history.last)
        with SavedWorld(tmp_path / str(at), world._engine.registry) as saved:
            assert not verify_world(saved, lambda _done, _of: None).findings
    assert len(digests) == len(hashes) == 1


def test_the_events_are_the_same_whether_steps_are_resumed_from_memory_or_from_bytes(tmp_path):
    found = []
    for name, options in {"warm": {}, "paranoid": {"paranoid": True}, "few": {"max_resident": 1}}.items():
        with open_world(tmp_path / name, **options) as world:
            play(world)
            found.append(world.audit(limit=1000))
    assert found[0] == found[1] == found[2]


def test_without_an_audit_log_nothing_stands_in_the_way_of_a_step(tmp_path):
    with open_world(tmp_path / "world", audit=False) as world:
        play(world)
        system = world._engine.system
        assert system.handle == system.stepper.handle
        assert system.stepper.run == system.stepper._run
        assert world.audit() == []
        assert EVENT_TABLE not in world._engine.store.stats().entries


def test_an_audit_log_stays_when_the_world_is_opened_without(tmp_path):
    with open_world(tmp_path / "world") as world:
        world.start(orc(3))
        world.advance(0.1)
    with open_world(tmp_path / "world", audit=False) as world:
        world.start(orc(3))
        world.advance(0.1)
        assert said(world) == [("started", "")]


def test_events_come_in_either_direction_from_any_start(tmp_path):
    with open_world(tmp_path / "world") as world:
        for n in range(40):
            for _ in range(1 + 50 * (n % 3)):
                world.start(orc(3))
            world.advance(0.1)
        store = world._engine.store
        whole = list(AuditReader(store).events())
        with store.read_view() as view:
            sources = [store, view]
            for source in sources:
                reader = AuditReader(source)
                assert list(reader.events()) == whole
                assert list(reader.events(backwards=True)) == whole[::-1]
                for at in (0, 1, 700, len(whole) - 1):
                    start = whole[at].id
                    assert list(reader.events(start)) == whole[at:]
                    assert list(reader.events(start, backwards=True)) == whole[at::-1]
                for start in (0, -5, 2**80):
                    assert list(reader.events(start)) == (whole if start <= 0 else [])
                    assert list(reader.events(start, backwards=True)) == ([] if start <= 0 else whole[::-1])
    with WorldReader(tmp_path / "world") as reader:
        assert list(AuditReader(reader).events(backwards=True)) == whole[::-1]
        assert list(AuditReader(reader).events()) == whole
    assert {event.event for event in whole} <= set(EVENTS)


def test_the_last_events_are_read_without_the_others(tmp_path, monkeypatch):
    with open_world(tmp_path / "world") as world:
        for _ in range(300):
            world.start(orc(3))
            world.advance(0.1)
        unpacked = []
        real = AuditReader._unpacked
        monkeypatch.setattr(
            AuditReader, "_unpacked", lambda self, *turn: unpacked.append(turn) or real(self, *turn)
        )
        assert len(world.audit(limit=10)) == 10
        assert len(unpacked) <= 10


@pytest.mark.parametrize(
    ("retention", "turns"),
    [
        (Retention(turns=50, size=None), 50),
        (Retention(age=5.0, size=None), 51),
        (Retention(size=None), 400),
    ],
)
def test_the_oldest_events_go_first(tmp_path, retention, turns):
    with open_world(tmp_path / "world", audit_retention=retention) as world:
        for _ in range(400):
            world.start(orc(3))
            world.advance(0.1)
        found = {event.turn for event in world.audit(limit=10**6)}
        assert max(found) == world.turn
        assert found == set(range(world.turn - len(found) + 1, world.turn + 1))
        assert abs(len(found) - turns) <= 1


def test_a_size_bounds_the_log_though_turns_lie_in_many_pieces(tmp_path):
    with open_world(tmp_path / "world", audit_retention=Retention(size=100_000)) as world:
        for _ in range(100):
            for _ in range(300):
                world.start(orc(3), entity_id=5)
            world.advance(0.001)
        store = world._engine.store
        assert store.table_bytes([EVENT_TABLE]) <= 150_000
        found = world.audit(limit=10**6)
        assert found[-1].turn == world.turn
        whole = {}
        for event in found:
            whole[event.turn] = whole.get(event.turn, 0) + 1
        assert set(whole.values()) == {300}


def test_a_damaged_turn_is_named(tmp_path):
    with open_world(tmp_path / "world") as world:
        world.start(orc(3))
        world.advance(0.1)
    with Store.open(tmp_path / "world") as store:
        ((key, _),) = store.scan(EVENT_TABLE)
        store.commit({EVENT_TABLE: {key: b"\x92\x01"}})
    with open_world(tmp_path / "world") as world:
        with pytest.raises(WorldCorruptError, match="the events of turn 1 do not decode"):
            world.audit()


def test_wrong_options_are_refused_before_anything_is_opened(tmp_path):
    with pytest.raises(TypeError, match="audit is True or False, not 'yes'"):
        Runtime(tmp_path / "world", [orc], audit="yes")
    with pytest.raises(TypeError, match=r"audit_retention is a Retention\(...\), not 5"):
        Runtime(tmp_path / "world", [orc], audit=True, audit_retention=5)
    assert not (tmp_path / "world").exists()
    with open_world(tmp_path / "world") as world:
        with pytest.raises(ValueError, match="limit is a whole number from 1 up, not 0"):
            world.audit(limit=0)


def test_no_value_of_a_signal_or_a_call_is_in_the_log(tmp_path):
    with open_world(tmp_path / "world") as world:
        world.start(orc(98765), entity_id=1)
        world.advance(0.1)
        world.signal(Hit(43210), entity_id=1)
        world.call("bless", 55555)
        world.advance(0.1)
        stored = b"".join(value for _, value in world._engine.store.scan(EVENT_TABLE))
    for secret in (98765, 43210, 55555):
        assert secret.to_bytes(4, "big").lstrip(b"\0") not in stored

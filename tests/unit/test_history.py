"""History as a game sees it: what is recorded, of whom, for how long, and what a turn's hash says."""

import pytest

from deathless import (
    Context,
    GameClock,
    LimitError,
    Limits,
    Retention,
    Runtime,
    Signal,
    SignalNotAccepted,
    UnknownWorkflowError,
    reducer,
    workflow,
)
from deathless.runtime.history.reader import HistoryReader
from deathless.runtime.history.tables import GROWING_TABLES, STEP_TABLE
from deathless.runtime.registration import registry_of
from deathless.runtime.storage.world_reader import WorldReader
from deathless.tools.replay.saved_world import SavedWorld
from deathless.tools.replay.verification import verify_workflow, verify_world
from deathless.tools.replay.verifier import Verifier
from deathless.workflows.errors import HistoryError


class Hit(Signal):
    damage: int


class Heal(Signal):
    pass


@workflow
async def orc(ctx: Context, hp: int) -> str:
    while hp > 0:
        match await ctx.select(Hit, Heal, ctx.timer(1.0, name="regenerate")):
            case Hit(damage):
                hp -= damage
            case _:
                hp += 1
    return "dead"


@workflow(history="off")
async def rat(ctx: Context) -> None:
    while True:
        await ctx.select(Hit)


@workflow(history="all")
async def boss(ctx: Context) -> None:
    while True:
        await ctx.select(Hit)


@reducer
def price(ctx, item: str) -> int:
    if item == "crown":
        raise ValueError("not for sale")
    return len(item)


@workflow
async def trader(ctx: Context, other: int) -> list[object]:
    told: list[object] = [ctx.call(price, "axe")]
    try:
        ctx.call(price, "crown")
    except ValueError as error:
        told.append(str(error))
    child = ctx.spawn(orc(1))
    try:
        ctx.signal(Hit(1), workflow_id=999)
    except SignalNotAccepted as error:
        told.append(str(error))
    for _ in range(9):
        try:
            ctx.signal(Hit(1), workflow_id=other)
        except LimitError as error:
            told.append((error.value, error.limit, error.setting))
    ctx.signal(Hit(1), workflow_id=child.workflow_id)
    told.append(await child)
    told.append(ctx.random.randrange(1000))
    return told


TYPES = [orc, rat, boss, price, trader]


def open_world(path, **options):
    return Runtime(path, TYPES, clock=GameClock(), durability="process", **options)


def test_the_steps_of_a_workflow_are_listed_with_cause_and_state(tmp_path):
    with open_world(tmp_path / "world", history="all") as world:
        fighter = world.start(orc(3), entity_id=1)
        world.advance(0.5)
        world.signal(Hit(1), entity_id=1)
        world.advance(0.75)
        world.advance(1.0)
        world.cancel(workflow_id=fighter.id, reason="enough")
        world.advance(0.1)
        found = world.history(fighter.id)
        assert [(entry.cause, entry.detail) for entry in found] == [
            ("made", ""),
            ("start", ""),
            ("signal", "Hit"),
            ("timer", ""),
            ("cancel", "enough"),
        ]
        assert [entry.turn for entry in found] == [1, 1, 2, 3, 4]
        assert [entry.state.locals.get("hp") for entry in found[1:4]] == [3, 2, 3]
        assert found[-1].state.status == "Cancelled"
        with pytest.raises(UnknownWorkflowError):
            world.history(99)


def test_a_deleted_workflow_keeps_its_history(tmp_path):
    with open_world(tmp_path / "world", history="all") as world:
        fighter = world.start(orc(1), entity_id=1)
        world.advance(0.1)
        world.signal(Hit(1), entity_id=1)
        world.advance(0.1)
        world.call("cleanup_old_workflows", 0)
        world.advance(0.1)
        assert world.find(fighter.id) is None
        found = world.history(fighter.id)
        assert found[-1].cause == "deleted"
        assert found[-1].state is None
        assert found[-2].state.result == "dead"
    with SavedWorld(tmp_path / "world") as saved:
        assert [bool(saved.row(fighter.id, turn)) for turn in (0, 1, 2, 3)] == [False, True, True, False]


def test_a_type_says_for_itself_whether_it_is_recorded(tmp_path):
    for world_says in ("off", "all"):
        with open_world(tmp_path / world_says, history=world_says) as world:
            ids = [world.start(call).id for call in (orc(3), rat(), boss())]
            world.advance(0.1)
            assert [bool(world.history(number)) for number in ids] == [world_says == "all", False, True]
        with SavedWorld(tmp_path / world_says) as saved:
            assert saved.row(ids[2], 0) is None
            with pytest.raises(HistoryError, match="are not recorded"):
                saved.row(ids[1], 0)
            with pytest.raises(HistoryError, match="are not recorded"):
                saved.require_known(0, None)


def test_what_happened_while_nothing_was_recorded_is_not_guessed(tmp_path):
    for history in ("all", "off", "all"):
        with open_world(tmp_path / "world", history=history) as world:
            if not world.workflows():
                world.start(orc(9), entity_id=1)
            world.advance(0.1)
            world.signal(Hit(1), entity_id=1)
            world.advance(0.1)
    with SavedWorld(tmp_path / "world") as saved:
        # Three turns each: one of them is that of the end.
        assert saved.view(1, saved.row(1, 6)).locals["hp"] == 7
        assert saved.view(1, saved.row(1, 8)).locals["hp"] == 6
        with pytest.raises(HistoryError, match="turn 2 is not kept: .* from turn 6 to"):
            saved.row(1, 2)


@pytest.mark.parametrize("commit_every", [0.0, 3600.0])
def test_a_turn_has_the_same_hash_however_turns_are_committed(tmp_path, commit_every):
    digests = {}
    for name, options in {"one": {}, "other": {"commit_every": commit_every, "paranoid": True}}.items():
        with open_world(tmp_path / name, **options) as world:
            world.start(trader(1), entity_id=1)
            world.start(orc(9), entity_id=2)
            for _ in range(30):
                world.signal(Hit(0), entity_id=2)
                world.advance(0.25)
        with WorldReader(tmp_path / name) as reader:
            digests[name] = {turn.record.turn: turn.digest for turn in HistoryReader(reader).turns()}
    assert digests["one"] == digests["other"]
    assert len(set(digests["one"].values())) == len(digests["one"]) == 30


def test_turns_in_which_nothing_happens_are_not_logged(tmp_path):
    with open_world(tmp_path / "world") as world:
        world.start(boss())
        for _ in range(100):
            world.advance(0.1)
        world.commit()
        assert [turn.record.turn for turn in HistoryReader(world._engine.store).turns()] == [1]


def test_what_the_world_told_a_step_is_told_again(tmp_path):
    with open_world(tmp_path / "world", history="all", limits=Limits(unread=4)) as world:
        deaf = world.start(rat(), entity_id=1)
        world.advance(0.1)
        dealer = world.start(trader(deaf.id), entity_id=2)
        world.advance(0.1)
        world.advance(0.1)
        told = world.get(dealer.id).result
    assert told[:2] == [3, "not for sale"]
    with SavedWorld(tmp_path / "world", registry_of(TYPES)) as saved:
        verifier = Verifier(saved, lambda *_: False)
        verifier.verify(saved.history.steps_of(dealer.id))
        verified = verifier.end(lambda _: saved.row(dealer.id), saved.state.turn)
        assert (verified.divergences, verified.unfit) == ([], [])
        assert verified.steps == 2


# -- retention -----------------------------------------------------------------------------------------------


def play(world, turns):
    for _ in range(turns):
        world.signal(Hit(0), entity_id=1)
        world.advance(0.1)


def kept(world):
    return [turn.record.turn for turn in HistoryReader(world._engine.store).turns()]


@pytest.mark.parametrize(
    ("retention", "least", "most"),
    [
        (Retention(turns=50, size=None), 50, 50),
        (Retention(age=5.0, size=None), 50, 52),
        (Retention(size=40_000), 1, 150),
        (Retention(size=None), 401, 401),
    ],
)
def test_the_oldest_turns_go_first_and_what_is_left_is_whole(tmp_path, retention, least, most):
    with open_world(tmp_path / "world", history="all", retention=retention) as world:
        fighter = world.start(orc(3), entity_id=1)
        world.advance(0.1)
        play(world, 400)
        turns = kept(world)
        assert turns == list(range(turns[0], 402))
        assert least <= len(turns) <= most
        store = world._engine.store
        if retention.size is not None:
            assert store.table_bytes(GROWING_TABLES) <= retention.size + 20_000
        known = HistoryReader(store).known_from("orc")
        assert known == (turns[0] - 1 if turns[0] > 1 else 0)
        steps = [entry.turn for entry in world.history(fighter.id)]
        assert steps == sorted([*([1] if turns[0] == 1 else []), *turns])
    with SavedWorld(tmp_path / "world") as saved:
        assert saved.row(fighter.id, known + 1) is not None
        if known:
            with pytest.raises(HistoryError, match=f"turn {known - 1} is not kept"):
                saved.row(fighter.id, known - 1)


def test_narrower_bounds_are_met_a_little_with_each_commit(tmp_path):
    with open_world(tmp_path / "world", history="all", retention=Retention(size=None)) as world:
        world.start(orc(3), entity_id=1)
        play(world, 500)
    with open_world(tmp_path / "world", history="all", retention=Retention(turns=10, size=None)) as world:
        counts = []
        for _ in range(30):
            before = len(kept(world))
            play(world, 1)
            counts.append(before - len(kept(world)))
        assert max(counts) < 70
        assert len(kept(world)) == 10


def test_a_turn_of_many_steps_goes_in_parts(tmp_path):
    with open_world(tmp_path / "world", history="all", retention=Retention(turns=1, size=None)) as world:
        world.start_many([(orc(3), entity) for entity in range(20_000)])
        world.advance(0.1)
        store = world._engine.store
        pieces = store.stats().entries[STEP_TABLE]
        assert pieces > 200
        while store.stats().entries[STEP_TABLE] > 2:
            play(world, 1)
            left = store.stats().entries[STEP_TABLE]
            # Turns whose first pieces are gone are not read any more.
            list(HistoryReader(store).turn_steps())
            assert pieces - left < 80
            pieces = left
        assert len(kept(world)) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"age": 0}, "age is a number of seconds over 0.0, or None, not 0"),
        ({"turns": 0}, "turns is a whole number from 1 up, or None, not 0"),
        ({"size": 1.5}, "size is a whole number from 1 up, or None, not 1.5"),
    ],
)
def test_bad_bounds_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        Retention(**options)


def test_bad_options_are_refused_and_nothing_is_made(tmp_path):
    with pytest.raises(
        ValueError, match="history is 'off', 'all' or a whole number from 1 to 10,000, not 'some'"
    ):
        open_world(tmp_path / "world", history="some")
    with pytest.raises(TypeError, match="retention is a Retention"):
        open_world(tmp_path / "world", retention=5)
    assert not (tmp_path / "world").exists()


# -- the last steps -------------------------------------------------------------------------------------------


@workflow(history=3)
async def goblin(ctx: Context) -> None:
    hits = 0
    while True:
        await ctx.select(Hit)
        hits += 1


def play_goblins(path, turns, **options):
    """Let two goblins be hit, the second one in every third turn."""
    with Runtime(path, [goblin, orc], clock=GameClock(), durability="process", **options) as world:
        if not world.workflows():
            for entity in (1, 2):
                world.start(goblin(), entity_id=entity)
        for turn in range(turns):
            world.signal(Hit(1), entity_id=1)
            if turn % 3 == 0:
                world.signal(Hit(1), entity_id=2)
            world.advance(0.1)
        world.commit()
        found = {number: [entry.turn for entry in world.history(number)] for number in (1, 2)}
        rows = world._engine.store.stats().entries["history_last"]
    return found, rows


def test_of_each_workflow_the_last_steps_are_kept(tmp_path):
    found, rows = play_goblins(tmp_path / "world", 100)
    assert found == {1: [98, 99, 100], 2: [94, 97, 100]}
    assert rows == 6
    # After an end of the world, too, which is a turn.
    found, rows = play_goblins(tmp_path / "world", 4)
    assert found == {1: [103, 104, 105], 2: [100, 102, 105]}
    assert rows == 6


def test_how_it_was_before_the_last_steps_is_not_guessed(tmp_path):
    play_goblins(tmp_path / "world", 20)
    with SavedWorld(tmp_path / "world") as saved:
        hits = [saved.view(2, saved.row(2, turn)).locals["hits"] for turn in range(13, 22)]
        assert hits == [5, 5, 5, 6, 6, 6, 7, 7, 7]
        with pytest.raises(HistoryError, match="turn 12 is not kept: .* goes from turn 13 to 21"):
            saved.row(2, 12)
        with pytest.raises(HistoryError, match="not recorded"):
            saved.require_known(20, None)


def test_what_is_kept_of_each_workflow_follows_the_code(tmp_path):
    path = tmp_path / "world"
    with Runtime(path, [goblin, orc], clock=GameClock(), durability="process", history=5) as world:
        ids = [world.start(call, entity_id=entity).id for entity, call in enumerate((goblin(), orc(99)))]
        for _ in range(10):
            for entity in (0, 1):
                world.signal(Hit(1), entity_id=entity)
            world.advance(0.1)
        world.commit()
        assert [len(world.history(number)) for number in ids] == [3, 5]
        world.cancel(workflow_id=ids[0])
        world.advance(0.1)
        world.call("cleanup_old_workflows", 0)
        world.advance(0.1)
        assert world._engine.store.stats().entries["history_last"] == 5


def test_the_last_steps_are_run_again_too(tmp_path):
    play_goblins(tmp_path / "world", 20)
    with SavedWorld(tmp_path / "world", registry_of([goblin, orc])) as saved:
        found = verify_world(saved, lambda *_: None)
        assert (found.steps, found.workflows, found.findings, found.unfit) == (6, 2, [], [])


# -- found by review -----------------------------------------------------------------------------------------


def test_of_a_workflow_of_hundreds_of_steps_a_turn_no_place_is_lost(tmp_path):
    with open_world(tmp_path / "world", history="all", retention=Retention(size=None)) as world:
        hub = world.start(orc(1), entity_id=0)
        others = [world.start(orc(1), entity_id=entity) for entity in range(1, 60)]
        for turn in range(12):
            for number in range(450):
                world.signal(Hit(0), entity_id=0)
                if number < 60 and (number + turn) % 3 == 0:
                    world.signal(Hit(0), entity_id=number)
            world.advance(0.1)
        reader = HistoryReader(world._engine.store)
        assert reader.indexed() > 0
        every = [step for steps in reader.turn_steps() for step in steps.steps]
        for handle in (hub, *others):
            assert list(reader.steps_of(handle.id)) == [
                step for step in every if step.workflow_id == handle.id
            ]


class Poor(Exception):
    def __init__(self, need):
        super().__init__("too poor")
        self.need = need


class Odd(Exception):
    def __str__(self):
        raise RuntimeError("it has no text")


RAISED = {
    "large": lambda: ValueError(2**70),
    "half a character": lambda: ValueError("\ud800"),
    "nothing": lambda: KeyError(None),
    "a tuple": lambda: ValueError(("a", 1)),
    "attributes": lambda: Poor(5),
    "no text": lambda: Odd(Odd()),
}


@reducer
def refuse(ctx, kind: str) -> None:
    error = RAISED[kind]()
    raise error


@workflow
async def asker(ctx: Context, kind: str) -> str:
    try:
        ctx.call(refuse, kind)
    except Exception as error:
        told = type(error).__name__
    await ctx.sleep(1.0)
    return told


@pytest.mark.parametrize("kind", RAISED)
def test_whatever_a_reducer_raises_is_recorded_without_harm(tmp_path, kind):
    results = {}
    for history in ("off", "all"):
        types = [asker, refuse]
        path = tmp_path / history
        with Runtime(path, types, clock=GameClock(), durability="process", history=history) as world:
            handle = world.start(asker(kind))
            world.advance(0.1)
            world.advance(1.1)
            results[history] = handle.result()
            assert kept(world) == [1, 2]
    assert results["all"] == results["off"]
    with SavedWorld(tmp_path / "all", registry_of([asker, refuse])) as saved:
        found = verify_world(saved, lambda *_: None)
        assert found.findings == []
        # What cannot be made anew from its name and arguments is said, and not guessed.
        assert len(found.unfit) == (kind != "nothing")


def test_history_leaves_room_in_a_small_map(tmp_path):
    with open_world(tmp_path / "world", map_size=1 << 20, map_limit=1 << 20) as world:
        world.start(orc(3), entity_id=1)
        for _ in range(3_000):
            for _ in range(10):
                world.signal(Hit(0), entity_id=1)
            world.advance(0.01)
        assert world._engine.store.table_bytes(GROWING_TABLES) <= (1 << 18) + 20_000


@pytest.mark.parametrize(
    "modes", [("all", "off"), ("all", "off", "all"), ("all", 5, "all"), (5, "off", 5), (5, "all", 5), (5, 3)]
)
def test_gaps_in_a_recording_are_no_differences(tmp_path, modes):
    for history in modes:
        with open_world(tmp_path / "world", history=history) as world:
            if not world.workflows():
                world.start(orc(99), entity_id=1)
            for _ in range(9):
                world.signal(Hit(1), entity_id=1)
                world.advance(0.1)
    with SavedWorld(tmp_path / "world", registry_of(TYPES)) as saved:
        for found in (verify_world(saved, lambda *_: None), verify_workflow(saved, 1)):
            assert (found.findings, found.unfit) == ([], [])
            assert found.steps > 2

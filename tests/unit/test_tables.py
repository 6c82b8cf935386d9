"""Tables and reducers: all or nothing, copies, own step before turn before store, and the built-in ones."""

import json
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deathless import (
    ArgumentsError,
    CallFailed,
    Context,
    LimitError,
    Limits,
    ReducerContext,
    Runtime,
    Signal,
    Table,
    TableError,
    UnknownReducerError,
    UnstorableError,
    WorkflowMisuseError,
    WrongThreadError,
    reducer,
    workflow,
)
from deathless.workflows.errors import DefinitionError
from deathless.workflows.table_keys import key_form, pack_key, unpack_key


@dataclass
class Player:
    gold: int
    bag: list[str] = field(default_factory=list)


players = Table("player", key=int, value=Player)
stock = Table("stock", key=(int, str), value=int)


class Buy(Signal):
    price: int


class Kick(Signal):
    pass


@reducer
def give(ctx: ReducerContext, player: int, gold: int) -> int:
    rows = ctx.table(players)
    account = rows.get(player) or Player(0)
    account.gold += gold
    rows[player] = account
    return account.gold


@reducer
def pay(ctx: ReducerContext, payer: int, payee: int, amount: int) -> None:
    ctx.call(give, payee, amount)
    rows = ctx.table(players)
    if rows[payer].gold < amount:
        raise ValueError(f"player {payer} has {rows[payer].gold} gold, not {amount}")
    ctx.call(give, payer, -amount)


@reducer
def gold_of(ctx: ReducerContext, player: int) -> int | None:
    account = ctx.table(players).get(player)
    return None if account is None else account.gold


@reducer
def wealth(ctx: ReducerContext) -> list[tuple[int, int]]:
    return [(player, account.gold) for player, account in ctx.table(players).items()]


@workflow
async def shopper(ctx: Context, player: int) -> list[str]:
    said = []
    while len(said) < 3:
        buy = await ctx.receive(Buy)
        try:
            ctx.call(pay, player, 0, buy.price)
            said.append("bought")
        except ValueError as error:
            said.append(str(error))
    return said


@workflow
async def vandal(ctx: Context) -> None:
    await ctx.receive(Kick)
    ctx.call(give, 7, 1_000)
    raise RuntimeError("caught in the act")


ALL = [players, stock, give, pay, gold_of, wealth, shopper, vandal]


def answer(world, what, *args, **kwargs):
    future = world.call(what, *args, **kwargs)
    world.run_until_idle()
    return future.result(0)


def test_a_call_from_the_game_is_answered_when_it_is_durable(open_world):
    world = open_world(*ALL, commit_every=1000.0)
    future = world.call(give, 1, 50)
    world.pump()
    assert not future.done()
    with pytest.raises(WrongThreadError, match="the call of 'give' is answered"):
        future.result()
    world.commit()
    assert future.result() == 50
    by_name = world.call("give", 1, gold=5)
    world.pump()
    world.commit()
    assert by_name.result() == 55


def test_a_reducer_that_raises_undoes_all_that_it_wrote(open_world):
    world = open_world(*ALL)
    answer(world, give, 1, 10)
    with pytest.raises(CallFailed, match="'pay' failed: ValueError: player 1 has 10 gold, not 11") as caught:
        answer(world, pay, 1, 2, 11)
    assert isinstance(caught.value.__cause__, ValueError)
    assert answer(world, gold_of, 2) is None
    answer(world, pay, 1, 2, 10)
    assert answer(world, wealth) == [(1, 0), (2, 10)]


def test_a_workflow_calls_inside_its_step_and_a_caught_error_undoes_only_the_reducer(open_world):
    world = open_world(*ALL)
    answer(world, give, 1, 100)
    handle = world.start(shopper(1), entity_id=1)
    for price in (60, 60, 40):
        world.signal(Buy(price), entity_id=1)
    world.run_until_idle()
    assert handle.result() == ["bought", "player 1 has 40 gold, not 60", "bought"]
    assert answer(world, wealth) == [(0, 100), (1, 0)]


def test_a_failed_step_leaves_no_row(open_world):
    world = open_world(*ALL)
    handle = world.start(vandal(), entity_id=1)
    world.signal(Kick(), entity_id=1)
    world.run_until_idle()
    assert handle.status == "Failed"
    assert answer(world, gold_of, 7) is None


def test_rows_outlive_a_crash_with_the_step_that_wrote_them_or_not_at_all(worlds):
    world = worlds.open(ALL, commit_every=1000.0)
    answered = world.call(give, 1, 5)
    world.pump()
    world.commit()
    lost = world.call(give, 1, 5)
    world.pump()
    worlds.crash(world)
    assert answered.result() == 5
    with pytest.raises(Exception, match="crashed by the test"):
        lost.result()
    world = worlds.open(ALL)
    assert answer(world, gold_of, 1) == 5


def test_what_is_read_is_a_copy_and_what_is_written_too(open_world):
    kept = []

    @reducer
    def meddle(ctx: ReducerContext) -> int:
        rows = ctx.table(players)
        mine = Player(1, ["a"])
        rows[1] = mine
        mine.gold = 99
        rows[1].bag.append("lost")
        kept.append(rows[1])
        return rows[1].gold + len(rows[1].bag)

    world = open_world(*ALL, meddle)
    assert answer(world, meddle) == 2
    kept[0].gold = 77
    assert answer(world, gold_of, 1) == 1


@pytest.mark.parametrize("seed", range(4))
def test_reads_see_the_step_then_the_turn_then_the_store(worlds, seed):
    rng = random.Random(seed)
    model: dict[int, int] = {}

    @reducer
    def shuffle(ctx: ReducerContext, ops: list[list[int]], fail: bool) -> list[tuple[int, int]]:
        rows = ctx.table(players)
        for key, value in ops:
            if value:
                rows[key] = Player(value)
            else:
                rows.pop(key, None)
        seen = [(key, account.gold) for key, account in rows.between(3, 8)]
        assert len(rows) == len(list(rows))
        if fail:
            raise ValueError("undone")
        return seen

    world = worlds.open([*ALL, shuffle])
    futures = []
    for _ in range(60):
        ops = [[rng.randrange(-3, 12), rng.randrange(4)] for _ in range(rng.randrange(6))]
        fail = rng.random() < 0.3
        future = world.call(shuffle, ops, fail)
        if not fail:
            for key, value in ops:
                model[key] = value
                if not value:
                    del model[key]
            futures.append((future, [(key, model[key]) for key in sorted(model) if 3 <= key < 8]))
        if rng.random() < 0.3:
            world.pump()
        if rng.random() < 0.1:
            world.run_until_idle()
            worlds.crash(world)
            world = worlds.open([*ALL, shuffle])
    world.run_until_idle()
    for future, expected in futures:
        assert future.result(0) == expected, f"seed {seed}"
    assert answer(world, wealth) == sorted(model.items()), f"seed {seed}"


@given(
    st.lists(
        st.tuples(st.integers(-(2**64), 2**64 - 1), st.text(max_size=6), st.binary(max_size=6)), max_size=12
    )
)
def test_packed_keys_sort_as_the_keys_do_and_come_back(keys):
    form = key_form((int, str, bytes))
    packed = {pack_key("t", key, form, single=False): key for key in keys}
    assert len(packed) == len(set(keys))
    in_order = [packed[data] for data in sorted(packed)]
    assert in_order == sorted(set(keys), key=lambda key: (key[0], key[1].encode(), key[2]))
    assert [unpack_key(data, form, single=False) for data in sorted(packed)] == in_order


@pytest.mark.parametrize("key", [0, -1, 2**64 - 1, -(2**64)])
def test_a_single_key_comes_back_as_itself(key):
    form = key_form(int)
    assert unpack_key(pack_key("t", key, form, single=True), form, single=True) == key


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda ctx: ctx.table(players)["one"], "a key of table 'player' is int, not 'one'"),
        (lambda ctx: ctx.table(players)[True], "a key of table 'player' is int, not True"),
        (lambda ctx: ctx.table(players)[2**64], "within 64 bits"),
        (lambda ctx: ctx.table(stock)[1], "a tuple \\(int, str\\), not 1"),
        (lambda ctx: ctx.table(stock)[(1, "x" * 600)], "over the limit of 500"),
        (lambda ctx: ctx.table(players).__setitem__(1, 5), "a value of table 'player' is a Player, not 5"),
        (
            lambda ctx: ctx.table(players).__setitem__(1, Player(1, [object()])),
            "row 1 of table 'player'.*cannot be stored",
        ),
        (
            lambda ctx: ctx.table(players).__setitem__(1, Player(1, ["x" * 3000])),
            "the size of row 1 of table 'player'",
        ),
        (lambda ctx: ctx.table(Table("other", key=int, value=int)), "table 'other' is not registered"),
        (lambda ctx: ctx.table("player"), "takes a Table, not 'player'"),
        (lambda ctx: ctx.table(players)[404], "KeyError: 404"),
        (lambda ctx: object(), "the result of reducer 'wrong_use'.*cannot be stored"),
    ],
)
def test_wrong_uses_are_named_and_nothing_is_stored(open_world, wrong, error):
    @reducer
    def wrong_use(ctx: ReducerContext) -> object:
        ctx.table(players)[2] = Player(2)
        return wrong(ctx)

    world = open_world(*ALL, wrong_use, limits=Limits(payload=2_000))
    with pytest.raises(CallFailed, match=error):
        answer(world, wrong_use)
    assert answer(world, wealth) == []


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda world: world.call("nope"), UnknownReducerError),
        (
            lambda world: world.call(
                reducer(
                    lambda ctx: None,
                )
            ),
            UnknownReducerError,
        ),
        (lambda world: world.call(give, 1), ArgumentsError),
        (lambda world: world.call(give, 1, object()), UnstorableError),
        (lambda world: world.call(give, 1, "x" * 70_000), LimitError),
        (lambda world: world.call(3), TypeError),
        (lambda world: world.call(give, 1, 2, sender=""), ValueError),
    ],
)
def test_wrong_calls_are_refused_at_the_call(open_world, call, error):
    world = open_world(*ALL)
    with pytest.raises(error):
        call(world)
    assert world.pump().steps == 0


@pytest.mark.parametrize(
    ("declare", "error"),
    [
        (lambda: Table("two words", key=int, value=int), "letters, digits and underscores"),
        (lambda: Table("t", key=float, value=int), "the key of a table is int, str"),
        (lambda: Table("t", key=(), value=int), "the key of a table is int, str"),
        (lambda: Table("t", key=int, value=3), "value is a class, not 3"),
        (lambda: reducer(lambda: None), "takes its context as its first parameter"),
    ],
)
def test_wrong_declarations_are_refused(declare, error):
    with pytest.raises((DefinitionError, TableError), match=error):
        declare()


def test_an_async_reducer_is_refused():
    with pytest.raises(DefinitionError, match="is async; it must not wait"):

        @reducer
        async def slow(ctx: ReducerContext) -> None:
            pass


def test_two_of_one_name_are_refused_at_open(worlds):
    with pytest.raises(DefinitionError, match="two tables are named 'player'; rename one"):
        worlds.open([players, Table("player", key=int, value=int)])
    with pytest.raises(DefinitionError, match="two reducers are named 'give'"):
        worlds.open([give, reducer(name="give")(lambda ctx: None)])
    with pytest.raises(DefinitionError, match="Runtime takes what is decorated"):
        worlds.open([Player])


# -- the built-in ones -----------------------------------------------------------------------------------------


class Dispel(Signal):
    pass


class Stack(Signal):
    amount: int = 1


@workflow
async def buff(ctx: Context, duration: float, effect: str = "") -> list:
    stacks = 1
    while True:
        match await ctx.select(ctx.timer(duration), Stack, Dispel):
            case Stack(amount):
                stacks += amount
            case Dispel():
                return [effect, stacks, "dispelled"]
            case _:
                return [effect, stacks, "elapsed"]


def test_the_calls_of_the_deployment_guide_work_by_name(open_world):
    world = open_world(buff)
    number = answer(world, "workflow_start", "buff", 42, None, json.dumps(30))
    named = answer(world, "workflow_start", "buff", 42, "raid", '{"duration": 5, "effect": "haste"}')
    assert [view.id for view in world.workflows(entity_id=42)] == [number, named]
    assert world.get(named).correlation_id == "raid"
    answer(world, "workflow_signal", number, "stack", "[4]")
    answer(world, "workflow_signal", number, "Stack", "2")
    answer(world, "workflow_signal", number, "dispel", "[]")
    assert world.get(number).result == ["", 7, "dispelled"]
    answer(world, "workflow_cancel", named, "over")
    assert (world.get(named).status, world.get(named).error_message) == ("Cancelled", "over")
    many = answer(world, "workflow_start_many", [["buff", entity, None, "30"] for entity in range(3)])
    assert len(many) == 3
    assert [world.get(each).entity_id for each in many] == [0, 1, 2]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (("workflow_start", "nope"), "unknown workflow type 'nope'"),
        (("workflow_start", "buff", 1, None, "{"), "not JSON"),
        (("workflow_start", "buff", 1, None, '"long"', 5), "bad arguments for reducer 'workflow_start'"),
        (("workflow_start", "buff", -1, None, "30"), "entity_id -1"),
        (("workflow_start", "buff"), "bad arguments for workflow 'buff'"),
        (("workflow_start_many", [["buff", 1, None, "30"], ["nope"]]), "unknown workflow type 'nope'"),
        (("workflow_signal", 1, "dispel"), "does not take signal 'Dispel': there is no such workflow"),
        (("workflow_signal", 1, "fly"), "unknown signal 'fly'"),
        (("workflow_cancel", 99), "no workflow 99"),
        (("cleanup_old_workflows", -1), "takes from 0 to 1000000 days, not -1"),
    ],
    ids=str,
)
def test_wrong_built_in_calls_say_what_is_wrong_and_change_nothing(open_world, call, error):
    world = open_world(buff)
    with pytest.raises((CallFailed, ArgumentsError), match=error):
        answer(world, *call)
    assert world.count() == 0


def test_only_the_scheduler_may_fire_a_timer_by_hand(open_world):
    world = open_world(buff)
    handle = world.start(buff(30.0), entity_id=1)
    world.pump()
    with pytest.raises(CallFailed, match="only the scheduler may call workflow_timer_fire, not 'game'"):
        answer(world, "workflow_timer_fire", handle.id)
    assert handle.status == "Suspended"
    answer(world, "workflow_timer_fire", handle.id, sender=Runtime.identity)
    assert handle.result() == ["", 1, "elapsed"]


def test_a_game_checks_ownership_by_its_own_reducer_in_place_of_a_built_in_one(open_world):
    owners = Table("owner", key=int, value=str)

    @reducer
    def adopt(ctx: ReducerContext, entity: int) -> None:
        ctx.table(owners)[entity] = ctx.sender

    @reducer
    def workflow_cancel(ctx: ReducerContext, workflow_id: int, reason: str = "") -> None:
        found = ctx.workflow(workflow_id)
        if found is None or ctx.table(owners).get(found.entity_id) != ctx.sender:
            raise PermissionError(f"{ctx.sender} does not own workflow {workflow_id}")
        ctx.cancel(workflow_id=workflow_id, reason=reason)

    world = open_world(buff, owners, adopt, workflow_cancel)
    handle = world.start(buff(30.0), entity_id=1)
    answer(world, adopt, 1, sender="ann")
    with pytest.raises(CallFailed, match="bob does not own workflow 1"):
        answer(world, "workflow_cancel", handle.id, sender="bob")
    answer(world, "workflow_cancel", handle.id, "done", sender="ann")
    assert handle.status == "Cancelled"


def test_firing_all_timers_by_hand_is_the_one_exception_to_never_early(open_world):
    @workflow(name="pacer")
    async def pacer(ctx: Context) -> list[int]:
        every = ctx.every(10.0)
        return [(await ctx.select(every)).n, (await ctx.select(every)).n]

    world = open_world(buff, pacer)
    far = [world.start(buff(1000.0 + number), entity_id=number) for number in range(3)]
    pace = world.start(pacer())
    world.pump()
    assert answer(world, "manual_timer_tick") == 4
    assert [handle.result()[2] for handle in far] == ["elapsed"] * 3
    assert pace.status == "Suspended"
    assert answer(world, "manual_timer_tick") == 1
    assert pace.result() == [1, 2]


def test_old_workflows_are_deleted_and_young_and_active_ones_stay(worlds):
    world = worlds.open([buff])
    old = world.start(buff(10.0))
    world.pump()
    world.advance(10.0)
    world.advance(5 * 86_400.0)
    young, active = world.start(buff(10.0)), world.start(buff(1e9))
    world.pump()
    world.advance(10.0)
    world.advance(3 * 86_400.0)
    assert answer(world, "cleanup_old_workflows", 7) == 1
    assert world.find(old.id) is None
    assert [view.id for view in world.workflows()] == [young.id, active.id]
    worlds.crash(world)
    world = worlds.open([buff])
    assert [view.id for view in world.workflows()] == [young.id, active.id]
    assert answer(world, "cleanup_old_workflows", 0) == 1


def test_a_call_that_a_budget_cuts_off_is_made_later_and_after_a_crash(worlds):
    world = worlds.open(ALL, max_steps_per_turn=1)
    for gold in (1, 2, 3):
        world.call(give, 1, gold)
    assert world.pump().carried_over == 2
    worlds.crash(world)
    world = worlds.open(ALL)
    world.run_until_idle()
    assert answer(world, gold_of, 1) == 6


@pytest.mark.parametrize("wrong", ["abc", 1.5, [1], 0, -1, 2**64, None])
@pytest.mark.parametrize("what", ["fire", "cancel", "forget", "signal", "workflow"])
def test_an_id_that_is_none_fails_its_reducer_and_nothing_else(open_world, what, wrong):
    @reducer
    def meddle(ctx: ReducerContext) -> None:
        if what == "fire":
            ctx.fire_timer(wrong)
        elif what == "cancel":
            ctx.cancel(workflow_id=wrong)
        elif what == "forget":
            ctx.forget(wrong)
        elif what == "signal":
            ctx.signal(Dispel(), workflow_id=wrong)
        else:
            ctx.workflow(wrong)

    world = open_world(buff, meddle)
    world.start(buff(1.0))
    with pytest.raises(CallFailed):
        answer(world, meddle)
    world.advance(1.0)
    assert world.workflows()[0].status == "Completed"


def test_a_context_that_is_kept_after_its_call_writes_nothing(open_world):
    kept = []

    @reducer
    def keep(ctx: ReducerContext) -> int:
        kept.append(ctx)
        return ctx.workflow(ctx.start("buff", args=(1.0,))).id

    world = open_world(*ALL, buff, keep)
    assert answer(world, keep) == world.workflows()[0].id
    with pytest.raises(WorkflowMisuseError, match="belongs to a call that is over"):
        kept[0].table(players)[1] = Player(1)


def test_a_table_with_keys_of_another_form_is_refused_at_open(worlds):
    world = worlds.open(ALL)
    answer(world, give, 1, 5)
    world.close()
    with pytest.raises(TableError, match="table 'player' was stored with keys int and is declared with str"):
        worlds.open([Table("player", key=str, value=Player)])
    world = worlds.open([Table("player", key=int, value=int), gold_of])
    world.close()
    world = worlds.open(ALL)
    with pytest.raises(TableError, match="keys \\(int, str\\) and is declared with int"):
        world.reload([Table("stock", key=int, value=int)])
    assert answer(world, gold_of, 1) == 5


def test_all_rows_are_deleted_at_once(open_world):
    @reducer
    def reset(ctx: ReducerContext) -> int:
        rows = ctx.table(players)
        for number in range(500):
            rows[number] = Player(number)
        before = len(rows)
        rows.clear()
        return before - len(rows)

    world = open_world(*ALL, reset)
    assert answer(world, reset) == 500
    assert answer(world, wealth) == []

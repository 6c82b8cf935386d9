"""What the full screen shows, without a terminal: at each turn it is what the world's history says of that turn."""

import sys
from pathlib import Path

import pytest

from deathless import Context, GameClock, Runtime, Signal, workflow
from deathless.runtime import Retention
from deathless.tools.replay.facts import facts_of
from deathless.tools.replay.population import Filter, Standing
from deathless.tools.replay.saved_world import SavedWorld
from deathless.tools.replay.scrubber import Scrubber
from deathless.tools.replay.trace import Trace
from deathless.workflows.errors import HistoryError, WorldCorruptError

sys.path.insert(0, str(Path(__file__).parent))
from ui_kit import FIGHTER, live_through  # noqa: E402


class Add(Signal):
    amount: int = 1


@workflow
async def tally(ctx: Context, end: int = 3) -> int:
    total = 0
    while total < end:
        added = await ctx.receive(Add)
        total += added.amount
    return total


@workflow(history="off")
async def unseen(ctx: Context) -> None:
    await ctx.receive(Add)


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    path = tmp_path_factory.mktemp("worlds") / "village.deathless"
    live_through(path)
    return path


@pytest.fixture
def saved(village):
    with SavedWorld(village) as world:
        yield world


@pytest.fixture
def scrubber(saved):
    return Scrubber(saved)


def find(scrubber, type_name, entity):
    return next(one for one in scrubber.members if (one.type, one.entity_id) == (type_name, entity))


def tally_world(path, *steps, **options):
    """Make a world of tallies; each of the steps is called with it, and is a turn."""
    given = {"clock": GameClock(), "durability": "process", "history": "all", **options}
    with Runtime(path, [tally, unseen], **given) as world:
        for step in steps:
            step(world)
            world.advance(1.0)
    return path


def start(entity, kind=tally):
    return lambda world: world.start(kind(), entity_id=entity)


def add(entity, amount=1):
    return lambda world: world.signal(Add(amount), entity_id=entity)


def quiet(_world):
    pass


def long_after(world):
    world.advance(300.0)


# -- turns and workflows -----------------------------------------------------------------------------------


def test_it_begins_at_the_last_turn_with_all_that_are_kept(saved, scrubber):
    logged = [turn.record.turn for turn in saved.history.turns()]
    assert list(scrubber.turns.numbers) == [
        *logged,
        *([saved.state.turn] if saved.state.turn > logged[-1] else []),
    ]
    assert scrubber.turn == saved.state.turn
    assert scrubber.at_end


def test_times_and_counts_of_turns_are_those_of_the_log(saved, scrubber):
    for place, turn in enumerate(saved.history.turns()):
        record = turn.record
        found = (scrubber.turns.times_us[place], scrubber.turns.handled[place])
        assert found == (record.now_us, record.handled)


def test_at_each_turn_every_workflow_stands_as_its_row_says(saved, scrubber):
    for turn in list(scrubber.turns.numbers)[::7]:
        rows = saved.rows_at(turn)
        for member in scrubber.members:
            row = rows.get(member.id)
            expected = "not yet" if row is None else str(saved.view(member.id, row).status).lower()
            assert member.standing(turn) == expected, (member, turn)


def test_the_village_has_every_way_to_end(scrubber):
    ends = {member.standing(scrubber.turn) for member in scrubber.members}
    assert ends == {Standing.SUSPENDED, Standing.COMPLETED, Standing.FAILED, Standing.CANCELLED}


def test_a_workflow_that_was_deleted_is_listed_from_when_it_was_made_to_its_deletion(tmp_path):
    path = tally_world(
        tmp_path / "w", start(1), start(2), add(1, 3), add(2), long_after, start(3), prune_after=2.0
    )
    with SavedWorld(path) as saved:
        assert saved.row(1) is None, "it was pruned"
        scrubber = Scrubber(saved)
        gone = scrubber.members[0]
        assert (gone.id, gone.type, gone.made, gone.ended) == (1, "tally", 1, 3)
        turns = [1, 2, 3, gone.deleted - 1, gone.deleted, scrubber.turns.last]
        assert [gone.standing(turn) for turn in turns] == [
            "suspended",
            "suspended",
            "completed",
            "completed",
            "deleted",
            "deleted",
        ]
        scrubber.choose(gone)
        assert scrubber.moment().view is None
        assert scrubber.moment().causes[0].kind == "deleted"
        scrubber.go_to(scrubber.turns.place_of(2))
        assert scrubber.moment().view.locals == {"end": 3, "total": 0}


def test_of_turns_at_one_time_the_steps_say_in_which_a_workflow_was_made_and_ended(tmp_path):
    with Runtime(tmp_path / "w", [tally], clock=GameClock(), durability="process", history="all") as world:
        for step in (start(1), start(2), add(1, 3), add(2)):
            step(world)
            world.advance(0.0)
    with SavedWorld(tmp_path / "w") as saved:
        first, second = Scrubber(saved).members
    assert (first.made, first.ended) == (1, 3)
    assert (second.made, second.ended) == (2, None)


# -- filters -----------------------------------------------------------------------------------------------


def test_filters_find_by_type_id_entity_group_and_standing(scrubber):
    def found(text, turn=scrubber.turn):
        return [member.id for member in Filter(text).of(scrubber.members, turn)]

    everybody = [member.id for member in scrubber.members]
    assert found("") == everybody
    assert found("  ") == everybody
    assert found("NPC mill") == [3, 6, 9, 12]
    assert found("id:4") == [4]
    assert found("entity:40") == [find(scrubber, "production", 40).id]
    assert found("type:buff entity:2") == [find(scrubber, "buff", 2).id]
    assert found("group:north 4") == [4, 14] or found("group:north 4") == [4]
    assert found("failed") == found("status:failed") == [find(scrubber, "countdown", 51).id]
    assert found("buff not") == []
    assert found("buff status:not", turn=1) == [
        member.id for member in scrubber.members if member.type == "buff"
    ]
    assert found("nobody") == []


def test_a_number_fits_where_an_id_or_entity_begins_with_it_and_not_within(scrubber):
    found = Filter("4").of(scrubber.members, scrubber.turn)
    assert found
    assert all(str(one.id)[0] == "4" or str(one.entity_id)[0] == "4" for one in found)


# -- moving ------------------------------------------------------------------------------------------------


def test_steps_lead_through_the_turns_in_which_the_workflow_moved(saved, scrubber):
    scrubber.choose(find(scrubber, "npc_patrol", FIGHTER))
    turns = sorted({record.turn for record in saved.history.steps_of(FIGHTER)})
    back = []
    while scrubber.step_workflow(-1):
        back.append(scrubber.turn)
    assert back == turns[::-1]
    onwards = [scrubber.turn]
    while scrubber.step_workflow(1):
        onwards.append(scrubber.turn)
    assert onwards == turns
    assert scrubber.moment().move == scrubber.moment().moves == len(turns)


def test_world_turns_stop_at_both_ends(scrubber):
    scrubber.step_world(1)
    assert scrubber.at_end
    scrubber.step_world(-10_000)
    assert scrubber.turn == scrubber.turns.numbers[0]
    scrubber.step_world(1)
    assert scrubber.turn == scrubber.turns.numbers[1]


def test_playing_follows_world_time_and_cuts_long_pauses_short(tmp_path):
    path = tally_world(tmp_path / "w", start(1), add(1), *[quiet] * 30, add(1), quiet)
    with SavedWorld(path) as saved:
        scrubber = Scrubber(saved)
        logged = [1, 2, 33]
        assert list(scrubber.turns.numbers)[:3] == logged
        # From the end it begins anew.
        scrubber.play_from_here()
        assert scrubber.turn == 1
        assert scrubber.play(999_999)
        assert scrubber.turn == 1
        assert scrubber.play(1)
        assert scrubber.turn == 2
        # Of 31 seconds without a turn five are left.
        scrubber.play(1)
        scrubber.play(4_999_000)
        assert scrubber.turn == 2
        scrubber.play(1_000)
        assert scrubber.turn == 33
        while scrubber.play(1_000_000):
            pass
        assert scrubber.at_end


# -- what is shown -----------------------------------------------------------------------------------------


def test_at_each_turn_a_workflow_is_shown_as_the_history_has_it(saved, scrubber):
    for member in scrubber.members[::4]:
        scrubber.choose(member)
        for place in range(0, len(scrubber.turns), 9):
            scrubber.go_to(place)
            moment, row = scrubber.moment(), saved.row(member.id, scrubber.turn)
            assert moment.problem is None
            assert moment.view == (None if row is None else saved.view(member.id, row))
            assert moment.standing == member.standing(scrubber.turn)


def test_a_moment_says_what_caused_it_and_what_changed(scrubber):
    scrubber.choose(find(scrubber, "npc_patrol", FIGHTER))
    while not any("bear" in cause.text for cause in scrubber.moment().causes):
        assert scrubber.step_workflow(-1)
    moment = scrubber.moment()
    assert moment.moved_now
    assert moment.view.current_step == "fighting"
    assert moment.causes[-1].text.startswith("signal Threat(enemy='bear', hp=26, strength=6) sent at ")
    assert "frames[0]" in {change.path for change in moment.changes}
    facts = {fact.title: fact for fact in facts_of(moment)}
    assert facts["caused by"].aside == f"turn {moment.turn:,}, this one"
    (child,) = moment.view.children
    assert facts["waits for"].lines == [f"child {child}"]
    assert facts["children"].lines == [str(child)]
    # The cub comes while he fights, and waits.
    scrubber.go_to(scrubber.turns.place_at(moment.now_us + 1_000_000))
    later = scrubber.moment()
    assert not later.moved_now or later.moved_turn > moment.turn
    assert later.unread == ("signal Threat(enemy='cub', hp=5, strength=1) sent at 12.5 s",)
    assert {fact.title for fact in facts_of(later)} >= {"caused by", "waits for", "unread", "children"}


def test_ends_are_told(scrubber):
    def told(kind, entity):
        scrubber.choose(find(scrubber, kind, entity))
        return {fact.title: fact.lines for fact in facts_of(scrubber.moment())}

    assert told("countdown", 50)["cancelled"] == ["all is well"]
    assert told("countdown", 51)["failed"][0].startswith("ValueError: ")
    assert told("buff", 2)["result"] == ["{'effect': 'haste', 'stacks': 3, 'dispelled': False}"]


def test_timers_say_how_long_there_is_left(scrubber):
    scrubber.choose(find(scrubber, "buff", 9))
    scrubber.go_to(scrubber.turns.place_at(round(7.1e6)))
    (waits,) = [fact for fact in facts_of(scrubber.moment()) if fact.title == "waits for"]
    assert waits.lines[0].startswith("timer expire in 59") or waits.lines[0] == "timer expire in 60 s"
    assert waits.lines[1:] == ["signal Stack", "signal Dispel"]


def test_without_code_there_is_a_line_and_the_await_in_place_of_source(scrubber):
    scrubber.choose(find(scrubber, "buff", 9))
    scrubber.go_to(scrubber.turns.place_at(round(8e6)))
    source = scrubber.moment().source
    assert source.lines == ()
    assert source.line
    assert source.key == "while0/body/match0/ctx.select(expire,Stack,Dispel)"
    assert source.why_not == "source not loaded: give its module with --code"


def test_where_nothing_was_recorded_it_says_so_and_shows_the_last_turn(tmp_path):
    path = tally_world(tmp_path / "w", start(1), start(2, unseen), add(1))
    with SavedWorld(path) as saved:
        scrubber = Scrubber(saved)
        scrubber.choose(find(scrubber, "unseen", 2))
        assert scrubber.moment().view.locals == {}
        assert scrubber.step_workflow(-1), "turns of the world then"
        scrubber.go_to(0)
        assert scrubber.moment().view is None
        assert scrubber.moment().problem == (
            "the steps of type 'unseen' are not recorded; give history='all' to Runtime or to @workflow"
        )


def test_a_pruned_beginning_is_no_place_to_go_to(tmp_path):
    adds = [add(1) for _ in range(6)]
    path = tally_world(tmp_path / "w", start(1), *adds, *[add(1, 0)] * 300, retention=Retention(turns=20))
    with SavedWorld(path) as saved:
        scrubber = Scrubber(saved)
        scrubber.choose(scrubber.members[0])
        first = scrubber.turns.numbers[0]
        assert first > 1
        while scrubber.step_workflow(-1):
            assert scrubber.moment().problem is None
            assert scrubber.turn >= first
        with pytest.raises(HistoryError, match="turn 1 is not kept"):
            Trace(saved, 1, "tally", scrubber.turns.last).row_at(1)


def test_who_moved_in_a_turn_is_known(saved, scrubber):
    for steps in list(saved.history.turn_steps())[::11]:
        scrubber.go_to(scrubber.turns.place_of(steps.turn))
        assert scrubber.movers() == {record.workflow_id for record in steps.steps}


def test_steps_that_are_damaged_or_deleted_meanwhile_are_told_and_the_rest_is_shown(
    saved, scrubber, monkeypatch
):
    def damaged(*_):
        raise WorldCorruptError("w", "its history is damaged")

    scrubber.choose(scrubber.members[0])
    with monkeypatch.context() as patch:
        patch.setattr(saved.history, "turn_steps", damaged)
        patch.setattr(saved.history, "step_at", damaged)
        scrubber.step_world(-5)
        assert scrubber.movers() == frozenset()
        assert scrubber.moment().problem == "w: its history is damaged"
    assert scrubber.moment().problem is None


def test_what_a_running_world_adds_is_left_out(tmp_path):
    path = tally_world(tmp_path / "w", start(1), add(1))
    copy = tmp_path / "copy"
    with Runtime(path, [tally], clock=GameClock(), history="all") as world:
        world.backup(copy)
    with SavedWorld(copy) as saved:
        scrubber = Scrubber(saved)
        scrubber.choose(scrubber.members[0])
        trace = Trace(saved, 1, "tally", 1)
        assert list(trace.moves) == [1]
        assert saved.view(1, trace.row_at(1)).locals["total"] == 0


# -- comparing and forking ---------------------------------------------------------------------------------


def test_without_a_mark_the_last_step_is_compared_with_what_was_before_it(tmp_path):
    with SavedWorld(tally_world(tmp_path / "w", start(1), add(1), quiet, quiet, start(2))) as saved:
        scrubber = Scrubber(saved)
        scrubber.choose(scrubber.members[0])
        first, second, found = scrubber.compare()
        assert (first, second) == (1, scrubber.turn)
        assert [(each.path, each.old, each.new) for each in found if each.path.startswith("locals")] == [
            ("locals.total", 0, 1)
        ]


def test_a_mark_is_compared_with_here_the_earlier_one_first(tmp_path):
    with SavedWorld(tally_world(tmp_path / "w", start(1), add(1), add(1), start(2))) as saved:
        scrubber = Scrubber(saved)
        scrubber.choose(scrubber.members[0])
        scrubber.go_to(scrubber.turns.place_of(3))
        scrubber.set_mark()
        scrubber.go_to(0)
        first, second, found = scrubber.compare()
        assert (first, second) == (1, 3)
        assert ("locals.total", 0, 2) in found
        scrubber.choose(scrubber.members[1])
        assert scrubber.compare() is None, "it is in neither turn"
        scrubber.go_to(2)
        scrubber.set_mark()
        assert scrubber.mark is None

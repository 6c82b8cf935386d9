"""The ledger against a world: what is planted is found, and a clean world is called clean."""

import dataclasses

import pytest

from deathless import GameClock, Runtime
from deathless.tools.loadtest.findings import look_at
from deathless.tools.loadtest.inputs import Input, Kind, Known
from deathless.tools.loadtest.instruments import INSTRUMENTS, WITNESS, LoadtestNote, enter, witness
from deathless.tools.loadtest.ledger import Ledger, read_ledger
from deathless.tools.loadtest.verification import verify

TYPES = [WITNESS]
NAMED = dict.fromkeys(Kind, True)
ENTITIES = (1, 2)


class Run:
    """A world with two witnesses and its ledger, driven by hand."""

    def __init__(self, path):
        self.path = path
        self.world = Runtime(path / "world", INSTRUMENTS, clock=GameClock(), durability="process")
        self.ledger = Ledger(path / "ledger")
        self.number = 0
        self.sequences = [0, 0]
        for name, entity in enumerate(ENTITIES):
            item = self.entered(Kind.START, entity, [name])
            handle = self.world.start(witness(name), entity_id=entity, input_id=str(item.number))
            self.ledger.known([Known(item.number, handle.id)])

    def entered(self, kind, entity, values):
        item = Input(self.number, int(kind), 0, entity, values, 0.0)
        self.number += 1
        self.ledger.sent([item])
        return item

    def note(self, name, *, sent=True, known=True):
        """Send a number to a witness, or only say so."""
        number, self.sequences[name] = self.sequences[name], self.sequences[name] + 1
        item = self.entered(Kind.NOTE, ENTITIES[name], [name, number])
        if sent:
            self.signal(name, number, input_id=str(item.number))
        if known:
            self.ledger.known([Known(item.number, 0)])
        return item

    def signal(self, name, number, *, to=None, input_id=None):
        self.world.signal(
            LoadtestNote(name, number), entity_id=ENTITIES[name if to is None else to], input_id=input_id
        )

    def verdict(self, *, prunes=False):
        self.world.advance(0.0)
        self.world.close()
        self.ledger.close()
        return verify(
            read_ledger(self.path / "ledger"),
            look_at(self.path / "world", virtual=True),
            TYPES,
            NAMED,
            prunes=prunes,
        )


@pytest.fixture
def run(tmp_path):
    made = Run(tmp_path)
    yield made
    made.world.close()
    made.ledger.close()


def test_a_world_that_took_everything_once_holds(run):
    for number in range(20):
        run.note(number % 2)
    verdict = run.verdict()
    assert verdict.holds, verdict
    assert (verdict.acknowledged, verdict.witnessed, verdict.unknown) == (22, 20, 0)


def test_an_acknowledged_number_that_never_came_is_lost(run):
    run.note(0)
    lost = run.note(0, sent=False)
    run.note(0)
    verdict = run.verdict()
    assert verdict.lost == [
        f"input {lost.number} (note): its name is not recorded",
        "witness of entity 1: number 1 never came",
    ]
    assert not verdict.holds


def test_a_number_that_came_twice_is_doubled(run):
    run.note(0)
    run.signal(0, 0)
    run.note(0)
    assert run.verdict().doubled == ["witness of entity 1: number 0 came again"]


def test_a_number_that_was_never_sent_is_foreign(run):
    run.note(0)
    run.signal(0, 7)
    assert run.verdict().foreign == ["witness of entity 1: number 7 was never sent"]


def test_a_number_that_was_for_another_witness_is_foreign(run):
    run.note(0)
    run.signal(0, 0, to=1)
    assert run.verdict().foreign == ["witness of entity 2: number 0, which was for witness 0"]


def test_numbers_in_another_order_are_found_though_all_are_there(run):
    for number in (0, 2, 1):
        run.sequences[0] = number
        run.note(0)
    verdict = run.verdict()
    assert (verdict.lost, verdict.doubled, verdict.foreign) == ([], [], [])
    assert len(verdict.disordered) == 1
    assert not verdict.holds


def test_what_was_never_acknowledged_may_be_there_or_not(run):
    run.note(0, known=False)
    run.note(0, sent=False, known=False)
    verdict = run.verdict()
    assert verdict.holds, verdict
    assert verdict.unknown == 2


def test_a_finding_of_the_worlds_own_breaks_the_verdict_too(run):
    run.verdict()
    found = look_at(run.path / "world", virtual=True)
    found.lost.append("a timer")
    entries = read_ledger(run.path / "ledger")
    assert verify(entries, found, TYPES, NAMED).lost == ["a timer"]
    assert found.lost == ["a timer"]


def test_a_start_that_is_not_there_is_lost(run):
    item = run.entered(Kind.START, 3, [2])
    run.ledger.known([Known(item.number, 99)])
    assert run.verdict().lost == [
        f"start {item.number} ({WITNESS}, entity 3): there is no workflow 99",
        f"input {item.number} (start): its name is not recorded",
    ]


def test_a_start_that_is_there_twice_is_doubled(run):
    run.world.start(witness(0), entity_id=1)
    assert run.verdict().doubled == [f"start 0 ({WITNESS}, entity 1): workflows 1, 3"]


def test_a_workflow_that_nobody_started_is_foreign(run):
    run.world.start(witness(0), entity_id=9)
    assert run.verdict().foreign == ["workflow 3: entity 9 was never started"]


def test_a_name_that_nobody_gave_is_foreign(run):
    run.world.signal(LoadtestNote(5, 5), entity_id=77, input_id="mine")
    assert run.verdict().foreign == ["input 'mine': recorded and never sent"]


def test_a_start_that_is_acknowledged_again_under_another_id_is_doubled(run):
    run.ledger.known([Known(0, 42)])
    assert run.verdict().doubled == [f"start 0 ({WITNESS}, entity 1): acknowledged as workflow 1 and as 42"]


def test_what_a_ledger_says_is_read_back(tmp_path):
    items = [
        Input(0, int(Kind.START), 1, 5, {}, 0.0),
        Input(1, int(Kind.NOTE), 0, 5, [2, 7], 0.0),
        Input(2, int(Kind.SIGNAL), 0, 5, {}, 0.0),
    ]
    with Ledger(tmp_path / "ledger") as ledger:
        ledger.sent(items)
        ledger.known([Known(0, 12)])
        ledger.killed(1.5)
        ledger.refused([2])
    entries = [dataclasses.astuple(entry) for entry in read_ledger(tmp_path / "ledger")]
    assert entries == [
        (0, Kind.START, 1, 5, 0, 0, "known", 12, 0),
        (1, Kind.NOTE, 0, 5, 2, 7, "sent", 0, 0),
        (2, Kind.SIGNAL, 0, 5, 0, 0, "refused", 0, 0),
    ]


def test_what_was_acknowledged_stays_so_though_it_is_refused_when_it_comes_again(run):
    lost = run.note(0, sent=False)
    run.ledger.refused([lost.number])
    assert len(run.verdict().lost) == 2


def test_ranges_grow_join_and_know_what_they_hold():
    ranges = []
    assert [enter(ranges, number) for number in (5, 6, 8, 1, 7, 0, 6, 2)] == [False] * 6 + [True, False]
    assert ranges == [[0, 2], [5, 8]]


def test_what_a_world_has_pruned_is_counted_and_not_called_lost(run):
    for number in range(20):
        run.note(number % 2)
    run.world.advance(1.0)
    run.world.call("cleanup_old_workflows", 0.0)
    item = run.entered(Kind.SIGNAL, ENTITIES[0], [0, 7])
    run.ledger.known([Known(item.number, 0)])
    verdict = run.verdict(prunes=True)
    assert verdict.holds, verdict
    assert (verdict.acknowledged, verdict.witnessed, verdict.pruned) == (23, 20, 1)


def test_a_witness_still_tells_what_is_lost_in_a_world_that_prunes(run):
    run.note(0)
    run.note(0, sent=False)
    run.note(0)
    assert run.verdict(prunes=True).lost == [f"witness of entity {ENTITIES[0]}: number 1 never came"]

"""The doctor finds what was planted, and nothing else."""

import json
import shutil
from dataclasses import dataclass
from typing import Any

import msgpack
import pytest
from garden import TYPES, open_garden, plant

from deathless import GameClock, Runtime, WorldCorruptError, WorldInUse
from deathless.actors.address_index import id_key, prefix_of
from deathless.runtime.history import step_index
from deathless.runtime.registration import registry_of
from deathless.runtime.row_buffer import row_key
from deathless.runtime.storage.environment import open_environment
from deathless.runtime.storage.store import Store
from deathless.runtime.storage.world_reader import WorldReader
from deathless.tools.doctor import examine_world, repair_world
from deathless.tools.doctor.examination import MOST
from deathless.workflows import rows

# The workflows of the garden: growers that dried up (1, 2), ripened (3) and were cancelled (4), and one of each other
# type; the keeper's children are 10 and 11, the weigher's activity is 12.
DRIED, RIPE, CANCELLED, KEEPER, WEIGHER, DRIP, SLEEPER, STUBBORN, CHILD = 1, 3, 4, 5, 6, 7, 8, 9, 10
ACTIVITY = 12


def edit(path, table, key, change):
    """Put another value into the place of one, or take it out where `change` gives None."""
    with Store.open(path, create=False) as store:
        store.commit({table: {key: change(store.get(table, key))}})


def patched(**changes):
    """Return a change of some fields of a row."""
    return lambda row: rows.patch(row, **changes)


def field(index, value):
    """Return a change of one element of a packed array."""

    def change(packed):
        array = msgpack.unpackb(packed, strict_map_key=False)
        array[index] = value
        return msgpack.packb(array)

    return change


def entry(name, value):
    """Return a change of one entry of a packed map."""
    return lambda packed: msgpack.packb({**msgpack.unpackb(packed), name: value})


def gone(_):
    return None


def garbage(_):
    return b"\xc1 garbage"


@dataclass(frozen=True)
class Planted:
    """A corruption: where, what becomes of the value there, and what must be said of it."""

    table: str
    key: bytes
    change: Any
    check: str
    says: str
    workflow: int | None = None

    def __str__(self) -> str:
        return f"{self.check}: {self.says}"


def of_row(number, change, check, says):
    return Planted("workflow", row_key(number), change, check, says, number)


def of_child(change, says):
    """What is done to a child is said of its parent, which lists it."""
    return Planted("workflow", row_key(CHILD), change, "family", says, KEEPER)


def swapped_head(index, value):
    """Return a change of a field that `rows.patch` has no name for."""

    def change(row):
        split = rows.split(row)
        split[index] = msgpack.packb(value)
        return row[:3] + b"".join(split)

    return change


SIDE = (1 << 20).to_bytes(8, "big")
PLANTED = [
    # The world's own values.
    Planted("meta", b"world", garbage, "meta", "does not decode"),
    Planted("meta", b"world", gone, "meta", "is not there, in a world with workflows"),
    Planted("meta", b"world", entry("clock", "sand"), "meta", "a clock of kind 'sand'"),
    Planted("meta", b"ids", gone, "meta", "is not there, in a world with workflows"),
    Planted("meta", b"ids", lambda _: b"\0\1", "meta", "2 bytes, where there are eight"),
    Planted("meta", b"limits", entry("patience", 3), "meta", "does not decode"),
    Planted(
        "meta", b"history", lambda _: msgpack.packb([[5, True, []], [2, True, []]]), "meta", "after turn 2"
    ),
    Planted("meta", b"table:stock", gone, "table", "meta does not say what their keys are"),
    Planted("code", (2).to_bytes(4, "big"), garbage, "code", "the description of code 2 does not decode"),
    # Rows of workflows.
    of_row(SLEEPER, garbage, "row", "does not decode"),
    of_row(SLEEPER, lambda row: row[:-3], "row", "does not decode"),
    of_row(SLEEPER, patched(status=0), "row", "Running, which is never stored"),
    of_row(SLEEPER, patched(updated=10**9), "row", "in the future of the world"),
    of_row(SLEEPER, patched(stack=None), "row", "has no stack"),
    of_row(SLEEPER, patched(unread=[[7, 0]]), "row", "an unread message of kind 7"),
    of_row(SLEEPER, patched(unread=[[1, 0, "Water", b"\x91", ""]]), "row", "does not decode"),
    of_row(SLEEPER, patched(topics=["Water", ["bed"]]), "row", "does not decode"),
    of_row(RIPE, patched(outcome=b"\xc1"), "row", "does not decode"),
    of_row(RIPE, patched(unread=[[1, 0, "Water", b"\x90", ""]]), "row", "still has its unread"),
    of_row(CANCELLED, patched(outcome=None), "row", "cancelled, without a reason"),
    of_row(DRIED, patched(outcome=["oh", ""]), "row", "failed, and does not say at what"),
    of_row(STUBBORN, patched(outcome=["oh", "", []]), "row", "does not say which"),
    Planted("meta", b"ids", lambda _: row_key(10), "row", "its id was never handed out", CHILD),
    # Code.
    Planted("code", (6).to_bytes(4, "big"), gone, "code", "await 1 of code 6, which the world", SLEEPER),
    of_row(SLEEPER, patched(stack=[[6, 9]]), "code", "await 9 of code 6"),
    of_row(SLEEPER, patched(stack=[[6, 1, "more"]]), "code", "holds 1 values at await 1 of code 6"),
    # Timers.
    of_row(SLEEPER, patched(due=None), "due", "set for None, and what it awaits is due at 30000000"),
    of_row(SLEEPER, patched(due=29_000_000), "due", "set for 29000000"),
    of_row(DRIP, patched(due=15_000_000), "due", "what it awaits is due at 14000000"),
    of_row(KEEPER, patched(due=5), "due", "due at None"),
    of_row(STUBBORN, patched(due=None), "due", "to be tried again, and no timer is set"),
    of_row(RIPE, patched(due=5), "due", "has ended (Completed), and a timer of it is due at 5"),
    # Families.
    of_child(gone, "its child, workflow 10, is not there"),
    of_child(swapped_head(rows.PARENT, 4), "workflow 10, says that its parent is 4"),
    of_row(CHILD, swapped_head(rows.PARENT, 77), "family", "its parent is workflow 77, which is not older"),
    of_row(KEEPER, patched(children=[11, 0]), "family", "awaits child 10, which is none of its children"),
    of_child(patched(status=2, due=None, stack=None, wait=[], outcome=b"\x01"), "not on its way"),
    # Activities.
    Planted("activity", row_key(ACTIVITY), gone, "activity", "activity 12 is not there", WEIGHER),
    Planted("activity", row_key(ACTIVITY), garbage, "activity", "activity 12 does not decode"),
    Planted("activity", row_key(ACTIVITY), field(0, SLEEPER), "activity", "which does not wait for it"),
    Planted(
        "activity",
        row_key(ACTIVITY),
        field(0, 66),
        "activity",
        "asked for by workflow 66, which is not there",
    ),
    Planted("activity", row_key(ACTIVITY), field(1, 2), "activity", "names entity 2, and workflow 6 is on 9"),
    Planted(
        "activity",
        SIDE,
        lambda _: msgpack.packb([6, 9, "weigh", b"\x92\x90\x80", [1, 1, 1, 1], None]),
        "activity",
        "was never handed out",
    ),
    # Indexes.
    Planted("entity", prefix_of(9) + b"\0" + id_key(SLEEPER), gone, "index", "is not there", SLEEPER),
    Planted(
        "entity", prefix_of(8) + b"\0" + id_key(SLEEPER), lambda _: b"", "index", "says otherwise", SLEEPER
    ),
    Planted(
        "group", prefix_of("bed 1") + b"\1" + id_key(CANCELLED), gone, "index", "is not there", CANCELLED
    ),
    Planted("group", prefix_of("bed 7") + b"\0" + id_key(99), lambda _: b"", "index", "is not there", 99),
    Planted("type", prefix_of("drip") + id_key(DRIP), gone, "index", "is not there", DRIP),
    Planted("ended", b"\3" + id_key(DRIED), gone, "index", "is not there", DRIED),
    Planted("ended", b"\2" + id_key(RIPE), lambda _: bytes(8), "index", "another time", RIPE),
    Planted("ended", b"\2" + id_key(SLEEPER), lambda _: bytes(8), "index", "says otherwise", SLEEPER),
    # What the last turn left, and named inputs.
    Planted("turn", b"leftover", garbage, "leftover", "does not decode"),
    Planted(
        "turn",
        b"leftover",
        field(0, [[77, 1, 0, "Water", b"\x90", ""]]),
        "leftover",
        "to workflow 77, which is not there",
        77,
    ),
    Planted(
        "turn",
        b"leftover",
        field(0, [[RIPE, 1, 0, "Water", b"\x90", ""]]),
        "leftover",
        "which has ended",
        RIPE,
    ),
    Planted(
        "turn", b"leftover", field(1, [10**6]), "leftover", "workflow 1000000 was never handed out", 10**6
    ),
    Planted("turn", b"leftover", field(2, [DRIP]), "leftover", "without a tick on its way", DRIP),
    Planted("input", b"watered", garbage, "input", "input watered does not decode"),
    Planted("input", b"watered", field(1, "shout"), "input", "is of kind 'shout'"),
    Planted("input", b"watered", field(3, 999), "input", "was taken by turn 999, which is not yet"),
    # The game's own tables.
    Planted(
        "table:stock", b"\1" + bytes(8), lambda _: msgpack.packb(1.0), "table", "its row does not decode"
    ),
    Planted(
        "table:stock",
        b"\5" + bytes(8) + b"rose\0\0",
        lambda _: msgpack.packb(1.0),
        "table",
        "a key that is not",
    ),
    Planted("table:stock", b"\1" + bytes(8) + b"rose\0\0", garbage, "table", "does not decode"),
    # The history.
    Planted("history_turn", row_key(3) + bytes(4), garbage, "history", "turn 3 does not decode"),
    Planted("history_step", row_key(1) + bytes(4), garbage, "history", "turn 1 does not decode"),
    Planted(
        "history_step",
        row_key(5) + bytes(2) + b"\x20\0",
        lambda _: b"more",
        "history",
        "turn 5 lacks a piece",
    ),
    Planted(
        "history_turn",
        row_key(900) + bytes(4),
        lambda _: msgpack.packb([0, False, 0, [], [], b""]),
        "history",
        "turn 900 is not yet",
    ),
    Planted(
        "history_index",
        row_key(2) + bytes(20),
        lambda _: bytes(19),
        "history",
        "not those that its key names",
    ),
    Planted("event", row_key(3) + bytes(4), garbage, "history", "turn 3 does not decode"),
    Planted("history_last", row_key(7) + row_key(0), garbage, "history", "a step does not decode"),
]


def test_a_sound_world_has_no_findings(garden):
    assert examine_world(garden, registry_of(TYPES).workflows) == []


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_what_was_planted_is_found_and_named(planted, garden):
    edit(garden, planted.table, planted.key, planted.change)
    findings = examine_world(garden)
    found = [
        finding for finding in findings if finding.check == planted.check and planted.says in finding.what
    ]
    assert found, findings
    assert planted.workflow in {finding.workflow_id for finding in found}
    assert all(finding.remedy for finding in found)


def test_a_gap_in_the_last_steps_is_found(garden):
    step = msgpack.packb([1, 0, [2, 0], None, None])
    with Store.open(garden, create=False) as store:
        store.commit({"history_last": {row_key(7) + row_key(number): step for number in (3, 5)}})
    (finding,) = examine_world(garden)
    assert "the steps of workflow 7 have a gap after step 3" in finding.what


def causes(world, number):
    """Return when each step of a workflow was, and what caused it."""
    return [(entry.turn, entry.now, entry.cause, entry.detail) for entry in world.history(number)]


@pytest.mark.parametrize("lost", ["a place", "the last segment", "all"])
def test_a_wrong_index_of_the_history_is_found_and_made_again(lost, run, tmp_path, monkeypatch):
    monkeypatch.setattr(step_index, "SEGMENT", 4)
    path = tmp_path / "world"
    with open_garden(path) as world:
        plant(world)
        before = {view.id: causes(world, view.id) for view in world.workflows()}
    assert examine_world(path) == []
    with Store.open(path, create=False) as store:
        (key, places), *_, (last, _) = index = list(store.scan("history_index"))
        doomed = {
            "a place": {key: places[20:]},
            "the last segment": {last: None},
            "all": dict.fromkeys(dict(index)),
        }
        store.commit({"history_index": doomed[lost]})
    found = examine_world(path)
    assert {(finding.check, finding.table) for finding in found} == {("history", "history_index")}
    code, out, _ = run("doctor", path, "--repair")
    assert (code, "history_index: 0 added" in out) == (0, True)
    with open_garden(path) as world:
        assert {number: causes(world, number) for number in before} == before
        world.advance(50.0)
    with WorldReader(path) as reader:
        assert next(reader.scan("history_index"), None) is not None
    assert examine_world(path) == []


def test_a_truncated_file_is_a_finding(garden):
    data = garden / "data.mdb"
    data.write_bytes(data.read_bytes()[: 3 * 4096])
    (finding,) = examine_world(garden)
    assert (finding.check, finding.where) == ("file", "the file")
    assert "truncated" in finding.what


def test_many_findings_of_a_kind_are_counted(garden):
    with Store.open(garden, create=False) as store:
        store.commit({"entity": {prefix_of(5) + b"\0" + id_key(n): b"" for n in range(1000, 1250)}})
    findings = examine_world(garden)
    assert len(findings) == MOST + 1
    assert f"{250 - MOST} more such findings" in findings[-1].what


def test_workflows_that_the_code_would_hold_are_findings(garden):
    types = dict(registry_of(TYPES).workflows)
    del types["sleeper"]
    (finding,) = examine_world(garden, types)
    assert (finding.check, finding.severity, finding.workflow_id) == ("held", "warning", SLEEPER)
    assert "workflow 8 of type sleeper" in finding.what


def test_a_world_that_never_ran_is_sound(tmp_path):
    with Store.open(tmp_path / "world"):
        pass
    assert examine_world(tmp_path / "world") == []


@pytest.mark.parametrize(
    ("table", "key", "where"),
    [
        ("diary", b"1", "table diary"),
        ("meta", b"mood", "table meta, key mood"),
        ("turn", b"b", "table turn, key b"),
    ],
)
def test_what_deathless_did_not_write_is_a_warning(garden, table, key, where):
    plant_row(garden, table, key, b"whatever")
    (finding,) = examine_world(garden)
    assert (finding.check, finding.severity, finding.where) == ("unknown", "warning", where)


def test_a_world_without_its_limits_is_a_warning_until_it_is_opened_and_takes_a_turn(garden):
    edit(garden, "meta", b"limits", gone)
    (finding,) = examine_world(garden)
    assert (finding.check, finding.severity, finding.key) == ("meta", "warning", b"limits")
    with open_garden(garden) as world:
        world.advance(1.0)
    assert examine_world(garden) == []


def test_a_world_that_lost_what_it_records_is_found_and_one_that_records_nothing_is_sound(garden, tmp_path):
    edit(garden, "meta", b"history", gone)
    (finding,) = examine_world(garden)
    assert (finding.check, finding.severity, finding.key) == ("meta", "error", b"history")
    with Runtime(tmp_path / "plain", TYPES, clock=GameClock(), history="off") as world:
        world.advance(1.0)
    with WorldReader(tmp_path / "plain") as world:
        assert world.get("meta", b"history") is None
    assert examine_world(tmp_path / "plain") == []


def test_a_gap_in_the_log_of_a_killed_world_is_a_finding_and_not_repaired(running, tmp_path, run):
    killed = tmp_path / "killed"
    killed.mkdir()
    shutil.copy(running / "data.mdb", killed)
    assert examine_world(killed) == []
    with open_environment(killed, map_size=1 << 30, sync=False) as environment:
        log = environment.open_db(b"log", create=False)
        with environment.begin(write=True) as transaction:
            keys = [key for key, _ in transaction.cursor(db=log)]
            middle = keys[len(keys) // 2][:8]
            assert keys[0][:8] < middle < keys[-1][:8]
            for key in keys:
                if key.startswith(middle):
                    transaction.delete(key, db=log)
    (finding,) = examine_world(killed)
    assert finding.check == "file"
    assert f"entry {int.from_bytes(middle, 'big')} is not there" in finding.what
    with pytest.raises(WorldCorruptError, match="is not there"):
        repair_world(killed)


def test_the_command_says_what_is_wrong(run, garden):
    assert run("doctor", garden) == (0, f"{garden}: sound\n", "")
    edit(garden, "workflow", row_key(SLEEPER), garbage)
    code, out, _ = run("doctor", garden)
    assert code == 1
    assert out.splitlines()[0].startswith("error: workflow 8: its row does not decode")
    code, out, _ = run("doctor", garden, "--json")
    found = json.loads(out)
    assert (code, found["sound"], found["findings"][0]["key"]) == (1, False, row_key(SLEEPER).hex())


def test_bad_input_is_one_line(run, tmp_path):
    code, out, err = run("doctor", tmp_path / "nowhere")
    assert (code, out) == (2, "")
    assert err == f"Error: {tmp_path / 'nowhere'}: there is no world here; give the path of one\n"


@pytest.mark.parametrize("planted", [planted for planted in PLANTED if planted.check == "index"], ids=str)
def test_an_index_is_repaired(planted, run, garden, digest):
    before = digest(garden)
    edit(garden, planted.table, planted.key, planted.change)
    code, out, _ = run("doctor", garden, "--repair")
    assert code == 0, out
    assert f"repairing: {planted.table}" in out
    assert out.endswith(f"{garden}: sound\n")
    assert digest(garden) == before


def test_lost_indexes_are_all_made_again(run, garden, digest):
    before = digest(garden)
    with Store.open(garden, create=False) as store:
        for table in ("entity", "group", "type", "ended"):
            store.commit({table: dict.fromkeys((key for key, _ in store.scan(table)), None)})
    code, out, _ = run("doctor", garden, "--repair", "--json")
    assert (code, json.loads(out)["repaired"]["added"]) == (
        0,
        {"entity": 9, "group": 4, "type": 11, "ended": 4},
    )
    assert digest(garden) == before


def test_a_damaged_row_is_not_repaired(run, garden):
    edit(garden, "type", prefix_of("drip") + id_key(DRIP), gone)
    edit(garden, "workflow", row_key(SLEEPER), garbage)
    before = shutil.copytree(garden, garden.with_name("before"))
    code, _, err = run("doctor", garden, "--repair")
    assert code == 2
    assert "the row of workflow 8 is damaged" in err
    with Store.open(garden, create=False) as store, Store.open(before, create=False) as other:
        assert store.digest() == other.digest()


def test_a_running_world_is_examined_and_not_repaired(run, running):
    code, out, err = run("doctor", running)
    assert (code, err) == (0, ""), out
    assert run("doctor", running, "--repair")[0] == 0
    with pytest.raises(WorldInUse):
        repair_world(running)


def plant_row(path, table, key, value):
    with Store.open(path, create=False) as store:
        store.commit({table: {key: value}})


@pytest.mark.parametrize("key", [b"short", b"longer than an id"])
def test_a_key_that_is_no_workflow_id_is_found(garden, key):
    plant_row(garden, "workflow", key, b"\xc1")
    findings = examine_world(garden)
    assert [(finding.check, finding.table, finding.key) for finding in findings] == [("row", "workflow", key)]


def test_a_key_of_a_table_of_no_kind_that_there_is_is_found(garden):
    plant_row(garden, "meta", b"table:stock", msgpack.packb(["imt", "str"]))
    assert ("meta", b"table:stock") in [(finding.check, finding.key) for finding in examine_world(garden)]


def test_code_is_held_against_a_damaged_world_without_a_crash(garden):
    edit(garden, "code", (1).to_bytes(4, "big"), lambda _: msgpack.packb([]))
    findings = examine_world(garden, registry_of(TYPES).workflows)
    assert {"code", "held"} <= {finding.check for finding in findings}
    assert "cannot be told" in findings[-1].what


@pytest.mark.parametrize(("table", "key"), [("meta", b"indexed"), ("history_index", b"\xff" * 8)])
def test_an_index_of_turns_that_cannot_be_is_found_and_taken_away(garden, table, key):
    plant_row(garden, table, key, b"\xff" * 8)
    assert {finding.table for finding in examine_world(garden)} == {"history_index"}
    repair_world(garden)
    assert examine_world(garden) == []

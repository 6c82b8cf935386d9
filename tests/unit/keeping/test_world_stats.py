"""Stats: what a world says of its size is what is in it."""

import json
from collections import Counter

import pytest
from garden import open_garden

from deathless.runtime.storage.store import Store
from deathless.runtime.storage.world_reader import WorldReader
from deathless.tools.world_stats import CLASSES, Sized, state_stats, world_stats
from deathless.workflows import rows


def test_tables_are_counted_as_the_store_counts_them(garden):
    stats = world_stats(garden)
    with Store.open(garden, create=False) as store:
        entries = store.stats().entries
        found = {name: store.table_bytes([name]) for name in entries}
    for name, count in entries.items():
        assert stats.tables[name] == (count, found[name]), name
    assert stats.tables["log"].rows == 1


def test_the_file_is_its_tables_and_what_is_free(garden):
    stats = world_stats(garden)
    with WorldReader(garden) as world:
        space = world.space()
    tables = sum(table.bytes for table in stats.tables.values())
    assert stats.file_bytes == (garden / "data.mdb").stat().st_size
    assert stats.free_bytes >= 0
    own = space.used_bytes - tables - stats.free_bytes
    assert (own % space.page_size, own >= 3 * space.page_size) == (0, True)


def test_workflows_are_counted_by_type_and_status(garden):
    stats = world_stats(garden)
    with open_garden(garden) as world:
        views = world.workflows()
        assert stats.now == world.now
    assert stats.statuses == Counter(str(view.status) for view in views)
    for name, counts in stats.types.items():
        assert counts == Counter(str(view.status) for view in views if view.type == name)
    assert (stats.clock, stats.turn) == ("game", 6)


def test_mailboxes_and_timers_are_those_of_the_busiest(garden):
    stats = world_stats(garden)
    assert stats.longest_mailbox is not None
    assert (stats.longest_mailbox.workflow_id, stats.longest_mailbox.type) == (8, "sleeper")
    with Store.open(garden, create=False) as store:
        row = rows.split(store.get("workflow", (8).to_bytes(8, "big")))
    assert stats.longest_mailbox.size == len(rows.read_field(row, rows.UNREAD))
    assert stats.most_timers is not None
    assert stats.most_timers.size == 1


def test_the_largest_states_are_named_largest_first(garden):
    stats = world_stats(garden)
    with Store.open(garden, create=False) as store:
        sizes = {int.from_bytes(key, "big"): len(row) for key, row in store.scan("workflow")}
    assert [one.size for one in stats.largest] == sorted(sizes.values(), reverse=True)[:10]
    assert all(sizes[one.workflow_id] == one.size for one in stats.largest)
    assert stats.states.max == stats.largest[0].size
    assert stats.states.bytes == sum(sizes.values())
    assert stats.states_by_type["sleeper"].max == sizes[8]


def test_sizes_are_summed_up_by_rank_and_by_class():
    stats = state_stats([Counter({100: 50, 1024: 40}), Counter({20_000: 9, 200_000: 1})])
    assert (stats.count, stats.median, stats.p90, stats.p99, stats.max) == (100, 100, 1024, 20_000, 200_000)
    assert list(stats.classes.values()) == [50, 40, 9, 1]
    assert list(stats.classes) == [name for name, _, _ in CLASSES]
    assert state_stats([]).classes == dict.fromkeys(stats.classes, 0)
    assert state_stats([Counter({1023: 1, 1024: 1, 10_240: 1, 102_400: 1})]).classes == dict.fromkeys(
        stats.classes, 1
    )


def test_the_command_says_it_to_people_and_to_scripts(garden, run):
    code, out, err = run("stats", garden)
    assert (code, err) == (0, "")
    assert out.startswith("turn 6, 7.300 s on a game clock; file ")
    assert "consider splitting" in out
    code, out, _ = run("stats", garden, "--json")
    stats = world_stats(garden)
    found = json.loads(out)
    assert (code, found["statuses"]) == (0, stats.statuses)
    assert found["tables"]["workflow"] == {"rows": 11, "bytes": stats.tables["workflow"].bytes}
    assert Sized(**found["largest"][0]) == stats.largest[0]


def test_a_running_world_and_one_that_never_ran_are_measured(running, run, tmp_path):
    assert run("stats", running)[0] == 0
    with Store.open(tmp_path / "new"):
        pass
    code, out, _ = run("stats", tmp_path / "new")
    assert (code, out.partition(";")[0]) == (0, "never ran")


def test_a_damaged_row_is_one_line(garden, run):
    with Store.open(garden, create=False) as store:
        store.commit({"workflow": {(8).to_bytes(8, "big"): b"garbage"}})
    code, out, err = run("stats", garden)
    assert (code, out) == (2, "")
    assert "the row of workflow 8 is damaged" in err
    assert "run deathless doctor" in err


@pytest.mark.parametrize("command", ["backup", "restore", "export", "import", "doctor", "stats"])
def test_each_command_has_help_with_examples(command, run):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"deathless {command} " in out.partition("Examples:")[2]

"""`Runtime.sql`: what the tables say is what the world says otherwise."""

import json
import threading

import pytest
from sql_game import ALL, Hit, buff, guard, nest, players, populate

from deathless import (
    Context,
    GameClock,
    Runtime,
    RuntimeClosedError,
    SqlError,
    Table,
    WorldCorruptError,
    reducer,
    workflow,
)
from deathless.runtime.sql import workflow_table
from deathless.runtime.sql.json_values import MOST_PARTS
from deathless.runtime.sql.query import run_query
from deathless.runtime.sql.workflow_record import HELD
from deathless.runtime.storage.store import Store
from deathless.runtime.storage.world_reader import WorldReader


@workflow
async def huge(ctx: Context, number: int) -> int:
    await ctx.sleep(1.0)
    return number


GUIDE = {
    "by status": """
  SELECT status, COUNT(*) as count
  FROM workflow
  GROUP BY status
""",
    "stuck": """
  SELECT w.id, w.workflow_type, w.current_step
  FROM workflow w
  LEFT JOIN workflow_timer t ON w.id = t.workflow_id AND NOT t.cancelled
  WHERE w.status IN ('Running', 'Suspended')
  AND t.scheduled_id IS NULL
""",
    "pending": """
  SELECT COUNT(*) as pending_timers
  FROM workflow_timer
  WHERE NOT cancelled
""",
    "active": "SELECT COUNT(*) FROM workflow WHERE status IN ('Running', 'Suspended')",
    "failed": "SELECT COUNT(*) FROM workflow WHERE status = 'Failed'",
    "by type": "SELECT workflow_type, COUNT(*) FROM workflow GROUP BY workflow_type",
    "of an entity": "SELECT * FROM workflow WHERE entity_id = 42",
    "tables": "SELECT COUNT(*) FROM workflow",
    "timers": "SELECT COUNT(*) FROM workflow_timer",
    "export": "SELECT * FROM workflow_timer",
}
"""The queries of the deployment guide, as they stand there."""


def ask(world, query, *params):
    return world.sql(query, params).rows


def test_the_guides_queries_count_what_there_is(world):
    views = world.workflows()
    by_status = {str(view.status): 0 for view in views}
    for view in views:
        by_status[str(view.status)] += 1
    assert dict(ask(world, GUIDE["by status"])) == by_status
    assert set(by_status) == {"Suspended", "Completed", "Failed", "Cancelled"}
    by_type = {view.type: sum(other.type == view.type for other in views) for view in views}
    assert dict(ask(world, GUIDE["by type"])) == by_type
    assert ask(world, GUIDE["active"]) == [(by_status["Suspended"],)]
    assert ask(world, GUIDE["failed"]) == [(2,)]
    assert ask(world, GUIDE["tables"]) == [(len(views),)]
    timers = sum(len(view.timers) for view in views if view.status == "Suspended")
    assert timers >= 6
    assert ask(world, GUIDE["pending"]) == ask(world, GUIDE["timers"]) == [(timers,)]
    assert len(ask(world, GUIDE["export"])) == timers
    stuck = [(v.id, v.type, v.current_step) for v in views if v.status == "Suspended" and not v.timers]
    assert sorted(ask(world, GUIDE["stuck"])) == sorted(stuck)
    assert len(stuck) >= 2
    assert len(ask(world, GUIDE["of an entity"])) == 4


def test_the_columns_of_a_workflow_are_what_its_view_says(world):
    found = world.sql("SELECT * FROM workflow ORDER BY id")
    for row, view in zip(found.dicts(), world.workflows(), strict=True):
        assert row["id"] == view.id
        assert row["workflow_type"] == view.type
        assert str(row["entity_id"] or 0) == str(view.entity_id or 0)
        assert row["correlation_id"] == view.correlation_id
        assert row["parent_id"] == view.parent_id
        assert row["status"] == view.status
        assert row["current_step"] == view.current_step
        assert (row["created_at"], row["updated_at"]) == (view.created_at, view.updated_at)
        assert (row["error_message"], row["traceback"]) == (view.error_message, view.traceback)
        assert row["held_reason"] == view.held_reason
        assert json.loads(row["awaiting"]) == list(view.awaiting)
        assert json.loads(row["children"]) == list(view.children)
        assert row["line"] == view.line
        assert row["next_due"] == (min((timer.due for timer in view.timers), default=None))
        assert json.loads(row["result"] or "null") == view.result


def test_locals_are_asked_for_by_name(world):
    rows = ask(world, "SELECT id, state->>'hp', state->>'$.weapon.damage' FROM workflow WHERE entity_id = 1")
    assert rows == [(world.workflows(entity_id=1)[0].id, 11, 3)]
    assert ask(world, "SELECT max(state->>'duration') FROM workflow WHERE workflow_type = 'buff'") == [
        (21.0,)
    ]
    (frames,) = ask(world, "SELECT frames FROM workflow WHERE entity_id = 1")[0]
    assert json.loads(frames)[0]["state"] == {}
    assert json.loads(frames)[0]["name"].endswith("rest")


def test_timers_have_their_names_and_due_times(world):
    expected = [
        (view.id, timer.name, timer.due)
        for view in world.workflows(status="Suspended")
        for timer in view.timers
    ]
    found = ask(world, "SELECT workflow_id, name, scheduled_at FROM workflow_timer ORDER BY workflow_id")
    assert found == expected
    ids = ask(world, "SELECT scheduled_id, cancelled FROM workflow_timer")
    assert len({number for number, _ in ids}) == len(ids)
    one = ids[0][0]
    assert ask(world, "SELECT workflow_id FROM workflow_timer WHERE scheduled_id = ?", one) == [
        (expected[0][0],)
    ]


def test_recorded_steps_are_a_table(world):
    for view in world.workflows():
        entries = world.history(view.id)
        rows = world.sql("SELECT * FROM workflow_history WHERE workflow_id = ?", [view.id]).dicts()
        assert [(row["turn"], row["event"], row["detail"]) for row in rows] == [
            (entry.turn, entry.cause, entry.detail) for entry in entries
        ]
        assert rows[-1]["status"] == view.status
    everything = "SELECT workflow_id, turn, event, detail, status, state FROM workflow_history"
    whole = ask(world, everything)
    single = [
        row for view in world.workflows() for row in ask(world, f"{everything} WHERE workflow_id = {view.id}")
    ]
    assert sorted(map(repr, whole)) == sorted(map(repr, single))
    assert len(whole) > 20


def test_the_audit_log_is_a_table(world):
    events = world.audit(limit=10_000)
    assert len(events) > 20
    expected = [(event.id, event.time, event.workflow_id, event.event, event.detail) for event in events]
    columns = "id, timestamp, workflow_id, event, detail"
    assert ask(world, f"SELECT {columns} FROM workflow_event ORDER BY timestamp") == expected
    last = "SELECT * FROM workflow_event\nORDER BY timestamp DESC\nLIMIT 100"
    assert [row["id"] for row in world.sql(last).dicts()] == [event.id for event in reversed(events)][:100]
    one = "SELECT * FROM workflow_event\nWHERE workflow_id = 1\nORDER BY timestamp"
    assert [row["event"] for row in world.sql(one).dicts()] == [e.event for e in events if e.workflow_id == 1]
    assert ask(world, f"SELECT {columns} FROM workflow_event WHERE id = ?", expected[7][0]) == [expected[7]]
    assert ask(world, "SELECT id FROM workflow_event WHERE id = ?", expected[7][0] - 1) == (
        [(expected[6][0],)] if expected[6][0] == expected[7][0] - 1 else []
    )


def test_a_games_own_tables_have_the_fields_of_their_values(world):
    assert ask(world, "SELECT key, name, gold FROM player WHERE gold > 10 ORDER BY key") == [
        (0, "player 2", 20),
        (1, "player 3", 30),
        (2, "player 4", 40),
    ]
    assert ask(world, "SELECT bag->>'$[0].name' FROM player WHERE key = -1") == [("axe",)]
    assert ask(world, "SELECT key_1, sum(value) FROM price GROUP BY key_1") == [("axe", 10.5), ("bow", 4.0)]
    assert ask(world, "SELECT key_2 FROM price WHERE key_1 = 'bow'") == [(1,)]
    assert ask(world, "SELECT key, value FROM table_workflow") == [("a", "mine")]
    world.commit()
    assert ask(world, "SELECT clock, turn, now FROM world") == [("game", world.turn, world.now)]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("id", [1, 3, 9, 10**9, -1]),
        ("entity_id", [0, 1, 42, 7, 99, str(2**63), str(2**63 + 1)]),
        ("correlation_id", ["gate", "it's a brood", "", "GATE"]),
        ("workflow_type", ["buff", "guard", "nobody"]),
        ("status", ["Running", "Suspended", "Completed", "Failed", "Cancelled", "suspended"]),
    ],
)
def test_an_index_finds_what_a_look_at_all_rows_finds(world, column, values):
    for value in values:
        # The plus keeps SQLite from using the index.
        every = ask(world, f"SELECT id, status FROM workflow WHERE +{column} = ? ORDER BY id", value)
        assert ask(world, f"SELECT id, status FROM workflow WHERE {column} = ? ORDER BY id", value) == every
        counted = ask(world, f"SELECT COUNT(*) FROM workflow WHERE {column} = ?", value)
        assert counted == [(len(every),)]


def test_values_of_another_kind_are_compared_as_sqlite_does(world):
    assert ask(world, "SELECT COUNT(*) FROM workflow WHERE entity_id = '42'") == [(0,)]
    first = world.workflows()[0].id
    assert ask(world, "SELECT COUNT(*) FROM workflow WHERE id = ?", str(first)) == [(1,)]
    assert ask(world, "SELECT COUNT(*) FROM workflow WHERE entity_id = 42.0") == [(4,)]
    assert ask(world, "SELECT COUNT(*) FROM workflow WHERE entity_id = 42.5") == [(0,)]
    assert ask(world, "SELECT COUNT(*) FROM workflow WHERE entity_id = ?", b"42") == [(0,)]
    assert ask(world, "SELECT COUNT(*) FROM workflow WHERE entity_id = NULL") == [(0,)]
    assert ask(world, "SELECT COUNT(*) FROM workflow WHERE entity_id = ?", 2**63 + 1) == [(1,)]
    assert ask(world, "SELECT COUNT(*) FROM workflow WHERE entity_id IS NULL") == [(0,)]
    assert ask(world, "SELECT COUNT(*) FROM workflow WHERE status = 'FAILED' COLLATE NOCASE") == [(2,)]
    assert ask(world, "SELECT COUNT(*) FROM workflow WHERE correlation_id IN ('gate', 'x')") == [(6,)]


def test_all_forms_of_asking_agree(world):
    expected = ask(world, "SELECT status FROM workflow ORDER BY +status")
    assert ask(world, "SELECT status FROM workflow ORDER BY status") == expected
    assert ask(world, "SELECT DISTINCT status FROM workflow ORDER BY 1") == sorted(set(expected))
    ids = [view.id for view in world.workflows()]
    assert ask(world, "SELECT id FROM workflow ORDER BY id DESC") == [(number,) for number in reversed(ids)]
    assert ask(world, "SELECT id FROM workflow ORDER BY id LIMIT 2") == [(number,) for number in ids[:2]]
    types = ask(world, "SELECT workflow_type FROM workflow ORDER BY workflow_type")
    assert types == sorted(types)
    pairs = ask(world, "SELECT p.id, c.id FROM workflow p JOIN workflow c ON c.parent_id = p.id ORDER BY 2")
    assert pairs == [(view.parent_id, view.id) for view in world.workflows() if view.parent_id]
    assert len(pairs) == 2


def test_only_what_is_committed_is_seen(place):
    with Runtime(place, ALL, clock=GameClock(), durability="process", commit_every=1000.0) as world:
        world.commit()
        world.start(guard())
        world.advance(0.1)
        assert world.sql("SELECT * FROM workflow").rows == []
        world.commit()
        assert len(world.sql("SELECT * FROM workflow").rows) == 1


def test_a_query_sees_one_commit_while_turns_go_on(world):
    stop = threading.Event()
    seen = []

    def ask_always():
        while not stop.is_set():
            found = ask(
                world, "SELECT (SELECT turn FROM world), (SELECT COUNT(*) FROM workflow), gold FROM player"
            )
            seen.append(found)

    world.commit()
    before = len(world.workflows())
    first = world.turn
    asking = threading.Thread(target=ask_always)
    asking.start()
    for number in range(300):
        world.start(buff(1000.0), entity_id=number)
        world.advance(0.01)
    stop.set()
    asking.join()
    assert len(seen) > 3
    for found in seen:
        (turn, count, _), *_ = found
        assert {row[:2] for row in found} == {(turn, count)}
        assert count == before + turn - first


def test_a_world_is_asked_from_outside_without_its_code(world, place):
    everything = "SELECT * FROM workflow ORDER BY id"
    inside = world.sql(everything)
    tables = world.sql("SELECT * FROM player")
    world.close()
    with WorldReader(place) as reader, reader.read_view() as view:
        outside = run_query(view, everything, timeout=None)
        assert outside.columns == inside.columns
        # The closing turn ran nothing.
        assert [dict(zip(inside.columns, row, strict=True)) for row in outside.rows] == inside.dicts()
        assert run_query(view, "SELECT * FROM player", timeout=None) == tables


def test_held_workflows_say_so(place):
    with Runtime(place, ALL, clock=GameClock(), durability="process") as world:
        guarding = world.start(guard()).id
        world.advance(0.1)
    others = [kind for kind in ALL if kind is not guard]
    with Runtime(place, others, clock=GameClock(), durability="process") as world:
        # It is looked at whether it can go on when a message comes.
        world.signal(Hit(), workflow_id=guarding)
        world.advance(0.1)
        (reason,) = world.sql("SELECT held_reason FROM workflow").rows[0]
        assert "guard" in reason
    with WorldReader(place) as reader, reader.read_view() as view:
        (outside,) = run_query(view, "SELECT held_reason FROM workflow", timeout=None).rows[0]
        assert outside == HELD


@pytest.mark.parametrize(
    ("query", "params", "problem"),
    [
        ("SELEC 1", (), "syntax error"),
        ("SELECT stat FROM workflow", (), "did you mean workflow.state or workflow.status"),
        ("SELECT zzz FROM workflow", (), "of table workflow there are id, workflow_type"),
        ("SELECT * FROM workflows", (), "tables are workflow, workflow_timer"),
        ("DELETE FROM workflow", (), "SQL reads a world and never writes it"),
        ("CREATE TABLE a (b)", (), "SQL reads a world and never writes it"),
        ("ATTACH 'other' AS other", (), "SQL reads a world and never writes it"),
        ("PRAGMA writable_schema = 1", (), "SQL reads a world and never writes it"),
        ("SELECT 1; SELECT 2", (), "one statement at a time"),
        ("", (), "there is no statement to run"),
        ("-- nothing", (), "there is no statement to run"),
        ("SELECT ?", (), "one value for each"),
        ("SELECT ?", (1, 2), "one value for each"),
        ("SELECT :a", {"b": 1}, "has a parameter :a, for which no value is given"),
        ("SELECT json('{')", (), "malformed JSON"),
    ],
)
def test_a_bad_query_says_what_is_wrong_with_it(world, query, params, problem):
    before = world.sql("SELECT COUNT(*) FROM workflow").rows
    with pytest.raises(SqlError, match=problem) as caught:
        world.sql(query, params)
    assert "\n" not in str(caught.value)
    assert world.sql("SELECT COUNT(*) FROM workflow").rows == before


def test_a_query_that_takes_too_long_ends(world):

    with pytest.raises(SqlError, match=r"took longer than 0\.01 s"):
        world.sql(ENDLESS, timeout=0.01)


def test_named_parameters_take_any_value(world):
    found = world.sql("SELECT :a, :b, :c, :d", {"a": 1.5, "b": None, "c": players.name, "d": [1, {"x": 2}]})
    assert found.rows == [(1.5, None, "player", '[1,{"x":2}]')]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM workflow WHERE {0}id = 9 OR {0}entity_id = 42",
        "SELECT id, state FROM workflow WHERE {0}entity_id = 42 OR {0}correlation_id = 'gate'",
        "SELECT COUNT(*) FROM workflow WHERE {0}status = 'Failed' OR ({0}status = 'Failed' AND length(status) > 1)",
        "SELECT name FROM workflow_timer WHERE {0}workflow_id = 100 OR {0}scheduled_id = 100 * 65536",
        "SELECT event FROM workflow_event WHERE {0}id = 1 << 24 OR ({0}id = 1 << 24 AND turn = 1)",
        "SELECT turn FROM workflow_history WHERE ({0}workflow_id = 2 AND turn > 0) OR ({0}workflow_id = 2 AND turn = 1)",
        "SELECT name FROM player WHERE ({0}key = 1 AND gold > 0) OR ({0}key = 1 AND gold < 100)",
        "SELECT key_2 FROM price WHERE ({0}key_1 = 'axe' AND key_2 > 0) OR ({0}key_1 = 'axe' AND value > 1)",
    ],
)
def test_a_row_that_or_finds_twice_is_given_once(place, query):
    options = {"clock": GameClock(), "durability": "process", "history": "all", "audit": True}
    with Runtime(place, ALL, **options) as world:
        populate(world)
        for number in range(200):
            world.start(buff(50.0), entity_id=100 + number, correlation_id=f"group {number}")
        world.advance(1.0)
    # Opened anew: as long as all rows are in the log, the tables are thought to be empty, and read as a whole.
    with Runtime(place, ALL, **options) as world:
        # The sign before a column keeps its index from being used.
        expected = sorted(ask(world, query.format("+")))
        assert expected
        assert sorted(ask(world, query.format(""))) == expected


def test_a_text_that_is_a_number_finds_what_has_the_number(place):
    with Runtime(place, ALL, clock=GameClock(), durability="process") as world:
        populate(world)
    with Runtime(place, ALL, clock=GameClock(), durability="process") as world:
        for text in ("2", " 2 ", "2.0", "2e0"):
            assert ask(world, "SELECT key FROM player WHERE key = ?", text) == [(2,)]
            assert ask(world, "SELECT id FROM workflow WHERE id = ?", text) == [(2,)]
        assert ask(world, "SELECT id FROM workflow WHERE id = '2.5' OR id = 'nan' OR id = 'inf'") == []


def test_what_is_no_text_is_refused_in_words(world):
    for query in ("SELECT CAST(x'ff' AS TEXT)", "SELECT '\udcff'", "SELECT 1\0"):
        with pytest.raises(SqlError, match="the query cannot be run"):
            ask(world, query)
    with pytest.raises(SqlError, match="not UTF-8"):
        ask(world, "SELECT ?", "\ud800")


def test_numbers_of_thousands_of_digits_are_shown_in_hexadecimal(place):
    with Runtime(place, [*ALL, huge], clock=GameClock(), durability="process") as world:
        world.start(huge(10**5000))
        world.advance(0.0)
        assert ask(world, "SELECT state->>'number' FROM workflow") == [(hex(10**5000),)]


def test_a_table_by_the_name_that_another_one_would_be_shown_by(place):
    tables = [Table("workflow", key=int, value=str), Table("table_workflow", key=int, value=str)]

    @reducer
    def fill(ctx) -> None:
        for table in tables:
            ctx.table(table)[1] = table.name

    with Runtime(place, [*tables, fill], clock=GameClock(), durability="process") as world:
        world.call(fill)
        world.advance(0.0)
        assert ask(world, "SELECT value FROM table_workflow") == [("table_workflow",)]
        assert ask(world, "SELECT value FROM table_table_workflow") == [("workflow",)]


def test_a_damaged_row_of_one_table_is_an_error_for_those_who_ask_for_it_only(place):
    with Runtime(place, ALL, clock=GameClock(), durability="process") as world:
        populate(world)
    with Store.open(place) as store:
        key = next(key for key, _ in store.scan("table:price"))
        store.commit({"table:price": {key: b"\xc1"}})
    with WorldReader(place) as reader, reader.read_view() as view:
        assert run_query(view, "SELECT COUNT(*) FROM player", timeout=None).rows == [(5,)]
        with pytest.raises(WorldCorruptError, match="'price' is damaged"):
            run_query(view, "SELECT * FROM price", timeout=None)


@pytest.mark.parametrize(
    "where",
    [
        "id > 5 AND id <= 9",
        "id >= 12 ORDER BY id DESC LIMIT 4",
        "id BETWEEN 3 AND 4.5",
        "id < 7 AND id < 3 AND id > -5",
        "id > NULL",
        "id < 1e300 AND id > 8 ORDER BY id DESC",
        "id > 1e300",
        "id < -1e300",
        "id > 4 ORDER BY status, id",
        "id < 9 AND id > 9223372036854775807",
    ],
)
def test_stretches_of_ids_are_those_that_a_look_at_all_rows_gives(world, where):
    plain = where.replace("id ", "+id ").replace("ORDER BY +id", "ORDER BY id")
    assert ask(world, f"SELECT id, status FROM workflow WHERE {where}") == ask(
        world, f"SELECT * FROM (SELECT id, status FROM workflow) WHERE {plain}"
    )
    events = where.replace("id", "turn").replace("status", "event")
    counted = f"SELECT turn, event FROM workflow_event WHERE {events}"
    assert sorted(ask(world, counted)) == sorted(
        ask(world, counted.replace("turn ", "+turn ").replace("ORDER BY +turn", "ORDER BY turn"))
    )


def test_the_newest_are_read_without_the_others(world, monkeypatch):
    read = []
    record = workflow_table.WorkflowRecord
    monkeypatch.setattr(workflow_table, "WorkflowRecord", lambda *row: read.append(row) or record(*row))
    ids = [view.id for view in world.workflows()]
    assert ask(world, "SELECT id, state FROM workflow ORDER BY id DESC LIMIT 2") == ask(
        world, f"SELECT id, state FROM workflow WHERE id IN ({ids[-1]}, {ids[-2]}) ORDER BY id DESC"
    )
    read.clear()
    assert ask(world, f"SELECT id FROM workflow WHERE id > {ids[-3]}") == [(ids[-2],), (ids[-1],)]
    assert ask(world, f"SELECT id FROM workflow WHERE id > '{ids[-3]}'") == [(ids[-2],), (ids[-1],)]
    assert ask(world, "SELECT max(id) FROM workflow") == [(ids[-1],)]
    assert len(read) <= 9


def test_columns_of_one_name_are_told_apart(world):
    found = world.sql("SELECT w.id, t.workflow_id AS id, 1 AS id_2 FROM workflow w JOIN workflow_timer t")
    assert found.columns == ("id", "id_3", "id_2")


def test_a_comment_may_follow_a_statement(world):
    assert ask(world, "SELECT 1; -- and no more") == [(1,)]


def test_what_is_shared_again_and_again_is_shown_up_to_a_bound(place):
    with Runtime(place, [nest], clock=GameClock(), durability="process") as world:
        world.start(nest(60))
        world.advance(0.1)
        (state,) = world.sql("SELECT state FROM workflow").rows[0]
        assert len(json.loads(state)["nested"]) == 2
        assert len(state) < 20 * MOST_PARTS


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"


def test_neither_growing_nor_closing_waits_for_a_query(place):
    with Runtime(place, ALL, clock=GameClock(), durability="process", map_size=1 << 20) as world:
        store = world._engine.store
        problems = []

        def ask_without_end():
            try:
                world.sql(ENDLESS, timeout=None)
            except (SqlError, RuntimeClosedError) as error:
                problems.append(str(error))

        asking = threading.Thread(target=ask_without_end)
        asking.start()
        while store.stats().map_size == 1 << 20:
            world.start_many([(buff(1000.0), entity) for entity in range(500)])
            world.advance(0.1)
        assert asking.is_alive()
    asking.join()
    (problem,) = problems
    assert "ask again" in problem or "closed" in problem

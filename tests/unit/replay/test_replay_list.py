"""`deathless replay list` lists workflows as they are, and as they were."""

import json

import pytest


@pytest.fixture
def listed(saved, replay):
    def run(*arguments):
        code, out = replay("list", "world", *arguments, "--json")
        assert code == 0
        return json.loads(out)

    return run


def test_it_says_where_each_workflow_stands(listed):
    said = listed()
    assert (said["world"], said["turn"], said["found"]) == ("world", 63, 6)
    assert [(one["id"], one["type"], one["entity"], one["status"]) for one in said["workflows"]] == [
        (1, "guard", 5, "Completed"),
        (2, "guard", 6, "Cancelled"),
        (3, "guard", 7, "Suspended"),
        (4, "helper", None, "Completed"),
        (68, "helper", None, "Completed"),
        (132, "helper", None, "Completed"),
    ]
    waiting = said["workflows"][2]
    assert (waiting["correlation_id"], waiting["updated"], waiting["steps"]) == ("night watch", 0.1, 2)
    assert waiting["step"] == "while0(alarms < 3)/body/match0/ctx.select(bored,Alarm,Rest)"


def test_at_a_turn_it_lists_those_that_there_were(listed):
    assert [one["id"] for one in listed("--turn", 1)["workflows"]] == [1, 2, 3]
    then = listed("--turn", 2)["workflows"]
    assert [(one["id"], one["status"], one["updated"]) for one in then[::3]] == [
        (1, "Suspended", 0.2),
        (4, "Suspended", 0.2),
    ]
    assert listed("--at", "0.25") == listed("--turn", 2)
    assert listed("--at", "100") == listed("--turn", 63) == listed()


def test_filters_narrow_it(listed):
    def ids(*arguments):
        return [one["id"] for one in listed(*arguments)["workflows"]]

    assert ids("--type", "helper") == [4, 68, 132]
    assert ids("--status", "Cancelled") == ids("--status", "cancelled") == [2]
    assert ids("--entity", 7) == [3]
    assert ids("--type", "guard", "--status", "Completed") == [1]
    assert ids("--type", "dragon") == []
    assert ids("--type", "helper", "--turn", 10) == [4]


def test_a_limit_leaves_out_the_rest_and_says_so(listed, replay):
    said = listed("--limit", 2)
    assert (said["found"], [one["id"] for one in said["workflows"]]) == (6, [1, 2])
    assert len(listed("--limit", 0)["workflows"]) == 6
    _, out = replay("list", "world", "--limit", 2)
    assert out.splitlines()[-1] == "6 workflows at turn 63, 2 of them shown: --limit 0 shows all"


def test_the_table_has_a_line_a_workflow(saved, replay):
    _, out = replay("list", "world", "--entity", 7)
    heading, _, line, last = [line.strip() for line in out.splitlines() if line.strip()]
    assert heading.split() == ["id", "type", "entity", "status", "stands", "at", "updated", "steps"]
    assert line.split()[:4] == ["3", "guard", "7", "Suspended"]
    assert line.split()[-3:] == ["0.1", "s", "2"]
    assert last == "1 workflow at turn 63"

"""`deathless replay diff` names what differs between steps, workflows and worlds."""

import json
import shutil

import pytest


@pytest.fixture
def differing(saved, replay):
    def run(*arguments):
        code, out = replay("diff", "world", *arguments, "--json")
        said = json.loads(out)
        found = said["differences"]
        assert code == (1 if found else 0)
        return {one["path"]: (one.get("old", "absent"), one.get("new", "absent")) for one in found}

    return run


def test_two_steps_differ_by_field_path(differing):
    found = differing("1@2", "1@3")
    assert found["locals.alarms"] == (0, 1)
    assert found["locals.mood"] == ("Mood.CALM", "Mood.CROSS")
    assert found["locals.seen[0]"] == ("absent", "gate 0")
    assert found["timers[0]"] == ({"name": "bored", "due": 3.1}, "absent")
    assert found["children[0]"] == ("absent", 4)
    assert "locals.patience" not in found


def test_an_unread_signal_is_found_with_its_fields(differing):
    found = differing("1@5", "1@6")
    assert found["unread[0]"] == ("absent", {"name": "Rest", "fields": {}, "time_us": 2100000})


def test_turns_and_now_are_moments_too(differing):
    assert differing("2@turn:11", "2@turn:21")["locals.gear.armour"] == (8, 7)
    assert differing("2@turn:61", "2")["status"] == ("Suspended", "Cancelled")


def test_a_moment_does_not_differ_from_itself(differing, replay):
    assert differing("1@3", "1@turn:2") == {}
    assert replay("diff", "world", "1", "1") == (0, "no difference\n")


def test_two_workflows_differ(differing):
    found = differing("1@2", "2@2")
    assert found["locals.gear.armour"] == (2, 9)
    assert found["entity_id"] == (5, 6)
    assert set(found) == {"locals.gear.armour", "locals.patience", "timers[0].due", "entity_id"}


def test_lines_are_marked_by_what_is_gone_and_what_is_new(saved, replay):
    code, out = replay("diff", "world", "1@2", "1@3")
    assert code == 1
    lines = out.splitlines()
    assert "  locals.alarms: 0 -> 1" in lines
    assert "+ locals.seen[0]: 'gate 0'" in lines
    assert "- timers[0]: TimerView(name='bored', due=3.1)" in lines


@pytest.fixture
def other(saved, load, place, open_world):
    """A copy of the world, in which guard 3 sees an alarm, and a cook is paid."""
    shutil.copytree(saved, place / "other")
    game = load()
    with open_world(place / "other") as world:
        world.signal(game.Alarm("moat"), entity_id=7)
        world.call(game.pay, "cook", 2)
        world.call(game.pay, "guard", 1)
        world.advance(0.1)
    return place / "other"


def test_two_worlds_differ_by_workflow_and_row(other, replay):
    code, out = replay("diff", "world", "other", "--json")
    assert code == 1
    said = json.loads(out)
    assert (said["worlds"], said["found"]) == (["world", "other"], 3)
    guard, helper, table = said["differing"]
    assert guard["name"] == "guard 3"
    assert {"path": "locals.seen[0]", "new": "moat"} in guard["differences"]
    assert helper["name"].startswith("helper ")
    assert helper["differences"] == [{"path": "", "new": "Suspended"}]
    assert table == {
        "name": "table gold",
        "id": None,
        "differences": [{"path": "['cook']", "new": 2}, {"path": "['guard']", "old": 3, "new": 4}],
    }


def test_two_worlds_are_the_same_before_they_part(other, replay):
    assert replay("diff", "world", "other", "--turn", 63) == (0, "no difference\n")


def test_a_limit_leaves_out_the_rest_and_says_so(other, replay):
    code, out = replay("diff", "world", "other", "--limit", 1)
    assert code == 1
    assert out.splitlines()[0] == "guard 3"
    assert out.splitlines()[-1] == "3 differ, 1 of them shown: --limit 0 shows all"

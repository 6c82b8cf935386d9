"""`deathless replay timeline` tells a workflow's steps, in lines, as JSON and as a page."""

import json
import re
import sys

import pytest

from deathless import Retention
from deathless.runtime.history import step_index


@pytest.fixture
def steps(saved, replay):
    def run(*arguments):
        code, out = replay("timeline", "world", *arguments, "--json")
        assert code == 0
        return json.loads(out)["steps"]

    return run


def test_each_step_has_its_cause(steps):
    told = steps(1)
    assert [one["number"] for one in told] == list(range(1, 12))
    assert [(one["kind"], one["cause"]) for one in told] == [
        ("made", "made from outside"),
        ("start", "started"),
        ("signal", "signal Alarm(where='gate 0') sent at 0.1 s"),
        ("child", "child 4 completed: 2"),
        ("signal", "signal Alarm(where='gate 1') sent at 2.1 s"),
        ("signal", "signal Rest() sent at 2.1 s"),
        ("child", "child 68 completed: 4"),
        ("signal", "signal Rest() sent at 2.1 s, unread until now"),
        ("timer", "timer due 3.7 s"),
        ("signal", "signal Alarm(where='gate 2') sent at 4.1 s"),
        ("child", "child 132 completed: 6"),
    ]
    assert [answer for one in told for answer in one["answers"]] == [
        "new id 4",
        "reducer gave 1",
        "new id 68",
        "reducer gave 3",
        "new id 132",
        "raised ValueError('too much')",
    ]
    assert [one["cause"] for one in steps(4)] == ["made by workflow 1", "started", "timer due 0.7 s"]
    assert [one["cause"] for one in steps(2)[2:]] == [
        *(f"timer bored due {second}.1 s" for second in range(1, 7)),
        "cancel: off duty",
    ]


def test_each_step_says_where_it_led_and_what_it_changed(steps):
    told = {one["number"]: one for one in steps(1)}
    assert [told[n]["to"].partition(":")[0] for n in (1, 2, 3, 8, 11)] == [
        "not started",
        "ctx.select(bored,Alarm,Rest)",
        "child",
        "ctx.sleep(seconds)",
        "Completed",
    ]
    assert all(told[n + 1]["from"] == told[n]["to"] for n in range(1, 11))
    changes = {one["path"]: one for one in told[3]["changes"]}
    assert changes["locals.alarms"] == {"path": "locals.alarms", "old": 0, "new": 1}
    assert changes["locals.seen[0]"] == {"path": "locals.seen[0]", "new": "gate 0"}


def test_each_step_is_a_line(saved, replay):
    _, out = replay("timeline", "world", 1)
    heading, *lines = out.splitlines()
    assert heading.split() == ["step", "turn", "time", "cause", "from", "->", "to", "changes"]
    assert [line.split()[0] for line in lines] == [str(number) for number in range(1, 12)]
    assert lines[2].endswith("alarms 0 -> 1, mood Mood.CALM -> Mood.CROSS, seen[0] = 'gate 0'")
    assert lines[5].endswith("Rest unread")
    assert lines[7].endswith("enters game:pause, Rest not unread any more")
    assert lines[8].endswith("leaves game:pause")
    assert lines[10].endswith("result = ['gate 0', 'gate 1', 'gate 2', 'unpaid']")
    assert "signal Alarm(where='gate 0') sent at 0.1 s; new id 4" in lines[2]


def test_asks_and_retries_are_told(place, load, open_world, replay):
    game = load()
    with open_world(place / "shops") as world:
        world.start(game.shop())
        world.advance(0.1)
        world.ask(game.Price("sword"), workflow_id=1)
        world.advance(0.1)
        world.signal(game.Price("moon"), workflow_id=1)
        world.run_until(5.0)
    _, out = replay("timeline", "shops", 1, "--json")
    told = json.loads(out)["steps"]
    assert [(one["kind"], one["cause"]) for one in told[2:]] == [
        ("ask", "ask Price(of='sword') asked at 0.1 s"),
        ("signal", "signal Price(of='moon') sent at 0.2 s"),
        ("retry", "tried again: signal Price(of='moon') sent at 0.2 s, unread until now"),
    ]
    assert [one["status"] for one in told[3:]] == ["Suspended", "Failed"]


def test_steps_that_are_not_kept_are_left_out(place, load, open_world, replay, monkeypatch):
    # Segments of the index that hold steps on both sides of the end.
    monkeypatch.setattr(step_index, "SEGMENT", 30)
    game = load()
    with open_world(place / "short", retention=Retention(turns=20)) as world:
        world.start(game.guard(game.Gear(0), 0.1))
        for _ in range(100):
            world.advance(0.1)
    _, out = replay("timeline", "short", 1, "--json")
    told = json.loads(out)["steps"]
    assert [one["number"] for one in told] == list(range(1, len(told) + 1))
    assert told[0]["turn"] >= 80
    assert [one["path"] for one in told[0]["changes"]] == [
        "locals.gear.armour",
        "timers[0].due",
        "updated_at",
    ]


def test_a_page_draws_each_place_and_stands_alone(saved, command, place):
    code, out, err = command("replay", "timeline", "world", 1, "--html", "guard.html")
    assert (code, out, err) == (0, "", "Wrote guard.html\n")
    page = (place / "guard.html").read_text(encoding="utf-8")
    assert "<title>guard 1: timeline</title>" in page
    assert page.count("Plotly.newPlot(") >= 2
    assert "<h2>Where it stood</h2>" in page
    assert "<h2>Numbers</h2>" in page
    assert page.count("<tr>") == 12
    for text in ("signal Alarm(where=&#x27;gate 0&#x27;) sent at 0.1 s", "ctx.sleep(seconds):", "Completed"):
        assert text in page
    assert not re.search(r"<(script|link|img)[^>]* (src|href)=", page)


def test_without_plotly_it_says_which_extra_to_install(saved, command, place, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly", None)
    code, out, err = command("replay", "timeline", "world", 1, "--html", "guard.html")
    assert (code, out) == (2, "")
    assert err == "Error: --html needs plotly: pip install 'deathless[loadtest]'\n"
    assert not (place / "guard.html").exists()

"""`deathless replay show` shows a workflow as it was: where, with which locals, and why."""

import json

import pytest

SELECT = "while0(alarms < 3)/body/match0/ctx.select(bored,Alarm,Rest)"
CHILD = "while0(alarms < 3)/body/match0/case Alarm(where)/child"


@pytest.fixture
def shown(saved, replay):
    def run(*arguments):
        code, out = replay("show", "world", *arguments, "--json")
        assert code == 0
        return json.loads(out)

    return run


def test_after_a_step_it_has_the_locals_and_the_cause(shown):
    said = shown(1, "--step", 3)
    assert (said["type"], said["entity"], said["status"], said["turn"], said["now"]) == (
        "guard",
        5,
        "Suspended",
        2,
        0.2,
    )
    assert said["step"] == CHILD
    assert said["locals"] == {
        "alarms": 1,
        "gear": {"armour": 2},
        "patience": 3.0,
        "mood": "Mood.CROSS",
        "seen": ["gate 0"],
    }
    assert said["last_step"] == {
        "number": 3,
        "turn": 2,
        "time": 0.2,
        "kind": "signal",
        "cause": "signal Alarm(where='gate 0') sent at 0.1 s",
        "answers": ["new id 4"],
    }
    assert (said["awaiting"], said["children"]) == (["child 4"], [4])


def test_values_of_classes_are_the_same_with_code_and_without(shown):
    assert shown(1, "--step", 3)["locals"] == shown(1, "--step", 3, "--code", "game")["locals"]


def test_a_turn_a_time_and_a_step_lead_to_the_same_moment(shown):
    step = shown(2, "--step", 3)
    turn = shown(2, "--turn", step["turn"])
    assert turn == step == shown(2, "--at", step["now"])
    later = shown(2, "--turn", step["turn"] + 5)
    assert (later["last_step"], later["locals"]) == (step["last_step"], step["locals"])
    assert later["timers"][0] == {"name": "bored", "due": 2.1, "due_in": 1.0}


def test_between_turns_a_time_is_the_one_that_was_asked_for(shown):
    said = shown(2, "--at", 1.25)
    assert (said["turn"], said["now"], said["timers"][0]["due_in"]) == (11, 1.25, 0.85)


def test_now_is_the_default(shown):
    said = shown(3)
    assert (said["turn"], said["correlation_id"], said["last_step"]["kind"]) == (63, "night watch", "start")
    assert said == shown(3, "--turn", 63)


def test_before_its_first_step_its_arguments_are_shown(shown, replay):
    said = shown(3, "--step", 1)
    assert (said["step"], said["locals"]) == ("start", {"0": {"armour": 4}, "patience": 50.0})
    assert said["last_step"]["kind"] == "made"
    _, out = replay("show", "world", 3, "--step", 1)
    assert "not started; its arguments:\n    0        = Gear(armour=4)\n" in out


def test_a_result_a_reason_and_an_error_are_shown(shown, place, load, open_world, replay):
    assert shown(1)["result"] == ["gate 0", "gate 1", "gate 2", "unpaid"]
    assert (shown(2)["status"], shown(2)["error"]) == ("Cancelled", "off duty")
    assert "  reason   off duty\n" in replay("show", "world", 2)[1]
    game = load()
    with open_world(place / "shops") as world:
        world.start(game.shop())
        world.advance(0.1)
        world.signal(game.Price("moon"), workflow_id=1)
        world.run_until(5.0)
    _, out = replay("show", "shops", 1)
    assert "  error    ValueError: not for sale\n" in out
    assert 'raise ValueError("not for sale")' in out


def test_unread_signals_are_shown_with_their_fields(shown):
    said = shown(1, "--step", 6)
    assert said["unread"] == ["signal Rest() sent at 2.1 s"]


def test_with_code_the_source_has_the_await_marked(saved, replay):
    _, out = replay("show", "world", 1, "--step", 8, "--code", "game")
    marked = [line.strip() for line in out.splitlines() if line.startswith(("  > ", "  | "))]
    assert [line.split()[0] + " " + " ".join(line.split()[2:]) for line in marked] == [
        "| await pause(ctx, 1.0)",
        "> await ctx.sleep(seconds)",
    ]
    assert "guard, line " in out
    assert " of game.py\n" in out
    assert "game:pause, line " in out


def test_without_code_it_says_so_and_names_the_await(saved, replay):
    _, out = replay("show", "world", 3)
    assert "(source not loaded: give its module with --code)" in out
    assert f"  > await {SELECT}\n" in out
    assert "gear     = Gear(armour=4)" in out
    assert "timer    bored due 50.1 s, in " in out


def test_with_edited_code_it_says_what_became_of_the_await(saved, replay, place):
    source = (place / "game.py").read_text()
    (place / "game.py").write_text(
        source.replace("    return seen\n", "    ctx.step('done')\n    return seen\n")
    )
    _, out = replay("show", "world", 3, "--code", "game")
    assert "(the code was edited since; this is the same await of it now)" in out
    assert "await ctx.select(ctx.timer(patience" in out
    (place / "game.py").write_text(source.replace('name="bored"', 'name="tired"'))
    _, out = replay("show", "world", 3, "--code", "game")
    assert f"(the loaded code does not fit: await {SELECT} of 'guard' is gone)" in out
    (place / "game.py").write_text(source.replace("guard", "sentry"))
    _, out = replay("show", "world", 3, "--code", "game")
    assert "(source not loaded: give its module with --code)" in out


def test_without_recorded_steps_it_shows_the_present(place, load, open_world, command):
    game = load()
    with open_world(place / "plain", history="off") as world:
        world.start(game.guard(game.Gear(2)))
        world.advance(0.1)
        world.advance(0.1)
    code, out, _ = command("replay", "show", "plain", 1)
    assert code == 0
    assert "  step     none is recorded\n" in out
    assert command("replay", "show", "plain", 1, "--turn", 1) == (
        2,
        "",
        "Error: the steps of type 'guard' are not recorded; give history='all' to Runtime or to @workflow\n",
    )


def test_times_of_a_wall_clock_are_dates(place, load, open_world, replay):
    game = load()

    class Clock:
        kind = "wall"
        time_us = 1_700_000_000_000_000

        def now_us(self):
            return self.time_us

        def resume(self, now_us, offset_us):
            pass

        def rebase(self, now_us):
            return 0

    with open_world(place / "walls", clock=Clock()) as world:
        world.start(game.guard(game.Gear(2)))
        world.pump()
        Clock.time_us += 3_500_000
        world.pump()
    _, out = replay("show", "walls", 1)
    assert "at 2023-11-14T22:13:23.500Z\n" in out
    for moment in ("2023-11-14T22:13:21Z", "2023-11-14T23:13:21+01:00", "22:13:21", "1700000001"):
        _, out = replay("show", "walls", 1, "--at", moment)
        assert "turn     1, at 2023-11-14T22:13:21.000Z\n" in out
        assert "cause    started\n" in out

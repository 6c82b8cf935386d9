"""start, signal, cancel, call, retry, tick and cleanup: on a world that a game runs, and on one that nobody runs."""

import json
import os
import socket
import subprocess
import sys

import pytest
from control_kit import pumped

from deathless import Runtime, WallClock
from deathless.runtime.storage.world_reader import WorldReader
from deathless.runtime.world_state import load_state
from deathless.tools.control import serve
from deathless.tools.control.endpoint import Endpoint
from deathless.tools.control.operator import LocalOperator, find_operator
from deathless.tools.stored_options import stored_clock

APP = ("--app", "game")


@pytest.fixture
def world(open_world, place):
    """A world with a buff of entity 42, which nobody runs."""
    with open_world() as world:
        world.start("buff", args=(30.0,), entity_id=42)
        world.pump()
    return place / "w"


@pytest.fixture
def look(open_world):
    """Run turns of a world until it is quiet, and return its workflows by id."""

    def look_at_it(turns=True):
        with open_world() as world:
            if turns:
                world.run_until_idle()
            return {view.id: view for view in world.workflows()}

    return look_at_it


def stored(world):
    """Return all that turns have left in a world."""
    with WorldReader(world) as reader:
        return load_state(reader), [
            (table, list(reader.scan(table))) for table in ("workflow", "turn", "input")
        ]


def table_steps(open_world):
    with open_world() as world:
        return list(world._engine.store.scan("table:steps"))


# -- a world that nobody runs ----------------------------------------------------------------------------------


def test_a_start_is_stored_and_runs_none_of_the_games_code(command, world, look):
    code, out, err = command("start", world, "buff", 7, "null", 30, *APP)
    assert (code, out, err) == (0, "workflow 2 starts when the world runs\n", "")
    view = look(turns=False)[2]
    assert (view.entity_id, view.correlation_id, view.line) == (7, None, 0)
    assert look()[2].locals["stacks"] == 1


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["--args", "30"], " 30"),
        (["--args", '[30, "haste"]'], "haste 30"),
        (["--args", '{"duration": 2.5, "effect": "ü"}'], "ü 2.5"),
        (["null", "null", "[30]"], " 30"),
    ],
)
def test_arguments_are_null_one_an_array_or_an_object(command, world, look, words, step):
    assert command("start", world, "buff", *words, *APP)[0] == 0
    view = look()[2]
    assert (view.current_step, view.entity_id) == (step, None)


def test_a_start_with_json_says_what_a_script_wants(command, world):
    code, out, _ = command("start", world, "buff", "--entity", 7, "--args", 30, "--json", *APP)
    assert code == 0
    assert json.loads(out) == {"workflow_id": 2, "turn": 3, "running": False}


def test_a_start_with_an_input_id_is_made_once(command, world, look):
    for _ in range(2):
        code, out, _ = command("start", world, "buff", "--args", 30, "--input-id", "once", *APP)
        assert (code, out) == (0, "workflow 2 starts when the world runs\n")
    assert sorted(look()) == [1, 2]


@pytest.mark.parametrize(
    ("choice", "code", "ids"),
    [("existing", 0, [1]), ("error", 1, [1]), ("parallel", 0, [1, 2]), ("replace", 0, [1, 2])],
)
def test_a_start_can_mind_what_is_active(command, world, look, choice, code, ids):
    got, _, err = command("start", world, "buff", 42, "--args", 9, "--on-conflict", choice, *APP)
    assert got == code
    assert ("already active" in err) is (code == 1)
    found = look()
    assert sorted(found) == ids
    assert (found[1].status == "Cancelled") is (choice == "replace")


@pytest.mark.parametrize(
    "words",
    [["1", "stack", "4"], ["Stack", '{"amount": 4}', "--entity", "42"], ["stack", "[4]", "--publish"]],
)
def test_a_signal_goes_by_id_by_entity_or_to_subscribers(command, world, look, words):
    code, out, err = command("signal", world, *words, *APP)
    assert (code, err) == (0, "")
    assert "is sent when the world runs" in out
    assert look()[1].locals["stacks"] == 5


def test_a_cancel_gives_its_reason(command, world, look):
    assert command("cancel", world, 1, "--reason", "the shop is closed", *APP)[0] == 0
    assert (look()[1].status, look()[1].error_message) == ("Cancelled", "the shop is closed")


def test_a_cancel_of_one_that_has_ended_says_so(command, world, look, open_world):
    with open_world() as opened:
        opened.cancel(workflow_id=1)
        opened.pump()
    assert command("cancel", world, 1, *APP)[:2] == (0, "workflow 1 had ended before: it is Cancelled\n")
    assert json.loads(command("cancel", world, 1, "--json", *APP)[1])["ended"] == "Cancelled"
    assert command("start", world, "buff", 7, "null", 30, *APP)[0] == 0
    assert command("cancel", world, 2, *APP)[1] == "workflow 2 is cancelled when the world runs\n"
    assert look()[2].status == "Cancelled"


def test_all_of_an_entity_are_cancelled(command, world, look):
    assert command("cancel", world, "--entity", 42, *APP)[:2] == (
        0,
        "they are cancelled when the world runs\n",
    )
    assert look()[1].status == "Cancelled"


def test_a_call_prints_its_result_and_is_durable(command, world, open_world):
    code, out, _ = command("call", world, "purse", "[7]", *APP)
    assert (code, json.loads(out)) == (0, {"gold": 7, "owner": {"base64": "Af8="}})
    assert command("call", world, "mend", *APP)[:2] == (0, "null\n")
    assert len(table_steps(open_world)) == 1


def test_a_caller_from_outside_is_an_operator(command, world):
    assert command("call", world, "caller", *APP)[:2] == (0, '"operator"\n')


def test_the_array_forms_of_the_built_in_reducers_work(command, world, look):
    assert command("call", world, "workflow_start", '["buff", 43, null, "30"]', *APP)[:2] == (0, "3\n"), (
        "the call has an id too"
    )
    assert command("call", world, "workflow_signal", '[3, "dispel", "[]"]', *APP)[:2] == (0, "null\n")
    assert command("call", world, "workflow_cancel", '[1, "closed"]', *APP)[:2] == (0, "null\n")
    assert command("call", world, "cleanup_old_workflows", "[7]", *APP)[:2] == (0, "0\n")
    assert command("call", world, "manual_timer_tick", *APP)[:2] == (0, "0\n")
    found = look()
    assert (found[3].result, found[1].status) == (-1, "Cancelled")


def test_a_reducer_that_raises_is_the_answer_no_and_leaves_nothing(command, world, open_world):
    code, out, err = command("call", world, "refuse", '{"why": "shut"}', *APP)
    assert (code, out, err) == (1, "", "Error: reducer 'refuse' failed: PermissionError: shut\n")
    assert table_steps(open_world) == []


def test_what_the_games_code_prints_does_not_get_into_the_answer(command, world):
    command("start", world, "buff", "--args", 30, *APP)
    code, out, err = command("call", world, "caller", "--json", *APP)
    assert json.loads(out) == {"result": "operator", "running": False}
    assert err == "a buff begins\n"


def test_the_failed_try_again(command, world, open_world, look):
    with open_world() as opened:
        for _ in range(3):
            opened.start("fragile")
        opened.run_until_idle()
    assert command("call", world, "mend", *APP)[0] == 0
    assert command("retry", world, 2, 3, *APP)[:2] == (0, "2 workflows try again when the world runs\n")
    assert [view.result for view in look().values()][1:3] == ["mended", "mended"]
    assert command("retry", world, "--all-failed", "--type", "buff", *APP)[:2] == (
        0,
        "0 workflows try again when the world runs\n",
    )
    code, out, _ = command("retry", world, "--all-failed", "--json", *APP)
    assert (code, json.loads(out)["workflow_ids"]) == (0, [4])
    assert look()[4].result == "mended"


def test_a_tick_fires_what_is_due_and_with_all_what_is_not(command, world, look):
    assert command("tick", world, *APP)[0] == 0
    assert look(turns=False)[1].status == "Suspended"
    assert command("tick", world, "--all", *APP)[:2] == (0, "1 timer fired\n")
    assert look()[1].result == 1


def test_cleanup_deletes_what_ended(command, world, look, open_world):
    with open_world() as opened:
        opened.cancel(workflow_id=1)
        opened.pump()
        opened.advance(3_600.0)
    assert command("cleanup", world, "--older-than", "2h", *APP)[:2] == (0, "0 workflows deleted\n")
    assert command("cleanup", world, "--older-than", "30m", *APP)[:2] == (0, "1 workflows deleted\n")
    assert look() == {}


def test_a_world_on_a_wall_clock_is_opened_with_one(command, place, game):
    with Runtime(place / "w", game, clock=WallClock(), durability="process") as world:
        world.start("buff", args=(0.001,))
        world.pump()
    assert command("call", place / "w", "caller", *APP)[0] == 0
    assert isinstance(stored_clock(place / "w"), WallClock)


WRONG = [
    (["start", "w", "nope"], "unknown workflow type 'nope'; registered are buff, fragile"),
    (["start", "w", "buff"], "missing 1 required positional argument: 'duration'"),
    (["start", "w", "buff", "--args", "{"], "--args '{' is not JSON"),
    (["start", "w", "buff", "x"], "ENTITY is a whole number from 0 to 2**64 - 1, not 'x'"),
    (["start", "w", "buff", "1", "--entity", "2"], "give ENTITY or --entity, not both"),
    (["start", "w", "buff", "null", "null", "1", "--args", "2"], "give JSON or --args, not both"),
    (["start", "w", "buff", "--args", "1", "--on-conflict", "existing"], "on_conflict needs an entity_id"),
    (["start", "w", "buff", "--args", "1", "--correlation", "x" * 300], "300"),
    (["start", "w", "buff", "--args", "1", "--input-id", ""], "input_id is a text of 1 to 255 bytes"),
    (["signal", "w", "1", "nope"], "unknown signal 'nope'; accepted by the registered workflows are Dispel, Stack"),
    (["signal", "w", "1", "stack", '{"x": 1}'], "unexpected keyword argument 'x'"),
    (["signal", "w", "1", "stack", "4x"], "the fields '4x' is not JSON"),
    (["signal", "w", "99", "stack"], "workflow 99 does not take signal 'Stack'"),
    (["signal", "w", "0", "stack"], "WORKFLOW_ID is a whole number from 1"),
    (["signal", "w", "stack"], "give WORKFLOW_ID NAME [JSON]"),
    (["signal", "w", "1", "stack", "4", "--entity", "42"], "give NAME [JSON] with --entity"),
    (["signal", "w", "stack", "--entity", "1", "--correlation", "x"], "give exactly one of"),
    (["signal", "w", "stack", "--entity", "1", "--publish"], "a published signal has no address"),
    (["cancel", "w", "99"], "no workflow 99 in this world"),
    (["cancel", "w"], "give one of WORKFLOW_ID, --entity and --correlation"),
    (["cancel", "w", "1", "--entity", "42"], "give one of WORKFLOW_ID, --entity and --correlation"),
    (["call", "w", "nope"], "unknown reducer 'nope'; registered are broken, caller, cleanup_old_workflows"),
    (["call", "w", "purse"], "missing a required argument: 'gold'"),
    (["call", "w", "purse", "[7"], "the arguments '[7' is not JSON"),
    (["start", "w", "buff", "--args", "NaN"], "is not JSON (JSON has no NaN)"),
    (["call", "w", "purse", "[-Infinity]"], "is not JSON (JSON has no -Infinity)"),
    (["retry", "w", "--all-failed", "--type", "bufff"], "unknown workflow type 'bufff'; registered are buff, fragile"),
    (["cleanup", "w", "--older-than", "99999999999999999999d"], "is longer than any world lasts"),
    (["retry", "w", "99"], "no workflow 99 in this world"),
    (["retry", "w", "1"], "workflow 1 is Suspended; only a failed one is retried"),
    (["retry", "w"], "give workflow ids, or --all-failed"),
    (["retry", "w", "1", "--all-failed"], "give workflow ids, or --all-failed"),
    (["retry", "w", "1", "--type", "buff"], "--type goes with --all-failed"),
    (["cleanup", "w", "--older-than", "a week"], "'a week' is not a duration"),
    (["cleanup", "w"], "Missing option '--older-than'"),
    (["start", "absent", "buff"], "there is no world here"),
    (["start", "game.py", "buff"], "there is no world here"),
    (["call", "w", "caller", "--server", "http://127.0.0.1:1"], "give its token too"),
    (["call", "w", "caller", "--server", "ftp://x", "--token", "t"], "is not the address of a world"),
    (["call", "w", "caller", "--app", "nothing_here"], "nothing_here cannot be imported"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "problem"), WRONG, ids=lambda each: " ".join(each) if isinstance(each, list) else ""
)
def test_bad_input_is_one_line_and_exit_code_2_and_stores_nothing(command, world, words, problem):
    before = stored(world)
    code, out, err = command(*words, *APP)
    assert (code, out) == (2, "")
    assert problem in err
    assert err.count("\n") == 1
    assert "Usage: " not in err
    assert stored(world) == before


def test_a_world_that_nobody_runs_needs_its_code(command, world, monkeypatch):
    code, _, err = command("call", world, "caller")
    assert code == 2
    assert err == (
        f"Error: {world}: no process runs this world, so its code is needed: give --app MODULE, or start it with "
        "`deathless run`\n"
    )
    monkeypatch.setenv("DEATHLESS_APP", "game")
    assert command("call", world, "caller")[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_a_world_that_may_not_be_read_is_refused(command, world, as_nobody):
    # Its modules are imported first: who is nobody may not read those either.
    assert command("call", world.parent / "nowhere", "caller", *APP)[0] == 2
    world.chmod(0)
    with as_nobody():
        code, _, err = command("call", world, "caller", *APP)
    assert code == 2
    assert "Permission denied" in err
    assert err.count("\n") == 1
    world.chmod(0o755)


# -- a world that a game runs ----------------------------------------------------------------------------------


@pytest.fixture
def running(world, open_world):
    """A game with its loop in a thread, which takes commands."""
    with open_world() as opened, serve(opened) as endpoint, pumped(opened):
        yield opened, endpoint


def test_a_running_world_is_found_and_does_what_it_is_asked_at_once(command, running, place):
    opened, _ = running
    assert command("start", place / "w", "buff", 7, "null", 30)[:2] == (0, "workflow 2 starts\n")
    assert command("signal", place / "w", 2, "stack", 4)[:2] == (0, "signal stack is sent\n")
    assert opened.get(2).locals["stacks"] == 5
    assert command("call", place / "w", "purse", "[7]")[0] == 0
    assert command("cancel", place / "w", 2)[:2] == (0, "workflow 2 is cancelled\n")
    assert opened.get(2).status == "Cancelled"
    again = "workflow 2 had ended before: it is Cancelled\n"
    assert command("cancel", place / "w", 2)[:2] == (0, again)
    assert command("tick", place / "w")[0] == 0
    assert command("tick", place / "w", "--all")[:2] == (0, "1 timer fired\n")
    assert command("cleanup", place / "w", "--older-than", "0s")[0] == 0
    code, out, _ = command("start", place / "w", "buff", 7, "null", 30, "--json")
    assert (code, json.loads(out)["running"]) == (0, True)


def test_a_failed_workflow_of_a_running_world_tries_again(command, running, place):
    opened, _ = running
    command("start", place / "w", "fragile")
    assert opened.get(2).status == "Failed"
    command("call", place / "w", "mend")
    assert command("retry", place / "w", "--all-failed")[:2] == (0, "1 workflows try again\n")
    assert opened.get(2).result == "mended"


REMOTE_WRONG = [
    (words, problem)
    for words, problem in WRONG
    if words[1] == "w" and "--server" not in words and "--app" not in words
]


def test_a_running_world_refuses_with_the_same_words(command, running):
    opened, _ = running
    for words, problem in REMOTE_WRONG:
        code, out, err = command(*words)
        assert (code, out) == (2, ""), words
        assert problem in err, words
    assert sorted(view.id for view in opened.workflows()) == [1]


def test_a_reducer_of_a_running_world_that_raises_is_exit_code_1(command, running, place):
    assert command("call", place / "w", "refuse") == (
        1,
        "",
        "Error: reducer 'refuse' failed: PermissionError: closed\n",
    )


def test_a_server_is_asked_by_its_url_from_anywhere(command, running, monkeypatch):
    opened, endpoint = running
    asked = ("start", "elsewhere", "buff", 9, "null", 30, "--server", endpoint.url + "/")
    assert command(*asked, "--token", endpoint.token)[0] == 0
    monkeypatch.setenv("DEATHLESS_TOKEN", endpoint.token)
    assert command(*asked)[0] == 0
    assert [view.entity_id for view in opened.workflows()] == [42, 9, 9]
    assert command(*asked, "--token", "wrong") == (
        2,
        "",
        "Error: the token is missing or not the one of this world\n",
    )


def test_no_proxy_sees_the_addresses_of_this_computer(command, running, place, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert command("call", place / "w", "caller")[0] == 0


def test_an_address_where_nobody_listens_is_bad_input(command, place):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = "http://127.0.0.1:%d" % taken.getsockname()[1]
    code, _, err = command("call", "w", "caller", "--server", url, "--token", "t")
    assert code == 2
    assert err.startswith(f"Error: {url} cannot be reached: ")


def test_a_game_whose_loop_stands_still_is_told_of(command, world, open_world):
    with open_world() as opened, serve(opened):
        code, out, err = command("start", world, "buff", "--args", 30, "--timeout", "50ms")
    assert (code, out) == (1, "")
    assert "the world has not been pumped for 0.05 s" in err


def test_an_owner_that_takes_no_commands_is_named_with_the_remedy(command, world, open_world):
    with open_world():
        code, out, err = command("start", world, "buff", "--args", 30)
    assert (code, out) == (2, "")
    assert err == (
        f"Error: {world}: owned by this process ({os.getpid()}), which takes no commands: let its game take them "
        "(`with serve(world): ...`), run it with `deathless run`, or close it there first\n"
    )


def test_a_control_file_whose_process_is_dead_is_ignored(command, world, open_world, look):
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    stale = Endpoint("http://127.0.0.1:1", "old", int(done.stdout), socket.gethostname())
    stale.write(world)
    assert isinstance(find_operator(world, app=["game"]), LocalOperator)
    assert command("start", world, "buff", 7, "null", 30, *APP)[0] == 0
    with open_world():
        code, _, err = command("start", world, "buff", "--args", 30)
        assert code == 2
        assert "takes no commands" in err

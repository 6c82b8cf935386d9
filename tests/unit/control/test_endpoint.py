"""`control.json`, the listening, and who is let in."""

import http.client
import json
import os
import re
import socket
import stat
import sys
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from control_kit import GAME, pumped
from structlog.testing import capture_logs

from deathless import GameClock, ReducerContext, Runtime, reducer
from deathless.runtime.storage.world_lock import Owner, owner_of
from deathless.tools.control import serve
from deathless.tools.control.app import CALL_THREADS, MOST_BYTES
from deathless.tools.control.endpoint import Endpoint
from deathless.tools.control.errors import EndpointError
from deathless.tools.control.operations import OPERATIONS
from deathless.tools.health import Thresholds, health_of
from deathless.tools.metrics import exposition
from deathless.tools.modules import load_registered


@contextmanager
def served(open_world, **options):
    with open_world() as world, serve(world, **options) as endpoint, pumped(world):
        yield world, endpoint


def ask(endpoint, path, body=b"{}", *, token=None, method="POST"):
    """Send a request; return (status, JSON answer)."""
    headers = {"Authorization": f"Bearer {endpoint.token if token is None else token}"}
    request = urllib.request.Request(endpoint.url + path, data=body, headers=headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One served world for all that must not change one."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "shared_game.py").write_text(GAME)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(folder), *sys.path])
        game = load_registered(["shared_game"])
        with (
            Runtime(folder / "w", game, clock=GameClock(), durability="process") as world,
            serve(world) as endpoint,
            pumped(world),
        ):
            yield world, endpoint
        del sys.modules["shared_game"]


def test_the_file_says_where_it_listens_and_goes_when_that_ends(open_world, place):
    file = place / "w" / "control.json"
    with served(open_world) as (_, endpoint):
        assert json.loads(file.read_text()) == {
            "url": endpoint.url,
            "token": endpoint.token,
            "pid": os.getpid(),
            "host": socket.gethostname(),
        }
        if sys.platform != "win32":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.exists()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", int(endpoint.url.rpartition(":")[2])), timeout=5).close()


def test_a_file_that_was_left_behind_is_replaced_with_its_mode(open_world, place):
    with open_world() as world:
        file = place / "w" / "control.json"
        file.write_text("old")
        file.chmod(0o644)
        (place / "w" / "control.new").write_text("cut short")
        with serve(world) as endpoint:
            assert Endpoint.of(place / "w", owner_of(place / "w")) == endpoint
            if sys.platform != "win32":
                assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_file_of_another_process_is_left_alone_at_the_end(open_world, place):
    file = place / "w" / "control.json"
    with open_world() as world, serve(world):
        file.write_text('{"url": "another"}')
    assert file.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"url": "http://127.0.0.1:1"}'])
def test_a_damaged_file_is_no_endpoint(tmp_path, text):
    (tmp_path / "control.json").write_text(text)
    assert Endpoint.of(tmp_path, Owner(os.getpid(), socket.gethostname())) is None


def test_the_file_counts_for_the_process_that_owns_the_world_alone(tmp_path):
    endpoint = Endpoint.here("http://127.0.0.1:1", "word")
    endpoint.write(tmp_path)
    assert Endpoint.of(tmp_path, Owner(endpoint.pid, endpoint.host)) == endpoint
    assert Endpoint.of(tmp_path, Owner(endpoint.pid + 1, endpoint.host)) is None
    assert Endpoint.of(tmp_path, Owner(endpoint.pid, "elsewhere")) is None


def test_each_endpoint_has_a_token_of_its_own_unless_one_is_given(open_world):
    with open_world() as world:
        with serve(world) as first:
            pass
        with serve(world) as second:
            pass
        with serve(world, token="of mine") as third:
            pass
    assert len({first.token, second.token}) == 2
    assert len(first.token) >= 43
    assert third.token == "of mine"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"token": ""}, "a token is a text of ASCII characters, without blanks around it, and not empty"),
        ({"token": "a\nb"}, "a token is a text of ASCII characters"),
        ({"token": "ü"}, "a token is a text of ASCII characters"),
        ({"token": "word "}, "without blanks around it"),
        ({"address": "3000"}, "HOST:PORT, as 127.0.0.1:3000, not '3000'"),
        ({"address": ":3000"}, "not ':3000'"),
        ({"address": "127.0.0.1:"}, "not '127.0.0.1:'"),
        ({"address": "127.0.0.1:65536"}, "not '127.0.0.1:65536'"),
        ({"address": "127.0.0.1:http"}, "not '127.0.0.1:http'"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused_and_leaves_nothing(open_world, place, options, problem):
    with open_world() as world:
        with pytest.raises(EndpointError, match=problem):
            serve(world, **options).__enter__()
        assert not (place / "w" / "control.json").exists()


def test_an_address_that_is_taken_is_refused(open_world):
    with socket.create_server(("127.0.0.1", 0)) as taken, open_world() as world:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        with pytest.raises(EndpointError, match=f"cannot listen at '{address}' .*; give another address"):
            serve(world, address).__enter__()


def test_listening_to_the_network_is_warned_of(open_world):
    with open_world() as world, capture_logs() as logs:
        with serve(world, "0.0.0.0:0") as endpoint:
            assert endpoint.url.startswith("http://127.0.0.1:")
        with serve(world):
            pass
    assert [(log["event"], log["log_level"]) for log in logs if log["event"].startswith("control")] == [
        ("control_listening", "info"),
        ("control_open_to_network", "warning"),
        ("control_listening", "info"),
    ]


def test_a_body_that_fails_ends_the_endpoint_too(open_world, place):
    with open_world() as world:
        with pytest.raises(KeyError), serve(world):
            raise KeyError
        assert not (place / "w" / "control.json").exists()
        assert not [thread for thread in threading.enumerate() if thread.name == "deathless-control"]


@pytest.mark.parametrize("token", ["", "wrong", "wörng", "Bearer"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/call/state"), ("POST", "/call/nothing"), ("GET", "/"), ("DELETE", "/call/state")],
)
def test_without_the_token_nobody_learns_anything(shared, token, method, path):
    world, endpoint = shared
    headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
    host = endpoint.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request(method, path, body=b'{"type": "buff", "arguments": 30}', headers=headers)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    assert answer.status == 401
    assert told == {"error": "the token is missing or not the one of this world"}
    assert world.count() == 0


def test_health_and_metrics_need_no_token(open_world):
    def metrics(world):
        return b"turns %d\n" % (world.turn >= 0)

    with served(open_world, metrics=metrics) as (_, endpoint):
        status, told = ask(endpoint, "/health", None, token="", method="GET")
        assert status == 200
        assert told["healthy"] is True
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(endpoint.url + "/metrics", timeout=60) as answer:
            assert answer.read() == b"turns 1\n"
            assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_an_unhealthy_world_answers_503(open_world):
    with served(open_world, health=lambda world: {"healthy": False, "stuck": [1]}) as (_, endpoint):
        assert ask(endpoint, "/health", None, method="GET") == (503, {"healthy": False, "stuck": [1]})


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("/call/call", b'{"reducer": "purse", "arguments": NaN}', 400, "JSON has no NaN"),
        ("/call/fly", b"{}", 404, "unknown operation 'fly'; there are backup, call, cancel"),
        ("/nowhere", b"{}", 404, "there is no POST /nowhere here"),
        ("/call/state", b"{", 400, "the body of the request is not JSON"),
        ("/call/state", b"[]", 400, "not a JSON object"),
        ("/call/state", b"\xff", 400, "the body of the request is not JSON"),
        ("/call/state", b"[" * 100_000, 400, "not JSON"),
        ("/call/state", b" " * (MOST_BYTES + 1), 413, "at most 8388608 bytes"),
        ("/call/state", b'{"x": 1}', 400, "state: got an unexpected keyword argument 'x'; it takes nothing"),
        ("/call/state?timeout=soon", b"{}", 400, "timeout is a number of seconds up to 3600, not 'soon'"),
        ("/call/state?timeout=nan", b"{}", 400, "timeout is a number"),
        ("/call/state?timeout=0", b"{}", 400, "timeout is a number"),
        ("/call/start", b"{}", 400, "start: missing a required argument: 'type'; it takes type, arguments"),
        ("/call/start", b'{"type": ["buff"]}', 400, "a workflow type is given as a text, not \\['buff'\\]"),
        ("/call/start", b'{"type": "nope"}', 400, "unknown workflow type 'nope'"),
        ("/call/start", b'{"type": "buff", "arguments": [1, 2, 3]}', 400, "2 to 3 positional arguments"),
        ("/call/start", b'{"type": "buff", "arguments": 1, "entity_id": "x"}', 400, "'x'"),
        ("/call/start", b'{"type": "buff", "arguments": 1, "on_conflict": []}', 400, "on_conflict is one of"),
        ("/call/start", b'{"type": "buff", "arguments": 1, "input_id": 3}', 400, "input_id is a text"),
        ("/call/signal", b'{"signal": "Nope", "entity_id": 1}', 400, "unknown signal 'Nope'"),
        ("/call/signal", b'{"signal": 7, "entity_id": 1}', 400, "unknown signal 7"),
        ("/call/signal", b'{"signal": "Stack"}', 400, "give exactly one of workflow_id, entity_id"),
        ("/call/signal", b'{"signal": "Stack", "workflow_id": 99}', 400, "workflow 99 does not take signal"),
        ("/call/signal", b'{"signal": "Stack", "fields": {"x": 1}, "entity_id": 1}', 400, "signal 'Stack'"),
        ("/call/signal", b'{"signal": "Stack", "publish": true, "entity_id": 1}', 400, "has no address"),
        ("/call/cancel", b'{"workflow_id": 99}', 400, "no workflow 99 in this world"),
        ("/call/cancel", b'{"workflow_id": "1"}', 400, "'1'"),
        ("/call/cancel", b"{}", 400, "give exactly one of"),
        ("/call/call", b'{"reducer": "nope"}', 400, "unknown reducer 'nope'"),
        ("/call/call", b'{"reducer": 3}', 400, "a reducer is given as a text, not 3"),
        ("/call/call", b'{"reducer": "purse"}', 400, "missing a required argument: 'gold'"),
        (
            "/call/call",
            b'{"reducer": "purse", "sender": "world"}',
            400,
            "unexpected keyword argument 'sender'",
        ),
        ("/call/call", b'{"reducer": "caller", "arguments": {"sender": "world"}}', 400, "multiple values"),
        ("/call/call", b'{"reducer": "refuse"}', 409, "reducer 'refuse' failed: PermissionError: closed"),
        ("/call/call", b'{"reducer": "workflow_timer_fire", "arguments": 1}', 409, "only the scheduler may"),
        ("/call/retry", b"{}", 400, "give the ids of failed workflows, or ask for all that failed"),
        ("/call/retry", b'{"workflow_ids": [99]}', 400, "no workflow 99 in this world"),
        ("/call/retry", b'{"workflow_ids": 7}', 400, "'int' object is not iterable"),
        ("/call/cleanup", b'{"older_than": "7d"}', 400, "older_than is a number of seconds"),
        ("/call/sql", b'{"query": "SELECT nope FROM workflow"}', 400, "no such column: nope"),
        ("/call/sql", b'{"query": "DELETE FROM workflow"}', 400, ""),
        ("/call/sql", b'{"query": 7}', 400, "a query is given as a text, not 7"),
        ("/call/sql", b'{"query": "SELECT 1", "params": 7}', 400, "'int' object is not iterable"),
        ("/call/tick", b'{"all": "false"}', 400, "tick: all is true or false, not 'false'"),
        ("/call/cancel", b'{"entity_id": 1, "force": 1}', 400, "cancel: force is true or false, not 1"),
        ("/call/reload", b'{"force": "no"}', 400, "reload: force is true or false, not 'no'"),
        ("/call/backup", b'{"path": 7}', 400, "a path is given as a text, not 7"),
        ("/call/backup", b'{"path": "."}', 400, "not empty; give a new directory"),
        ("/call/reload", b"{}", 400, "give them: serve\\(world, modules="),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_changes_nothing(shared, path, body, status, error):
    world, endpoint = shared
    got, told = ask(endpoint, path, body)
    assert got == status, told
    assert told.keys() == {"error"}
    assert "Traceback" not in told["error"]
    assert "\n" not in told["error"]
    assert re.search(error, told["error"]), told
    assert world.workflows() == []


def test_a_query_is_answered_with_columns_and_rows(shared):
    _, endpoint = shared
    body = json.dumps(
        {"query": "SELECT COUNT(*) AS n, ? AS x, x'01' AS b FROM workflow", "params": ["y"]}
    ).encode()
    assert ask(endpoint, "/call/sql", body) == (
        200,
        {"columns": ["n", "x", "b"], "rows": [[0, "y", {"base64": "AQ=="}]]},
    )


def test_a_fault_of_the_endpoint_itself_is_logged_and_not_told(open_world):
    def faulty(world):
        raise ZeroDivisionError("a secret")

    with (
        capture_logs() as logs,
        served(open_world, operations={**OPERATIONS, "faulty": faulty}) as (_, endpoint),
    ):
        assert ask(endpoint, "/call/faulty") == (
            500,
            {"error": "this failed for a reason that is in the world's log"},
        )
        assert ask(endpoint, "/call/state")[0] == 200
    (log,) = [log for log in logs if log["event"] == "control_failed"]
    assert "a secret" in repr(log["exc_info"])


def test_a_world_that_nobody_pumps_says_so_and_keeps_what_was_accepted(open_world):
    with open_world() as world, serve(world, timeout=0.05) as endpoint:
        status, told = ask(endpoint, "/call/start", b'{"type": "buff", "arguments": 30}')
        assert status == 504
        assert (
            "the world has not been pumped for 0.05 s (its last turn is 0); what was asked is accepted"
            in (told["error"])
        )
        world.pump()
        assert [view.type for view in world.workflows()] == ["buff"]


def test_turns_that_are_not_committed_in_time_are_told_apart(open_world):
    with open_world(commit_every=3_600.0) as world, serve(world) as endpoint, pumped(world):
        status, told = ask(endpoint, "/call/start?timeout=0.5", b'{"type": "buff", "arguments": 30}')
        assert status == 504
        assert "the world has not committed it for 0.5 s" in told["error"]
        assert ask(endpoint, "/call/commit")[0] == 200
        assert world.committed_turn > 0


@contextmanager
def stalled(place, game, **options):
    """Serve a world whose very first turn stands still inside a step."""
    entered, leave = threading.Event(), threading.Event()

    @reducer
    def stall(_: ReducerContext) -> None:
        entered.set()
        assert leave.wait(60)

    with (
        Runtime(place / "w", [*game, stall], clock=GameClock(), durability="process") as world,
        serve(world, **options) as endpoint,
    ):
        world.call("stall")
        pumping = threading.Thread(target=world.pump)
        pumping.start()
        assert entered.wait(60)
        try:
            yield world, endpoint
        finally:
            leave.set()
            pumping.join()


def test_a_turn_that_stalls_keeps_nobody_from_looking(place, game):
    def health(world):
        return health_of(world, Thresholds(silent_s=0.0)).as_json()

    with stalled(place, game, health=health) as (_, endpoint):
        assert ask(endpoint, "/call/state") == (
            200,
            {"turn": 0, "committed_turn": 0, "now": 0.0, "active": 0},
        )
        status, told = ask(endpoint, "/health", None, method="GET")
        assert status == 503
        (pump,) = [condition for condition in told["conditions"] if condition["name"] == "pump"]
        assert pump["state"] == "alert"


def test_a_call_that_waits_for_a_turn_that_stalls_is_late_and_may_come_still(place, game):
    with stalled(place, game) as (world, endpoint):
        status, told = ask(endpoint, "/call/commit?timeout=0.05")
        assert status == 504
        assert told["error"] == (
            "the world has been in one turn for 0.05 s (its last finished one is 0); it may still accept this "
            "afterwards: look before asking again"
        )
    assert world.committed_turn > 0


def test_calls_that_fill_every_thread_keep_health_and_metrics_and_time_limits(place, game):
    with stalled(place, game, metrics=lambda world: exposition(world)[:0] + b'"metrics"') as (
        world,
        endpoint,
    ):
        with ThreadPoolExecutor(CALL_THREADS) as pool:
            waiting = [pool.submit(ask, endpoint, "/call/commit?timeout=0.05") for _ in range(CALL_THREADS)]
            assert {call.result()[0] for call in waiting} == {504}
        status, told = ask(endpoint, "/call/start?timeout=0.05", b'{"type": "buff", "arguments": 30}')
        assert status == 504
        assert told["error"].endswith("nothing was accepted: ask again when its loop goes on")
        assert ask(endpoint, "/health", None, method="GET")[0] == 200
        assert ask(endpoint, "/metrics", None, method="GET") == (200, "metrics")
    assert world.turn > 0


def test_nothing_of_a_call_that_was_given_up_comes_later(place, game):
    with stalled(place, game) as (world, endpoint):
        with ThreadPoolExecutor(CALL_THREADS) as pool:
            list(pool.map(lambda _: ask(endpoint, "/call/commit?timeout=0.05"), range(CALL_THREADS)))
        ask(endpoint, "/call/start?timeout=0.05", b'{"type": "buff", "arguments": 30}')
    with Runtime(place / "w", game, clock=GameClock()) as world:
        assert world.workflows() == []


def test_a_world_that_closes_inside_answers_those_who_wait(open_world):
    with open_world() as world, serve(world, timeout=60.0) as endpoint:
        answers = []
        entered = threading.Event()
        accept = world.start

        def start(*args, **kwargs):
            handle = accept(*args, **kwargs)
            entered.set()
            return handle

        world.start = start
        body = b'{"type": "buff", "arguments": 30}'
        asking = threading.Thread(target=lambda: answers.append(ask(endpoint, "/call/start", body)))
        asking.start()
        assert entered.wait(60)
        world.close()
        asking.join()
    assert answers == [(200, {"workflow_id": 1, "turn": 1})]


def test_a_closed_world_refuses_with_503(open_world):
    with open_world() as world, serve(world) as endpoint:
        world.close()
        assert ask(endpoint, "/health", None, method="GET")[0] == 503
        assert ask(endpoint, "/call/start", b'{"type": "buff", "arguments": 3}') == (
            503,
            {"error": "the world is closed"},
        )


def test_what_is_answered_outlives_a_crash(open_world):
    answers = []
    body = b'{"type": "buff", "arguments": [30], "entity_id": 42}'
    with open_world() as world, serve(world, timeout=60.0) as endpoint:
        asking = threading.Thread(target=lambda: answers.append(ask(endpoint, "/call/start", body)))
        asking.start()
        while asking.is_alive():
            world.pump()
            asking.join(0.002)
        world._engine.abandon("crashed by the test")
    with open_world() as world:
        assert world.get(answers[0][1]["workflow_id"]).entity_id == 42


def test_many_ask_at_once_and_each_is_answered_with_what_was_done(open_world):
    with served(open_world) as (world, endpoint), ThreadPoolExecutor(8) as pool:

        def start(entity):
            body = json.dumps({"type": "buff", "arguments": 30, "entity_id": entity}).encode()
            return ask(endpoint, "/call/start", body)

        answers = list(pool.map(start, range(64)))
        found = {view.id: view.entity_id for view in world.workflows()}
    assert {status for status, _ in answers} == {200}
    assert {told["workflow_id"]: entity for entity, (_, told) in enumerate(answers)} == found

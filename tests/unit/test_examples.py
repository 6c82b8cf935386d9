"""The examples run, and what they acknowledged is there after kill -9.

Each is started as a user would start it. Nothing here waits for time to pass: a test reads lines until the one comes
that says how far the program is.
"""

import json
import re
import signal
import socket
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import pytest

from deathless import GameClock, Runtime

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
sys.path[:0] = [str(HERE), str(EXAMPLES), str(EXAMPLES / "evennia_deathless")]

import asyncio_server  # noqa: E402 - these lie outside the package.
import plain_loop  # noqa: E402
from durable import effects  # noqa: E402
from durable.bridge import Bridge  # noqa: E402
from example_programs import finished, read_until, started  # noqa: E402

HOW_TO = HERE.parents[1] / "docs/how-to"


# -- the plain loop ----------------------------------------------------------------------------------------


def logs_of(line):
    """Return the logs of a line of the plain loop: `turn 30: 2 logs`."""
    return int(line.split()[2])


def test_the_plain_loop_keeps_every_log_that_it_reported_through_kill_9(tmp_path):
    world = tmp_path / "fire.deathless"
    with started("plain_loop.py", world) as first:
        read_until(first, "turn ")
        reported = logs_of(read_until(first, "turn "))
        first.kill()
    with Runtime(world, [plain_loop.campfire], clock=GameClock()) as seen:
        (fire,) = seen.workflows(status="Suspended")
        assert fire.locals["logs"] >= reported
        kept = fire.locals["logs"]
    with started("plain_loop.py", world) as second:
        assert logs_of(read_until(second, "turn ")) == kept + 1


def test_ctrl_c_ends_the_plain_loop_between_two_turns(tmp_path):
    with started("plain_loop.py", tmp_path / "fire.deathless") as process:
        assert logs_of(read_until(process, "turn ")) == 2
        process.send_signal(signal.SIGINT)
        assert "run it again" in read_until(process, "stopped at turn ")
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == ""
    with Runtime(tmp_path / "fire.deathless", [plain_loop.campfire], clock=GameClock()) as world:
        (fire,) = world.workflows(status="Suspended")
        assert fire.locals["logs"] == 2


def test_a_fire_that_nobody_feeds_goes_out(tmp_path):
    with Runtime(tmp_path / "w", [plain_loop.campfire], clock=GameClock(), paranoid=True) as world:
        fire = world.start(plain_loop.campfire(1.0), entity_id=1)
        world.advance(0.5)
        world.signal(plain_loop.Log(), entity_id=1)
        world.run_until(2.4)
        assert fire.status == "Suspended"
        world.run_until(2.6)
        assert fire.result() == 2


# -- the server --------------------------------------------------------------------------------------------


class Player:
    """A client that waits for the answers to its requests, and keeps the events that come between."""

    def __init__(self, port):
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.lines = self.connection.makefile("r", encoding="utf-8")
        self.events = []
        self.asked = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.connection.close()

    def send(self, **request):
        self.asked += 1
        self.send_line(json.dumps({"id": self.asked, **request}).encode())

    def send_line(self, line):
        self.connection.sendall(line + b"\n")

    def read(self):
        line = self.lines.readline()
        return json.loads(line) if line else None

    def ask(self, **request):
        self.send(**request)
        return self.answer()

    def answer(self):
        while "event" in (message := self.read()):
            self.events.append(message)
        assert message.pop("id", self.asked) == self.asked
        return message

    def gold(self):
        return self.ask(do="look")["ok"]["gold"]


@contextmanager
def serving(world, *arguments):
    """Start a server; yield its process and its port."""
    with started(
        "asyncio_server.py", "--port", 0, "--world", world, "--durability", "process", *arguments
    ) as process:
        yield process, int(read_until(process, "serving ").rpartition(":")[2])


def test_the_server_keeps_what_it_acknowledged_through_kill_9_and_no_gold_is_lost_or_doubled(tmp_path):
    world = tmp_path / "heroes.deathless"
    with serving(world) as (process, port), Player(port) as ada, Player(port) as bob:
        assert "ok" in bob.ask(do="join", name="bob")
        assert "ok" in ada.ask(do="join", name="ada")
        for _ in range(10):
            assert "ok" in ada.ask(do="give", to="bob", amount=1)
        for _ in range(10):
            ada.send(do="give", to="bob", amount=1)
        process.kill()
        process.wait()
        acknowledged = 10
        while message := try_read(ada):
            acknowledged += "ok" in message
    with serving(world) as (_, port), Player(port) as ada, Player(port) as bob:
        ada.ask(do="join", name="ada")
        bob.ask(do="join", name="bob")
        assert acknowledged <= bob.gold() - 100 <= 20
        assert ada.gold() + bob.gold() == 200


def try_read(player):
    try:
        return player.read()
    except ConnectionError:
        return None


def test_who_was_digging_when_the_server_was_killed_finds_gold_after_the_restart(tmp_path):
    world = tmp_path / "heroes.deathless"
    with serving(world) as (process, port), Player(port) as ada:
        ada.ask(do="join", name="ada")
        assert "ok" in ada.ask(do="dig")
        process.kill()
        process.wait()
    with serving(world) as (_, port), Player(port) as ada:
        ada.ask(do="join", name="ada")
        if ada.gold() == 100:
            while not any(event["gold"] > 100 for event in ada.events):
                ada.events.append(ada.read())
            assert ada.gold() == ada.events[-1]["gold"]
        assert 101 <= ada.gold() <= 106


def test_the_server_answers_beside_a_thread_that_never_waits(tmp_path):
    with serving(tmp_path / "w.deathless", "--busy") as (_, port), Player(port) as ada:
        ada.ask(do="join", name="ada")
        turns = [ada.ask(do="give", to="ada", amount=1)["ok"]["turn"] for _ in range(20)]
        assert turns == sorted(turns)
        stats = ada.ask(do="stats")["ok"]
        assert stats["workflows"] == 1
        assert stats["turn"] >= turns[-1]


def test_a_termination_signal_ends_the_server_after_the_answers_that_it_owes(tmp_path):
    world = tmp_path / "heroes.deathless"
    with serving(world) as (process, port), Player(port) as ada, Player(port) as idle:
        idle.ask(do="join", name="bob")
        ada.ask(do="join", name="ada")
        process.send_signal(signal.SIGTERM)
        assert idle.read() is None
        assert read_until(process, "stopped at turn ")
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == ""
    with Runtime(world, [asyncio_server.hero]) as seen:
        assert [view.correlation_id for view in seen.workflows()] == ["bob", "ada"]


def test_the_server_says_what_is_wrong_with_a_request_and_stays_connected(tmp_path):
    with serving(tmp_path / "w.deathless") as (_, port), Player(port) as ada:
        assert ada.ask(do="look") == {"error": "join first"}
        assert "a request is to join" in ada.ask(do="join", name="not/a name")["error"]
        ada.ask(do="join", name="ada")
        assert ada.ask(do="give", to="nobody", amount=1) == {"error": "nobody is called nobody"}
        assert "a request is to join" in ada.ask(do="give", to="ada", amount=-5)["error"]
        for line, why in (
            (b"hello", "a request is a line of JSON"),
            (b"[]", "a request is an object"),
            (b"\xff\xfe", "a request is a line of JSON"),
            (b"[" * 4000, "a request is a line of JSON"),
            (b"9" * 4000 + b"9" * 90, "a request is "),
        ):
            ada.send_line(line)
            assert why in ada.answer()["error"]
        assert ada.gold() == 100
        ada.send_line(b"x" * 5000)
        assert ada.answer() == {"error": "a line is at most 4096 bytes"}
        assert ada.read() is None


def test_the_client_prints_an_answer_to_each_line_that_is_typed(tmp_path):
    with serving(tmp_path / "w.deathless") as (_, port):
        done = finished("asyncio_client.py", "--port", port, typed="join ada\ngive ada 5\nlook\nfly\n\n")
        messages = map(json.loads, done.stdout.splitlines())
        answers = {message["id"]: message for message in messages if "id" in message}
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(answers) == [1, 2, 3, 4, 5]
    assert answers[3]["ok"] == {"name": "ada", "gold": 100}
    assert "a request is to join" in answers[4]["error"]


def test_the_client_says_where_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    done = finished("asyncio_client.py", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert "is asyncio_server.py running?" in done.stderr


def test_a_port_that_is_taken_ends_the_server_with_the_reason(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with started("asyncio_server.py", "--port", port, "--world", tmp_path / "w.deathless") as process:
            assert process.wait(timeout=60) == 1
            assert "asyncio_server.py: " in process.stderr.read()


def test_who_gives_to_a_hero_with_a_full_mailbox_keeps_the_gold(tmp_path):
    with Runtime(tmp_path / "w", [asyncio_server.hero], clock=GameClock(), paranoid=True) as world:
        ada = world.start(asyncio_server.hero(), correlation_id="ada")
        bob = world.start(asyncio_server.hero(), correlation_id="bob")
        world.advance(0.0)
        for _ in range(1001):
            world.signal(asyncio_server.Dig(), correlation_id="bob")
        world.advance(0.0)
        world.signal(asyncio_server.Give("bob", 5), correlation_id="ada")
        world.advance(0.0)
        assert world.get(ada.id).locals["gold"] == 100
        assert len(world.get(bob.id).unread) == 1000


# -- the bridge to Evennia, without Evennia ------------------------------------------------------------------


class Server:
    """What the bridge needs of a server: objects that mirrors write to, and a time that passes."""

    def __init__(self, path):
        self.path = path
        self.now = 1000.0
        self.health = {}

    def open(self):
        return Bridge(self.path, effects.WORKFLOWS, self.mirror, clock=lambda: self.now)

    def mirror(self, view):
        if view.type == "body" and "hp" in view.locals:
            self.health[view.entity_id] = view.locals["hp"]

    def run(self, bridge, seconds):
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            bridge.pump()


def test_poison_in_a_server_hurts_as_often_as_it_says_through_a_crash_and_a_downtime(tmp_path):
    server = Server(tmp_path / "w")
    bridge = server.open()
    bridge.ensure(effects.body(), entity_id=7)
    bridge.world.start(effects.poison(2, 5.0, 6), entity_id=7)
    server.run(bridge, 12)
    assert server.health == {7: 96}
    bridge.world._engine.abandon("killed")
    server.now += 3600.0
    server.health = {7: 100}  # What the server had written may be older than the commit.
    bridge = server.open()
    assert server.health == {7: 96}
    server.run(bridge, 60)
    assert server.health == {7: 88}
    bridge.close()


def test_an_antidote_ends_every_poison_and_a_body_is_started_once(tmp_path):
    server = Server(tmp_path / "w")
    bridge = server.open()
    for _ in range(3):
        bridge.ensure(effects.body(most=50), entity_id=7)
        bridge.world.start(effects.poison(2, 5.0, 6), entity_id=7)
    server.run(bridge, 6)
    assert server.health == {7: 44}
    bridge.world.signal(effects.Antidote(), entity_id=7)
    bridge.world.signal(effects.Mend(100), entity_id=7)
    server.run(bridge, 60)
    assert server.health == {7: 50}
    assert [view.type for view in bridge.world.workflows(status="Suspended")] == ["body"]
    bridge.close()


# -- the pages ---------------------------------------------------------------------------------------------

PAGES = ["embed-in-a-game-loop.md", "serve-with-asyncio.md", "replace-evennia-scripts.md"]


def lines_of(text):
    return textwrap.dedent(text).strip("\n").split("\n")


@pytest.mark.parametrize("page", PAGES)
def test_each_piece_of_code_on_a_page_stands_so_in_an_example(page):
    blocks = re.findall(
        r"^```python\n(.*?)^```", (HOW_TO / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(blocks) >= 5
    sources = [path.read_text(encoding="utf-8").split("\n") for path in EXAMPLES.rglob("*.py")]
    for block in blocks:
        wanted = lines_of(block)
        assert any(
            lines_of("\n".join(source[at : at + len(wanted)])) == wanted
            for source in sources
            for at in range(len(source))
        ), block

"""A game server on asyncio whose world outlives kill -9: heroes dig for gold, and give it to each other.

    python examples/asyncio_server.py    # serves 127.0.0.1:4000 until Ctrl-C or SIGTERM; or kill -9 it
    python examples/asyncio_client.py    # in another terminal: type  join ada, dig, give bob 3, look, stats

A request is a line of JSON such as `{"id": 1, "do": "give", "to": "bob", "amount": 3}`, its answer a line with the
same id. An answer that says ok is sent after the commit: what a client was told is there after a crash. Beside
answers come events, when a commit has changed the client's hero.

There are two threads. The event loop serves the network, and a thread of its own pumps the world 60 times a second.
As a task on the event loop the pump would stop every connection while a commit waits for the disk. Between the two
goes only what may: `start` and `signal` are for any thread; `committed` gives a `concurrent.futures.Future`, which
asyncio can wrap; what a commit changed comes back by `call_soon_threadsafe`.

A game often has a third thread that computes without ever waiting. `--busy` starts one: it takes its share of the
interpreter, and no more: docs/explanation/gil.md says how commits could collapse beside it, and why they do not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from deathless import Change, Context, DeathlessError, LimitError, PumpReport, Runtime, Signal, workflow

HERTZ = 60
BUDGET_S = 0.010
"""Of a turn, for steps; what does not fit is carried over to the next."""
LONGEST_LINE = 4096
MOST_UNSENT = 65_536
"""Bytes that wait for a client to read them; one that falls further behind is cut off."""
CLOSING_S = 5.0
"""How long a shutdown waits for clients that do not read their answers."""
ADDRESS = "127.0.0.1"
PORT = 4000


# -- the game ----------------------------------------------------------------------------------------------


class Dig(Signal):
    """Dig for gold: it takes two seconds, and what comes meanwhile waits its turn."""


class Give(Signal):
    """Give gold to another hero, if there is as much."""

    to: str
    amount: int


class Gold(Signal):
    """Take what somebody gave."""

    amount: int


@workflow
async def hero(ctx: Context, gold: int = 100) -> None:
    """Live for ever. Gold that is given is in exactly one purse, whatever crashes: giving is one commit."""
    while True:
        match await ctx.select(Dig, Give, Gold):
            case Dig():
                await ctx.sleep(2.0)
                gold += ctx.random.randint(1, 6)
            case Give(to, amount):
                if amount <= gold:
                    # Who has a thousand things waiting takes no more; then the giver keeps it.
                    with contextlib.suppress(LimitError):
                        ctx.signal(Gold(amount), correlation_id=to)
                        gold -= amount
            case Gold(amount):
                gold += amount


# -- the thread that pumps ---------------------------------------------------------------------------------


class Pump(threading.Thread):
    """Pumps a world at an even rate until it is told to end, or cannot go on.

    Attributes:
        reports: of the last seconds.
        error: why it could not go on, or None.
    """

    def __init__(self, world: Runtime, when_ended: Callable[[], None]) -> None:
        super().__init__(name="pump")
        self.reports: deque[PumpReport] = deque(maxlen=5 * HERTZ)
        self.error: Exception | None = None
        self._world = world
        self._when_ended = when_ended
        self._ending = threading.Event()

    def run(self) -> None:
        """Pump; a turn that came late is not made up for by a burst of early ones."""
        following = time.perf_counter()
        try:
            while not self._ending.is_set():
                self.reports.append(self._world.pump(budget=BUDGET_S))
                now = time.perf_counter()
                following = max(following + 1 / HERTZ, now)
                self._ending.wait(following - now)
        except Exception as error:  # noqa: BLE001 - whatever it is, a server whose world stands still must end.
            self.error = error
        self._when_ended()

    def end(self) -> None:
        """Finish the turn that is under way, and no further one."""
        self._ending.set()

    def stats(self) -> dict[str, float]:
        """Return how the last seconds went, in milliseconds where it is time."""
        reports = self.reports.copy()
        commits = sorted(report.commit_s * 1e3 for report in reports if report.commit_s) or [0.0]
        return {
            "turn": self._world.turn,
            "workflows": self._world.count(),
            "steps": sum(report.steps for report in reports),
            "commit_p50_ms": round(commits[len(commits) // 2], 2),
            "commit_p99_ms": round(commits[len(commits) * 99 // 100], 2),
        }


# -- the network -------------------------------------------------------------------------------------------


class RequestError(Exception):
    """A request that makes no sense; the text is for the client."""


class Seat(NamedTuple):
    """A hero's workflow, and the turn that starts it."""

    workflow_id: int
    turn: int


class Player:
    """A connection, and the hero that it plays once it has joined."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.name = ""
        self._writer = writer

    def send(self, message: dict[str, Any]) -> None:
        """Send a line; it waits in the connection's buffer until the client takes it."""
        self._writer.write(json.dumps(message).encode() + b"\n")
        if self._writer.transport.get_write_buffer_size() > MOST_UNSENT:
            self._writer.transport.abort()


class GameServer:
    """Serves one world. Everything here runs on the event loop but `_changed`."""

    def __init__(self, world: Runtime) -> None:
        self._world = world
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._pump = Pump(world, self.stop)
        self._players: set[Player] = set()
        self._connections: set[asyncio.Task[None]] = set()
        # Turn 0 is long past: the heroes that the world was opened with are durable.
        self._seats = {
            view.correlation_id: Seat(view.id, 0)
            for view in world.workflows(type="hero", status="Suspended")
            if view.correlation_id is not None
        }

    def stop(self, *_: object) -> None:
        """Ask for the end, from any thread and from a signal handler."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def run(self, port: int) -> None:
        """Serve until asked to stop: then nobody new, the answers that are owed, the last turn, in this order."""
        forget = self._world.on_change(self._changed)
        self._pump.start()
        try:
            server = await asyncio.start_server(self._connected, ADDRESS, port, limit=LONGEST_LINE)
            print(f"serving {ADDRESS}:{server.sockets[0].getsockname()[1]}", flush=True)
            await self._stopping.wait()
            server.close()
            if self._connections:
                _, slow = await asyncio.wait(self._connections, timeout=CLOSING_S)
                for task in slow:
                    task.cancel()
        finally:
            self._pump.end()
            await asyncio.to_thread(self._pump.join)
            forget()
        if self._pump.error is not None:
            raise self._pump.error

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        player = Player(writer)
        self._players.add(player)
        try:
            # One request after the other: a client that sends faster than commits happen is slowed down by TCP.
            while not self._stopping.is_set() and (line := await self._next_line(reader)):
                player.send(await self._answer(line, player))
                await writer.drain()
        except ConnectionError:
            pass  # It has gone; the hero lives on.
        except ValueError:
            player.send({"error": f"a line is at most {LONGEST_LINE} bytes"})
        finally:
            self._players.discard(player)
            self._connections.discard(task)
            writer.close()

    async def _next_line(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next line; nothing, once the client or the server wants to end."""
        read = asyncio.ensure_future(reader.readline())
        stop = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({read, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if read.done():
            return read.result()
        read.cancel()
        return b""

    async def _answer(self, line: bytes, player: Player) -> dict[str, Any]:
        """Do what a request says and return its answer, after the commit."""
        answer: dict[str, Any] = {}
        try:
            request = parse(line)
            if "id" in request:
                answer["id"] = request["id"]
            answer["ok"] = await self._do(request, player)
        except (RequestError, DeathlessError) as error:
            answer["error"] = str(error)
        return answer

    async def _do(self, request: dict[str, Any], player: Player) -> Any:
        world = self._world
        match request:
            case {"do": "stats"}:
                return await asyncio.to_thread(self._pump.stats)
            case {"do": "join", "name": str(name)} if 0 < len(name) <= 20 and name.isalnum():
                turn = self._seat(name).turn
                player.name = name
            case {"do": "look" | "dig" | "give"} if not player.name:
                raise RequestError("join first")
            case {"do": "look"}:
                # Reading waits for a turn that is under way, so that it has a thread to wait in.
                view = await asyncio.to_thread(world.get, self._seats[player.name].workflow_id)
                return {"name": player.name, "gold": view.locals.get("gold")}
            case {"do": "dig"}:
                turn = world.signal(Dig(), correlation_id=player.name)
            case {"do": "give", "to": str(to), "amount": int(amount)} if amount > 0:
                if to not in self._seats:
                    raise RequestError(f"nobody is called {to}")
                turn = world.signal(Give(to, amount), correlation_id=player.name)
            case _:
                raise RequestError("a request is to join (name), dig, give (to, amount), look, or see stats")
        await asyncio.wrap_future(world.committed(turn))
        return {"turn": turn}

    def _seat(self, name: str) -> Seat:
        """Return a hero's seat; start the hero where there is none. No other task can come in between."""
        if name not in self._seats:
            handle = self._world.start(hero(), correlation_id=name)
            self._seats[name] = Seat(handle.id, handle.turn)
        return self._seats[name]

    def _changed(self, changes: Iterable[Change]) -> None:
        """Take what a commit changed over to the event loop. This runs on the pump's thread."""
        views = [self._world.get(change.workflow_id) for change in changes]
        gold = {view.correlation_id: view.locals.get("gold") for view in views}
        self._loop.call_soon_threadsafe(self._tell, gold)

    def _tell(self, gold: dict[str | None, int | None]) -> None:
        for player in self._players:
            if player.name in gold:
                player.send({"event": "hero", "name": player.name, "gold": gold[player.name]})


def parse(line: bytes) -> dict[str, Any]:
    """Return a request.

    Raises:
        RequestError: the line is none.
    """
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"a request is a line of JSON: {error}") from error
    if not isinstance(request, dict):
        raise RequestError("a request is an object")
    return request


def compute() -> None:
    """Never wait: what pathfinding, a parser or a careless plugin does to the other threads of a server."""
    number = 0
    while True:
        number = (number * 31 + 7) % 1_000_003


async def serve(options: argparse.Namespace) -> None:
    """Open the world and serve it."""
    if options.busy:
        threading.Thread(target=compute, name="busy", daemon=True).start()
    with Runtime(options.world, [hero], durability=options.durability) as world:
        server = GameServer(world)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, server.stop)
        print("a new world" if world.recovery.created else world.recovery, flush=True)
        await server.run(options.port)
    print(f"stopped at turn {world.turn}", flush=True)


def main() -> int:
    """Serve; return the exit code."""
    parser = argparse.ArgumentParser(description="A game server on asyncio whose world outlives kill -9.")
    parser.add_argument("--port", type=int, default=PORT, help="0 takes any that is free (%(default)s)")
    parser.add_argument("--world", type=Path, default=Path("heroes.deathless"), help="default: %(default)s")
    parser.add_argument("--durability", choices=("power", "process"), default="power")
    parser.add_argument(
        "--busy", action="store_true", help="start a thread that computes without ever waiting"
    )
    options = parser.parse_args()
    try:
        asyncio.run(serve(options))
    except (DeathlessError, OSError) as error:
        print(f"asyncio_server.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

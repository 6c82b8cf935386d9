"""A world whose steps are recorded, and `deathless replay` on it.

The tests run with `--import-mode=importlib`, which leaves `sys.path` alone: here they are let import the modules beside
them.
"""

import sys
from pathlib import Path

import pytest

from deathless import GameClock, Runtime
from deathless.tools.cli import main

sys.path.insert(0, str(Path(__file__).parent))

GAME = """
from dataclasses import dataclass
from enum import Enum

from deathless import Context, Elapsed, Retry, Signal, Table, reducer, routine, workflow

gold = Table("gold", key=str, value=int)


class Alarm(Signal):
    where: str = "gate"


class Rest(Signal):
    pass


class Price(Signal):
    of: str


class Mood(Enum):
    CALM = 1
    CROSS = 2


@dataclass
class Gear:
    armour: int


@reducer
def pay(ctx, who: str, amount: int) -> int:
    if amount > 2:
        raise ValueError("too much")
    table = ctx.table(gold)
    table[who] = table.get(who, 0) + amount
    return table[who]


@routine
async def pause(ctx: Context, seconds: float) -> None:
    before = ctx.now
    await ctx.sleep(seconds)


@workflow
async def helper(ctx: Context, n: int) -> int:
    await ctx.sleep(0.5)
    return n * 2


@workflow
async def guard(ctx: Context, gear: Gear, patience: float = 3.0) -> list:
    alarms, mood, seen = 0, Mood.CALM, []
    while alarms < 3:
        match await ctx.select(ctx.timer(patience, name="bored"), Alarm, Rest):
            case Alarm(where):
                alarms += 1
                mood = Mood.CROSS
                seen.append(where)
                child = ctx.spawn(helper(alarms))
                await child
                try:
                    ctx.call(pay, "guard", alarms)
                except ValueError:
                    seen.append("unpaid")
            case Rest():
                await pause(ctx, 1.0)
            case Elapsed():
                gear.armour -= mood.value
    return seen


@workflow(retry=Retry(attempts=2, delay=0.5, backoff=1.0))
async def shop(ctx: Context) -> None:
    while True:
        price = await ctx.select(Price)
        if price.of == "moon":
            raise ValueError("not for sale")
        ctx.reply(price, 7)
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder, from which the command is run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    forget(tmp_path)


def forget(folder):
    """Unload what was imported from a folder, as a new process would have it."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def load(place):
    def load_it(source=GAME):
        forget(place)
        (place / "game.py").write_text(source)
        import game

        return game

    return load_it


@pytest.fixture
def open_world():
    """Open a world with the module `game` as it is loaded."""

    def open_it(path, **options):
        game = sys.modules["game"]
        kinds = [game.guard, game.helper, game.shop, game.pay, game.gold]
        given = {"clock": GameClock(), "durability": "process", "history": "all", **options}
        return Runtime(path, kinds, **given)

    return open_it


@pytest.fixture
def saved(place, load, open_world):
    """A world in the folder `world`: guard 1 has seen three alarms, guard 2 is cancelled, guard 3 waits."""
    game = load()
    with open_world(place / "world") as world:
        world.start(game.guard(game.Gear(2)), entity_id=5)
        world.start(game.guard(game.Gear(9), 1.0), entity_id=6)
        world.start(game.guard(game.Gear(4), patience=50.0), entity_id=7, correlation_id="night watch")
        world.advance(0.1)
        for number in range(3):
            world.signal(game.Alarm(f"gate {number}"), entity_id=5)
            if number == 1:
                world.signal(game.Rest(), entity_id=5)
            for _ in range(20):
                world.advance(0.1)
        world.cancel(workflow_id=2, reason="off duty")
        world.advance(0.1)
    forget(place)
    return place / "world"


@pytest.fixture
def command(place, capsys):
    """Run a command as a new process would; return its exit code and what it printed."""

    def run(*arguments):
        forget(place)
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def replay(command):
    """Run `deathless replay`, which has nothing to complain of; return the exit code and what it printed."""

    def run(*arguments):
        code, out, err = command("replay", *arguments)
        assert err == ""
        return code, out

    return run


@pytest.fixture
def game(tmp_path, monkeypatch):
    """The game of `recorded_games`, as module `game` of the folder in which the test runs."""
    from recorded_games import load_game

    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    yield load_game(tmp_path)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]

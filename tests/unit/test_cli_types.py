"""`deathless types`: what it says of a module's workflows, to people and to scripts."""

import json
import subprocess
import sys

import pytest

from deathless.tools.cli import main

GAME = '''
from __future__ import annotations

import dataclasses

from deathless import Context, Signal, routine, workflow


class Stack(Signal):
    amount: int = 1


class Route(Signal):
    stops: list[str] = dataclasses.field(default_factory=list)
    speed: float = dataclasses.field(kw_only=True)


@routine
async def pause(ctx: Context) -> None:
    await ctx.receive(Route)


@workflow(version=3)
async def buff(ctx: Context, duration: float, effect: str = "", *rest: int, most=9, **more) -> None:
    """Last a while.

    And more.
    """
    await ctx.receive(Stack)
    await pause(ctx)


@workflow(name="still")
async def sit(ctx: Context) -> None:
    await ctx.sleep(1.0)


@sit.migrate
def _(key, stored):
    return stored
'''


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder, from which the command is run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each != str(tmp_path)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def command(place, capsys):
    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def refused(result):
    """Return the one line with which a command refuses its input."""
    code, out, err = result
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    return line


def test_json_has_arguments_signals_version_fingerprint_and_source(place, command):
    (place / "game.py").write_text(GAME)
    code, out, err = command("types", "game", "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    assert said["module"] == "game"
    buff, still = said["types"]
    from game import buff as loaded

    assert buff == {
        "name": "buff",
        "version": 3,
        "fingerprint": loaded.program.fingerprint,
        "migrates": False,
        "file": str(place / "game.py"),
        "line": GAME[: GAME.index("@workflow(version")].count("\n") + 1,
        "summary": "Last a while.",
        "arguments": [
            argument("duration", "float"),
            argument("effect", "str", default="''"),
            argument("*rest", "int", required=False),
            argument("most", None, default="9", keyword_only=True),
            argument("**more", None, required=False),
        ],
        "signals": [
            {
                "name": "Route",
                "module": "game",
                "fields": [field("stops", "list[str]", default="list()"), field("speed", "float")],
            },
            {"name": "Stack", "module": "game", "fields": [field("amount", "int", default="1")]},
        ],
    }
    assert (still["name"], still["arguments"], still["signals"], still["migrates"]) == ("still", [], [], True)


def field(name, annotation, *, required=None, default=None):
    required = default is None if required is None else required
    return {"name": name, "annotation": annotation, "required": required, "default": default}


def argument(*given, keyword_only=False, **more):
    return {**field(*given, **more), "keyword_only": keyword_only}


def test_evaluated_annotations_are_shown_as_they_were_written(place, command):
    (place / "game.py").write_text(GAME.replace("from __future__ import annotations\n", ""))
    _, out, _ = command("types", "game", "--json")
    buff = json.loads(out)["types"][0]
    assert [each["annotation"] for each in buff["arguments"]] == ["float", "str", "int", None, None]
    assert buff["signals"][0]["fields"][0]["annotation"] == "list[str]"


def test_the_table_shows_the_same_to_people(place, command):
    (place / "game.py").write_text(GAME)
    code, out, _ = command("types", "game")
    assert code == 0
    for text in (
        "duration: float",
        "effect: str = ''",
        "most = 9",
        "Route(stops: list[str] = list(), speed: float)",
    ):
        assert text in out
    assert f"game.py:{GAME[: GAME.index('@workflow(version')].count(chr(10)) + 1}" in out


@pytest.mark.parametrize("path", ["game.py", "./game.py", "pack/inner/game.py"])
def test_a_path_is_imported_under_the_name_that_the_game_would_use(place, command, path):
    file = place / path
    file.parent.mkdir(parents=True, exist_ok=True)
    dotted = path.removeprefix("./").removesuffix(".py").replace("/", ".")
    for folder in [place / "pack", place / "pack/inner"] if "/" in dotted.replace(".", "/") else []:
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
    file.write_text(GAME)
    code, out, _ = command("types", path, "--json")
    assert code == 0
    assert {signal["module"] for signal in json.loads(out)["types"][0]["signals"]} == {dotted}


def test_a_package_lists_what_it_gathers_from_its_modules(command):
    code, out, _ = command("types", "deathless.workflows.library", "--json")
    assert code == 0
    kinds = {kind["name"]: kind for kind in json.loads(out)["types"]}
    assert {"buff", "combat", "npc_patrol", "production", "respawn"} <= kinds.keys()
    assert kinds["buff"]["file"].endswith("buff.py")


def test_a_module_that_cannot_be_used_is_refused_with_one_line(place, command):
    (place / "broken.py").write_text("async def f(:\n")
    (place / "raises.py").write_text("1 / 0\n")
    (place / "empty.py").write_text("x = 1\n")
    (place / "not_durable.py").write_text(
        "from deathless import *\n@workflow\nasync def f(ctx):\n    async with ctx:\n        pass\n"
    )
    (place / "json.py").write_text(GAME)
    (place / "game.py").write_text(GAME)
    (place / "twins.py").write_text(
        GAME.replace("import dataclasses", "import dataclasses\nfrom game import buff as old")
    )
    (place / "folder").mkdir()
    assert "no.such cannot be imported: ModuleNotFoundError" in refused(command("types", "no.such"))
    assert "no_such.py: there is no such file" in refused(command("types", "no_such.py"))
    assert "there is no such file" in refused(command("types", "folder"))
    line = refused(command("types", "broken"))
    assert "broken does not compile" in line
    assert "broken.py:1: invalid syntax" in line
    assert "ZeroDivisionError: division by zero" in refused(command("types", "raises.py"))
    assert "empty has no workflows" in refused(command("types", "empty"))
    assert "not_durable.py:4" in refused(command("types", "not_durable"))
    assert "hidden by another module 'json'" in refused(command("types", "json.py"))
    assert "two workflows are named 'buff'" in refused(command("types", "twins"))


def test_it_runs_as_a_process(place):
    (place / "game.py").write_text(GAME)
    run = [sys.executable, "-B", "-m", "deathless.tools", "types", "game", "--json"]
    done = subprocess.run(run, cwd=place, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [kind["name"] for kind in json.loads(done.stdout)["types"]] == ["buff", "still"]


def test_a_reader_that_has_seen_enough_is_no_error(place):
    (place / "game.py").write_text(GAME)
    script = (
        "import sys; from deathless.tools import cli\n"
        "class Closed:\n"
        "    def __getattr__(self, name): return getattr(sys.__stdout__, name)\n"
        "    def write(self, text): raise BrokenPipeError\n"
        "sys.stdout = Closed()\n"
        "sys.exit(cli.main(['types', 'game', '--json']))"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", script], cwd=place, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

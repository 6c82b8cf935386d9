"""What a world says about itself, to a log that somebody has set up, and only there."""

import subprocess
import sys

import pytest
import structlog

from deathless import Context, GameClock, Retry, Runtime, Signal, WorldFull, workflow
from deathless.runtime import narration
from deathless.runtime.storage.reader_watch import LOOK_EVERY_S, ReaderWatch
from deathless.runtime.storage.store import Store
from deathless.tools.cli import main
from deathless.tools.logs import read_log


class Poke(Signal):
    secret: str = ""


@workflow
async def npc_patrol(ctx: Context) -> None:
    await ctx.receive(Poke)
    raise ValueError("no way on")


@workflow(retry=Retry(attempts=2, delay=1.0))
async def clumsy(ctx: Context) -> None:
    raise ValueError("dropped it")


@workflow(name="combat")
async def combat(ctx: Context) -> None:
    await ctx.sleep(1.0)


def open_world(path, types=(npc_patrol, combat, clumsy), **options):
    return Runtime(path, types, clock=GameClock(), durability="process", **options)


@pytest.fixture
def world_path(tmp_path, configured):
    path = tmp_path / "world"
    configured(path)
    return path


def said(path, event):
    return [line.fields for line in read_log(path) if line.fields["event"] == event]


def test_opening_says_the_lines_of_the_deployment_guide(world_path, capsys):
    with open_world(world_path, [npc_patrol, combat]):
        pass
    assert [line.fields["event"] for line in read_log(world_path)] == [
        "Initializing Deathless Workflow Engine",
        "Registering workflow type: npc_patrol",
        "Registering workflow type: combat",
        "Workflow registry initialized",
        "world_opened",
        "world_closed",
    ]
    assert main(["logs", str(world_path), "--level", "info"]) == 0
    shown = capsys.readouterr().out
    assert "Initializing Deathless Workflow Engine" in shown
    assert "Workflow registry initialized" in shown


def test_closing_says_what_was_left(world_path):
    with open_world(world_path) as world:
        world.start(combat())
        world.advance(0.1)
    (closed,) = said(world_path, "world_closed")
    assert (closed["turn"], closed["workflows"], closed["steps"]) == (2, 1, 1)


def test_a_game_that_set_nothing_up_reads_of_the_opening_alone(tmp_path):
    script = tmp_path / "game.py"
    script.write_text(
        "import sys\n"
        "from deathless import Context, GameClock, Runtime, workflow\n"
        "@workflow\n"
        "async def failing(ctx: Context) -> None:\n"
        "    raise ValueError\n"
        "with Runtime(sys.argv[1], [failing], clock=GameClock()) as world:\n"
        "    world.start(failing())\n"
        "    world.advance(1.0)\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, script, tmp_path / "world"], capture_output=True, text=True, check=True
    )
    (line,) = done.stdout.splitlines()
    assert "world_opened" in line


def test_a_workflow_that_fails_is_named_with_its_error(world_path):
    with open_world(world_path) as world:
        failing = world.start(npc_patrol(), entity_id=42)
        world.advance(0.1)
        world.signal(Poke("passw0rd"), entity_id=42)
        world.advance(0.1)
        world.retry(failing.id)
        world.advance(0.1)
    failed = said(world_path, "workflow_failed")
    assert len(failed) == 2
    for one in failed:
        assert one["level"] == "warning"
        assert (one["workflow_id"], one["workflow_type"], one["entity_id"]) == (failing.id, "npc_patrol", 42)
        assert one["error"] == "ValueError: no way on"
        assert "count" not in one
    assert "passw0rd" not in "".join(line.text for line in read_log(world_path))


def test_a_step_that_is_tried_again_is_said_each_time(world_path):
    with open_world(world_path) as world:
        world.start(clumsy())
        world.advance(0.1)
        world.advance(2.0)
    assert len(said(world_path, "step_failed")) == 1
    assert len(said(world_path, "workflow_failed")) == 1


def test_workflows_that_fail_alike_in_a_turn_share_a_line(world_path):
    with open_world(world_path) as world:
        for number in range(1, 501):
            world.start(npc_patrol(), entity_id=number)
        world.advance(0.1)
        for number in range(1, 501):
            world.signal(Poke(), entity_id=number)
        world.advance(0.1)
    (failed,) = said(world_path, "workflow_failed")
    assert (failed["workflow_id"], failed["count"]) == (1, 500)


def test_the_lines_of_one_turn_are_bounded(world_path, monkeypatch):
    monkeypatch.setattr(narration, "MOST_LINES", 3)

    @workflow
    async def unlike(ctx: Context) -> None:
        raise ValueError(ctx.workflow_id)

    with open_world(world_path, [unlike]) as world:
        for _ in range(10):
            world.start(unlike())
        world.advance(0.1)
    assert len(said(world_path, "workflow_failed")) == 3
    (rest,) = said(world_path, "more_workflows_in_trouble")
    assert rest["count"] == 7


def test_a_workflow_that_is_held_is_named_with_the_reason(world_path):
    with open_world(world_path) as world:
        held = world.start(combat())
        world.advance(0.1)
    with open_world(world_path, [npc_patrol]) as world:
        world.advance(2.0)
    (line,) = said(world_path, "workflow_held")
    assert line["workflow_id"] == held.id
    assert "combat" in line["error"]


def test_a_reload_and_a_clean_up_are_said(world_path):
    with open_world(world_path) as world:
        for _ in range(3):
            world.start(combat())
        world.advance(0.1)
        world.reload([combat, npc_patrol])
        world.advance(2.0)
        world.call("cleanup_old_workflows", 0)
        world.advance(1.0)
        world.advance(1.0)
    assert [one["workflow_types"] for one in said(world_path, "code_reloaded")] == [2]
    assert [one["count"] for one in said(world_path, "workflows_deleted")] == [3]


def test_a_full_disk_is_said_once_and_its_end_too(world_path, monkeypatch):
    with open_world(world_path) as world:
        world.start(combat())

        def refuse(*_):
            raise WorldFull(str(world_path), "no room on the disk")

        with monkeypatch.context() as patch:
            patch.setattr(world._engine.store, "commit", refuse)
            for _ in range(3):
                with pytest.raises(WorldFull):
                    world.advance(0.1)
        world.advance(0.1)
        world.advance(0.1)
    assert len(said(world_path, "world_full")) == 1
    assert len(said(world_path, "world_has_room")) == 1


def test_a_slow_commit_is_said(world_path, monkeypatch):
    monkeypatch.setattr(narration, "SLOW_COMMIT_S", 0.0)
    with open_world(world_path) as world:
        world.start(combat())
        world.advance(0.1)
    assert said(world_path, "slow_commit")[0]["turn"] == 1


def test_a_reader_that_stands_still_between_two_looks_is_long(tmp_path):
    with Store.open(tmp_path / "world", durability="process") as store:
        watch = ReaderWatch(store)
        with store.read_view():
            assert watch.look() == (0, [])
            assert watch.look() == (0, []), "nothing was committed since: it holds nothing back"
            store.commit({"table:a": {b"k": b"v"}})
            store.commit({"table:a": {b"k": b"w"}})
            dead, (reader,) = watch.look()
            assert (dead, reader.behind >= 2) == (0, True)
        assert watch.look() == (0, [])
        with store.read_view():
            assert watch.look() == (0, []), "another read of the same thread has only begun"


def test_readers_are_looked_at_once_a_minute(tmp_path):
    with Store.open(tmp_path / "world", durability="process") as store:
        watch = ReaderWatch(store)
        due = [second for second in range(200) if watch.due(float(second))]
    assert due == [0, int(LOOK_EVERY_S), int(2 * LOOK_EVERY_S), int(3 * LOOK_EVERY_S)]


def test_a_reader_that_died_is_freed_and_said(world_path):
    with open_world(world_path) as world:
        world.advance(0.1)
        script = (
            "import os, sys\n"
            "from deathless.runtime.storage.world_reader import WorldReader\n"
            "with WorldReader(sys.argv[1]) as reader, reader.read_view() as view:\n"
            "    os._exit(0)\n"
        )
        subprocess.run([sys.executable, "-c", script, str(world_path)], check=True)
        watch = world._engine._narrator._readers
        watch._next_s = 0.0
        world.start(combat())
        world.advance(0.1)
    assert [one["count"] for one in said(world_path, "dead_readers_freed")] == [1]


def test_a_world_is_made_in_a_directory_that_has_its_log_already(tmp_path, configured):
    configured(tmp_path / "world")
    structlog.get_logger().info("before")
    with open_world(tmp_path / "world") as world:
        assert world.recovery.created
    assert said(tmp_path / "world", "before")

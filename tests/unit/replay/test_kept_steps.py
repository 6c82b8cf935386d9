"""Steps of a workflow where the old end of the history is gone."""

from deathless import Context, GameClock, Retention, Runtime, workflow
from deathless.runtime.history import step_index
from deathless.tools.replay.saved_world import SavedWorld


@workflow
async def ticking(ctx: Context) -> None:
    beats = 0
    while True:
        await ctx.sleep(1.0)
        beats += 1


@workflow
async def waiting(ctx: Context) -> None:
    await ctx.sleep(1000.0)


def play(path, turns, **options):
    with Runtime(path, [ticking], clock=GameClock(), durability="process", history="all", **options) as world:
        if not world.count():
            world.start(ticking())
        for _ in range(turns):
            world.advance(1.0)


def test_the_steps_that_are_left_are_found_though_the_index_names_deleted_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(step_index, "SEGMENT", 100)
    # A segment of the index goes from turn 300 to 399, of which the first are deleted.
    play(tmp_path / "world", 430, retention=Retention(turns=130))
    with SavedWorld(tmp_path / "world") as world:
        turns = [step.record.turn for step in world.steps(1)]
        assert turns == list(range(world.history.first_turn(), 431))
        assert 300 < turns[0] < 399


def test_the_last_steps_are_found_though_the_log_of_their_turns_is_gone(tmp_path):
    with Runtime(
        tmp_path / "world",
        [ticking, waiting],
        clock=GameClock(),
        durability="process",
        history=3,
        retention=Retention(turns=5),
    ) as world:
        world.start(ticking())
        world.start(waiting())
        for _ in range(40):
            world.advance(1.0)
    with SavedWorld(tmp_path / "world") as world:
        assert world.history.first_turn() > 30
        assert [step.record.turn for step in world.steps(1)] == [38, 39, 40]
        assert [step.record.turn for step in world.steps(2)] == [1, 1]

"""The full screen, used by keys and the mouse as an operator would, without a terminal."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from textual.widgets import Input

from deathless import GameClock, Runtime
from deathless.runtime import Store
from deathless.runtime.history.tables import STEP_TABLE
from deathless.runtime.storage.pieces import number_key
from deathless.tools.cli import main
from deathless.tools.replay.saved_world import SavedWorld
from deathless.tools.replay.ui.app import ReplayApp
from deathless.tools.replay.ui.dialogs import Dialog, ForkDialog
from deathless.tools.replay.ui.locals_pane import LocalsPane
from deathless.tools.replay.ui.slider import TurnSlider
from deathless.tools.replay.ui.source_pane import SourcePane
from deathless.tools.replay.ui.workflow_list import WorkflowList
from deathless.workflows.library import buff

sys.path.insert(0, str(Path(__file__).parent))
from ui_kit import PICTURE, live_through, picture_of, run_app  # noqa: E402


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    path = tmp_path_factory.mktemp("worlds") / "thornbridge.deathless"
    live_through(path)
    return path


@pytest.fixture
def use(village):
    """Let a coroutine use the screen of the village; it must have been reached to its end."""

    def use_it(play, **options):
        ended = []

        async def to_the_end(app, pilot):
            await play(app, pilot)
            ended.append(True)

        run_app(village, to_the_end, **options)
        assert ended

    return use_it


def screen(app):
    """Return the lines that are on the screen, as one sees them."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


def shown(app):
    return "\n".join(screen(app))


async def choose(pilot, words):
    await pilot.press("slash", *words, "enter")


# -- what is there -----------------------------------------------------------------------------------------


def test_it_begins_with_the_first_workflow_at_the_last_turn(use):
    async def play(app, pilot):
        text = shown(app)
        assert "deathless replay  thornbridge.deathless" in text
        assert "● npc_patrol 1" in text
        assert f"turn {app.scrubber.turns.last:,}" in text
        assert "▶" in text, "the await is marked"

    use(play)


def test_source_locals_causes_and_waits_are_shown(use):
    async def play(app, pilot):
        await choose(pilot, "npc entity:4")
        await pilot.press("home")
        while not any("bear" in cause.text for cause in app.scrubber.moment().causes):
            await pilot.press("right")
        text = shown(app)
        assert re.search(r"▶ +end = await child", text)
        assert "npc_patrol > fight, line" in text
        assert "signal Threat(enemy='bear'," in text
        assert re.search(r"\+ +health  30", text), "of the routine that was entered"
        assert "waits for" in text
        assert re.search(r"  child \d+", text)

    use(play)


def test_an_await_over_several_lines_is_marked_whole(village, tmp_path, monkeypatch):
    source = """
from deathless import Context, Signal, workflow

class Go(Signal):
    pass

@workflow
async def slow(ctx: Context) -> None:
    await ctx.select(
        ctx.timer(5.0),
        Go,
    )
"""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "several.py").write_text(source)
    module = importlib.import_module("several")
    with Runtime(tmp_path / "w", [module.slow], clock=GameClock(), history="all") as world:
        world.start(module.slow())
        world.advance(1.0)
    found = []

    async def play(app, pilot):
        pane = app.query_one(SourcePane)
        found.extend(row.text.strip() for row in pane._rows if any(s.style and s.style.bgcolor for s in row))

    run_app(tmp_path / "w", play, code=("several",))
    assert found == [
        "9 ▶     await ctx.select(",
        "10           ctx.timer(5.0),",
        "11           Go,",
        "12       )",
    ]


def test_without_code_it_says_where_it_stands(use):
    async def play(app, pilot):
        text = shown(app)
        assert "source not loaded: give its module with --code" in text
        assert "line 115 of npc_patrol" in text or "line 102 of npc_patrol" in text
        assert "action_timeout  2.0" in text, "locals are shown all the same"

    use(play, code=())


def test_a_small_terminal_shows_what_matters_most(use):
    async def play(app, pilot):
        lines = screen(app)
        assert len(lines) == 24
        assert max(map(len, lines)) <= 80
        text = "\n".join(lines)
        assert "npc_patrol 1" in text
        assert "▶" in text
        assert "turn " in lines[-2]

    use(play, size=(80, 24))


def test_lines_of_source_that_are_too_long_are_folded(use):
    async def play(app, pilot):
        pane = app.query_one(SourcePane)
        width = pane.scrollable_content_region.width
        assert len(pane._rows) > len(app.scrubber.moment().source.lines)
        assert all(row.cell_length <= width for row in pane._rows)
        code = "".join(row.text[8:] for row in pane._rows)
        assert "".join(code.split()) == "".join("".join(app.scrubber.moment().source.lines).split())

    use(play, size=(90, 30))


def test_a_world_without_workflows_is_an_empty_screen(tmp_path):
    with Runtime(tmp_path / "w", [buff], clock=GameClock()) as world:
        world.advance(1.0)
    seen = []

    async def play(app, pilot):
        await pilot.press("down", "left", "right", "d", "end", "enter", "space")
        seen.append(shown(app))

    run_app(tmp_path / "w", play)
    assert "No workflow." in seen[0]


# -- keys --------------------------------------------------------------------------------------------------


def test_arrows_go_through_the_moves_and_brackets_through_the_turns_of_the_world(use):
    async def play(app, pilot):
        scrubber = app.scrubber
        await choose(pilot, "npc entity:4")
        last = scrubber.turns.last
        await pilot.press("left")
        move = scrubber.turn
        assert move < last
        assert scrubber.moment().moved_now
        await pilot.press("left_square_bracket")
        assert scrubber.place == scrubber.turns.place_of(move) - 1
        await pilot.press("shift+right")
        assert scrubber.turn == move
        await pilot.press("home")
        assert scrubber.place == 0
        await pilot.press("shift+left")
        assert scrubber.place == 0
        await pilot.press("end")
        assert scrubber.at_end
        assert f"turn {last:,}" in shown(app)

    use(play)


def test_past_the_last_move_it_says_so_and_stays(use):
    async def play(app, pilot):
        await choose(pilot, "npc entity:4")
        place = app.scrubber.place
        await pilot.press("right")
        assert app.scrubber.place == place
        await pilot.pause()
        assert "It did not move after this turn." in shown(app)

    use(play)


def test_up_and_down_choose_another_workflow(use):
    async def play(app, pilot):
        await pilot.press("down", "down")
        assert app.scrubber.chosen.id == 3
        assert "npc_patrol 3" in shown(app)
        await pilot.press("up")
        assert app.scrubber.chosen.id == 2
        await pilot.press("pagedown")
        assert app.scrubber.chosen == app.scrubber.members[-1]
        await pilot.press("pageup", "pageup")
        assert app.scrubber.chosen.id == 1

    use(play)


def test_a_filter_lists_what_fits_while_it_is_typed(use):
    async def play(app, pilot):
        listed = app.query_one(WorkflowList)
        assert listed.count == len(app.scrubber.members)
        await pilot.press("slash", *"buf")
        assert listed.count == 2
        # Keys that mean something elsewhere are letters here.
        await pilot.press(*"fq ")
        assert (
            app.query_one("#filter", Input).value == "bufq "
            or app.query_one("#filter", Input).value == "buffq "
        )
        assert listed.count == 0
        await pilot.press(*["backspace"] * 3, "enter")
        assert app.scrubber.chosen.type == "buff"
        assert app.focused is listed
        await pilot.press("escape")
        assert listed.count == len(app.scrubber.members)
        assert app.scrubber.chosen.type == "buff", "and stays chosen"

    use(play)


def test_a_filter_by_standing_follows_the_turns(use):
    async def play(app, pilot):
        listed = app.query_one(WorkflowList)
        await choose(pilot, "completed")
        at_the_end = listed.count
        assert at_the_end >= 3
        await pilot.press("home")
        assert listed.count == 0
        await pilot.press("end")
        assert listed.count == at_the_end

    use(play)


def test_the_list_marks_who_moved_in_the_turn(use):
    async def play(app, pilot):
        await choose(pilot, "npc entity:4")
        await pilot.press("escape", "left")
        (line,) = [line for line in screen(app) if re.search(r" 4 npc_patrol north gate", line)]
        assert "▸" in line
        await pilot.press("left_square_bracket")
        (line,) = [line for line in screen(app) if re.search(r" 4 npc_patrol north gate", line)]
        assert "▸" not in line or app.scrubber.moment().moved_now

    use(play)


def test_space_plays_at_the_pace_that_is_set(use):
    async def play(app, pilot):
        scrubber = app.scrubber
        await pilot.press("home", "space")
        assert "▶ 1x" in shown(app)
        # Its own clock stands, and time goes by at the word of the test.
        app._timer.pause()
        began = scrubber.now_us
        app.play_on(1.0)
        # What was played before, and is less than the way to the next turn, counts too.
        assert 0 < scrubber.now_us - began < 1_200_000
        await pilot.press("s", "s")
        assert "▶ 16x" in shown(app)
        app.play_on(1.0)
        assert 15_000_000 < scrubber.now_us - began < 17_200_000
        await pilot.press("space")
        assert "❚❚ 16x" in shown(app)
        await pilot.press("s", "space")
        app._timer.pause()
        app.play_on(1_000.0)
        while not scrubber.at_end:
            app.play_on(1_000.0)
        assert "❚❚ 1x" in shown(app), "it stops at the end"

    use(play)


def test_a_mark_and_what_differs_from_it(use):
    async def play(app, pilot):
        await choose(pilot, "buff entity:2")
        await pilot.press("home", "right", "m")
        first = app.scrubber.turn
        assert f"◆ turn {first:,}" in shown(app)
        await pilot.press("right", "d")
        assert isinstance(app.screen, Dialog)
        text = shown(app)
        assert f"from turn {first:,} to turn {app.scrubber.turn:,}" in text
        assert re.search(r"locals.stacks +1 +3", text)
        await pilot.press("escape")
        assert not isinstance(app.screen, Dialog)

    use(play)


def test_of_a_workflow_that_was_not_there_no_differences_are_shown(use):
    async def play(app, pilot):
        await choose(pilot, "buff entity:2")
        await pilot.press("home", "m", "end", "d")
        await pilot.pause()
        assert "The workflow is not there in both turns." in shown(app)
        assert "not made yet" not in shown(app)
        await pilot.press("home")
        assert "is not made yet at the end of turn 1" in shown(app)

    use(play)


def test_help_names_every_key(use):
    async def play(app, pilot):
        await pilot.press("question_mark")
        text = shown(app)
        for word in ("left, right", "home, end", "space", "fork", "filter", "quit"):
            assert word in text
        await pilot.press("escape")
        assert not isinstance(app.screen, Dialog)

    use(play, size=(120, 50))


def test_values_open_and_close_and_stay_open_from_turn_to_turn(use):
    async def play(app, pilot):
        await choose(pilot, "npc entity:3")
        await pilot.press("tab", "tab")
        assert isinstance(app.focused, LocalsPane)
        at = next(n for n, node in enumerate(app.focused._row_nodes) if node.name == "stops")
        await pilot.press(*["down"] * at, "enter")
        assert re.search(r"\[0\]  \(6.0, 0.0\)", shown(app))
        await pilot.press("left_square_bracket", "left_square_bracket")
        assert re.search(r"\[0\]  \(6.0, 0.0\)", shown(app))

    use(play, size=(132, 50))


# -- the mouse ---------------------------------------------------------------------------------------------


def test_a_click_on_the_slider_goes_there(use):
    async def play(app, pilot):
        slider = app.query_one(TurnSlider)
        await pilot.click(slider, offset=(1, 1))
        assert app.scrubber.place == 0
        await pilot.click(slider, offset=(slider.region.width // 2, 1))
        assert abs(app.scrubber.place - len(app.scrubber.turns) // 2) <= 2
        await pilot.click(slider, offset=(slider.region.width - 2, 1))
        assert app.scrubber.at_end

    use(play)


def test_a_click_in_the_list_chooses(use):
    async def play(app, pilot):
        await pilot.click(WorkflowList, offset=(10, 4))
        assert app.scrubber.chosen.id == 5

    use(play)


# -- forks -------------------------------------------------------------------------------------------------


def test_f_forks_the_world_at_this_turn(use, village):
    target = village.with_name("fork")

    async def play(app, pilot):
        await choose(pilot, "npc entity:4")
        await pilot.press("left", "left", "f")
        scrubber = app.scrubber
        assert isinstance(app.screen, ForkDialog)
        typed = app.screen.query_one(Input)
        assert typed.value == str(village.with_name(f"thornbridge-turn-{scrubber.turn}.deathless"))
        typed.value = str(target)
        assert app.query_one(WorkflowList).count == 1, "it is no filter"
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        turn, view = scrubber.turn, scrubber.moment().view
        assert f"Turn {turn:,} with its" in shown(app)
        with SavedWorld(target) as forked:
            assert forked.state.turn == turn
            assert forked.view(view.id, forked.row(view.id)).locals == view.locals
        # And one may go on.
        await pilot.press("home")
        assert scrubber.place == 0

    use(play)


def test_a_fork_that_fails_is_told_and_one_may_go_on(use, village):
    full = village.with_name("full [there]")
    full.mkdir()
    (full / "something").touch()

    async def play(app, pilot):
        await pilot.press("f")
        app.screen.query_one(Input).value = str(full)
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "full [there]" in " ".join(shown(app).split())
        assert "Forked" not in shown(app)
        await pilot.press("home")
        assert app.scrubber.place == 0

    use(play)


def test_escape_forks_nothing(use, village):
    before = set(village.parent.iterdir())

    async def play(app, pilot):
        await pilot.press("f", "escape")
        await app.workers.wait_for_complete()
        assert not isinstance(app.screen, ForkDialog)

    use(play)
    assert set(village.parent.iterdir()) == before


# -- the command -------------------------------------------------------------------------------------------


def test_without_textual_it_names_the_extra(village, capsys, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "textual" else found(name, *rest)
    )
    assert main(["replay", "ui", str(village)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "Error: replay ui draws with textual; install it: pip install 'deathless[replay]'"


def test_without_a_terminal_it_names_the_command_for_scripts(village, capsys):
    assert main(["replay", "ui", str(village)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "Error: replay ui needs a terminal; in a script, use `deathless replay show`"


def test_on_a_terminal_it_runs_to_its_end(village, monkeypatch):
    ran = []
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(ReplayApp, "run", lambda app: ran.append(app.scrubber.world.reader.path))
    assert main(["replay", "ui", str(village), "--code", "deathless.workflows.library"]) == 0
    assert ran == [village]


def test_a_world_that_is_not_there_is_one_line(tmp_path, capsys, monkeypatch):
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    assert main(["replay", "ui", str(tmp_path / "none")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("there is no world here; give the path of one")


def test_a_damaged_history_is_one_line(village, tmp_path, capsys, monkeypatch):
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    copy = tmp_path / "copy"
    with Store.open(village) as store:
        (key, value), *_ = store.scan(STEP_TABLE, number_key(400))
        store.backup(copy)
    with Store.open(copy) as store:
        store.commit({STEP_TABLE: {key: b"\xc1" * len(value)}})
    assert main(["replay", "ui", str(copy)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "its history is damaged" in line


# -- the picture -------------------------------------------------------------------------------------------


def texts_of(svg):
    """Return the texts of a picture with the rows and columns where they stand."""
    found = re.findall(r'<text class="[^"]*-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg)
    return sorted((float(y), float(x), text) for x, y, text in found if text.replace("&#160;", "").strip())


def test_the_picture_in_the_documentation_is_what_is_drawn(village):
    drawn = picture_of(village)
    assert "@font-face" not in drawn
    recorded = texts_of(PICTURE.read_text(encoding="utf-8"))
    assert len(recorded) > 200
    assert texts_of(drawn) == recorded, "draw it anew: python tests/unit/replay/ui_kit.py"

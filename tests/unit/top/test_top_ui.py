"""The full screen of `deathless top`, used by keys, without a terminal."""

import os
import re
import sys
from pathlib import Path

import pytest
from textual.color import Color
from textual.widgets import DataTable, Input, Static

from deathless.runtime.storage.world_files import DATA_FILE
from deathless.runtime.storage.world_lock import WorldLock
from deathless.tools.replay.ui.dialogs import Dialog
from deathless.tools.replay.ui.look import RED
from deathless.tools.top import Order, Watch
from deathless.tools.top.glimpse import TypeLine

sys.path.insert(0, str(Path(__file__).parent))
from top_kit import PICTURE, build_town, open_town, picture_of, run_app, settle  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("town")
    build_town(made / "town.deathless")
    return made


@pytest.fixture
def use(folder):
    """Let a coroutine use the screen of the town; it must have been reached to its end."""

    def use_it(play, **options):
        ended = []

        async def whole(app, pilot):
            await play(app, pilot)
            ended.append(True)

        run_app(folder / "town.deathless", whole, **options)
        assert ended

    return use_it


def text(app, name):
    return str(app.query_one(name, Static).visual)


def listed(app):
    table = app.query_one(DataTable)
    return [[str(cell) for cell in table.get_row_at(row)] for row in range(table.row_count)]


async def until(pilot, condition):
    for _ in range(6000):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not come to that")


def test_it_says_how_the_world_stands(use):
    async def play(app, pilot):
        assert "nobody runs it   turn 182   180.5 s   " in text(app, "#title")
        assert text(app, "#counts").startswith(
            "371 Suspended   39 Completed   2 Failed   0 Cancelled   371 timers"
        )
        assert len(listed(app)) == 200
        assert app.query_one("#listed").border_subtitle == "200 of 412"

    use(play)


def test_keys_sort_the_list(use):
    async def play(app, pilot):
        for looks, (key, order) in enumerate(
            (("d", "due"), ("s", "size"), ("u", "untouched"), ("m", "unread"), ("r", "recent")), 2
        ):
            await pilot.press(key)
            await settle(app, pilot, looks)
            assert app.query_one("#listed").border_title == f"workflows by {order}"
        await pilot.press("s")
        await settle(app, pilot, 7)
        sizes = [int(row[-1].replace(",", "")) for row in listed(app)]
        assert sizes == sorted(sizes, reverse=True)

    use(play)


def test_what_is_typed_filters_the_list(use):
    async def play(app, pilot):
        await pilot.press("slash", *"failed", "enter")
        await settle(app, pilot, 2)
        await until(pilot, lambda: app.last.glimpse.fitting == 2 and len(listed(app)) == 2)
        assert [row[1] for row in listed(app)] == ["countdown", "countdown"]
        assert isinstance(app.focused, DataTable)
        await pilot.press("escape")
        await until(pilot, lambda: app.last.glimpse.fitting == 412)
        assert app.query_one("#filter", Input).value == ""

    use(play)


def test_a_filter_may_be_given_from_the_start(use):
    async def play(app, pilot):
        assert {row[1] for row in listed(app)} == {"production"}
        assert app.looked == 1

    use(play, wanted="production", order=Order.DUE)


def test_enter_shows_the_chosen_workflow_whole(use):
    async def play(app, pilot):
        second = listed(app)[1][0]
        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Dialog)
        drawn = app.export_screenshot()
        assert f"workflow&#160;{second}" in drawn
        assert "awaits" in drawn

    use(play)


def test_space_pauses_and_goes_on(use):
    async def play(app, pilot):
        assert app._next is not None
        await pilot.press("space")
        await settle(app, pilot, 2)
        assert app._next is None
        assert app.query_one("#listed").border_title == "workflows by recent, paused"
        await pilot.press("space")
        await settle(app, pilot, 3)
        assert app._next is not None
        assert app.query_one("#listed").border_title == "workflows by recent"

    use(play)


def test_the_chosen_workflow_stays_chosen_when_the_list_moves(use):
    async def play(app, pilot):
        await pilot.press("down", "down", "down")
        chosen, before = app._chosen(), [row[0] for row in listed(app)]
        await pilot.press("u")
        await settle(app, pilot, 2)
        assert [row[0] for row in listed(app)] != before
        assert app._chosen() == chosen

    use(play, wanted="buff")


def test_a_world_that_cannot_be_read_is_told_and_looked_at_again(folder, tmp_path):
    path = tmp_path / "other.deathless"
    with open_town(path) as world:
        world.advance(0.0)

    async def play(app, pilot):
        app._watch.close()
        app.take_look()
        await settle(app, pilot, 2)
        assert "closed" in text(app, "#counts")
        assert app._next is not None

    run_app(path, play)


def test_a_narrow_terminal_says_first_and_in_red_that_a_world_stands_still(tmp_path):
    path = tmp_path / ("a-long-name-of-a-world" * 3)
    build_town(path)
    lock = WorldLock(path)
    os.utime(path / DATA_FILE, (1.0, 1.0))

    async def play(app, pilot):
        title = app.query_one("#title", Static).visual
        said = text(app, "#title")
        stalled = said[: said.index("   ")]
        assert re.fullmatch(r"last commit \d+ s ago", stalled)
        assert said[len(stalled) :].startswith(f"   {app.last.owner}   turn 182   ")
        assert said.endswith(str(path))
        (red,) = [span for span in title.spans if (span.start, span.end) == (0, len(stalled))]
        assert red.style.foreground == Color.parse(RED)

    run_app(path, play, size=(80, 24))
    lock.release()


def test_many_types_leave_room_for_the_list(use, monkeypatch):
    looked = Watch.look

    def crowded(watch, *args):
        look = looked(watch, *args)
        look.glimpse.types.update({f"type_{number}": TypeLine(total=1) for number in range(20)})
        return look

    monkeypatch.setattr(Watch, "look", crowded)

    async def play(app, pilot):
        await pilot.pause()
        assert app.query_one("#types").size.height == 8
        assert app.query_one(DataTable).size.height >= 6
        await pilot.resize_terminal(80, 60)
        await until(pilot, lambda: app.query_one("#types").size.height == 14)

    use(play, size=(80, 24))


def test_the_picture_in_the_documentation_is_of_this_screen(folder):
    assert words(PICTURE.read_text(encoding="utf-8")) == words(picture_of(folder))


def words(svg):
    # The state of one that failed has the path of its source in its traceback: its size is another elsewhere.
    found = re.findall(r">([^<>\n]+)</text>", svg)
    return [re.sub(r"^(?:&#160;)*[\d,]+&#160;B$", "B", word) for word in found]

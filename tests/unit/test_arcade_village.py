"""The arcade village: it runs without a screen, outlives kill -9, and keys do what they say."""

import math
import sys
from contextlib import contextmanager
from pathlib import Path

from deathless import GameClock, Runtime
from deathless.workflows.library import Pause, Threat

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "examples")]

import pygame  # noqa: E402 - after sys.path, as what follows.
from arcade import land, life  # noqa: E402
from arcade.controls import Controls  # noqa: E402
from arcade.scene import Scene  # noqa: E402
from arcade.window import Window  # noqa: E402
from example_programs import finished, read_until, started  # noqa: E402

PERSON = land.people()[0]
INHABITANTS = len(land.people()) + len(land.SHOPS) + 3


def lives_of(world):
    """Return who lives and what works in an arcade village, as (type, entity, id), and see that nothing failed."""
    with Runtime(world, life.WORKFLOWS, clock=GameClock()) as seen:
        assert not seen.workflows(status="Failed")
        kept = ("villager", "production", "day_night", "fate", "chronicle")
        views = [view for view in seen.workflows(status="Suspended") if view.type in kept]
        assert len({(view.type, view.entity_id) for view in views}) == len(views)
        return {(view.type, view.entity_id, view.id) for view in views}


def headless(world, *arguments):
    options = ("--world", world, "--durability", "process", "--headless")
    return finished("arcade_village.py", *options, *arguments)


def test_the_arcade_village_draws_without_a_screen_and_saves_a_picture(tmp_path):
    done = headless(tmp_path / "w.deathless", "--frames", 90, "--screenshot", tmp_path / "village.png")
    assert (done.returncode, done.stderr) == (0, "")
    first, turn, last = done.stdout.splitlines()
    assert (first, last) == (f"{INHABITANTS} workflows started", "stopped at turn 91")
    assert turn.startswith("turn ")
    picture = pygame.image.load(tmp_path / "village.png")
    assert picture.get_size() == (960, 650)
    assert len({tuple(picture.get_at((x, y))) for x in range(0, 960, 7) for y in range(0, 650, 7)}) > 50


def test_the_arcade_village_has_everybody_after_kill_9_and_starts_nobody_twice(tmp_path):
    world = tmp_path / "w.deathless"
    options = ("--world", world, "--durability", "process", "--headless")
    with started("arcade_village.py", *options) as process:
        reported = [int(read_until(process, "turn ").split()[1]) for _ in range(3)][-1]
        process.kill()
    before = lives_of(world)
    assert len(before) == INHABITANTS
    done = headless(world, "--frames", 1)
    assert (done.returncode, done.stderr) == (0, "")
    recovered, last = done.stdout.splitlines()
    assert recovered.startswith("recovered ")
    assert int(last.split()[-1]) > reported
    assert lives_of(world) == before


@contextmanager
def village(tmp_path, name="w"):
    """Open an arcade village with its controls, without a window."""
    with Runtime(tmp_path / name, life.WORKFLOWS, clock=GameClock(), durability="process") as world:
        life.populate(world)
        scene = Scene(world)
        world.advance(0.0)
        world.advance(0.1)
        yield world, scene, Controls(world, scene, chosen=PERSON.entity)


def test_two_arcade_villages_with_the_same_keys_pressed_become_the_same(tmp_path):
    digests = []
    for name in ("first", "second"):
        with village(tmp_path, name) as (world, _, controls):
            for key in "wshdgpn" * 5:
                controls.press(key)
                world.run_until(world.now + 1.0, step=0.1)
            digests.append(world.digest())
    assert digests[0] == digests[1]


def test_keys_send_signals_to_whoever_was_clicked(tmp_path):
    with village(tmp_path) as (world, scene, controls):

        def figure():
            return next(f for f in scene.figures(world.now) if f.person.entity == controls.chosen)

        controls.choose(figure().at)
        assert controls.chosen == PERSON.entity
        controls.press("h")
        world.advance(0.0)
        assert "haste" in figure().effects
        controls.press("d")
        world.advance(0.0)
        assert figure().effects == ()
        controls.press("t")
        world.advance(0.0)
        assert (figure().doing, figure().foe) == ("fighting", "troll")
        controls.press("f")
        world.advance(0.0)
        assert figure().doing in ("walking", "resting")
        assert f"{PERSON.name} runs from the troll" in scene.news
        controls.press("x")  # No key of the game.


def test_a_clicked_workshop_pauses_and_goes_on_with_the_work_that_was_left(tmp_path):
    with village(tmp_path) as (world, scene, controls):
        bakery = next(shop for shop in land.SHOPS if shop.name == "bakery")
        controls.choose((bakery.at[0], bakery.at[1] - 1))

        def work():
            return next(work for work in scene.work(world.now) if work.shop is bakery)

        controls.press("g")
        world.advance(0.0)
        world.advance(bakery.craft_time / 2)
        assert work().doing == "crafting"
        controls.press("p")
        world.advance(0.0)
        part = work().part
        world.advance(100.0)
        assert (work().doing, work().part) == ("paused", part)
        controls.press("p")
        world.advance(0.0)
        assert (work().doing, round(work().part, 3)) == ("crafting", round(part, 3))


def test_night_falls_and_day_breaks_and_fate_hears_of_both(tmp_path):
    with village(tmp_path) as (world, scene, controls):

        def is_dark():
            return scene.darkness(world.now), scene.find(life.FATE, "fate").locals["dark"]

        assert (is_dark(), round(scene.hour(world.now))) == ((0.0, False), 6)
        world.run_until(60.0, step=1.0)
        assert 0.0 < scene.darkness(world.now) < 1.0
        world.run_until(70.0, step=1.0)
        assert is_dark() == (1.0, True)
        world.run_until(95.0, step=1.0)
        assert is_dark() == (0.0, False)
        assert scene.counts()[0]
        controls.press("n")
        world.advance(0.1)
        assert is_dark() == (1.0, True)


def test_a_villager_who_falls_lies_where_he_fell_and_comes_back_at_the_well(tmp_path):
    with village(tmp_path) as (world, scene, _):

        def figure():
            return next(f for f in scene.figures(world.now) if f.person == PERSON)

        world.signal(Threat("dragon", 1_000_000, 1_000_000), entity_id=PERSON.entity)
        world.advance(0.0)
        at = figure().at
        while figure().doing != "fallen":
            world.advance(0.5)
        assert figure().at == at
        assert scene.counts()[1] >= 1
        while figure().doing == "fallen":
            world.advance(0.5)
        assert math.dist(figure().at, land.HOME) < PERSON.kind.speed


def test_the_window_shows_a_fight_at_night_and_takes_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with village(tmp_path) as (world, scene, controls):
        window = Window(world, scene, controls, headless=True)
        try:
            # A foe that no picture is made for, and a workshop that stands still, are drawn as well.
            world.signal(Threat("dragon", 50, 1), entity_id=PERSON.entity)
            world.signal(Pause(), entity_id=land.SHOPS[0].entity)
            world.run_until(70.0, step=1.0)
            window.draw(world.advance(0.1), 0.01)
            for event in (
                pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=(19 * 24, 4 * 24), button=1),
                pygame.event.Event(pygame.KEYDOWN, key=pygame.K_g, unicode="g"),
            ):
                pygame.event.post(event)
            assert window.play()
            window.draw(world.advance(0.1), 0.01)
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE, unicode="\x1b"))
            assert not window.play()
        finally:
            window.close()

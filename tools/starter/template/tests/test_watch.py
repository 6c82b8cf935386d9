"""The watch, in virtual time: an hour takes a moment, and a crash is one call."""

from __future__ import annotations

import pytest
from deathless.tools.pytest_plugin import CrashEverywhere
from deathless.tools.testing import TestWorld

from starter_game import WORKFLOWS, Goblin, Heal, Potion, guard, regeneration, shop
from starter_game.guard import MAX_HP, WALK_S

GUARD, SHOP = 1, 2

pytestmark = pytest.mark.deathless(*WORKFLOWS)


def test_a_guard_walks_from_post_to_post(world: TestWorld) -> None:
    watch = world.start(guard(SHOP), entity_id=GUARD)
    world.advance(WALK_S / 2)
    posts = []
    for _ in range(4):
        world.advance(WALK_S)
        posts.append(world.get(watch.id).locals["post"])
    assert posts == [1, 2, 0, 1]


def test_a_goblin_that_is_strong_enough_ends_the_watch(world: TestWorld) -> None:
    watch = world.start(guard(SHOP), entity_id=GUARD)
    for _ in range(3):
        world.signal(Goblin(0), entity_id=GUARD)
    for _ in range(20):
        world.signal(Goblin(20), entity_id=GUARD)
    world.advance(1)
    assert watch.status == "Completed"
    assert watch.result() >= 3


def test_a_guard_that_is_hurt_gets_a_potion(world: TestWorld) -> None:
    watch = world.start(guard(SHOP), entity_id=GUARD)
    stall = world.start(shop(potions=1), entity_id=SHOP)
    world.advance(0)
    while not world.workflows(type="regeneration"):
        world.signal(Goblin(1), entity_id=GUARD)
        world.advance(0)
    assert world.get(stall.id).locals["potions"] == 0
    hurt = world.get(watch.id).locals["hp"]
    world.advance(5.5)
    assert world.get(watch.id).locals["hp"] > hurt


def test_nobody_is_healed_beyond_full_health(world: TestWorld) -> None:
    watch = world.start(guard(SHOP), entity_id=GUARD)
    world.signal(Heal(100), entity_id=GUARD)
    world.advance(0)
    assert world.get(watch.id).locals["hp"] == MAX_HP


def test_the_shop_restocks_until_its_shelf_is_full(world: TestWorld) -> None:
    stall = world.start(shop(potions=0, restock_s=10.0), entity_id=SHOP)
    world.advance(25)
    assert world.get(stall.id).locals["potions"] == 2
    world.advance(100)
    assert world.get(stall.id).locals["potions"] == 3


def test_a_potion_goes_on_after_a_crash(world: TestWorld) -> None:
    drink = world.start(regeneration(5), entity_id=GUARD)
    world.advance(3.5)
    world.crash()
    world.advance(1)
    assert drink.status == "Suspended"
    world.advance(1)
    assert drink.status == "Completed"


def a_bad_night(world: TestWorld) -> dict[str, object]:
    watch = world.start(guard(SHOP), entity_id=GUARD)
    world.start(shop(), entity_id=SHOP)
    world.signal(Potion(3), entity_id=GUARD)
    for _ in range(4):
        world.signal(Goblin(3), entity_id=GUARD)
        world.advance(1)
    return world.get(watch.id).locals


def test_no_crash_changes_a_night(crash_everywhere: CrashEverywhere) -> None:
    assert crash_everywhere(a_bad_night).steps > 5

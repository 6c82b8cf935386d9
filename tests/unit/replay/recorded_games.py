"""A small recorded game that replay files are made of: a guard who is paid, hit, and fails when he is dead."""

from __future__ import annotations

import importlib
import linecache
import sys
import textwrap

from deathless import GameClock, Runtime
from deathless.runtime.registration import registry_of
from deathless.tools.replay.export import export
from deathless.tools.replay.saved_world import SavedWorld

GUARD = textwrap.dedent('''\
    """Guards of the game."""

    from deathless import Context, Signal, workflow


    class Hit(Signal):
        damage: int


    @workflow
    async def guard(ctx: Context, hp: int) -> None:
        gold = 0
        while True:
            match await ctx.select(ctx.timer(1.0, name="pay"), Hit):
                case Hit(damage):
                    hp -= damage
                    if hp <= 0:
                        raise ValueError(f"dead, with {gold} gold")
                case _:
                    gold += 10
    ''')


def load_game(folder, source=GUARD, name="game"):
    """Load source text as a module of a folder that is searched, as a new process would."""
    (folder / f"{name}.py").write_text(source)
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    linecache.clearcache()
    return importlib.import_module(name)


def play(path, module, hits=(8, 30), **options):
    """Record a world with one guard, who is hit so often, in module `module`; return the path."""
    options = {"clock": GameClock(), "durability": "process", "history": "all", "seed": 5, **options}
    with Runtime(path, [module.guard], **options) as world:
        world.start(module.guard(30), entity_id=7, correlation_id="gate")
        for damage in hits:
            for _ in range(3):
                world.advance(1.0)
            world.signal(module.Hit(damage), entity_id=7)
        world.advance(1.0)
    return path


def replay_of(path, workflows=(), workflow_id=1, **options):
    """Export a workflow of a world."""
    with SavedWorld(path, registry_of(workflows)) as world:
        return export(world, workflow_id, **options)

"""Worlds with fights of a copied library workflow, in which faults are planted; run as a script, records one.

python fights.py MODULE.py WORLD
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import structlog

from deathless import GameClock, Runtime
from deathless.workflows.library import combat as library

FIGHTS = 6
TURNS = 80
PLANTED = {
    "nothing": ("", ""),
    "a set is gone through": ("side = ctx.random.choice(SIDES)", "side = next(iter(set_of_sides()))"),
    "the computer's dice": ("damage(ctx.random, move", "damage(random, move"),
    "a changed constant": ("(0.75, 1) if move == ATTACK", "(0.25, 1) if move == ATTACK"),
}
"""What is written in place of what."""


def write_module(place: Path, planted: str) -> Path:
    """Copy the library's combat to a module of its own, with a fault."""
    source = Path(library.program.filename).read_text(encoding="utf-8")
    start = source.index("from __future__")
    source = source[start:].replace("from ..context", "from deathless.workflows.context")
    for name in ("definition", "signal", "sources"):
        source = source.replace(f"from ..{name}", f"from deathless.workflows.{name}")
    source = source.replace("from .arguments", "from deathless.workflows.library.arguments")
    old, new = PLANTED[planted]
    assert old in source
    # A set that a workflow goes through itself has an order; not so one that it gets from elsewhere and makes a list.
    helper = "\n\ndef set_of_sides():\n    return list(set(SIDES))\n"
    place.write_text(source.replace(old, new) + helper, encoding="utf-8")
    return place


def record(module: Path, world: Path) -> None:
    """Let some fights take place, and record them."""
    spec = importlib.util.spec_from_file_location(module.stem, module)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module.stem] = loaded
    spec.loader.exec_module(loaded)
    with Runtime(world, [loaded.combat], clock=GameClock(), durability="process", history="all") as runtime:
        runtime.start_many(
            [
                (loaded.combat("ghost", hp=40, enemy_hp=40, action_timeout=0.5), entity)
                for entity in range(FIGHTS)
            ]
        )
        for turn in range(TURNS):
            if turn % 7 == 3:
                runtime.signal(loaded.Action("strike", "hero"), entity_id=turn % FIGHTS)
            runtime.advance(0.1)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    record(Path(sys.argv[1]), Path(sys.argv[2]))

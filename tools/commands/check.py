"""`deathless check`: what becomes of each await of a world with other code, before that code runs in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ...runtime.storage.world_reader import WorldReader
from ...workflows.versions import Verdict
from ..modules import load_types
from ..output import print_json, table
from ..survey import Group, Place, survey

EXAMPLES = """\b
Examples:
  deathless check world.deathless game.npcs game.items
  deathless check world.deathless game/npcs.py && systemctl restart game
  deathless check world.deathless game.npcs --json | jq '.awaits[] | select(.goes_on | not)'

\b
Verdicts:
  kept               the same code
  moved              the code was edited, and this await is surely the same one
  migrated           the code was edited, and its migrate function gives the locals
  gone               no await of the new code is surely this one
  missing variables  the await now needs locals that the snapshot lacks
  version            the code has a raised version and no migrate function
  unknown type       no given module has the workflow type or the routine
  held               held for another reason, which is given

\b
Exit codes:
  0  every workflow goes on
  1  one would be held: nothing of it is lost, and it goes on when fitting code comes
  2  bad input
"""


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@click.argument("modules", metavar="MODULE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(world: str, modules: tuple[str, ...], as_json: bool) -> int:
    """Say of each await of WORLD at which workflows stand whether they go on there with the code of the modules.

    A MODULE is a dotted name, or the path of a .py file; give all that the game gives to its Runtime. They are
    imported, which runs what stands at their top. The world is only read, and may be running meanwhile.
    """
    types = load_types(modules)
    with WorldReader(world) as reader:
        groups = survey(reader, types)
    held = sum(group.count for place, group in groups.items() if not place.verdict.goes_on)
    total = sum(group.count for group in groups.values())
    if as_json:
        awaits = [_described(place, group) for place, group in groups.items()]
        print_json({"world": world, "workflows": total, "held": held, "awaits": awaits})
    else:
        _print(groups)
        click.echo(f"{total} workflows: {total - held} go on, {held} would be held")
    return 1 if held else 0


def _described(place: Place, group: Group) -> dict[str, Any]:
    return {
        "type": place.type,
        "await": place.key,
        "verdict": str(place.verdict),
        "goes_on": place.verdict.goes_on,
        "reason": place.reason or None,
        "missing": list(place.missing),
        "line": place.line or None,
        "new_line": place.new_line or None,
        "count": group.count,
        "ids": group.ids,
    }


def _print(groups: Mapping[Place, Group]) -> None:
    rows = [
        (
            str(place.verdict),
            place.type,
            place.key,
            str(group.count),
            ", ".join(map(str, group.ids)) + (", ..." if group.count > len(group.ids) else ""),
            _remark(place),
        )
        for place, group in groups.items()
    ]
    if rows:
        table(("verdict", "type", "await", "count", "ids", "remark"), rows)


def _remark(place: Place) -> str:
    if place.verdict is Verdict.MISSING:
        return f"needs {', '.join(place.missing)}"
    if place.line and place.new_line and place.line != place.new_line:
        return f"line {place.line} is now {place.new_line}"
    return place.reason

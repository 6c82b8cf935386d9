"""`deathless replay compare`: two futures of one past."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple

import click

from ...modules import load_registry
from ...output import print_json, progress, table
from ...replay.findings import state_differences
from ...replay.parting import Parting, find_parting
from ...replay.row_differences import Look
from ...replay.saved_world import SavedWorld
from .bisect import print_parting

EXAMPLES = """\b
Examples:
  deathless replay compare world.deathless what-if.deathless
  deathless replay compare world.deathless what-if.deathless --json | jq .fields

\b
Exit codes:
  0  they are alike
  1  they are not
  2  bad input
"""


class Outcome(NamedTuple):
    """How two worlds differ now.

    Attributes:
        workflows: how many are in both; only_first, only_second: how many in one alone.
        different: how many of those in both stand differently.
        fields: how often which field differs, most often first; indexes are written as [].
    """

    workflows: int
    only_first: int
    only_second: int
    different: int
    fields: dict[str, int]


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@click.argument("other", type=click.Path())
@click.option(
    "--code", "modules", metavar="MODULE", multiple=True, help="What the games run, to read its classes."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(world: str, other: str, modules: tuple[str, ...], *, as_json: bool) -> int:
    """Say where WORLD and OTHER, two futures of one past, part, and how they differ now.

    Both are only read, and may be running meanwhile.
    """
    registry = load_registry(modules) if modules else None
    with SavedWorld(world, registry) as one, SavedWorld(other, registry) as two:
        last = min(one.state.turn, two.state.turn)
        with progress("comparing turns") as tell:
            parting = find_parting(one, two, lambda turn: tell(turn, last))
        with progress("comparing workflows") as tell:
            outcome = _outcome(one, two, tell)
        turns = [saved.state.turn for saved in (one, two)]
    alike = parting is None and not (outcome.different or outcome.only_first or outcome.only_second)
    if as_json:
        print_json(
            {"parting": None if parting is None else parting._asdict(), "turns": turns, **outcome._asdict()}
        )
    else:
        _print(parting, outcome, world, other, turns)
    return 0 if alike else 1


def _outcome(one: SavedWorld, two: SavedWorld, tell: Any) -> Outcome:
    here, there = one.rows_at(), two.rows_at()
    both = sorted(here.keys() & there.keys())
    fields: Counter[str] = Counter()
    different = 0
    for at, workflow_id in enumerate(both):
        if at % 256 == 0:
            tell(at, len(both))
        if here[workflow_id] != there[workflow_id]:
            found = state_differences(
                Look(one, workflow_id, here[workflow_id]), Look(two, workflow_id, there[workflow_id])
            )
            different += bool(found)
            fields.update({re.sub(r"\[[^\]]*\]", "[]", difference.path) for difference in found})
    return Outcome(
        len(both), len(here) - len(both), len(there) - len(both), different, dict(fields.most_common())
    )


def _print(parting: Parting | None, outcome: Outcome, world: str, other: str, turns: list[int]) -> None:
    print_parting(parting, world, other)
    click.echo(
        f"now, at turn {turns[0]:,} and turn {turns[1]:,}: {outcome.workflows:,} workflows in both, of which "
        f"{outcome.different:,} differ; {outcome.only_first:,} only in {world}, {outcome.only_second:,} only in {other}"
    )
    if outcome.fields:
        table(
            ("field", "workflows"),
            [(path, f"{count:,}") for path, count in list(outcome.fields.items())[:20]],
        )

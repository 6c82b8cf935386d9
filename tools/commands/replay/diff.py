"""`deathless replay diff`: two steps, two workflows or two worlds, compared by field path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import click

from ....workflows.errors import HistoryError, UnknownWorkflowError
from ...output import BadInput, print_json
from ...replay.differences import ABSENT, Difference
from ...replay.row_differences import Look, row_differences
from ...replay.saved_world import SavedWorld
from ...replay.showing import plain, short
from ...replay.world_differences import Differing, differing_tables, differing_workflows
from .options import code_option, json_option, open_world, turn_option, world_argument

EXAMPLES = """\b
Examples:
  deathless replay diff world.deathless 7@12 7@13
  deathless replay diff world.deathless 7@turn:120 7
  deathless replay diff world.deathless 7 8 --code game.npcs
  deathless replay diff world.deathless copy.deathless
  deathless replay diff world.deathless copy.deathless --turn 120 --json | jq '.differing[].name'

\b
Exit codes:
  0  no difference
  1  differences
  2  bad input
"""
WIDTH = 100
"""Most characters of a value."""


class Operand(NamedTuple):
    """A workflow after a step or at a turn; now where neither is given."""

    text: str
    workflow_id: int
    step: int | None
    turn: int | None


@click.command(epilog=EXAMPLES)
@world_argument
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@turn_option
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Of two worlds, show so many workflows at most; 0 for all.",
)
@code_option
@json_option
def command(
    world: str,
    first: str,
    second: str | None,
    turn: int | None,
    limit: int,
    modules: tuple[str, ...],
    as_json: bool,
) -> int:
    """Compare A with B, which are workflows of WORLD; or WORLD with another one, whose path is A.

    ID is a workflow as it is now, ID@STEP after a recorded step, and ID@turn:T at the end of a turn. Of two worlds, all
    workflows are compared, and the game's own tables; with --turn, the workflows as they were then.
    """
    with ExitStack() as stack:
        saved = stack.enter_context(open_world(world, modules))
        if second is None:
            if not Path(first).exists():
                raise BadInput(f"give a B, too: {first!r} is not the path of another world")
            other = stack.enter_context(open_world(first, modules))
            return _worlds(saved, other, turn, limit, as_json=as_json)
        if turn is not None:
            raise BadInput("--turn is for two worlds; for workflows write ID@turn:T")
        old, new = (
            Look(saved, operand.workflow_id, _row(saved, operand)) for operand in _operands(first, second)
        )
        found = row_differences(old, new)
        if as_json:
            print_json({"world": world, "a": first, "b": second, "differences": _described(found)})
        else:
            _print(found)
            _say_same(old.row == new.row, found)
        return 0 if old.row == new.row else 1


def _operands(*texts: str) -> Iterable[Operand]:
    for text in texts:
        found = re.fullmatch(r"(\d{1,19})(?:@(?:(turn:)?(\d{1,19})))?", text)
        if found is None:
            raise BadInput(f"{text!r} is not ID, ID@STEP or ID@turn:T")
        number, by_turn, at = found.groups()
        moment = None if at is None else int(at)
        yield Operand(text, int(number), None if by_turn else moment, moment if by_turn else None)


def _row(saved: SavedWorld, operand: Operand) -> bytes:
    if operand.step is not None:
        row = saved.step(operand.workflow_id, operand.step).after
    else:
        row = saved.row(operand.workflow_id, operand.turn)
    if row is not None:
        return row
    if operand.step is None and operand.turn is None:
        raise UnknownWorkflowError(operand.workflow_id)
    raise HistoryError(f"there is no workflow at {operand.text}: it was not made yet, or deleted already")


def _worlds(saved: SavedWorld, other: SavedWorld, turn: int | None, limit: int, *, as_json: bool) -> int:
    before, after = saved.rows_at(turn), other.rows_at(turn)
    tables: Iterable[Differing] = differing_tables(saved, other) if turn is None else ()
    count, shown = 0, []
    for differing in chain(differing_workflows(saved, other, before, after), tables):
        count += 1
        if limit and count > limit:
            continue
        if as_json:
            described = _described(differing.differences)
            shown.append({"name": differing.name, "id": differing.workflow_id, "differences": described})
        else:
            click.echo(differing.name)
            _print(differing.differences, "  ")
            _say_same(same=False, found=differing.differences)
    if as_json:
        print_json(
            {"worlds": [str(saved.reader.path), str(other.reader.path)], "found": count, "differing": shown}
        )
    else:
        left_out = f", {limit} of them shown: --limit 0 shows all" if limit and count > limit else ""
        click.echo(f"{count} differ{'s' * (count == 1)}{left_out}" if count else "no difference")
    return 1 if count else 0


def _print(found: Iterable[Difference], indent: str = "") -> None:
    for path, old, new in found:
        where = f"{path}: " if path else ""
        if new is ABSENT:
            click.echo(f"{indent}- {where}{short(old, WIDTH)}")
        elif old is ABSENT:
            click.echo(f"{indent}+ {where}{short(new, WIDTH)}")
        else:
            click.echo(f"{indent}  {where}{short(old, WIDTH)} -> {short(new, WIDTH)}")


def _say_same(same: bool, found: list[Difference]) -> None:
    if same:
        click.echo("no difference")
    elif not found:
        click.echo("  the same values, of which others are one object, or in another order")


def _described(found: Iterable[Difference]) -> list[dict[str, Any]]:
    return [
        {
            "path": path,
            **{key: plain(value) for key, value in (("old", old), ("new", new)) if value is not ABSENT},
        }
        for path, old, new in found
    ]

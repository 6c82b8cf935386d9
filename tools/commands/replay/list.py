"""`deathless replay list`: the workflows of a world, now or at a turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from ....runtime import WorkflowView
from ....runtime.row_buffer import WORKFLOW_TABLE
from ....workflows import rows
from ....workflows.messages import STATUSES, Status
from ...output import print_json, table
from ...replay.saved_world import SavedWorld
from ...replay.source_lines import place_of
from ...replay.world_times import WorldTimes
from .options import at_option, code_option, json_option, open_world, turn_of, turn_option, world_argument

EXAMPLES = """\b
Examples:
  deathless replay list world.deathless
  deathless replay list world.deathless --status Failed
  deathless replay list world.deathless --type guard --at 12.5
  deathless replay list world.deathless --limit 0 --json | jq '.workflows[].id'
"""


class Wanted(NamedTuple):
    """Which workflows to list; None for all."""

    type_name: str | None
    status: str | None
    entity_id: int | None

    def fits(self, head: rows.Head) -> bool:
        """Whether a workflow is one of them."""
        return (
            self.type_name in (None, head.type_name)
            and self.status in (None, str(STATUSES[head.status]))
            and self.entity_id in (None, head.entity_id)
        )


@click.command(epilog=EXAMPLES)
@world_argument
@turn_option
@at_option
@click.option("--type", "type_name", metavar="TYPE", help="Only of this workflow type.")
@click.option(
    "--status",
    type=click.Choice(
        [str(status) for status in Status if status is not Status.RUNNING], case_sensitive=False
    ),
    help="Only of this status.",
)
@click.option("--entity", "entity_id", metavar="ENTITY", type=int, help="Only on this entity.")
@click.option(
    "--limit", type=click.IntRange(0), default=50, show_default=True, help="Show so many at most; 0 for all."
)
@code_option
@json_option
def command(
    world: str,
    turn: int | None,
    at: str | None,
    type_name: str | None,
    status: str | None,
    entity_id: int | None,
    limit: int,
    modules: tuple[str, ...],
    as_json: bool,
) -> int:
    """List the workflows of WORLD by id: where each stands, when it last changed, and how many steps are recorded."""
    with open_world(world, modules) as saved:
        turn, _ = turn_of(saved, turn, at)
        wanted = Wanted(type_name, status, entity_id)
        found = 0
        views: list[WorkflowView] = []
        places: list[str] = []
        for workflow_id, row in _rows(saved, turn, type_name):
            try:
                fits = wanted.fits(rows.read_head(row))
                found += fits
                if fits and (not limit or len(views) < limit):
                    views.append(saved.view(workflow_id, row))
                    places.append(place_of(saved, row))
            except rows.RowError as error:
                raise saved.damaged(workflow_id, error) from error
        counts = saved.history.step_counts()
        state = saved.state
        shown_turn = state.turn if turn is None else turn
        if as_json:
            described = [_described(view, counts) for view in views]
            print_json({"world": world, "turn": shown_turn, "found": found, "workflows": described})
        else:
            _print(views, places, counts, WorldTimes(state))
            left_out = f", {len(views)} of them shown: --limit 0 shows all" if len(views) < found else ""
            click.echo(f"{found} workflow{'s' * (found != 1)} at turn {shown_turn}{left_out}")
    return 0


def _rows(saved: SavedWorld, turn: int | None, type_name: str | None) -> Iterator[tuple[int, bytes]]:
    if turn is not None:
        yield from saved.rows_at(turn, type_name).items()
        return
    for key, row in saved.reader.scan(WORKFLOW_TABLE):
        yield int.from_bytes(key, "big"), row


def _described(view: WorkflowView, counts: Counter[int]) -> dict[str, Any]:
    return {
        "id": view.id,
        "type": view.type,
        "entity": view.entity_id,
        "correlation_id": view.correlation_id,
        "status": str(view.status),
        "step": view.current_step,
        "line": view.line or None,
        "updated": view.updated_at,
        "steps": counts[view.id],
    }


def _print(views: list[WorkflowView], places: list[str], counts: Counter[int], times: WorldTimes) -> None:
    lines = [
        (
            str(view.id),
            view.type,
            "" if view.entity_id is None else str(view.entity_id),
            str(view.status),
            place if view.status.active else "",
            times.show(view.updated_at),
            str(counts[view.id]),
        )
        for view, place in zip(views, places, strict=True)
    ]
    if lines:
        table(("id", "type", "entity", "status", "stands at", "updated", "steps"), lines)

"""`deathless replay timeline`: the steps of a workflow, as lines, as a page with a picture, or as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from ...output import BadInput, print_json
from ...replay.differences import ABSENT
from ...replay.saved_world import SavedWorld
from ...replay.showing import plain
from ...replay.timeline import Moved, timeline, told
from ...replay.world_times import WorldTimes
from .options import code_option, json_option, open_world, workflow_argument, world_argument

EXAMPLES = """\b
Examples:
  deathless replay timeline world.deathless 7
  deathless replay timeline world.deathless 7 --code game.npcs --html guard.html
  deathless replay timeline world.deathless 7 | grep Alarm
  deathless replay timeline world.deathless 7 --json | jq '.steps[] | select(.kind == "timer")'
"""
CHANGES = 4
"""Changes that a line tells."""


@click.command(epilog=EXAMPLES)
@world_argument
@workflow_argument
@click.option("--html", "page", metavar="FILE", help="Write a page with a picture of its states over time.")
@code_option
@json_option
def command(world: str, workflow_id: int, page: str | None, modules: tuple[str, ...], as_json: bool) -> int:
    """List the recorded steps of the workflow ID of WORLD.

    A line a step: its number, turn and time, what caused it, where the workflow stood and stands, and what changed in
    its locals. Steps are counted from the oldest one that is kept.
    """
    if page is not None:
        from ...html_page import require_plotly  # noqa: PLC0415 - only where a page is asked for.

        require_plotly()
    with open_world(world, modules) as saved:
        saved.require_steps(workflow_id)
        steps = timeline(saved, workflow_id)
        if page is not None:
            found = list(steps)
            if not found:
                raise BadInput(f"no step of workflow {workflow_id} is kept: there is nothing to draw")
            _write_page(page, saved, workflow_id, found)
        elif as_json:
            print_json({"world": world, "id": workflow_id, "steps": [_described(moved) for moved in steps]})
        else:
            _print(steps, WorldTimes(saved.state))
    return 0


def _print(steps: Iterable[Moved], times: WorldTimes) -> None:
    """Write each line when it is known: there may be a million of them."""
    form = "{:>6}  {:>8}  {:>12}  {:<44}  {:<44}  {}"
    click.echo(form.format("step", "turn", "time", "cause", "from -> to", "changes"))
    for moved in steps:
        record, changes = moved.step.record, told(moved)
        more = [f"and {len(changes) - CHANGES} more"] if len(changes) > CHANGES else []
        same = moved.came_from in ("", moved.stands_at)
        path = moved.stands_at if same else f"{moved.came_from} -> {moved.stands_at}"
        cause = "; ".join((moved.cause.text, *moved.cause.answers))
        changed = ", ".join(changes[:CHANGES] + more)
        line = form.format(moved.step.number, record.turn, times.show_us(record.now_us), cause, path, changed)
        click.echo(line.rstrip())


def _write_page(page: str, saved: SavedWorld, workflow_id: int, steps: list[Moved]) -> None:
    from ...replay.timeline_page import page_of  # noqa: PLC0415 - it imports plotly.

    text = page_of(saved, workflow_id, steps)
    try:
        Path(page).write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--html {page}: cannot be written ({error.strerror})") from None
    click.echo(f"Wrote {page}", err=True)


def _described(moved: Moved) -> dict[str, Any]:
    record = moved.step.record
    return {
        "number": moved.step.number,
        "turn": record.turn,
        "time": moved.time,
        "kind": moved.cause.kind,
        "cause": moved.cause.text,
        "answers": list(moved.cause.answers),
        "from": moved.came_from or None,
        "to": moved.stands_at,
        "status": None if moved.view is None else str(moved.view.status),
        "changes": [
            {
                "path": path,
                **{key: plain(value) for key, value in (("old", old), ("new", new)) if value is not ABSENT},
            }
            for path, old, new in moved.changes
        ],
    }

"""`deathless replay export`: the steps of one workflow into one file."""

from __future__ import annotations

from pathlib import Path

import click

from ...output import BadInput, print_json
from ...replay.export import Bounds, export
from ...replay.replay_file import SUFFIX, write_replay
from ...replay.saved_world import SavedWorld

EXAMPLES = """\b
Examples:
  deathless replay export world.deathless 42
  deathless replay export world.deathless 42 tests/stuck-guard.replay --turn 3600:
  deathless replay export world.deathless 42 last.replay --from-step 90 --to-step 99

\b
Exit codes:
  0  done
  2  bad input, or a part of the history that is not kept
"""


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path())
@click.argument("workflow_id", metavar="ID", type=int)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--from-step", metavar="N", type=int, help="Begin with this step.")
@click.option("--to-step", metavar="M", type=int, help="End with this step.")
@click.option("--turn", "turn_range", metavar="A:B", help="Take the steps of these turns: A:B, A:, :B or A.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(
    world: str,
    workflow_id: int,
    file: Path | None,
    from_step: int | None,
    to_step: int | None,
    turn_range: str | None,
    *,
    as_json: bool,
) -> int:
    """Write the recorded steps of workflow ID of WORLD into FILE: TYPE-ID.replay by default.

    In it are, for each step, the message, the time, what the world answered, and the state before and after, all that a
    workflow knows included; the descriptions of its code; the seed and the limits of the world. Who has the code can
    run it again (`replay test`) and look into it (`replay import`). WORLD is only read, and may be running meanwhile.
    """
    with SavedWorld(world) as saved:
        replay = export(saved, workflow_id, steps=(from_step, to_step), turns=_bounds(turn_range))
    place = Path(f"{_file_name(replay.type)}-{workflow_id}{SUFFIX}") if file is None else file
    write_replay(replay, place)
    first, last = replay.steps[0].record, replay.steps[-1].record
    if as_json:
        print_json(
            {
                "file": str(place),
                "bytes": place.stat().st_size,
                "workflow": workflow_id,
                "type": replay.type,
                "steps": len(replay.steps),
                "turns": [first.turn, last.turn],
            }
        )
    else:
        turns = f"turn {first.turn}" if first.turn == last.turn else f"turns {first.turn} to {last.turn}"
        click.echo(f"{place}: {replay.summary}, {turns}, {place.stat().st_size:,} bytes")
    return 0


def _bounds(turns: str | None) -> Bounds:
    """Return the first and the last turn of a range such as 10:20."""
    if turns is None:
        return None, None
    first, colon, last = turns.partition(":")
    try:
        begin = int(first) if first else None
        return begin, (int(last) if last else None) if colon else begin
    except ValueError:
        raise BadInput(f"--turn is a range of turns such as 10:20, 10: or :20, not {turns!r}") from None


def _file_name(type_name: str) -> str:
    """Return a type's name without what file systems refuse."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in type_name)

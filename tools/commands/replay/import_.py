"""`deathless replay import`: a world of one replay file, to look into."""

from __future__ import annotations

from pathlib import Path

import click

from ...output import BadInput, print_json
from ...replay.replay_file import read_replay
from ...replay.small_world import make_small_world

EXAMPLES = """\b
Examples:
  deathless replay import guard-42.replay looked-at.deathless
  deathless replay import guard-42.replay before-the-bug.deathless --step 17

\b
Exit codes:
  0  done
  2  bad input; then there is nothing at NEWDIR
"""


@click.command(epilog=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("target", metavar="NEWDIR", type=click.Path())
@click.option("--step", metavar="N", type=int, help="As it stood after this step; the last by default.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(file: Path, target: str, step: int | None, *, as_json: bool) -> int:
    """Make NEWDIR a world that holds the workflow in FILE alone, with its steps as history.

    Its clock is a game clock that stands at the time of the step: open it with Runtime(NEWDIR, ...,
    clock=GameClock()), or with rebase=True for a wall clock. It has the workflow's id, entity and correlation id; what
    it waits for from others, such as its children, is not there.
    """
    replay = read_replay(file)
    if step is not None and not 1 <= step <= len(replay.steps):
        raise BadInput(f"{file} has steps 1 to {len(replay.steps)}, and no step {step}")
    stands = make_small_world(replay, target, step=step)
    now = stands.record.now_us / 1e6
    if as_json:
        print_json(
            {
                "world": target,
                "workflow": replay.workflow_id,
                "type": replay.type,
                "step": stands.number,
                "turn": stands.record.turn,
                "now": now,
            }
        )
    else:
        click.echo(
            f"{target}: workflow {replay.workflow_id} ({replay.type}) after step {stands.number} of "
            f"{len(replay.steps)}, turn {stands.record.turn}, {now:g} s"
        )
    return 0

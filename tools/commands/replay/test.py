"""`deathless replay test`: the steps in replay files, run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import click

from ....workflows.registry import Registry
from ...modules import load_registry
from ...output import BadInput, print_json
from ...replay.replay_file import Replay, read_replay
from ...replay.retest import run_again, verdict
from ...replay.verification import Verification

EXAMPLES = """\b
Examples:
  deathless replay test guard-42.replay --code game.npcs
  deathless replay test tests/replays/*.replay --code game/npcs.py --code game/items.py
  deathless replay test guard-42.replay --code game.npcs --json | jq '.files[0].findings[0].differences'

\b
Exit codes:
  0  every step comes to the state that was recorded
  1  one does not
  2  bad input, or code that cannot run a recorded step
"""


class Tested(NamedTuple):
    """A file, and what came of it.

    Attributes:
        code: 0 as recorded, 1 different, 2 it cannot be run or read.
        text: that in words.
        replay, found: None where it cannot be read.
    """

    file: Path
    code: int
    text: str
    replay: Replay | None
    found: Verification | None


@click.command(epilog=EXAMPLES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--code",
    "modules",
    metavar="MODULE",
    multiple=True,
    required=True,
    help="Dotted name, or path of a .py file, of what the game runs. May be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(files: tuple[Path, ...], modules: tuple[str, ...], *, as_json: bool) -> int:
    """Run each step in FILE... again with the code of the modules, and compare what it comes to.

    A step is run by itself: from the state that it began on, with the message, the time and the answers that it had.
    What the workflow asks for happens nowhere: no signal leaves it, no activity begins. Of several files each is
    tested, and the highest exit code counts.
    """
    registry = load_registry(modules)
    tested = []
    for file in files:
        one = _test(file, registry)
        tested.append(one)
        if not as_json:
            # What cannot be judged goes where errors go.
            click.echo(f"{'Error: ' if one.code == 2 else ''}{one.text}", err=one.code == 2)
    if as_json:
        print_json({"files": [_described(one) for one in tested]})
    return max(one.code for one in tested)


def _test(file: Path, registry: Registry) -> Tested:
    try:
        replay = read_replay(file)
    except BadInput as error:
        return Tested(file, 2, error.message, None, None)
    found = run_again(replay, registry)
    code = 1 if found.findings else 2 if found.unfit else 0
    return Tested(file, code, f"{file}: {verdict(replay, found)}", replay, found)


def _described(one: Tested) -> dict[str, Any]:
    replay, found = one.replay, one.found
    return {
        "file": str(one.file),
        "code": one.code,
        "error": one.text if one.code == 2 else None,
        "workflow": replay and replay.workflow_id,
        "type": replay and replay.type,
        "steps": replay and len(replay.steps),
        "version": replay and replay.version,
        "findings": [finding._asdict() for finding in found.findings] if found else [],
    }

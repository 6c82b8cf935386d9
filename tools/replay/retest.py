"""Replay tests: the steps of a replay file, run again with the loaded code, must come to what was recorded.

A file is made a world of its own for as long as its test takes, and that world is verified: one way to run steps again,
and one way to say what differs, for whole worlds and for files.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ...runtime.registration import registry_of
from ...workflows.registry import Registered, Registry
from .findings import described
from .replay_file import Replay, read_replay
from .saved_world import SavedWorld
from .small_world import make_small_world
from .verification import Verification, verify_workflow


class ReplayDiffers(AssertionError):  # noqa: N818 - what an assertion says, not a fault of Deathless.
    """A step of a replay file came to something else, or the code cannot run it; the text says which and what."""


def check_replay(path: str | os.PathLike[str], workflows: Iterable[Registered]) -> None:
    """Require that the steps of a replay file come to what was recorded.

    Args:
        path: the file.
        workflows: the code to run: workflow types, reducers and activities, as for `Runtime`.

    Raises:
        ReplayDiffers: they do not.
        BadInput: it is no replay file, or a damaged one.
    """
    replay = read_replay(Path(path))
    require_same(replay, registry_of(workflows))


def require_same(replay: Replay, registry: Registry) -> None:
    """Raise `ReplayDiffers` unless the steps of a replay come to what was recorded."""
    found = run_again(replay, registry)
    if found.findings or found.unfit:
        raise ReplayDiffers(verdict(replay, found))


def run_again(replay: Replay, registry: Registry) -> Verification:
    """Run the steps of a replay again."""
    with tempfile.TemporaryDirectory(prefix="deathless-replay-") as scratch:
        place = Path(scratch) / "world"
        make_small_world(replay, place)
        with SavedWorld(place, registry) as world:
            return verify_workflow(world, replay.workflow_id)


def verdict(replay: Replay, found: Verification) -> str:
    """Return what came of a replay in words: lines without an end."""
    if found.findings:
        return described(found.findings[0])
    if found.unfit:
        _, turn, reason = found.unfit[0]
        return f"{replay.summary}: that of turn {turn} cannot be run with this code: {reason}"
    # In other code, or in the same one at another path, which tracebacks name.
    moved = f" ({found.moved:,} of them in state, not in bytes)" if found.moved else ""
    return f"{replay.summary}: all as recorded{moved}"

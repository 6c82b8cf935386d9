"""Verifying a whole world, or one workflow of it, on one core or several."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from ...runtime.history.steps import StepRecord
from ...workflows.errors import HistoryError
from ..modules import load_registry
from ..output import silence_log
from .findings import Finding, explain, same_state
from .saved_world import SavedWorld
from .verifier import Unfit, Verifier, of_workflows

Progress = Callable[[int, int], None]
"""Told how many turns are done, of how many."""
REPORT_EVERY = 64
"""Turns between two reports of progress."""


class Verification(NamedTuple):
    """What came of running a world's steps again.

    Attributes:
        steps: how many; workflows: of how many.
        moved: steps after which other code stood at the same state.
        findings: where workflows parted from what was recorded, first in time first; one for each workflow.
        unfit: (workflow id, turn, reason): steps that the loaded code cannot run.
    """

    steps: int
    workflows: int
    moved: int
    findings: list[Finding]
    unfit: list[tuple[int, int, str]]


def verify_workflow(world: SavedWorld, workflow_id: int) -> Verification:
    """Run the steps of one workflow again."""
    turn = world.state.turn
    now = world.row(workflow_id)
    verifier = Verifier(world, partial(same_state, world))
    verifier.verify(world.history.steps_of(workflow_id))
    return _verification(world, [verifier], lambda _: now, turn)


def verify_world(world: SavedWorld, progress: Progress, *, part: int = 0, parts: int = 1) -> Verification:
    """Run all recorded steps of a world again, or those of one part of its workflows."""
    verifier = Verifier(world, partial(same_state, world))
    first = world.history.first_turn() or 0
    last = world.state.turn
    done = first
    with _no_collection():
        for steps in world.history.turn_steps():
            if steps.turn > last:
                # Of a world that runs on.
                break
            _require_kept(world, steps.turn)
            verifier.verify(of_workflows(steps.steps, part, parts) if parts > 1 else steps.steps)
            if steps.turn - done >= REPORT_EVERY:
                done = steps.turn
                progress(done - first, last - first)
        # Their workflows may have steps among the others, from before or after.
        of_last = Verifier(world, partial(same_state, world))
        of_last.verify(of_workflows(_last_steps(world, last), part, parts))
    rows = world.rows_at(last)
    found = _verification(world, [verifier, of_last], rows.get, last)
    progress(last - first, last - first)
    return found


def _require_kept(world: SavedWorld, turn: int) -> None:
    """Raise `HistoryError` if a running world has deleted a turn before it was read, and others with it."""
    first = world.history.first_turn()
    if first is not None and first > turn:
        raise HistoryError(
            f"{world.reader.path} deletes its history faster than it is verified; verify a copy of it"
        )


def _last_steps(world: SavedWorld, last: int) -> Iterator[StepRecord]:
    """Go through the last steps of workflows, where no more are kept, without those that were made meanwhile."""
    return (record for record in world.history.all_last_steps() if record.turn <= last)


def verify_in_parallel(path: str, modules: Sequence[str], processes: int, progress: Progress) -> Verification:
    """Run all recorded steps of a world again, each workflow in one of several processes."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes) as pool, context.Manager() as manager:
        told = manager.Queue()
        arguments = [(path, tuple(modules), part, processes, told) for part in range(processes)]
        waiting = pool.map_async(_verify_part, arguments, chunksize=1)
        done = dict.fromkeys(range(processes), (0, 1))
        while not waiting.ready():
            waiting.wait(0.1)
            while not told.empty():
                part, at, of = told.get()
                done[part] = (at, of)
            progress(sum(at for at, _ in done.values()), sum(of for _, of in done.values()))
        parts = waiting.get()
    return Verification(
        sum(part.steps for part in parts),
        sum(part.workflows for part in parts),
        sum(part.moved for part in parts),
        sorted((finding for part in parts for finding in part.findings), key=_order),
        sorted((unfit for part in parts for unfit in part.unfit), key=lambda unfit: (unfit[1], unfit[0])),
    )


def _verify_part(arguments: tuple[str, tuple[str, ...], int, int, Any]) -> Verification:
    path, modules, part, parts, told = arguments
    silence_log()
    with SavedWorld(path, load_registry(modules)) as world:
        return verify_world(world, lambda at, of: told.put((part, at, of)), part=part, parts=parts)


def _verification(
    world: SavedWorld, verifiers: list[Verifier], rows: Callable[[int], bytes | None], turn: int
) -> Verification:
    found = [verifier.end(rows, turn) for verifier in verifiers]
    return Verification(
        sum(verified.steps for verified in found),
        sum(verified.workflows for verified in found),
        sum(verified.moved for verified in found),
        sorted((explain(world, one) for verified in found for one in verified.divergences), key=_order),
        [_told(unfit) for verified in found for unfit in verified.unfit],
    )


def _told(unfit: Unfit) -> tuple[int, int, str]:
    return unfit.record.workflow_id, unfit.record.turn, unfit.reason


def _order(finding: Finding) -> tuple[int, int]:
    return finding.turn, finding.workflow_id


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from looking through thousands of workflows again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

"""Running recorded turns again, in a world that stands where they began."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...runtime import GameClock, Retention, Runtime
from ...runtime.history.turn_log import LoggedTurn
from ...runtime.inputs import StartInput
from ...workflows import rows
from ...workflows.errors import UnknownWorkflowTypeError
from ...workflows.limits import Limits
from ...workflows.messages import STATUS_CODE, Status
from ...workflows.registry import Registered, Registry
from .saved_world import SavedWorld


class Rerun(NamedTuple):
    """A turn that was run again.

    Attributes:
        turn: as it was recorded.
        same: whether it changed the same bytes in the same way.
    """

    turn: LoggedTurn
    same: bool


def require_types(world: SavedWorld, turn: int) -> None:
    """Refuse code that lacks a workflow type which a world needs, to run on from the end of a turn.

    Raises:
        UnknownWorkflowTypeError: it lacks one.
    """
    known = world.registry.workflows
    suspended = STATUS_CODE[Status.SUSPENDED]
    heads = map(rows.read_head, world.rows_at(turn).values())
    needed = {head.type_name for head in heads if head.status == suspended}
    for logged in world.history.turns(turn):
        needed.update(given.type_name for given in logged.record.inputs if isinstance(given, StartInput))
    missing = sorted(needed - known.keys())
    if missing:
        raise UnknownWorkflowTypeError(missing[0], tuple(sorted(known)))


def rerun(
    path: str | os.PathLike[str],
    registry: Registry,
    turns: Iterable[LoggedTurn],
    *,
    clock: str,
    limits: Limits | None = None,
) -> Iterator[Rerun]:
    """Run turns again, one for each item that is asked for; all steps are recorded.

    The turns are durable, and the world closed, when the iterator is exhausted or closed.

    Args:
        path: a world at the turn before the first of them, such as a fork.
        registry: the code to run.
        turns: from the log of the world that it was forked from.
        clock: the kind of clock that the world has.
        limits: bounds that it runs with.
    """
    recorded = GameClock()
    # Time is what the records say, in a world of either clock.
    recorded.kind = clock
    items: list[Registered] = [
        *registry.workflows.values(),
        *registry.reducers.values(),
        *registry.activities.values(),
        *registry.tables.values(),
    ]
    with Runtime(
        path,
        items,
        clock=recorded,
        durability="process",
        commit_every=0.2,
        limits=limits,
        history="all",
        retention=Retention(size=None),
    ) as world:
        history = world._engine.history
        for turn in turns:
            world.replay_turn(turn.record)
            yield Rerun(turn, history.last == (turn.record.turn, turn.digest))

"""Running recorded turns again, in a world that stands where they began."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...runtime import GameClock, Retention, Runtime
from ...runtime.history.turn_log import LoggedTurn
from ...workflows.limits import Limits
from ...workflows.registry import Registered, Registry


class Rerun(NamedTuple):
    """A turn that was run again.

    Attributes:
        turn: as it was recorded.
        same: whether it changed the same bytes in the same way.
    """

    turn: LoggedTurn
    same: bool


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

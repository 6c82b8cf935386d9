"""`health_of`: whether a world is well, from within or from outside."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...runtime import Runtime
from ...workflows.definition import WorkflowType
from .conditions import Condition, State, conditions_of
from .sight import Sight, sight_from_outside, sight_of
from .thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Health:
    """How a world is.

    Attributes:
        sight: what was seen.
        conditions: each of them, looked at.
    """

    sight: Sight
    conditions: tuple[Condition, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no alert; warnings do not count."""
        return all(condition.state is not State.ALERT for condition in self.conditions)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        sight, census = self.sight, self.sight.census
        return {
            "healthy": self.ok,
            "world": sight.path,
            "turn": census.turn,
            "now": census.now,
            "owner": sight.owner or None,
            "workflows": {str(status): count for status, count in census.statuses.items()},
            "timers": census.timers,
            "map_limit": sight.map_limit,
            "conditions": [condition.as_json() for condition in self.conditions],
        }


def told_health(world: Runtime) -> dict[str, Any]:
    """Return the health of an open world as its endpoint tells it, at GET /health."""
    return health_of(world).as_json()


def health_of(
    world: Runtime | str | os.PathLike[str],
    thresholds: Thresholds | None = None,
    *,
    types: Mapping[str, WorkflowType[Any, Any]] | None = None,
    before: Health | None = None,
) -> Health:
    """Say whether a world is well.

    Args:
        world: an open one, from any thread; or the path of one that another process runs, or nobody.
        thresholds: from when on a condition is trouble.
        types: of a world at a path, the code that it runs, to try each row with it.
        before: an earlier look: a backlog of timers that has become smaller since is only a warning.

    Raises:
        WorldError: the world cannot be read.
    """
    wanted = Thresholds() if thresholds is None else thresholds
    if isinstance(world, Runtime):
        sight = sight_of(world, wanted)
    else:
        sight = sight_from_outside(world, wanted, types)
    earlier = None if before is None else before.sight
    return Health(sight, tuple(conditions_of(sight, wanted, earlier)))
